package evaluation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// formRow is a version of a form.
type formRow struct {
	bun.BaseModel `bun:"table:evaluation_forms,alias:f"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Kind      string    `bun:"kind,notnull"` // "" is the form of all kinds that have none of their own
	Body      string    `bun:"body,notnull"`
	By        string    `bun:"made_by,notnull"`
	At        time.Time `bun:"made_at,notnull"`
	Withdrawn bool      `bun:"withdrawn,notnull"`
}

// FormView is a version of a form.
type FormView struct {
	ID       int64     `json:"id" doc:"Number of the version; the greatest of its kind is in force. 0 for a kind that never had one."`
	Kind     string    `json:"kind"`
	KindName string    `json:"kindName"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Form
	Withdrawn bool `json:"withdrawn,omitempty" doc:"The kind is asked by the general form."`
}

func (r *formRow) view() (FormView, error) {
	v := FormView{ID: r.ID, Kind: r.Kind, By: r.By, At: r.At.UTC(), Withdrawn: r.Withdrawn}
	return v, json.Unmarshal([]byte(r.Body), &v.Form)
}

func newest(ctx context.Context, db bun.IDB, kind string) (FormView, error) {
	r := new(formRow)
	err := database.Found(db.NewSelect().Model(r).Where("f.kind = ?", kind).OrderExpr("f.id DESC").Limit(1).Scan(ctx))
	if err != nil {
		return FormView{}, err
	}
	return r.view()
}

// inForce is the form that services of a kind are asked by.
func inForce(ctx context.Context, db bun.IDB, kind string) (FormView, error) {
	v, err := newest(ctx, db, kind)
	if kind != "" && (errors.Is(err, fault.ErrNotFound) || err == nil && v.Withdrawn) {
		return newest(ctx, db, "")
	}
	return v, err
}

// InForce returns the form by which services of a kind are judged, for a module that keeps judgements of its own.
func (s *Service) InForce(ctx context.Context, db bun.IDB, kind string) (FormView, error) {
	return inForce(ctx, db, kind)
}

// CheckAnswer tidies an answer and holds it against the form in force of a kind, as Give does; its faults name "level", "tags"
// and "words".
func (s *Service) CheckAnswer(ctx context.Context, db bun.IDB, kind string, a *Answer) error {
	form, err := inForce(ctx, db, kind)
	if err != nil {
		return err
	}
	_, err = form.answer(a)
	return err
}

// Forms lists the last version of each form, the general one first, kinds without one left out. It takes evaluation.manage.
func (s *Service) Forms(ctx context.Context, actor access.Actor) ([]FormView, error) {
	if err := actor.Need(PermManage); err != nil {
		return nil, err
	}
	var out []FormView
	for _, k := range append([]Kind{{Name: "通用"}}, s.Kinds...) {
		v, err := newest(ctx, s.DB.Read(), k.Code)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.KindName = k.Name
		out = append(out, v)
	}
	return out, nil
}

// SetForm is a new version of a form; Base is the one it was made from.
type SetForm struct {
	Kind string `json:"kind"`
	Base int64  `json:"base" doc:"id of the last version of the kind; 0 when there is none."`
	Form
	// Withdraw has the kind asked by the general form again; the form is not looked at.
	Withdraw bool   `json:"withdraw,omitempty"`
	Key      string `json:"-"`
}

// CheckForm tidies the version and returns the faults of its kind and of the form.
func (s *Service) CheckForm(c *SetForm) error {
	if c.Kind != "" && !slices.ContainsFunc(s.Kinds, func(k Kind) bool { return k.Code == c.Kind }) {
		return fault.InvalidField("kind", "EVALUATION_KIND", "没有编码为 "+c.Kind+" 的服务类别")
	}
	if !c.Withdraw {
		return c.Form.Check()
	}
	if c.Kind == "" {
		return fault.InvalidField("withdraw", "EVALUATION_KIND", "通用评价表不能停用")
	}
	return nil
}

// SetForm puts a new version in force; what was said before stays as it was said. It takes evaluation.manage.
func (s *Service) SetForm(ctx context.Context, actor access.Actor, cmd SetForm) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := s.CheckForm(&cmd); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.versioned(ctx, actor, "evaluation.form", cmd.Key, cmd, now, func(ctx context.Context, tx bun.Tx) error {
		last, err := newest(ctx, tx, cmd.Kind)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		if last.ID != cmd.Base {
			return ErrStale.With("评价表已由%s更新，请刷新后再修改", last.By)
		}
		summary := "更新服务评价表"
		if cmd.Withdraw {
			if last.ID == 0 {
				return fault.InvalidField("withdraw", "EVALUATION_KIND", "该类别没有专用评价表")
			}
			cmd.Form, summary = last.Form, "停用专用服务评价表"
		}
		body, err := json.Marshal(cmd.Form)
		if err != nil {
			return err
		}
		row := formRow{Kind: cmd.Kind, Body: string(body), By: actor.Name, At: now, Withdrawn: cmd.Withdraw}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evaluation.form", Object: Object, Summary: summary,
			Detail: map[string]any{"version": row.ID, "kind": cmd.Kind, "form": cmd.Form}})
	})
}

