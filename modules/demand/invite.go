package demand

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// maxMatched is how many institutions are invited by matching, the best first.
const maxMatched = 60

// Match is an institution that fits a demand, and why.
type Match struct {
	InstitutionID   int64    `json:"institutionId"`
	InstitutionName string   `json:"institutionName"`
	Why             []string `json:"why"`
}

// matches finds the institutions with a listed product that fits: of the kind, of an amount and a term it lends, and asking nothing
// that the company, or the place where the service is wanted, is known not to meet. What is known of the company is not told, only in which points it fits.
func (s *Service) matches(ctx context.Context, db bun.IDB, d *Demand) ([]Match, error) {
	fits, err := s.Offers.Fitting(ctx, db, d.Kind, d.EnterpriseID, d.Place)
	if err != nil {
		return nil, fmt.Errorf("institutions for demand %d: %w", d.ID, err)
	}
	list := []Match{}
	at := map[int64]int{}
	for _, f := range fits {
		if d.Lends && (d.BudgetMax < f.AmountMin || f.AmountMax > 0 && d.BudgetMax > f.AmountMax || d.Term < f.TermMin || f.TermMax > 0 && d.Term > f.TermMax) {
			continue
		}
		i, there := at[f.InstitutionID]
		if !there {
			if len(list) == maxMatched {
				continue
			}
			i, at[f.InstitutionID] = len(list), len(list)
			list = append(list, Match{InstitutionID: f.InstitutionID, InstitutionName: f.InstitutionName, Why: []string{}})
		}
		if len(list[i].Why) < 3 {
			list[i].Why = append(list[i].Why, f.why(d))
		}
	}
	return list, nil
}

// metSign begins what is said of the company in a reason.
const metSign = "，符合产品对"

// why says in words how a product fits.
func (f Fit) why(d *Demand) string {
	w := "产品“" + f.Name + "”与需求类别一致"
	if d.Lends {
		w += "，金额、期限在产品范围内"
	}
	if len(f.Met) > 0 {
		w += metSign + strings.Join(f.Met, "、") + "的要求"
	}
	if len(f.Open) > 0 {
		w += "；" + strings.Join(f.Open, "、") + "情况未知，由机构核实"
	}
	return w
}

// Matches lists who would be invited to a demand under review, for its reviewer.
func (s *Service) Matches(ctx context.Context, actor access.Actor, id int64) ([]Match, error) {
	if err := reviewer(actor); err != nil {
		return nil, err
	}
	db := s.DB.Read()
	d, err := s.find(ctx, db, actor, id)
	if err != nil {
		return nil, err
	}
	if d.State != Review && d.State != Open {
		return []Match{}, nil
	}
	return s.matches(ctx, db, d)
}

// Listener invites the matched institutions when a demand was approved. Each is invited once, however often the fact is heard.
func (s *Service) Listener() event.Listener {
	return event.Listener{Name: "demand.invitations", Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if e.Type != "demand.approved" {
			return nil
		}
		return s.inviteMatched(ctx, tx, access.SystemActor("demand.invitations"), e.ObjectID)
	}}
}

// InviteMatched does what the listener does, for who loads a story in which nobody listens. Only the system may.
func (s *Service) InviteMatched(ctx context.Context, actor access.Actor, id int64) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.inviteMatched(ctx, tx, actor, id) })
}

