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
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Words are what a contract says, as long as it is a draft.
type Words struct {
	Title  string `json:"title"`
	Body   string `json:"body,omitempty" doc:"May be empty when there is a file, or a template that fills it."`
	FileID int64  `json:"fileId,omitempty" doc:"A PDF of the actor's own."`
	Days   int    `json:"days" doc:"To sign, after sending: 1 to 90."`
}

func (w *Words) check() error {
	var errs []error
	var err error
	if w.Title, err = text.Line("title", w.Title, 2, maxTitle); err != nil {
		errs = append(errs, text.Named(err, "合同名称"))
	}
	if w.Body, err = text.Block("body", w.Body, 0, maxBody); err != nil {
		errs = append(errs, text.Named(err, "合同正文"))
	}
	if w.Days < 1 || w.Days > 90 {
		errs = append(errs, fault.InvalidField("days", "CONTRACT_DAYS", "签署期限请填 1 至 90 天"))
	}
	return fault.Merge(errs...)
}

// Make drafts a contract on a case. With TemplateID and an empty body the template is filled from the case.
type Make struct {
	Object     string `json:"-"`
	ID         int64  `json:"-"`
	TemplateID int64  `json:"templateId,omitempty"`
	Words
	Key string `json:"-"`
}

// Make takes contract.draft of the institution whose case it is.
func (s *Service) Make(ctx context.Context, actor access.Actor, cmd Make) (View, error) {
	if err := actor.Need(PermDraft); err != nil {
		return View{}, err
	}
	cases, ok := s.Cases[cmd.Object]
	if !ok {
		return View{}, ErrNotFound
	}
	if err := cmd.check(); err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "contract.make", Key: cmd.Key, Request: cmd, Now: now}, func() (int64, error) {
			c, err := cases.Case(ctx, tx, actor, cmd.ID)
			if err != nil {
				return 0, err
			}
			if actor.Party != access.Institution || actor.InstitutionID != c.InstitutionID {
				return 0, ErrForbidden
			}
			if !c.Open {
				return 0, ErrEnded
			}
			day := now.In(clock.Beijing).Format("20060102")
			n, err := database.NextOfDay(ctx, tx, "contract_numbers", day)
			if err != nil {
				return 0, err
			}
			r := row{Version: 1, Number: fmt.Sprintf("HT%s-%06d", day, n), State: Draft, CaseObject: c.Object, CaseID: c.ID, CaseNumber: c.Number, InstitutionID: c.InstitutionID, InstitutionName: c.InstitutionName,
				EnterpriseID: c.EnterpriseID, EnterpriseName: c.EnterpriseName, UserID: c.UserID, TemplateID: cmd.TemplateID, Title: cmd.Title, Body: cmd.Body, FileID: cmd.FileID, Days: cmd.Days,
				By: actor.Name, At: now}
			if cmd.TemplateID != 0 && cmd.Body == "" {
				t := new(template)
				err := database.Found(tx.NewSelect().Model(t).Where("t.id = ? AND t.withdrawn = FALSE AND t.institution_id IN (0, ?)", cmd.TemplateID, actor.InstitutionID).Scan(ctx))
				if errors.Is(err, fault.ErrNotFound) {
					return 0, fault.InvalidField("templateId", "CONTRACT_TEMPLATE", "没有找到此模板，请重新选择")
				}
				if err != nil {
					return 0, err
				}
				values := map[string]string{}
				for k, v := range c.Values {
					values[k] = v
				}
				values["合同编号"] = r.Number
				r.Body = fill(t.Body, values)
			}
			if err := database.Insert(ctx, tx, &r); err != nil {
				return 0, err
			}
			if err := s.take(ctx, tx, actor, r.ID, 0, cmd.FileID); err != nil {
				return 0, err
			}
			return r.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "contract.make", Object: Object, ObjectID: r.ID, Summary: "起草合同 " + r.Number})
		})
		return err
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, id)
}

// take ties the file to the contract, unless it is the one that is tied already.
func (s *Service) take(ctx context.Context, tx bun.Tx, actor access.Actor, id, before, file int64) error {
	if file == 0 || file == before {
		return nil
	}
	err := s.Files.Claim(ctx, tx, actor, file, Object, id)
	if errors.Is(err, fault.ErrNotFound) {
		return ErrFile
	}
	return err
}

