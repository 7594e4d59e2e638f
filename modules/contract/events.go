package contract

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// Changed is announced with every step of a contract that the other side is told of. It holds no content.
type Changed struct {
	ID              int64  `json:"id"`
	Number          string `json:"number"`
	Title           string `json:"title"`
	Object          string `json:"object"`
	ObjectID        int64  `json:"objectId"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`
	State           State  `json:"state"`
	// Step is sent, signed, rejected, withdrawn, expired, void_asked, void_refused or voided; By is whose it was.
	Step   string `json:"step"`
	By     Side   `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Event names the fact.
func (f Changed) Event() (string, string, int64) { return "contract." + f.Step, Object, f.ID }

func (r *row) announce(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, step string, by Side, reason string) error {
	_, err := event.Append(ctx, tx, actor, now, Changed{ID: r.ID, Number: r.Number, Title: r.Title, Object: r.CaseObject, ObjectID: r.CaseID, InstitutionID: r.InstitutionID,
		InstitutionName: r.InstitutionName, EnterpriseID: r.EnterpriseID, EnterpriseName: r.EnterpriseName, UserID: r.UserID, State: r.State, Step: step, By: by, Reason: reason})
	return err
}
