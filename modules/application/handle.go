package application

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
)

// Accept asks to take an application on.
type Accept struct {
	Ref
	Note string // to the company
}

// Accept takes a submitted application on; whoever accepts becomes its handler when it has none. It returns ErrNotFound when
// the actor cannot see it, ErrForbidden without application.handle at its institution, and a conflict that says what changed
// when the version is stale or the state does not allow it.
func (s *Service) Accept(ctx context.Context, actor access.Actor, cmd Accept) (View, error) {
	note, err := block("note", "受理说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToAccept, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		h, err := s.hours(ctx, tx)
		if err != nil {
			return effect{}, err
		}
		return accepted(note), a.Accept(s.Clock.Now(), Colleague{ID: actor.UserID, Name: actor.Name}, h)
	})
}

// Decline asks to end an application.
type Decline struct {
	Ref
	// Codes are ready reasons. Reason is in the institution's own words, needed when no ready one is chosen or one asks for
	// it. The company reads both.
	Codes  []string
	Reason string
}

// ReasonsOfDeclining is the list of ready reasons that operators edit.
const ReasonsOfDeclining = "application_decline"

// FirstReasons are the ready reasons an installation begins with.
func FirstReasons() []reason.Reason {
	return []reason.Reason{
		{Code: "age", Text: "经营时间不满足产品条件，可在满足后重新申请", Sort: 10},
		{Code: "debt", Text: "当前负债或经营状况暂不能满足产品要求", Sort: 20},
		{Code: "scope", Text: "所需服务超出本机构的服务范围，建议选择其他机构", Sort: 30},
		{Code: "materials", Text: "申请材料不完整或与实际不符：", Words: true, Sort: 40},
		{Code: "contact", Text: "多次联系未能联系到申请人，可在方便时重新申请", Sort: 50},
		{Code: "repeated", Text: "与已在办理的申请重复", Sort: 60},
		{Code: reason.Other, Text: "其他原因", Words: true, Sort: 90},
	}
}

// OfferedReasons lists the ready reasons of declining for those who handle applications.
func (s *Service) OfferedReasons(ctx context.Context, actor access.Actor) ([]reason.Reason, error) {
	if err := actor.Need(PermHandle); err != nil {
		return nil, err
	}
	if s.Reasons == nil {
		return []reason.Reason{}, nil
	}
	return s.Reasons.Offered(ctx, s.DB.Read(), ReasonsOfDeclining)
}

// why is what the company reads as the reason of declining.
func (s *Service) why(ctx context.Context, db bun.IDB, codes []string, own string) (string, error) {
	if len(codes) == 0 || s.Reasons == nil {
		return block("reason", "原因", own, maxNote, true)
	}
	offered, err := s.Reasons.Offered(ctx, db, ReasonsOfDeclining)
	if err != nil {
		return "", err
	}
	_, words, err := reason.Compose(offered, codes, own)
	if f, ok := fault.As(err); ok {
		return "", fault.InvalidField("reason", f.Code, f.Message)
	}
	return words, err
}

// Decline ends an application before its result with a reason. Errors as Accept.
func (s *Service) Decline(ctx context.Context, actor access.Actor, cmd Decline) (View, error) {
	return s.change(ctx, actor, ToDecline, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		reason, err := s.why(ctx, tx, cmd.Codes, cmd.Reason)
		if err != nil {
			return effect{}, err
		}
		from := a.Status
		return declined(from, reason), a.Decline(s.Clock.Now(), reason)
	})
}

// AskSupplement asks the company for what is lacking.
type AskSupplement struct {
	Ref
	Reason string // what is lacking
}

// AskSupplement stops an application until the company supplies what is lacking. Errors as Accept.
func (s *Service) AskSupplement(ctx context.Context, actor access.Actor, cmd AskSupplement) (View, error) {
	reason, err := block("reason", "需要补充的内容", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToAsk, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return asked(reason), a.Ask(s.Clock.Now(), reason)
	})
}

// Progress tells the company how far the institution is.
type Progress struct {
	Ref
	Note    string
	FileIDs []int64
}

// Progress tells how far an accepted application is. Errors as Accept; files must be the actor's own.
func (s *Service) Progress(ctx context.Context, actor access.Actor, cmd Progress) (View, error) {
	note, err := block("note", "进展情况", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToProgress, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return progressed(note, cmd.FileIDs), a.Progress()
	})
}

// Approve keeps what the institution grants.
type Approve struct {
	Ref
	Loan Loan
	Note string // to the company
}

// Approve keeps the result of the review of a financing application. Errors as Accept, and a message for each wrong figure.
func (s *Service) Approve(ctx context.Context, actor access.Actor, cmd Approve) (View, error) {
	note, err := block("note", "审批说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToApprove, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return approved(cmd.Loan, note), a.Approve(s.Clock.Now(), cmd.Loan)
	})
}

