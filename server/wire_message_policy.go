package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/event"
)

// ofPolicy tells those who follow a policy that it is published or revised, those who publish that a draft waits, and who
// submitted one that it came back.
func (n notices) ofPolicy(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f policy.SentBack // of which every other fact about a policy is a part
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: fmt.Sprintf("/policies/%d", f.ID), Params: map[string]string{
		"title": f.Title, "issuer": f.Issuer, "reason": or(f.Reason, "请查看稿件"), "name": or(e.By(), "系统"),
	}}
	switch e.Type {
	case "policy.published", "policy.revised":
		if n.followers == nil {
			return nil, nil
		}
		to, err := n.followers(ctx, tx, f.ID, e.Type == "policy.published")
		return each(to, notice), err
	case "policy.submitted":
		notice.Link += "/edit?tab=review"
		to, err := n.audience.UsersWith(ctx, tx, policy.PermPublish)
		return each(slices.DeleteFunc(to, func(id int64) bool { return id == e.ActorID }), notice), err
	case "policy.sent_back":
		notice.Link += "/edit"
		notice.UserID = f.UserID
		if f.UserID != 0 {
			return []message.Notice{notice}, nil
		}
	}
	return nil, nil
}

// policyReminders tells followers that a window closes.
type policyReminders struct{ *message.Service }

var _ policy.Reminding = policyReminders{}

// Remind writes the message in the transaction of the caller; a repeat of the key is dropped.
func (p policyReminders) Remind(ctx context.Context, tx bun.Tx, r policy.Reminder) error {
	return p.Notify(ctx, tx, message.Notice{Key: r.Key, UserID: r.UserID, Template: "policy.closing", Link: fmt.Sprintf("/policies/%d", r.PolicyID),
		Params: map[string]string{"title": r.Title, "day": r.ClosesOn, "left": r.Left}})
}
