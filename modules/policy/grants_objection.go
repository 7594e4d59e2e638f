package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// objection is what somebody says against a list while it is public.
type objection struct {
	bun.BaseModel `bun:"table:policy_objections,alias:po"`

	ID           int64      `bun:"id,pk,autoincrement"`
	GrantID      int64      `bun:"grant_id,notnull"`
	EnterpriseID int64      `bun:"enterprise_id,nullzero"` // against whom; 0: against the list
	Number       string     `bun:"number,notnull"`
	Contact      string     `bun:"contact,notnull"` // sealed objector
	PhoneBlind   string     `bun:"phone_blind,notnull"`
	Text         string     `bun:"text,notnull"`
	State        string     `bun:"state,notnull"` // open, upheld, dismissed
	Answer       string     `bun:"answer,notnull"`
	Decider      string     `bun:"decider,notnull"`
	At           time.Time  `bun:"at,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
}

type objector struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

func objectionPlace(number string) string { return "policy_objections.contact:" + number }

var objectionWords = map[string]string{"open": "待处理", "upheld": "异议成立", "dismissed": "异议不成立"}

// Objected is announced when somebody objects, and when it is decided.
type Objected struct {
	ID       int64  `json:"id"`
	GrantID  int64  `json:"grantId"`
	PolicyID int64  `json:"policyId"`
	State    string `json:"state"`
	Title    string `json:"title"` // of the policy
}

// Event names the fact.
func (f Objected) Event() (string, string, int64) {
	return "policy_objection." + f.State, "policy_objection", f.ID
}

// RaiseObjection is what somebody says against a list.
type RaiseObjection struct {
	Key          string
	GrantID      int64
	EnterpriseID int64
	Name         string
	Phone        string
	Text         string
}

// objectionsADay is how often one telephone may object in a day.
const objectionsADay = 5

// RaiseObjection is for everybody while a list is public, with a name and a telephone. It returns the number by which the
// answer can be asked for.
func (s *Service) RaiseObjection(ctx context.Context, actor access.Actor, cmd RaiseObjection) (string, error) {
	name, err1 := text.Line("name", cmd.Name, 2, 50)
	reason, err2 := text.Block("text", cmd.Text, 10, 2000)
	number, err3 := phone.Contact(cmd.Phone)
	if err := fault.Merge(named(err1, "姓名"), named(err2, "异议内容"), err3); err != nil {
		return "", err
	}
	now := s.clock.Now()
	blind := s.reach.Box.Blind("phone", number)
	contact, err := json.Marshal(objector{name, number})
	if err != nil {
		return "", err
	}
	var made struct {
		Number string `json:"number"`
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		made, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.object", Key: cmd.Key, Request: []any{cmd.GrantID, cmd.EnterpriseID, name, number, reason}, Now: now},
			func() (struct {
				Number string `json:"number"`
			}, error,
			) {
				g, err := findGrant(ctx, tx, cmd.GrantID)
				if err != nil {
					return made, err
				}
				if g.State != GrantPublic || g.PublicUntil == nil || now.After(*g.PublicUntil) {
					return made, ErrGrantState.With("该名单不在公示期内，不能提出异议")
				}
				if cmd.EnterpriseID != 0 {
					on, err := tx.NewSelect().Model((*grantItem)(nil)).Where("gi.grant_id = ? AND gi.enterprise_id = ? AND gi.state = 'listed'", g.ID, cmd.EnterpriseID).Exists(ctx)
					if err != nil {
						return made, err
					}
					if !on {
						return made, fault.InvalidField("enterpriseId", "OBJECTION_COMPANY", "该企业不在公示名单内，请重新选择")
					}
				}
				today, err := tx.NewSelect().Model((*objection)(nil)).Where("po.phone_blind = ? AND po.at > ?", blind, now.Add(-24*time.Hour)).Count(ctx)
				if err != nil {
					return made, err
				}
				if today >= objectionsADay {
					return made, fault.New(fault.TooMany, "OBJECTIONS", fmt.Sprintf("同一电话每天最多提出 %d 次异议，请明天再试", objectionsADay))
				}
				row := objection{GrantID: g.ID, EnterpriseID: cmd.EnterpriseID, Number: "YY" + now.Format("20060102") + secret.Digits(6), PhoneBlind: blind, Text: reason, State: "open", At: now}
				row.Contact = s.reach.Box.Seal(contact, objectionPlace(row.Number))
				if err := database.Insert(ctx, tx, &row); err != nil {
					return made, err
				}
				made.Number = row.Number
				if _, err := event.Append(ctx, tx, actor, now, Objected{row.ID, g.ID, g.PolicyID, "open", g.Title}); err != nil {
					return made, err
				}
				return made, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.object", Object: Object, ObjectID: g.PolicyID, Summary: "对免申即享名单提出异议"})
			})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("object to grant %d: %w", cmd.GrantID, err)
	}
	return made.Number, nil
}

func named(err error, label string) error {
	if err == nil {
		return nil
	}
	return text.Named(err, label)
}

// DecideObjection asks to decide on an objection; one that is upheld takes the company off the list.
type DecideObjection struct {
	Key    string
	ID     int64
	Uphold bool
	Answer string
}

// DecideObjection needs policy.grant_decide.
func (s *Service) DecideObjection(ctx context.Context, actor access.Actor, cmd DecideObjection) (GrantView, error) {
	if err := s.staff(actor, PermGrantDecide); err != nil {
		return GrantView{}, err
	}
	answer, err := text.Block("answer", cmd.Answer, 5, 1000)
	if err != nil {
		return GrantView{}, text.Named(err, "处理意见")
	}
	now := s.clock.Now()
	state := map[bool]string{true: "upheld", false: "dismissed"}[cmd.Uphold]
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.objection_decide", Key: cmd.Key, Request: []any{cmd.ID, cmd.Uphold, answer}, Now: now}, func() (outcome, error) {
			row := new(objection)
			if err := tx.NewSelect().Model(row).Where("po.id = ?", cmd.ID).Scan(ctx); err != nil {
				return outcome{}, database.Found(err)
			}
			g, err := findGrant(ctx, tx, row.GrantID)
			if err != nil {
				return outcome{}, err
			}
			err = database.Changed(tx.NewUpdate().Model((*objection)(nil)).Set("state = ?", state).Set("answer = ?", answer).Set("decider = ?", actor.Name).Set("decided_at = ?", now).
				Where("id = ? AND state = 'open'", cmd.ID).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				return outcome{}, fault.New(fault.Conflict, "OBJECTION_STATE", "该异议已处理，请刷新后查看")
			}
			if err != nil {
				return outcome{}, err
			}
			if cmd.Uphold && row.EnterpriseID != 0 {
				// It may be off already, by another objection.
				if err := removeItem(ctx, tx, row.GrantID, row.EnterpriseID, "异议成立："+text.Truncate(answer, 150), now); err != nil && !errors.Is(err, fault.ErrNotFound) {
					return outcome{}, err
				}
			}
			if _, err := event.Append(ctx, tx, actor, now, Objected{row.ID, g.ID, g.PolicyID, state, g.Title}); err != nil {
				return outcome{}, err
			}
			return outcome{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.objection_decide", Object: Object, ObjectID: g.PolicyID, Summary: "处理免申即享异议：" + objectionWords[state]})
		})
		return err
	})
	if err != nil {
		return GrantView{}, fmt.Errorf("decide objection %d: %w", cmd.ID, err)
	}
	return s.Grant(ctx, actor, done.ID)
}

// ObjectionView is an objection as staff see it.
type ObjectionView struct {
	ID           int64      `json:"id"`
	Number       string     `json:"number"`
	EnterpriseID int64      `json:"enterpriseId,omitempty"`
	Company      string     `json:"company,omitempty"`
	Name         string     `json:"name"`
	Phone        string     `json:"phone"` // masked for those who do not decide
	Text         string     `json:"text"`
	State        string     `json:"state" enum:"open,upheld,dismissed"`
	StateName    string     `json:"stateName"`
	Answer       string     `json:"answer,omitempty"`
	Decider      string     `json:"decider,omitempty"`
	At           time.Time  `json:"at"`
	DecidedAt    *time.Time `json:"decidedAt,omitempty"`
}

func (s *Service) objectionView(ctx context.Context, actor access.Actor, o objection) (ObjectionView, error) {
	plain, err := s.reach.Box.Open(o.Contact, objectionPlace(o.Number))
	if err != nil {
		return ObjectionView{}, fmt.Errorf("objection %d: %w", o.ID, err)
	}
	var who objector
	if err := json.Unmarshal(plain, &who); err != nil {
		return ObjectionView{}, fmt.Errorf("objection %d: %w", o.ID, err)
	}
	if !actor.Can(PermGrantDecide) {
		who.Name, who.Phone = text.MaskName(who.Name), text.MaskPhone(who.Phone)
	}
	v := ObjectionView{ID: o.ID, Number: o.Number, EnterpriseID: o.EnterpriseID, Name: who.Name, Phone: who.Phone, Text: o.Text, State: o.State, StateName: objectionWords[o.State],
		Answer: o.Answer, Decider: o.Decider, At: o.At.UTC(), DecidedAt: utc(o.DecidedAt)}
	if o.EnterpriseID != 0 {
		err = database.QueryOne(ctx, s.db.Read(), []any{&v.Company}, "SELECT name FROM policy_grant_items WHERE grant_id = ? AND enterprise_id = ?", o.GrantID, o.EnterpriseID)
	}
	return v, err
}
