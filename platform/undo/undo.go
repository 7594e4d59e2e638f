// Package undo says who may take the decision of a review back. What a decision was and how it is undone whole stays with the
// module whose object it is about.
package undo

import (
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Own is how long who decided may take it back.
const Own = 30 * time.Minute

// Decision is what was decided, by whom and when.
type Decision struct {
	By int64
	At time.Time
}

// Rule is who may take the decisions of a kind of review back.
type Rule struct {
	// Anybodys is the right over what others decided, and over one's own after Own.
	Anybodys access.Permission
	// Refused is the module's fault, which is given the words.
	Refused *fault.Fault
}

// May returns nil when the actor may take the decision back now, otherwise a fault that says who may. reviews returns the
// module's fault for somebody who is a reviewer no more.
func (r Rule) May(actor access.Actor, d Decision, now time.Time, reviews func() error) error {
	if actor.Can(r.Anybodys) {
		return nil
	}
	if d.By != actor.UserID {
		return r.Refused.With("只能由作出决定的审核人员（%d 分钟内）或平台运营人员撤销", int(Own.Minutes()))
	}
	if err := reviews(); err != nil {
		return err
	}
	if now.Sub(d.At) > Own {
		return r.Refused.With("已超过 %d 分钟，请由平台运营人员撤销", int(Own.Minutes()))
	}
	return nil
}
