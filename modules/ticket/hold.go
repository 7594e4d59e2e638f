package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// SuspendTicket asks to stop the work until the requester has done their part.
type SuspendTicket struct {
	Ref
	Reason string // what the requester is asked for
}

// Suspend stops the work on a signed ticket because it waits for the requester, who is told the reason and may answer it.
// Errors as Answer, with ticket.suspend.
func (s *Service) Suspend(ctx context.Context, actor access.Actor, cmd SuspendTicket) (View, error) {
	reason, err := clean("reason", "需要企业补充的内容", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToSuspend, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
		return effect{fact: func(h Head) event.Fact { return Suspended{h, reason} }, summary: "挂起"}, t.Suspend()
	})
}

// Resume goes on with a suspended ticket without the requester's word. Errors as Answer, with ticket.suspend.
func (s *Service) Resume(ctx context.Context, actor access.Actor, cmd SuspendTicket) (View, error) {
	reason, err := clean("reason", "恢复说明", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToResume, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
		return effect{fact: func(h Head) event.Fact { return Resumed{h, reason} }, summary: "恢复办理"}, t.Resume()
	})
}

// SupplementTicket is the requester's answer to a suspension.
type SupplementTicket struct {
	Ref
	Text    string
	FileIDs []int64
	// Sent marks the files that came with a form: FileIDs, which are new with each upload, then say nothing of whether a key comes
	// again with the same content.
	Sent string `json:",omitempty"`
}

// Supplement keeps what the requester was asked for and goes on with the work. Everybody but the requester gets ErrForbidden
// or ErrNotFound; files must be the actor's own.
func (s *Service) Supplement(ctx context.Context, actor access.Actor, cmd SupplementTicket) (View, error) {
	text, err := clean("text", "补充说明", cmd.Text, maxBody, true)
	if err != nil {
		return View{}, err
	}
	same := cmd
	if same.Sent != "" {
		same.FileIDs = nil
	}
	return s.change(ctx, actor, ToSupplement, cmd.Ref, same, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
		return effect{fact: func(h Head) event.Fact {
			return Supplemented{Resumed: Resumed{h, text}, FileIDs: cmd.FileIDs, By: "requester"}
		}, summary: "企业补充材料", files: cmd.FileIDs}, t.Supplement()
	})
}
