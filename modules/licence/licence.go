package licence

import (
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrKind: there is no such kind.
	ErrKind = fault.InvalidField("kind", "LICENCE_KIND", "请选择证照种类")
	// ErrFiles: a paper has pictures.
	ErrFiles = fault.InvalidField("files", "LICENCE_FILES", "请上传证照的照片或扫描件，1 至 9 个")
	// ErrReplaced: a newer paper took its place, or it was removed.
	ErrReplaced = fault.New(fault.Conflict, "LICENCE_REPLACED", "这份证照已被替换或移除，请刷新后查看")
	// ErrTwice: the company keeps the paper already.
	ErrTwice = fault.New(fault.Conflict, "LICENCE_TWICE", "证照库中已有同种类、同编号的证照。换发新证的，请在原证照上选择“更新”").On("number")
	// ErrExpired: a paper that is over proves nothing.
	ErrExpired = fault.New(fault.Conflict, "LICENCE_EXPIRED", "这份证照已过有效期，请先更新为新证")
)

// Kind is one kind of paper.
type Kind struct {
	bun.BaseModel `bun:"table:licence_kinds,alias:k"`

	Code   string `bun:"code,pk" json:"code"`
	Name   string `bun:"name,notnull" json:"name"`
	Hint   string `bun:"hint,notnull" json:"hint"`
	Dated  bool   `bun:"dated,notnull" json:"dated" doc:"Whether a paper of the kind must say until when it is valid."`
	Remind []int  `bun:"remind,notnull" json:"remind" doc:"How many days before the end its holders are reminded."`
	Sort   int    `bun:"sort,notnull" json:"sort"`
}

// The states of a paper.
const (
	Current  = "current"
	Replaced = "replaced"
	Removed  = "removed"
)

// Licence is one paper of one company.
type Licence struct {
	bun.BaseModel `bun:"table:licences,alias:l"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Kind         string     `bun:"kind,notnull"`
	Number       string     `bun:"number,notnull"`
	Issuer       string     `bun:"issuer,notnull"`
	IssuedOn     string     `bun:"issued_on,notnull"`  // 2026-11-22, "" is not said
	ExpiresOn    string     `bun:"expires_on,notnull"` // the last day, "" is no end
	State        string     `bun:"state,notnull"`
	Replaces     int64      `bun:"replaces_id,notnull"` // the paper it took the place of, 0 is none
	Version      int64      `bun:"version,notnull"`
	At           time.Time  `bun:"created_at,notnull"`
	ByID         int64      `bun:"created_by,notnull"`
	ByName       string     `bun:"created_name,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	Reason       string     `bun:"reason,notnull"` // why it was removed
}

// Left is how many days the paper is still valid on a day in Beijing: 0 on its last, below after it; false without an end.
func (l *Licence) Left(now time.Time) (int, bool) {
	if l.ExpiresOn == "" {
		return 0, false
	}
	end, err := time.Parse(time.DateOnly, l.ExpiresOn)
	if err != nil {
		return 0, false
	}
	today, _ := time.Parse(time.DateOnly, now.In(clock.Beijing).Format(time.DateOnly))
	return int(end.Sub(today) / (24 * time.Hour)), true
}

// due is the threshold whose reminder is due: the smallest that is not below what is left; false when none is.
func (k Kind) due(left int) (int, bool) {
	days := slices.Clone(k.Remind)
	slices.Sort(days)
	for _, d := range days {
		if left <= d && left >= 0 {
			return d, true
		}
	}
	return 0, false
}

// Paper is what is said of a paper.
type Paper struct {
	Kind      string  `json:"kind"`
	Number    string  `json:"number"`
	Issuer    string  `json:"issuer,omitempty"`
	IssuedOn  string  `json:"issuedOn,omitempty" doc:"A day as 2026-11-22."`
	ExpiresOn string  `json:"expiresOn,omitempty" doc:"The last day it is valid, as 2026-11-22; empty: no end."`
	FileIDs   []int64 `json:"fileIds" maxItems:"9"`
}

// clean returns the paper as it is kept, or one fault with a field for each wrong input.
func (p Paper) clean(kinds []Kind) (Paper, Kind, error) {
	var wrong []error
	var err error
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Code == p.Kind })
	var kind Kind
	if i < 0 {
		wrong = append(wrong, ErrKind)
	} else {
		kind = kinds[i]
	}
	p.Number, err = text.Line("number", p.Number, 2, 60)
	wrong = append(wrong, text.Named(err, "证照编号"))
	p.Issuer, err = text.Line("issuer", p.Issuer, 0, 100)
	wrong = append(wrong, text.Named(err, "发证机关"))
	day := func(field, label, value string) string {
		value = strings.TrimSpace(value)
		if value == "" {
			return ""
		}
		if _, err := text.Day(field, value, clock.Beijing); err != nil {
			wrong = append(wrong, text.Named(err, label))
		}
		return value
	}
	p.IssuedOn, p.ExpiresOn = day("issuedOn", "发证日期", p.IssuedOn), day("expiresOn", "有效期至", p.ExpiresOn)
	switch {
	case p.ExpiresOn == "" && kind.Dated:
		wrong = append(wrong, fault.InvalidField("expiresOn", "LICENCE_DATED", "请填写有效期截止日期"))
	case p.ExpiresOn != "" && p.IssuedOn != "" && p.ExpiresOn < p.IssuedOn:
		wrong = append(wrong, fault.InvalidField("expiresOn", "LICENCE_ORDER", "有效期截止日期不能早于发证日期"))
	}
	if len(p.FileIDs) == 0 || len(p.FileIDs) > 9 {
		wrong = append(wrong, ErrFiles)
	}
	return p, kind, fault.Merge(wrong...)
}
