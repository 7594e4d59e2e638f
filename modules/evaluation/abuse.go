package evaluation

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Cause is why an evaluation is reported.
type Cause string

// The causes.
const (
	Insult  Cause = "insult"
	Privacy Cause = "privacy"
	Untrue  Cause = "untrue"
	Advert  Cause = "advert"
	Other   Cause = "other"
)

var causes = map[Cause]string{Insult: "辱骂攻击", Privacy: "泄露隐私或商业秘密", Untrue: "内容不实", Advert: "广告或与服务无关", Other: "其他"}

// Label is the Chinese word of the cause.
func (c Cause) Label() string { return causes[c] }

// Result is what came of a report.
type Result string

// The results.
const (
	Open   Result = "open"
	Kept   Result = "kept"   // nothing is wrong
	Hid    Result = "hidden" // the words are hidden, the level stays
	Second Result = "second" // hidden, and another person must say whether the level counts
	Void   Result = "voided" // found abusive by two persons
)

// reportRow is a report of an evaluation and what came of it.
type reportRow struct {
	bun.BaseModel `bun:"table:evaluation_reports,alias:vr"`

	ID            int64      `bun:"id,pk,autoincrement"`
	EvaluationID  int64      `bun:"evaluation_id,notnull"`
	Cause         Cause      `bun:"cause,notnull"`
	Words         string     `bun:"words,notnull"`
	ByID          int64      `bun:"by_id,notnull"`
	By            string     `bun:"made_by,notnull"`
	ByInstitution bool       `bun:"by_institution,notnull"`
	At            time.Time  `bun:"made_at,notnull"`
	State         Result     `bun:"state,notnull"`
	FirstID       int64      `bun:"first_id,notnull"`
	First         string     `bun:"first_by,notnull"`
	FirstReason   string     `bun:"first_reason,notnull"`
	FirstAt       *time.Time `bun:"first_at"`
	SecondBy      string     `bun:"second_by,notnull"`
	SecondReason  string     `bun:"second_reason,notnull"`
	SecondAt      *time.Time `bun:"second_at"`
}

func (r *reportRow) open() bool { return r.State == Open || r.State == Second }

