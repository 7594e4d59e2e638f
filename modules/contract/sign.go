package contract

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
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// payload is what a signature is over. Its fields are only added.
type payload struct {
	Contract string `json:"contract"` // number
	Digest   string `json:"sm3"`      // of the content
	Side     Side   `json:"side"`
	Party    string `json:"party"`
	Name     string `json:"name"` // masked
	Account  int64  `json:"account"`
	Method   string `json:"method"`
	At       string `json:"at"`
}

// method is how the person was known.
const method = "账号登录并经短信验证码确认"

// Code sends a code to the phone of the actor's own account, for signing the contract whose turn is theirs.
func (s *Service) Code(ctx context.Context, actor access.Actor, id int64) (sentTo string, err error) {
	if !actor.SignedIn() {
		return "", fault.ErrUnauthorized
	}
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return "", err
	}
	if err := s.mayNow(ctx, s.DB.Read(), actor, r, s.Clock.Now()); err != nil {
		return "", err
	}
	return s.Confirmer.SendOwnCode(ctx, actor)
}

// mayNow is nil when it is the actor's turn to sign.
func (s *Service) mayNow(ctx context.Context, db bun.IDB, actor access.Actor, r *row, now time.Time) error {
	side, err := s.signer(ctx, db, actor, r)
	switch {
	case err != nil:
		return err
	case r.Signing != "":
		return ErrSigning
	case r.State.turn() != side:
		return ErrStep
	case !r.ExpiresAt.After(now):
		return ErrOver
	}
	return nil
}

// Sign signs for the actor's side, confirmed by a code on their phone.
type Sign struct {
	Ref
	Code string `json:"code"`
}

