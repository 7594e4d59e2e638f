package application

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web/page"
	"github.com/huiqi/huiqi/platform/worktime"
)

// ObjectDiligence is the name of a record of due diligence in file links: its files are the institution's own.
const ObjectDiligence = "application_diligence"

// ErrNoDiligence: money is granted after a look at the company.
var ErrNoDiligence = fault.New(fault.Conflict, "NO_DILIGENCE", "请先登记尽职调查，再登记审批结果")

// Way is how due diligence was done.
type Way string

// The ways.
const (
	OnSite    Way = "on_site"
	ByPhone   Way = "phone"
	OnPaper   Way = "documents"
	ByPartner Way = "third_party"
)

var ways = map[Way]string{OnSite: "现场走访", ByPhone: "电话访谈", OnPaper: "资料核查", ByPartner: "委托第三方"}

// Label is the Chinese word.
func (w Way) Label() string { return ways[w] }

// diligence is a record of due diligence. Findings stay within the institution.
type diligence struct {
	bun.BaseModel `bun:"table:application_diligence,alias:ad"`

	ID            int64     `bun:"id,pk,autoincrement"`
	ApplicationID int64     `bun:"application_id,notnull"`
	Seq           int64     `bun:"seq,notnull"` // of its event
	Day           string    `bun:"day,notnull"`
	Way           Way       `bun:"way,notnull"`
	People        string    `bun:"people,notnull"`
	Findings      string    `bun:"findings,notnull"`
	Advice        string    `bun:"advice,notnull"`
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

// DiligenceView is a record of due diligence as the handling institution reads it.
type DiligenceView struct {
	ID       int64      `json:"id"`
	Day      string     `json:"day"`
	Way      Way        `json:"way" enum:"on_site,phone,documents,third_party"`
	People   string     `json:"people"`
	Findings string     `json:"findings"`
	Advice   string     `json:"advice"`
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
	Files    []FileView `json:"files"`
}

// payment is one instalment that was paid out.
type payment struct {
	bun.BaseModel `bun:"table:application_payments,alias:ap"`

	ApplicationID int64     `bun:"application_id,pk"`
	No            int       `bun:"no,pk"`
	Amount        int64     `bun:"amount,notnull"`
	PaidOn        string    `bun:"paid_on,notnull"`
	Note          string    `bun:"note,notnull"`
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

// PaymentView is one instalment.
type PaymentView struct {
	No     int       `json:"no"`
	Amount int64     `json:"amount"` // fen
	PaidOn string    `json:"paidOn"`
	Note   string    `json:"note"`
	At     time.Time `json:"at"`
}

// Investigate takes the application into due diligence, or notes more of it.
func (a *Application) Investigate() error {
	if err := a.move(ToInvestigate); err != nil {
		return err
	}
	a.Diligences++
	return nil
}

// Investigate asks to keep a record of due diligence.
type Investigate struct {
	Ref
	Day      string // 2026-11-30
	Way      Way
	People   string // who did it
	Findings string // stay within the institution
	Advice   string // stay within the institution
	FileIDs  []int64
}

// day reads a day that is not before the first nor after the last.
func day(field, label, typed string, first, last worktime.Day) (string, error) {
	d, err := worktime.ParseDay(strings.TrimSpace(typed))
	switch {
	case err != nil:
		return "", fault.InvalidField(field, "DAY", "请选择"+label)
	case d > last:
		return "", fault.InvalidField(field, "DAY_FUTURE", label+"不能晚于今天")
	case d < first:
		return "", fault.InvalidField(field, "DAY_EARLY", fmt.Sprintf("%s不能早于 %s", label, first))
	}
	return d.String(), nil
}

// record checks what was typed.
func (c Investigate) record(a *Application, by access.Actor, now time.Time) (*diligence, error) {
	d := &diligence{ApplicationID: a.ID, Way: c.Way, ByName: by.Name, At: now}
	var errs []error
	var err error
	d.Day, err = day("day", "调查日期", c.Day, worktime.DayOf(a.SubmittedAt), worktime.DayOf(now))
	errs = append(errs, err)
	if c.Way.Label() == "" {
		errs = append(errs, fault.InvalidField("way", "DILIGENCE_WAY", "请选择调查方式"))
	}
	d.People, err = text.Line("people", c.People, 2, 100)
	errs = append(errs, named("people", "调查人员", err))
	d.Findings, err = text.Block("findings", c.Findings, 5, 4000)
	errs = append(errs, named("findings", "调查情况", err))
	d.Advice, err = text.Block("advice", c.Advice, 0, maxNote)
	errs = append(errs, named("advice", "调查意见", err))
	return d, fault.Merge(errs...)
}

// Investigate keeps a record of due diligence; the company reads that and how it was done, the findings and files stay within
// the institution. Errors as Accept, and a message for each wrong field; files must be the actor's own.
func (s *Service) Investigate(ctx context.Context, actor access.Actor, cmd Investigate) (View, error) {
	return s.change(ctx, actor, ToInvestigate, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		if err := a.Investigate(); err != nil {
			return effect{}, err
		}
		if len(cmd.FileIDs) > maxFiles {
			return effect{}, fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减后提交", maxFiles))
		}
		d, err := cmd.record(a, actor, s.Clock.Now())
		if err != nil {
			return effect{}, err
		}
		e := investigated(d)
		e.after = func(ctx context.Context, tx bun.Tx, seq int64) error {
			d.Seq = seq
			if _, err := tx.NewInsert().Model(d).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return fmt.Errorf("keep due diligence: %w", err)
			}
			for _, f := range cmd.FileIDs {
				if err := s.Files.Claim(ctx, tx, actor, f, ObjectDiligence, d.ID); err != nil {
					return err
				}
			}
			return nil
		}
		return e, nil
	})
}