// Ref names a contract and the version the actor saw.
type Ref struct {
	ID      int64 `json:"-"`
	Version int64 `json:"version"`
}

// step is the frame of a command on a contract that no signature is being made on: fn decides and changes the row, of which what it
// names in columns is written if nobody was first.
func (s *Service) step(ctx context.Context, actor access.Actor, ref Ref, action, summary string, columns []string, fn func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r, err := find(ctx, tx, actor, ref.ID)
		if err != nil {
			return err
		}
		if r.Signing != "" {
			return ErrSigning
		}
		if r.Version != ref.Version {
			return ErrStep
		}
		if err := fn(ctx, tx, r, now); err != nil {
			return err
		}
		r.Version++
		err = database.Changed(tx.NewUpdate().Model(r).Column(append([]string{"version", "state"}, columns...)...).Where("id = ? AND version = ? AND signing = ''", r.ID, ref.Version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStep
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "contract." + action, Object: Object, ObjectID: r.ID, Summary: summary + " " + r.Number})
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, ref.ID)
}

func (r *row) drafts(a access.Actor) error {
	if r.side(a) != Institution || !a.Can(PermDraft) {
		return ErrForbidden
	}
	return nil
}

// Edit changes a draft.
type Edit struct {
	Ref
	Words
}

// Edit takes contract.draft of the institution.
func (s *Service) Edit(ctx context.Context, actor access.Actor, cmd Edit) (View, error) {
	if err := cmd.check(); err != nil {
		return View{}, err
	}
	return s.step(ctx, actor, cmd.Ref, "edit", "修改合同草稿", []string{"title", "body", "file_id", "days"}, func(ctx context.Context, tx bun.Tx, r *row, _ time.Time) error {
		if err := r.drafts(actor); err != nil {
			return err
		}
		if r.State != Draft {
			return ErrStep
		}
		before := r.FileID
		r.Title, r.Body, r.FileID, r.Days = cmd.Title, cmd.Body, cmd.FileID, cmd.Days
		return s.take(ctx, tx, actor, r.ID, before, cmd.FileID)
	})
}

// content is what is digested. Its fields are only added.
type content struct {
	Number      string      `json:"number"`
	Title       string      `json:"title"`
	Case        string      `json:"case"`
	Institution string      `json:"institution"`
	Company     string      `json:"company"`
	Body        string      `json:"body"`
	File        *frozenFile `json:"file,omitempty"`
	SentAt      string      `json:"sentAt"`
	ExpiresAt   string      `json:"expiresAt"`
}

type frozenFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	Digest string `json:"sm3"`
}

// Send freezes the content and shows it to the company. It takes contract.draft of the institution.
func (s *Service) Send(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	// The file is read before the transaction, which must be short: it cannot change, and which it is is asked again inside.
	r, err := find(ctx, s.DB.Read(), actor, ref.ID)
	if err != nil {
		return View{}, err
	}
	var file *frozenFile
	if r.FileID != 0 {
		v, err := s.Files.Get(ctx, actor, r.FileID)
		if err != nil {
			return View{}, err
		}
		if v.Mime != "application/pdf" || v.State != "available" {
			return View{}, ErrFile
		}
		sum, err := s.Files.Digest(ctx, actor, r.FileID)
		if err != nil {
			return View{}, err
		}
		file = &frozenFile{v.Name, v.Size, sum}
	}
	frozen := r.FileID
	return s.step(ctx, actor, ref, "send", "发送合同", []string{"content", "digest", "file_digest", "sent_at", "expires_at"}, func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if err := r.drafts(actor); err != nil {
			return err
		}
		switch {
		case r.State != Draft || r.FileID != frozen:
			return ErrStep
		case placeholder.MatchString(r.Body), r.Body == "" && r.FileID == 0:
			return ErrBlank
		}
		until := now.AddDate(0, 0, r.Days)
		c := content{Number: r.Number, Title: r.Title, Case: r.CaseNumber, Institution: r.InstitutionName, Company: r.EnterpriseName, Body: r.Body, File: file,
			SentAt: now.UTC().Format(time.RFC3339), ExpiresAt: until.UTC().Format(time.RFC3339)}
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		r.State, r.SentAt, r.ExpiresAt, r.Content, r.Digest = Sent, &now, &until, string(b), digest(b)
		if file != nil {
			r.FileDigest = file.Digest
		}
		return r.announce(ctx, tx, actor, now, "sent", Institution, "")
	})
}

