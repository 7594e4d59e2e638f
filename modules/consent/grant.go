package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Give asks to agree to a version for the company the actor acts for.
type Give struct {
	Key     string `json:"-"`
	Purpose string
	TextID  int64
	Digest  string // of the document the person read
	Channel string `json:"-"`
}

// Revoke asks to end a grant of the company the actor acts for.
type Revoke struct {
	Key     string `json:"-"`
	Purpose string
	GrantID int64
	Reason  string // may be empty
	Channel string `json:"-"`
}

// done is what a repeat of a command needs to find its outcome.
type done struct {
	ID int64 `json:"id"`
}

// mine returns a fault unless the actor acts for a company.
func mine(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party != access.Enterprise || a.EnterpriseID == 0 {
		return ErrForbidden
	}
	return nil
}

// Give records the company's grant; one of an earlier version ends by renewing. It returns ErrText when another version is
// in force than the person read, ErrGranted when that version is granted already, and what Companies.MaySign says.
func (s *Service) Give(ctx context.Context, actor access.Actor, cmd Give) (Asked, error) {
	if err := mine(actor); err != nil {
		return Asked{}, err
	}
	if _, ok := PurposeOf(cmd.Purpose); !ok {
		return Asked{}, ErrPurpose
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "consent.give", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now},
			func() (done, error) { return s.give(ctx, tx, actor, cmd, now) })
		return err
	})
	if database.IsDuplicate(err) { // a colleague was quicker
		err = ErrGranted
	}
	if err != nil {
		return Asked{}, fmt.Errorf("grant %s of enterprise %d: %w", cmd.Purpose, actor.EnterpriseID, err)
	}
	return s.asked(ctx, actor, cmd.Purpose)
}

func (s *Service) give(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Give, now time.Time) (done, error) {
	if err := s.companies.MaySign(ctx, tx, actor.EnterpriseID, actor.UserID); err != nil {
		return done{}, err
	}
	t, err := inForce(ctx, tx, cmd.Purpose, now)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return done{}, ErrNoText
	case err != nil:
		return done{}, err
	case t.ID != cmd.TextID || t.Digest != cmd.Digest:
		return done{}, ErrText
	}
	lowest, err := floor(ctx, tx, cmd.Purpose, now)
	if err != nil {
		return done{}, err
	}
	old, err := standing(ctx, tx, actor.EnterpriseID, cmd.Purpose)
	switch {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return done{}, err
	case old.TextID == t.ID && old.stands(now, lowest):
		return done{}, ErrGranted
	default:
		if err := end(ctx, tx, old, actor, now, ByRenewing, cmd.Channel, ""); err != nil {
			return done{}, err
		}
	}
	return s.insert(ctx, tx, actor, actor.EnterpriseID, t, cmd.Channel, now)
}

// insert adds a grant of the version.
func (s *Service) insert(ctx context.Context, tx bun.Tx, actor access.Actor, enterpriseID int64, t *Text, channel string, now time.Time) (done, error) {
	g := Grant{EnterpriseID: enterpriseID, Purpose: t.Purpose, TextID: t.ID, TextNo: t.No, Digest: t.Digest, GrantedAt: now, GrantedBy: actor.UserID,
		GrantedName: actor.Name, Channel: channel, IP: actor.IP}
	if t.Days > 0 {
		until := now.AddDate(0, 0, t.Days)
		g.Until = &until
	}
	if _, err := tx.NewInsert().Model(&g).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return done{}, err
	}
	if _, err := event.Append(ctx, tx, actor, now, Granted{g.head(), g.Until}); err != nil {
		return done{}, err
	}
	p, _ := PurposeOf(t.Purpose)
	return done{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "consent.give", Object: "enterprise", ObjectID: enterpriseID,
		Summary: fmt.Sprintf("数据授权：%s（第 %d 版）", p.Name, t.No), Detail: g.head()})
}

func (g *Grant) head() Head {
	return Head{ID: g.ID, EnterpriseID: g.EnterpriseID, Purpose: g.Purpose, TextNo: g.TextNo, Digest: g.Digest, UserID: g.GrantedBy, Channel: g.Channel}
}

// end ends a grant that has not ended; of two at once the second gets ErrEnded.
func end(ctx context.Context, tx bun.Tx, g *Grant, a access.Actor, now time.Time, how, channel, reason string) error {
	g.EndedAt, g.Ended, g.EndedBy, g.EndedName, g.EndedChannel, g.EndedIP, g.Reason = &now, how, a.UserID, a.Name, channel, a.IP, reason
	err := database.Changed(tx.NewUpdate().Model(g).Column("ended_at", "ended", "ended_by", "ended_name", "ended_channel", "ended_ip", "reason").
		Where("id = ? AND ended_at IS NULL", g.ID).Exec(ctx))
	if fault.KindOf(err) == fault.Conflict {
		return ErrEnded
	}
	return err
}

// Revoke ends a grant from this moment on; what was read before stays in the log. It returns ErrEnded when the grant does not
// stand any more.
func (s *Service) Revoke(ctx context.Context, actor access.Actor, cmd Revoke) (Asked, error) {
	if err := mine(actor); err != nil {
		return Asked{}, err
	}
	reason, err := text.Block("reason", cmd.Reason, 0, 300)
	if err != nil {
		return Asked{}, text.Named(err, "撤回原因")
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "consent.revoke", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now},
			func() (done, error) { return s.revoke(ctx, tx, actor, cmd, reason, now) })
		return err
	})
	if err != nil {
		return Asked{}, fmt.Errorf("revoke %s of enterprise %d: %w", cmd.Purpose, actor.EnterpriseID, err)
	}
	return s.asked(ctx, actor, cmd.Purpose)
}

func (s *Service) revoke(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Revoke, reason string, now time.Time) (done, error) {
	if err := s.companies.MaySign(ctx, tx, actor.EnterpriseID, actor.UserID); err != nil {
		return done{}, err
	}
	g, err := standing(ctx, tx, actor.EnterpriseID, cmd.Purpose)
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && g.ID != cmd.GrantID:
		return done{}, ErrEnded
	case err != nil:
		return done{}, err
	}
	if err := end(ctx, tx, g, actor, now, ByRevoking, cmd.Channel, reason); err != nil {
		return done{}, err
	}
	h := g.head()
	h.UserID, h.Channel = actor.UserID, cmd.Channel
	if _, err := event.Append(ctx, tx, actor, now, Revoked{h, now}); err != nil {
		return done{}, err
	}
	p, _ := PurposeOf(cmd.Purpose)
	masked, _ := text.MaskNumbers(reason)
	return done{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "consent.revoke", Object: "enterprise", ObjectID: g.EnterpriseID,
		Summary: "撤回数据授权：" + p.Name, Detail: map[string]any{"grant": g.ID, "textNo": g.TextNo, "reason": masked}})
}