// Complete asks to end an application well.
type Complete struct {
	Ref
	Note    string // to the company: what was done
	FileIDs []int64
}

// Complete ends a loan that was paid out. Errors as Accept; files must be the actor's own.
func (s *Service) Complete(ctx context.Context, actor access.Actor, cmd Complete) (View, error) {
	note, err := block("note", "办结说明", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToComplete, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return completed(note, cmd.FileIDs), a.Complete(s.Clock.Now())
	})
}

// HandOver asks to make a colleague the handler, or the actor itself.
type HandOver struct {
	Ref
	UserID int64
	Note   string // stays within the institution
}

// HandOver makes an operator of the same institution the handler. Errors as Accept.
func (s *Service) HandOver(ctx context.Context, actor access.Actor, cmd HandOver) (View, error) {
	note, err := block("note", "转交说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToHandOver, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		colleagues, err := s.Institutions.Operators(ctx, tx, a.InstitutionID)
		if err != nil {
			return effect{}, err
		}
		for _, c := range colleagues {
			if c.ID != cmd.UserID {
				continue
			}
			if c.ID == a.HandlerID {
				return effect{}, fault.InvalidField("userId", "SAME_HANDLER", fmt.Sprintf("这件申请已由%s经办，请选择其他同事", c.Name))
			}
			from := a.HandlerName
			return effect{
				fact: func(h Head) event.Fact {
					return HandedOver{Head: h, FromName: from, ToName: c.Name, Note: note, ByID: actor.UserID}
				},
				summary: "转交经办", detail: map[string]any{"to": c.ID},
			}, a.HandOver(c)
		}
		return effect{}, fault.InvalidField("userId", "COLLEAGUE_UNKNOWN", "请选择本机构的同事")
	})
}

// maxBatch is how many applications one batch may hold.
const maxBatch = 50

// Outcome is what became of one application of a batch.
type Outcome struct {
	ID      int64  `json:"id"`
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"` // why not
}

// AcceptAll accepts each application by itself: one that cannot be is told with its reason and keeps none of the others back.
func (s *Service) AcceptAll(ctx context.Context, actor access.Actor, key string, refs []Ref, note string) ([]Outcome, error) {
	return s.batch(ctx, actor, key, refs, func(r Ref) error {
		_, err := s.Accept(ctx, actor, Accept{Ref: r, Note: note})
		return err
	})
}

// DeclineAll declines each application by itself with the same reason. Outcomes as AcceptAll.
func (s *Service) DeclineAll(ctx context.Context, actor access.Actor, key string, refs []Ref, codes []string, reason string) ([]Outcome, error) {
	if err := actor.Need(PermHandle); err != nil {
		return nil, err
	}
	if _, err := s.why(ctx, s.DB.Read(), codes, reason); err != nil {
		return nil, err
	}
	return s.batch(ctx, actor, key, refs, func(r Ref) error {
		_, err := s.Decline(ctx, actor, Decline{Ref: r, Codes: codes, Reason: reason})
		return err
	})
}

// PreviewAll tells for each application whether the action would be taken now, and why not; it changes nothing.
func (s *Service) PreviewAll(ctx context.Context, actor access.Actor, action Action, refs []Ref) ([]Outcome, error) {
	if action != ToAccept && action != ToDecline {
		return nil, fault.InvalidField("action", "BATCH_ACTION", "只能批量受理或不予受理")
	}
	return s.batch(ctx, actor, "", refs, func(r Ref) error {
		db := s.DB.Read()
		a, err := find(ctx, db, visible(actor), r.ID)
		if err != nil {
			return err
		}
		if !may(actor, a, action) {
			return ErrForbidden
		}
		if a.Version != r.Version {
			return stale(ctx, db, actor, a)
		}
		return a.move(action)
	})
}

func (s *Service) batch(ctx context.Context, actor access.Actor, key string, refs []Ref, one func(Ref) error) ([]Outcome, error) {
	if err := actor.Need(PermHandle); err != nil {
		return nil, err
	}
	if len(refs) == 0 || len(refs) > maxBatch {
		return nil, fault.InvalidField("items", "BATCH_SIZE", fmt.Sprintf("每次可选择 1 至 %d 件申请", maxBatch))
	}
	out := make([]Outcome, 0, len(refs))
	for _, r := range refs {
		r.Key = ""
		if key != "" {
			r.Key = fmt.Sprintf("%s:%d", key, r.ID)
		}
		err := one(r)
		o := Outcome{ID: r.ID, OK: err == nil}
		if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
			o.Message = f.Message
		} else if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