func investigated(d *diligence) effect {
	return effect{fact: func(h Head) event.Fact { return Investigated{Head: h, Day: d.Day, Way: d.Way} }, summary: "登记尽职调查"}
}

// SeesDiligence returns nil when the actor may read the files of a record of due diligence: the word on who may read them.
func (s *Service) SeesDiligence(ctx context.Context, actor access.Actor, id int64) error {
	db := s.DB.Read()
	var of int64
	if err := db.NewSelect().Model((*diligence)(nil)).Column("application_id").Where("ad.id = ?", id).Scan(ctx, &of); err != nil {
		return fault.ErrNotFound
	}
	a, err := find(ctx, db, visible(actor), of)
	if err != nil {
		return err
	}
	if !handles(actor, a) && actor.Party != access.System {
		return ErrNotFound
	}
	return nil
}

// diligences lists the records of an application, the oldest first.
func (s *Service) diligences(ctx context.Context, db bun.IDB, id int64) ([]DiligenceView, error) {
	var rows []diligence
	if err := db.NewSelect().Model(&rows).Where("ad.application_id = ?", id).OrderExpr("ad.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("due diligence of application %d: %w", id, err)
	}
	out := make([]DiligenceView, 0, len(rows))
	for _, d := range rows {
		files, err := s.Files.Of(ctx, db, ObjectDiligence, d.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, DiligenceView{d.ID, d.Day, d.Way, d.People, d.Findings, d.Advice, d.ByName, d.At.UTC(), append([]FileView{}, files...)})
	}
	return out, nil
}

// payments lists the instalments of an application.
func payments(ctx context.Context, db bun.IDB, id int64) ([]PaymentView, error) {
	var rows []payment
	if err := db.NewSelect().Model(&rows).Where("ap.application_id = ?", id).OrderExpr("ap.no").Scan(ctx); err != nil {
		return nil, fmt.Errorf("payments of application %d: %w", id, err)
	}
	out := make([]PaymentView, 0, len(rows))
	for _, p := range rows {
		out = append(out, PaymentView{p.No, p.Amount, p.PaidOn, p.Note, p.At.UTC()})
	}
	return out, nil
}

// Disburse keeps that an instalment was paid out; all of them together are no more than what was granted.
func (a *Application) Disburse(now time.Time, amount int64) error {
	if err := a.move(ToDisburse); err != nil {
		return err
	}
	left := a.ApprovedAmount - a.DisbursedAmount
	if left <= 0 {
		return fault.InvalidField("amount", "AMOUNT_ALL_PAID", "审批金额已全部放款，不能再登记放款")
	}
	if amount <= 0 || amount > left {
		return fault.InvalidField("amount", "AMOUNT_RANGE", "放款金额应大于 0 且不超过尚未放款的 "+page.Money(left))
	}
	a.DisbursedAmount += amount
	a.DisbursedAt = &now
	a.Payments++
	return nil
}

// Disburse asks to keep that an instalment was paid out.
type Disburse struct {
	Ref
	Amount int64  // fen
	PaidOn string // 2026-11-30; empty is today
	Note   string
}

// Disburse keeps an instalment of an approved loan. Errors as Approve.
func (s *Service) Disburse(ctx context.Context, actor access.Actor, cmd Disburse) (View, error) {
	note, err := block("note", "放款说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToDisburse, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		now := s.Clock.Now()
		p, err := a.pay(now, cmd.Amount, cmd.PaidOn, note, actor)
		if err != nil {
			return effect{}, err
		}
		e := disbursed(a, p)
		e.after = func(ctx context.Context, tx bun.Tx, _ int64) error {
			_, err := tx.NewInsert().Model(p).Exec(ctx)
			return err
		}
		return e, nil
	})
}

// pay is Disburse with the row of the instalment.
func (a *Application) pay(now time.Time, amount int64, on, note string, by access.Actor) (*payment, error) {
	if on == "" {
		on = worktime.DayOf(now).String()
	}
	first := worktime.DayOf(a.SubmittedAt)
	if a.ApprovedAt != nil {
		first = worktime.DayOf(*a.ApprovedAt)
	}
	if err := a.Disburse(now, amount); err != nil {
		return nil, err
	}
	on, err := day("paidOn", "放款日期", on, first, worktime.DayOf(now))
	return &payment{ApplicationID: a.ID, No: a.Payments, Amount: amount, PaidOn: on, Note: note, ByName: by.Name, At: now}, err
}