func (s *Service) inviteMatched(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) error {
	d, err := s.hold(ctx, tx, actor, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && d.State != Open {
		return nil // it ended before anybody was invited
	}
	if err != nil {
		return err
	}
	list, err := s.matches(ctx, tx, d)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	for _, m := range list {
		i := &Invitation{DemandID: d.ID, InstitutionID: m.InstitutionID, InstitutionName: m.InstitutionName, Why: strings.Join(m.Why, "\n"), ByMatch: true, Told: true, By: "系统匹配", At: now}
		fresh, err := database.InsertNew(ctx, tx, i, "demand_id, institution_id")
		if err != nil {
			return err
		}
		if !fresh {
			continue
		}
		if _, err := event.Append(ctx, tx, actor, now, Invited{d.head(), Offerer{InstitutionID: m.InstitutionID, InstitutionName: m.InstitutionName}, true}); err != nil {
			return err
		}
	}
	return nil
}

// invite invites an institution by the hand of an operator. It is told once, also when it was taken away meanwhile.
func (s *Service) invite(ctx context.Context, tx bun.Tx, actor access.Actor, d *Demand, institution int64, now time.Time) error {
	name, err := s.Offers.Institution(ctx, tx, institution)
	if fault.KindOf(err) == fault.NotFound {
		return fault.InvalidField("institutionId", "INSTITUTION", "没有找到此机构，或机构已停用")
	}
	if err != nil {
		return err
	}
	i := &Invitation{DemandID: d.ID, InstitutionID: institution, InstitutionName: name, Why: "运营人员邀请", Told: true, By: actor.Name, At: now}
	fresh, err := database.InsertNew(ctx, tx, i, "demand_id, institution_id")
	if err != nil {
		return err
	}
	told := false
	if !fresh {
		if err := tx.NewSelect().Model(i).Where("i.demand_id = ? AND i.institution_id = ?", d.ID, institution).Scan(ctx); err != nil {
			return err
		}
		if !i.Gone {
			return ErrInvited
		}
		told = i.Told
		if i.Why == "" {
			i.Why = "运营人员邀请"
		}
		i.Gone, i.Told, i.By, i.At = false, true, actor.Name, now
		if err := database.Changed(tx.NewUpdate().Model(i).Column("why", "gone", "told", "made_by", "made_at").Where("id = ? AND gone", i.ID).Exec(ctx)); err != nil {
			return err
		}
	}
	if told {
		return nil
	}
	_, err = event.Append(ctx, tx, actor, now, Invited{d.head(), Offerer{InstitutionID: institution, InstitutionName: name}, false})
	return err
}

// Invite asks to invite an institution, or to take its invitation away.
type Invite struct {
	Key           string `json:"-"`
	ID            int64  `json:"id"`
	InstitutionID int64  `json:"institutionId"`
	Reason        string `json:"reason"`
}

// Invite invites an institution to an open demand. It needs demand.invite; it returns ErrInvited for one that is invited.
func (s *Service) Invite(ctx context.Context, actor access.Actor, cmd Invite) (View, error) {
	return s.inviting(ctx, actor, "invite", "邀请机构报价", cmd, func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) error {
		if !d.quotable(now) {
			return ErrOver
		}
		return s.invite(ctx, tx, actor, d, cmd.InstitutionID, now)
	})
}

// Uninvite takes an invitation away, with the reason. An institution that quoted stays (ErrQuoted).
func (s *Service) Uninvite(ctx context.Context, actor access.Actor, cmd Invite) (View, error) {
	why, err := words("reason", "移除原因", cmd.Reason, 2, 200)
	if err != nil {
		return View{}, err
	}
	return s.inviting(ctx, actor, "uninvite", "移除机构邀请", cmd, func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) error {
		if d.State != Open {
			return ErrState.With("需求当前为“%s”，不能移除邀请", d.State.Label())
		}
		i := new(Invitation)
		if err := database.Found(tx.NewSelect().Model(i).Where("i.demand_id = ? AND i.institution_id = ? AND NOT i.gone", d.ID, cmd.InstitutionID).Scan(ctx)); err != nil {
			return err
		}
		quoted, err := tx.NewSelect().Model((*Quote)(nil)).Where("q.demand_id = ? AND q.institution_id = ? AND q.state = ?", d.ID, cmd.InstitutionID, Live).Exists(ctx)
		if err != nil {
			return err
		}
		if quoted {
			return ErrQuoted
		}
		if _, err := database.Run(ctx, tx, "UPDATE demand_invitations SET gone = ? WHERE id = ?", true, i.ID); err != nil {
			return err
		}
		_, err = event.Append(ctx, tx, actor, now, Uninvited{d.head(), Offerer{InstitutionID: i.InstitutionID, InstitutionName: i.InstitutionName}, why})
		return err
	})
}

// inviting is the frame of both. The demand keeps its version: nobody's view of it grows old.
func (s *Service) inviting(ctx context.Context, actor access.Actor, action, summary string, cmd Invite, step func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) error) (View, error) {
	if err := actor.Need(PermInvite); err != nil {
		return View{}, err
	}
	if actor.Party != access.Platform || !wide(actor) {
		return View{}, ErrForbidden
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "demand." + action, Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			d, err := s.hold(ctx, tx, actor, cmd.ID)
			if err != nil {
				return false, err
			}
			if err := step(ctx, tx, d, now); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "demand." + action, Object: Object, ObjectID: d.ID, Summary: summary + " " + d.Number,
				Detail: map[string]any{"institution": cmd.InstitutionID, "reason": cmd.Reason}})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s demand %d: %w", action, cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}