// versioned runs a change of forms or rule once per key, one at a time: the newest rule's row is the lock.
func (s *Service) versioned(ctx context.Context, actor access.Actor, operation, key string, request any, now time.Time, fn func(ctx context.Context, tx bun.Tx) error) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (bool, error) {
			if _, err := database.Run(ctx, tx, "UPDATE evaluation_rules SET reason = reason WHERE id = 1"); err != nil {
				return false, err
			}
			return true, fn(ctx, tx)
		})
		return err
	})
}

// Rule is how institutions are ranked and companies reminded.
type Rule struct {
	MinCount    int  `json:"minCount" minimum:"1" maximum:"100" doc:"Fewer evaluations are not ranked."`
	PriorWeight int  `json:"priorWeight" minimum:"0" maximum:"100" doc:"As if the prior level had been given so many times."`
	PriorLevel  int  `json:"priorLevel" minimum:"0" maximum:"500" doc:"In hundredths; 0 is the mean of the district in the period."`
	During      bool `json:"during" doc:"What was said during a service counts while nothing was said after it."`
	Refused     bool `json:"refused" doc:"What was said of a service that was refused counts."`
	RemindDays  int  `json:"remindDays" minimum:"0" maximum:"60" doc:"After the end of a service; 0 reminds nobody."`
	ReviseDays  int  `json:"reviseDays" minimum:"1" maximum:"180" doc:"How long an evaluation may be given anew."`
}

// StandardRule is what an installation begins with.
func StandardRule() Rule {
	return Rule{MinCount: 5, PriorWeight: 10, During: true, RemindDays: 3, ReviseDays: 30}
}

// Check returns the faults of the rule.
func (r Rule) Check() error {
	var errs []error
	in := func(field, label string, n, least, most int) {
		if n < least || n > most {
			errs = append(errs, fault.InvalidField(field, "EVALUATION_RULE", fmt.Sprintf("%s请填 %d 至 %d 的整数", label, least, most)))
		}
	}
	in("minCount", "参与排名的最少评价数", r.MinCount, 1, 100)
	in("priorWeight", "先验权重", r.PriorWeight, 0, 100)
	if r.PriorLevel != 0 {
		in("priorLevel", "先验分（百分之一分）", r.PriorLevel, 100, 500)
	}
	in("remindDays", "提醒天数", r.RemindDays, 0, 60)
	in("reviseDays", "可修改天数", r.ReviseDays, 1, 180)
	return fault.Merge(errs...)
}

type ruleRow struct {
	bun.BaseModel `bun:"table:evaluation_rules,alias:r"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Body   string    `bun:"body,notnull"`
	Reason string    `bun:"reason,notnull"`
	By     string    `bun:"made_by,notnull"`
	At     time.Time `bun:"made_at,notnull"`
}

// RuleView is a version of the rule.
type RuleView struct {
	ID     int64     `json:"id" doc:"Number of the version; the greatest is in force."`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Rule
}

func (r *ruleRow) view() (RuleView, error) {
	v := RuleView{ID: r.ID, Reason: r.Reason, By: r.By, At: r.At.UTC()}
	return v, json.Unmarshal([]byte(r.Body), &v.Rule)
}

// rule returns a version of the rule, the one in force for 0.
func rule(ctx context.Context, db bun.IDB, id int64) (RuleView, error) {
	r := new(ruleRow)
	q := db.NewSelect().Model(r).OrderExpr("r.id DESC").Limit(1)
	if id != 0 {
		q = q.Where("r.id = ?", id)
	}
	if err := database.Found(q.Scan(ctx)); err != nil {
		return RuleView{}, err
	}
	return r.view()
}

// Rules lists the versions of the rule, the one in force first. It takes evaluation.view of the whole district.
func (s *Service) Rules(ctx context.Context, actor access.Actor) ([]RuleView, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	if !wide(actor) {
		return nil, ErrForbidden
	}
	var rows []ruleRow
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("r.id DESC").Limit(50).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]RuleView, 0, len(rows))
	for i := range rows {
		v, err := rows[i].view()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SetRule is a new version of the rule; Base is the one it was made from.
type SetRule struct {
	Base   int64  `json:"base"`
	Reason string `json:"reason" doc:"Why it was changed."`
	Rule
	Key string `json:"-"`
}

// SetRule puts a new version in force. It takes evaluation.manage.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, cmd SetRule) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	cmd.Reason = reason
	if err := fault.Merge(text.Named(err, "修改原因"), cmd.Rule.Check()); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.versioned(ctx, actor, "evaluation.rule", cmd.Key, cmd, now, func(ctx context.Context, tx bun.Tx) error {
		last, err := rule(ctx, tx, 0)
		if err != nil {
			return err
		}
		if last.ID != cmd.Base {
			return ErrStale.With("评价规则已由%s更新，请刷新后再修改", last.By)
		}
		body, err := json.Marshal(cmd.Rule)
		if err != nil {
			return err
		}
		row := ruleRow{Body: string(body), Reason: cmd.Reason, By: actor.Name, At: now}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evaluation.rule", Object: Object, Summary: "更新服务评价规则：" + cmd.Reason,
			Detail: map[string]any{"version": row.ID, "rule": cmd.Rule}})
	})
}