// latest is the last report of an evaluation, fault.ErrNotFound when there was none.
func latest(ctx context.Context, db bun.IDB, id int64) (*reportRow, error) {
	r := new(reportRow)
	err := database.Found(db.NewSelect().Model(r).Where("vr.evaluation_id = ?", id).OrderExpr("vr.id DESC").Limit(1).Scan(ctx))
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Report says that an evaluation abuses.
type Report struct {
	Step
	Cause Cause
	Words string
}

// Report asks the operators to look at an evaluation. The institution that was evaluated may, with evaluation.reply, and whoever
// moderates. One report at a time: ErrReported.
func (s *Service) Report(ctx context.Context, actor access.Actor, cmd Report) (View, error) {
	own := actor.Party == access.Institution
	need := PermModerate
	if own {
		need = PermReply
	}
	if err := actor.Need(need); err != nil {
		return View{}, err
	}
	if cmd.Cause.Label() == "" {
		return View{}, fault.InvalidField("cause", "EVALUATION_CAUSE", "请选择举报原因")
	}
	words, err := text.Block("words", cmd.Words, 5, maxWords)
	if err != nil {
		return View{}, text.Named(err, "举报说明")
	}
	err = s.change(ctx, actor, "report", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error) {
		if v.Voided || v.Hidden {
			return nil, audit.Record{}, ErrStep.With("此评价的文字已隐藏，无需再举报")
		}
		last, err := latest(ctx, tx, v.ID)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return nil, audit.Record{}, err
		}
		if err == nil && last.open() {
			return nil, audit.Record{}, ErrReported
		}
		row := reportRow{EvaluationID: v.ID, Cause: cmd.Cause, Words: words, ByID: actor.UserID, By: actor.Name, ByInstitution: own, At: now, State: Open}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return nil, audit.Record{}, err
		}
		return Reported{v.head(), row.ID, cmd.Cause.Label()}, audit.Record{Summary: "举报服务评价 " + v.Number, Detail: map[string]any{"report": row.ID, "cause": cmd.Cause}}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// Decide is the first person's word on a report: Kept, Hid, or Second, which hides the words and asks another person whether the
// level counts.
type Decide struct {
	Step
	Result Result
	Reason string
}

// Decide keeps the first person's word. It takes evaluation.moderate.
func (s *Service) Decide(ctx context.Context, actor access.Actor, cmd Decide) (View, error) {
	if err := moderates(actor); err != nil {
		return View{}, err
	}
	if cmd.Result != Kept && cmd.Result != Hid && cmd.Result != Second {
		return View{}, fault.InvalidField("result", "EVALUATION_RESULT", "请选择处理结果")
	}
	reason, err := text.Line("reason", cmd.Reason, 5, 200)
	if err != nil {
		return View{}, text.Named(err, "处理理由")
	}
	err = s.change(ctx, actor, "decide", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error) {
		r, err := latest(ctx, tx, v.ID)
		if errors.Is(err, fault.ErrNotFound) || err == nil && r.State != Open {
			return nil, audit.Record{}, ErrStep
		}
		if err != nil {
			return nil, audit.Record{}, err
		}
		r.State, r.FirstID, r.First, r.FirstReason, r.FirstAt = cmd.Result, actor.UserID, actor.Name, reason, &now
		if cmd.Result != Kept {
			v.Hidden, v.HiddenWhy = true, reason
		}
		if err := settle(ctx, tx, r, Open); err != nil {
			return nil, audit.Record{}, err
		}
		return Decided{v.head(), r.ID, r.State, reason, r.ByInstitution},
			audit.Record{Summary: "处理评价举报 " + v.Number, Detail: map[string]any{"report": r.ID, "result": r.State, "reason": reason}}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// Confirm is the second person's word: whether the level does not count either.
type Confirm struct {
	Step
	Abusive bool
	Reason  string
}

// Confirm keeps the second person's word, who is neither who reported nor who decided first. It takes evaluation.moderate.
func (s *Service) Confirm(ctx context.Context, actor access.Actor, cmd Confirm) (View, error) {
	if err := moderates(actor); err != nil {
		return View{}, err
	}
	reason, err := text.Line("reason", cmd.Reason, 5, 200)
	if err != nil {
		return View{}, text.Named(err, "确认意见")
	}
	err = s.change(ctx, actor, "confirm", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error) {
		r, err := latest(ctx, tx, v.ID)
		if errors.Is(err, fault.ErrNotFound) || err == nil && r.State != Second {
			return nil, audit.Record{}, ErrStep
		}
		if err != nil {
			return nil, audit.Record{}, err
		}
		if actor.UserID == r.FirstID || actor.UserID == r.ByID {
			return nil, audit.Record{}, ErrOwnDecision
		}
		r.State, r.SecondBy, r.SecondReason, r.SecondAt = Hid, actor.Name, reason, &now
		if cmd.Abusive {
			r.State, v.Voided, v.Counts = Void, true, false
		}
		if err := settle(ctx, tx, r, Second); err != nil {
			return nil, audit.Record{}, err
		}
		return Decided{v.head(), r.ID, r.State, reason, r.ByInstitution},
			audit.Record{Summary: "确认评价举报 " + v.Number, Detail: map[string]any{"report": r.ID, "result": r.State, "reason": reason}}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// Restore shows hidden words again, with a reason. It takes evaluation.moderate; what was found abusive by two persons stays hidden.
func (s *Service) Restore(ctx context.Context, actor access.Actor, step Step, why string) (View, error) {
	if err := moderates(actor); err != nil {
		return View{}, err
	}
	reason, err := text.Line("reason", why, 5, 200)
	if err != nil {
		return View{}, text.Named(err, "恢复理由")
	}
	err = s.change(ctx, actor, "restore", step, []any{step, reason}, func(ctx context.Context, tx bun.Tx, v *Evaluation, _ time.Time) (event.Fact, audit.Record, error) {
		r, err := latest(ctx, tx, v.ID)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return nil, audit.Record{}, err
		}
		if !v.Hidden || v.Voided || err == nil && r.open() {
			return nil, audit.Record{}, ErrStep
		}
		v.Hidden, v.HiddenWhy = false, ""
		return nil, audit.Record{Summary: "恢复显示服务评价 " + v.Number, Detail: map[string]any{"reason": reason}}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, step.ID)
}

// moderates checks that the actor may decide on reports: staff of the whole district with the right.
func moderates(actor access.Actor) error {
	if err := actor.Need(PermModerate); err != nil {
		return err
	}
	if !wide(actor) {
		return ErrForbidden
	}
	return nil
}

// settle writes a report that stands where it was read.
func settle(ctx context.Context, tx bun.Tx, r *reportRow, from Result) error {
	err := database.Changed(tx.NewUpdate().Model(r).Column("state", "first_id", "first_by", "first_reason", "first_at", "second_by", "second_reason", "second_at").
		Where("id = ? AND state = ?", r.ID, from).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStale
	}
	return err
}