// Ending ends a contract, or asks for it, with a reason.
type Ending struct {
	Ref
	Reason string `json:"reason,omitempty"`
}

func (c *Ending) check(least int) error {
	tidy, err := text.Line("reason", c.Reason, least, 200)
	c.Reason = tidy
	return text.Named(err, "原因")
}

// Withdraw takes a contract back before it is effective. It takes contract.draft of the institution.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd Ending) (View, error) {
	if err := cmd.check(2); err != nil {
		return View{}, err
	}
	return s.step(ctx, actor, cmd.Ref, "withdraw", "撤回合同", []string{"ended_at", "reason"}, func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if err := r.drafts(actor); err != nil {
			return err
		}
		if r.State.turn() == "" && r.State != Draft {
			return ErrStep
		}
		told := r.State != Draft
		r.State, r.EndedAt, r.Reason = Withdrawn, &now, cmd.Reason
		if !told {
			return nil
		}
		return r.announce(ctx, tx, actor, now, "withdrawn", Institution, cmd.Reason)
	})
}

// Reject is the company's word that it does not sign.
func (s *Service) Reject(ctx context.Context, actor access.Actor, cmd Ending) (View, error) {
	if err := cmd.check(2); err != nil {
		return View{}, err
	}
	return s.step(ctx, actor, cmd.Ref, "reject", "拒签合同", []string{"ended_at", "reason"}, func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if r.side(actor) != Company {
			return ErrForbidden
		}
		if err := s.Mandates.MaySign(ctx, tx, r.EnterpriseID, actor.UserID); err != nil {
			return err
		}
		if r.State != Sent {
			return ErrStep
		}
		r.State, r.EndedAt, r.Reason = Rejected, &now, cmd.Reason
		return r.announce(ctx, tx, actor, now, "rejected", Company, cmd.Reason)
	})
}

// Void asks the other side to void an effective contract, or answers: yes voids it, no leaves it. Ask is told from answer by who
// asked before.
type Void struct {
	Ending
	Yes bool `json:"yes" doc:"Ask for it, or agree; false refuses what the other side asked."`
}

// Void takes the right to sign for a side.
func (s *Service) Void(ctx context.Context, actor access.Actor, cmd Void) (View, error) {
	if err := cmd.check(0); err != nil {
		return View{}, err
	}
	return s.step(ctx, actor, cmd.Ref, "void", "作废合同", []string{"ended_at", "reason", "void_side", "void_reason"}, func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		side, err := s.signer(ctx, tx, actor, r)
		if err != nil {
			return err
		}
		switch {
		case r.State != Effective, r.VoidSide == side, r.VoidSide == "" && !cmd.Yes:
			return ErrStep
		case r.VoidSide == "":
			if len([]rune(cmd.Reason)) < 2 {
				return fault.InvalidField("reason", "CONTRACT_REASON", "请写明作废原因，至少 2 个字")
			}
			r.VoidSide, r.VoidReason = side, cmd.Reason
			return r.announce(ctx, tx, actor, now, "void_asked", side, cmd.Reason)
		case !cmd.Yes:
			r.VoidSide, r.VoidReason = "", ""
			return r.announce(ctx, tx, actor, now, "void_refused", side, cmd.Reason)
		}
		r.State, r.EndedAt, r.Reason = Voided, &now, r.VoidReason
		return r.announce(ctx, tx, actor, now, "voided", side, r.VoidReason)
	})
}

// signer is the side for which the actor may sign, ErrForbidden or the fault of the mandate otherwise.
func (s *Service) signer(ctx context.Context, db bun.IDB, actor access.Actor, r *row) (Side, error) {
	side := r.side(actor)
	switch {
	case side == Company:
		return side, s.Mandates.MaySign(ctx, db, r.EnterpriseID, actor.UserID)
	case side == Institution && actor.Can(PermSign):
		return side, nil
	}
	return "", ErrForbidden
}
