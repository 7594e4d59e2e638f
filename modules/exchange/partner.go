package exchange

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// PartnerState says whether a partner gets its pushes.
type PartnerState string

// The states of a partner. While one is paused its events are kept and leave when it is resumed.
const (
	Active PartnerState = "active"
	Paused PartnerState = "paused"
)

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStale: somebody changed the partner after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "对接方资料已被他人修改，请刷新后再操作")
	// ErrState: the state of a delivery or partner does not allow the action.
	ErrState = fault.New(fault.Conflict, "DELIVERY_STATE", "当前状态不能进行此操作，请刷新后查看")
	// ErrCode: two partners cannot have the same code.
	ErrCode = fault.New(fault.Invalid, "PARTNER_CODE", "该代码已被其他对接方使用，请换一个")
	// ErrKey: the key of a call is wrong or was revoked.
	ErrKey = fault.New(fault.Unauthorized, "API_KEY", "接口密钥无效或已吊销，请向平台运营人员申请")
	// ErrQuota: the partner made all its calls of the day or the minute.
	ErrQuota = fault.New(fault.TooMany, "API_QUOTA", "调用次数已达上限，请稍后再试")
)

// texts is a list kept as JSON text.
type texts []string

// Value writes the list.
func (t texts) Value() (driver.Value, error) {
	if t == nil {
		return "[]", nil
	}
	b, err := json.Marshal([]string(t))
	return string(b), err
}

// Scan reads the list.
func (t *texts) Scan(src any) error {
	var b []byte
	switch v := src.(type) {
	case string:
		b = []byte(v)
	case []byte:
		b = v
	default:
		return fmt.Errorf("exchange: a list cannot be read from %T", src)
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// Partner is one outside system.
type Partner struct {
	bun.BaseModel `bun:"table:exchange_partners,alias:p"`

	ID             int64        `bun:"id,pk,autoincrement"`
	Code           string       `bun:"code,notnull"` // part of every message id: never changed
	Name           string       `bun:"name,notnull"`
	Note           string       `bun:"note,notnull"`
	URL            string       `bun:"url,notnull"` // "" when the partner only pulls
	Secret         string       `bun:"secret,notnull"`
	AllowCIDRs     texts        `bun:"allow_cidrs,notnull,type:text"`
	AllowHosts     texts        `bun:"allow_hosts,notnull,type:text"` // set by the installation itself only
	Events         texts        `bun:"events,notnull,type:text"`
	Fields         texts        `bun:"fields,notnull,type:text"`
	ShowNames      bool         `bun:"show_names,notnull"`
	State          PartnerState `bun:"state,notnull"`
	FromEvent      int64        `bun:"from_event,notnull"` // events up to this one are not the partner's
	Failures       int          `bun:"failures,notnull"`   // pushes in a row that the partner as a whole did not take
	CallsPerMinute int          `bun:"calls_per_minute,notnull"`
	CallsPerDay    int          `bun:"calls_per_day,notnull"`
	Version        int64        `bun:"version,notnull"`
	CreatedAt      time.Time    `bun:"created_at,notnull"`
	UpdatedAt      time.Time    `bun:"updated_at,notnull"`
	UpdatedBy      string       `bun:"updated_by,notnull"`
}

// Pushed reports whether the partner is sent anything.
func (p *Partner) Pushed() bool { return p.URL != "" }

// check compares the version an actor saw with the row's.
func (p *Partner) check(version int64) error {
	if p.Version != version {
		return ErrStale.With("对接方资料已由%s于%s修改，请刷新后再操作", p.UpdatedBy, clock.Show(p.UpdatedAt))
	}
	return nil
}

// Pause stops the pushes; what happens meanwhile is kept.
func (p *Partner) Pause() error {
	if p.State == Paused {
		return ErrState.With("该对接方已暂停推送，请刷新后查看")
	}
	p.State = Paused
	return nil
}

// Resume lets the pushes go on where they stopped.
func (p *Partner) Resume() error {
	if p.State == Active {
		return ErrState.With("该对接方正在推送，请刷新后查看")
	}
	p.State, p.Failures = Active, 0
	return nil
}

// inFlight is how many objects' events are on the way to one partner at once; downAfter failures in a row one at a time
// is enough to see whether it is back.
const (
	inFlight  = 8
	downAfter = 5
)

// room is how many pushes may be on the way to the partner.
func (p *Partner) room() int {
	if p.Failures >= downAfter {
		return 1
	}
	return inFlight
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}[a-z0-9]$`)

// inner are the ranges a person may open to a partner: private networks, never our own machine or link-local ones.
var inner = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// checkNetwork reads one network of the allow-list and returns it in its usual form.
func checkNetwork(s string) (string, error) {
	n, err := netip.ParsePrefix(s)
	if err != nil {
		if ip, ipErr := netip.ParseAddr(s); ipErr == nil {
			n, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
	}
	if err != nil {
		return "", fault.InvalidField("allowCidrs", "NETWORK", "“"+s+"”不是网段，请按 10.20.0.0/16 的形式填写")
	}
	n = n.Masked()
	for _, p := range inner {
		if p.Contains(n.Addr()) && n.Bits() >= p.Bits() {
			return n.String(), nil
		}
	}
	return "", fault.InvalidField("allowCidrs", "NETWORK", "“"+s+"”不是内网网段。只需登记对接方所在的内网网段，本机和保留地址不能登记")
}
