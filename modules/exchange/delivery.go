package exchange

import (
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Queued    State = "queued"
	Sending   State = "sending"
	Delivered State = "delivered"
	Failed    State = "failed" // not taken; tried again at next_at
	Dead      State = "dead"   // not tried again until a person says so
	Skipped   State = "skipped"
	Kept      State = "kept" // for a partner who only pulls
)

var states = map[State]string{
	Queued: "待推送", Sending: "推送中", Delivered: "已送达", Failed: "等待重试", Dead: "已停止", Skipped: "已跳过", Kept: "供拉取",
}

// Label is the Chinese word of the state.
func (s State) Label() string { return states[s] }

// Delivery is one event for one partner.
type Delivery struct {
	bun.BaseModel `bun:"table:exchange_deliveries,alias:d"`

	ID        int64      `bun:"id,pk,autoincrement"`
	PartnerID int64      `bun:"partner_id,notnull"`
	EventID   int64      `bun:"event_id,notnull"`
	MessageID string     `bun:"message_id,notnull"`
	Type      string     `bun:"type,notnull"`
	Object    string     `bun:"object,notnull"`
	ObjectID  int64      `bun:"object_id,notnull"`
	Seq       int64      `bun:"seq,notnull"`
	Subject   string     `bun:"subject,notnull"`
	Body      string     `bun:"body,notnull"` // the bytes as they were made; never written again
	State     State      `bun:"state,notnull"`
	Claim     string     `bun:"claim,notnull"`    // who sends it now; a slow worker's write is refused by it
	Attempts  int        `bun:"attempts,notnull"` // pushes in all
	Tries     int        `bun:"tries,notnull"`    // failures since the last decision of a person
	NextAt    *time.Time `bun:"next_at"`
	FirstAt   *time.Time `bun:"first_at"` // of the tries
	LastAt    *time.Time `bun:"last_at"`
	Status    int        `bun:"status,notnull"` // of the partner's last answer; 0 when there was none
	Reason    string     `bun:"reason,notnull"`
	Receipt   string     `bun:"receipt,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	SettledAt *time.Time `bun:"settled_at"`
}

// attempt is one line of a delivery's history.
type attempt struct {
	bun.BaseModel `bun:"table:exchange_attempts,alias:a"`

	ID         int64     `bun:"id,pk,autoincrement"`
	DeliveryID int64     `bun:"delivery_id,notnull"`
	Kind       string    `bun:"kind,notnull"` // push, lost, replay, skip
	Number     int       `bun:"number,notnull"`
	At         time.Time `bun:"at,notnull"`
	TookMS     int64     `bun:"took_ms,notnull"`
	Status     int       `bun:"status,notnull"`
	OK         bool      `bun:"ok,notnull"`
	Reason     string    `bun:"reason,notnull"`
	Actor      string    `bun:"actor,notnull"`
}

// Trouble says what kept a partner from taking a push.
type Trouble string

// The troubles. A partner that answered, answered with Status.
const (
	Answered      Trouble = "answered"
	TimedOut      Trouble = "timed_out"
	Refused       Trouble = "refused"
	Cut           Trouble = "cut"
	Unresolved    Trouble = "unresolved"
	Untrusted     Trouble = "untrusted"
	Blocked       Trouble = "blocked"
	Misconfigured Trouble = "misconfigured"
	Unreachable   Trouble = "unreachable"
)

// Outcome is what came of one push.
type Outcome struct {
	Taken      bool
	Status     int
	Trouble    Trouble // when it was not taken
	RetryAfter time.Duration
	Receipt    string // the id the partner gave it
	Err        error  // for the log
}

// Verdict is what follows from an outcome that was not good.
type Verdict string

// The verdicts.
const (
	Again  Verdict = "again"  // soon
	Slowly Verdict = "slowly" // somebody has to mend something first
	Never  Verdict = "never"  // the same content will be refused again
)

// Verdict judges a push that was not taken.
func (o Outcome) Verdict() Verdict {
	switch {
	case o.Trouble == Blocked, o.Trouble == Misconfigured, o.Trouble == Untrusted:
		return Slowly
	case o.Status == 0, o.Status == 408, o.Status == 409, o.Status == 425, o.Status == 429, o.Status >= 500:
		return Again
	case o.Status == 401, o.Status == 403, o.Status == 404, o.Status == 410, o.Status >= 300 && o.Status < 400:
		return Slowly
	}
	return Never
}

// whole reports whether the failure is one of the partner as a whole, not of this content.
func (o Outcome) whole() bool { return o.Verdict() != Never && o.Status != 409 && o.Status != 425 }

// troubles say in Chinese what happened and, where somebody has to act, what to do.
var troubles = map[Trouble]string{
	TimedOut:      "对方未在规定时间内应答",
	Refused:       "对方拒绝连接，服务可能未启动",
	Cut:           "连接中断，未收到应答",
	Unresolved:    "推送地址的域名无法解析，请核对地址",
	Untrusted:     "对方的证书无法通过校验，请联系对方更换证书",
	Blocked:       "推送地址不在允许范围内，请核对地址或登记内网网段",
	Misconfigured: "签名密钥无法使用，请更换密钥",
	Unreachable:   "网络不通，未能连接对方",
}

// Words says in Chinese why the push was not taken.
func (o Outcome) Words() string {
	if o.Trouble != Answered {
		return troubles[o.Trouble]
	}
	why := ""
	switch {
	case o.Status >= 500:
		why = "，对方系统故障"
	case o.Status >= 300 && o.Status < 400:
		why = "，地址已迁移，请核对推送地址"
	case o.Status == 400 || o.Status == 422:
		why = "，对方认为内容不合格"
	case o.Status == 401:
		why = "，对方未认可签名，请核对密钥"
	case o.Status == 403:
		why = "，对方拒绝接收，请联系对方开通"
	case o.Status == 404 || o.Status == 410:
		why = "，推送地址不存在，请核对地址"
	case o.Status == 413:
		why = "，对方认为内容过大"
	case o.Status == 429:
		why = "，对方要求放慢"
	}
	return fmt.Sprintf("对方返回 %d%s", o.Status, why)
}

// giveUp is how long one delivery is tried.
const giveUp = 24 * time.Hour

var (
	soon  = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
	later = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
)

// pause is how long to wait after the n-th failure in a row; chance, 0 to 1, spreads it by a fifth to either side. What the
// partner asked for is the least.
func pause(v Verdict, n int, asked time.Duration, chance float64) time.Duration {
	steps := soon
	if v == Slowly {
		steps = later
	}
	d := steps[min(max(n, 1), len(steps))-1]
	d += time.Duration((chance - 0.5) * 0.4 * float64(d))
	return max(d, asked)
}

// fail moves a delivery that was not taken on: to another try, or to the dead.
func (d *Delivery) fail(now time.Time, o Outcome, chance float64) {
	d.Tries++
	d.Status, d.Reason = o.Status, o.Words()
	v := o.Verdict()
	first := now
	if d.FirstAt != nil {
		first = *d.FirstAt
	}
	next := now.Add(pause(v, d.Tries, o.RetryAfter, chance))
	switch {
	case v == Never:
		d.State, d.NextAt = Dead, nil
	case next.Sub(first) > giveUp:
		d.State, d.NextAt = Dead, nil
		d.Reason = "连续 24 小时未送达：" + d.Reason
	default:
		d.State, d.NextAt = Failed, &next
	}
}

// deliver records that the partner took it.
func (d *Delivery) deliver(now time.Time, o Outcome) {
	d.State, d.NextAt, d.SettledAt = Delivered, nil, &now
	d.Status, d.Reason, d.Receipt = o.Status, "", o.Receipt
}

// replay sets a delivery back to be pushed again, with its old id and body.
func (d *Delivery) replay() error {
	switch d.State {
	case Failed, Dead, Delivered, Skipped:
	default:
		return ErrState.With("该推送当前为“%s”，不能重新推送，请刷新后查看", d.State.Label())
	}
	d.State, d.NextAt, d.FirstAt, d.SettledAt, d.Tries = Queued, nil, nil, nil, 0
	return nil
}

// skip settles a delivery without the partner having it.
func (d *Delivery) skip(now time.Time, reason string) error {
	switch d.State {
	case Queued, Failed, Dead:
	default:
		return ErrState.With("该推送当前为“%s”，不能跳过，请刷新后查看", d.State.Label())
	}
	d.State, d.NextAt, d.SettledAt, d.Reason = Skipped, nil, &now, reason
	return nil
}