// Sign keeps who signs what and when, has the signature made, and keeps it. Of any number at once one signs. When the service that
// signs does not answer, the signature is made later by the task; the contract says so meanwhile.
func (s *Service) Sign(ctx context.Context, actor access.Actor, cmd Sign) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	r, err := find(ctx, s.DB.Read(), actor, cmd.ID) // before the code, which is not spent on what is not there
	if err != nil {
		return View{}, err
	}
	if err := s.mayNow(ctx, s.DB.Read(), actor, r, s.Clock.Now()); err != nil {
		return View{}, err
	}
	err = s.Confirmer.WithOwnCode(ctx, actor, cmd.Code, func(ctx context.Context, tx bun.Tx) error { return s.begin(ctx, tx, actor, cmd.Ref) })
	if err != nil {
		return View{}, err
	}
	if err := s.finish(ctx, actor, cmd.ID); err != nil {
		return View{}, fault.New(fault.Unavailable, "CONTRACT_SIGNER", "签名服务暂时没有响应，签署已登记，系统会自动完成，请稍后刷新查看").Wrap(err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// begin writes the payload, and from then on nobody else does anything to the contract until the signature is there.
func (s *Service) begin(ctx context.Context, tx bun.Tx, actor access.Actor, ref Ref) error {
	now := s.Clock.Now()
	r, err := find(ctx, tx, actor, ref.ID)
	if err != nil {
		return err
	}
	if err := s.mayNow(ctx, tx, actor, r, now); err != nil {
		return err
	}
	if r.Version != ref.Version {
		return ErrStep
	}
	side := r.side(actor)
	err = database.Changed(database.Run(ctx, tx, "UPDATE contracts SET signing = ?, version = version + 1 WHERE id = ? AND version = ? AND state = ? AND signing = ''", string(side), r.ID, r.Version, string(r.State)))
	if errors.Is(err, fault.ErrChanged) {
		return ErrSigning
	}
	if err != nil {
		return err
	}
	party := map[Side]string{Company: r.EnterpriseName, Institution: r.InstitutionName}[side]
	b, err := json.Marshal(payload{r.Number, r.Digest, side, party, text.MaskName(actor.Name), actor.UserID, method, now.UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	g := signature{ContractID: r.ID, Side: side, UserID: actor.UserID, Name: actor.Name, Payload: string(b), At: now}
	if _, err := tx.NewInsert().Model(&g).Exec(ctx); database.IsDuplicate(err) {
		return ErrSigning
	} else if err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "contract.sign", Object: Object, ObjectID: r.ID, Summary: "确认签署合同 " + r.Number, Detail: map[string]any{"side": side, "digest": r.Digest}})
}

// finish has the signature made that was begun, and keeps it; when another process was first nothing is changed.
func (s *Service) finish(ctx context.Context, actor access.Actor, id int64) error {
	g := new(signature)
	err := database.Found(s.DB.Read().NewSelect().Model(g).Where("g.contract_id = ? AND g.provider = ''", id).Limit(1).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	signed, err := s.Signer.Sign(ctx, fmt.Sprintf("%d-%s", id, g.Side), []byte(g.Payload))
	if err != nil {
		return fmt.Errorf("sign contract %d: %w", id, err)
	}
	if err := s.Signer.Verify(ctx, []byte(g.Payload), signed); err != nil {
		return fmt.Errorf("contract %d: what was signed does not verify: %w", id, err)
	}
	if err := failpoint.Hit("contract.signed"); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE contract_signatures SET provider = ?, proof = ? WHERE contract_id = ? AND side = ? AND provider = ''", signed.Provider, signed.Proof, id, string(g.Side)))
		if errors.Is(err, fault.ErrChanged) {
			return nil // another process was first
		}
		if err != nil {
			return err
		}
		r := new(row)
		if err := tx.NewSelect().Model(r).Where("c.id = ?", id).Scan(ctx); err != nil {
			return err
		}
		if g.Side == Company {
			r.State = Half
		} else {
			r.State, r.EffectiveAt = Effective, &now
		}
		r.Signing, r.Version = "", r.Version+1
		if err := database.Changed(tx.NewUpdate().Model(r).Column("state", "effective_at", "signing", "version").Where("id = ? AND signing = ?", id, g.Side).Exec(ctx)); err != nil {
			return err
		}
		return r.announce(ctx, tx, actor, now, "signed", g.Side, "")
	})
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{
		{Name: "contract.finish", Title: "完成未返回的合同签名", Every: time.Minute, Run: s.Finish, Failure: "合同签名没有完成；请查看失败原因，恢复后自动继续，不会重复签名。"},
		{Name: "contract.expire", Title: "处理超过签署期限的合同", Every: 10 * time.Minute, Run: s.Expire, Failure: "过期的合同没有标记；恢复后自动继续，期间过期合同仍不能签署。"},
	}
}

// Finish makes the signatures that were begun some time ago and are not there.
func (s *Service) Finish(ctx context.Context) error {
	var ids []int64
	err := s.DB.Read().NewSelect().Model((*signature)(nil)).Column("contract_id").Where("g.provider = '' AND g.made_at < ?", s.Clock.Now().Add(-30*time.Second)).OrderExpr("g.contract_id").Limit(200).Scan(ctx, &ids)
	if err != nil {
		return err
	}
	var failures []error
	for _, id := range ids {
		failures = append(failures, s.finish(ctx, access.SystemActor("job:contract.finish"), id))
	}
	return errors.Join(failures...)
}

// Expire ends the contracts whose days to sign are over.
func (s *Service) Expire(ctx context.Context) error {
	now := s.Clock.Now()
	var rows []row
	err := s.DB.Read().NewSelect().Model(&rows).ExcludeColumn("content", "body").Where("c.state IN ('sent', 'half') AND c.signing = '' AND c.expires_at <= ?", now).OrderExpr("c.id").Limit(500).Scan(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			err := database.Changed(database.Run(ctx, tx, "UPDATE contracts SET state = 'expired', ended_at = ?, version = version + 1 WHERE id = ? AND version = ? AND signing = ''", now, r.ID, r.Version))
			if errors.Is(err, fault.ErrChanged) {
				return nil
			}
			if err != nil {
				return err
			}
			r.State = Expired
			return r.announce(ctx, tx, access.SystemActor("job:contract.expire"), now, "expired", "", "")
		})
		if err != nil {
			return err
		}
	}
	return nil
}
