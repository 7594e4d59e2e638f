package application

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Profiles tells what the handling institution may read of a company on the platform. where names the reading in the
// company's log. A company that has not agreed is a fault that says what to do.
type Profiles interface {
	Profile(ctx context.Context, actor access.Actor, enterpriseID int64, where string) (Profile, error)
}

// Profile is what is known of the company that applied, as far as it agreed.
type Profile struct {
	Name        string        `json:"name"`
	CreditCode  string        `json:"creditCode"`
	LegalPerson string        `json:"legalPerson"`
	Facts       []ProfileFact `json:"facts"`
}

// ProfileFact is one thing known of a company, in words, with who says it and of which day.
type ProfileFact struct {
	Group  string    `json:"group"`
	Label  string    `json:"label"`
	Text   string    `json:"text"`
	Source string    `json:"source"`
	AsOf   time.Time `json:"asOf"`
}

// Applicant tells an operator of the handling institution about the company, while the application is open; each call is a
// reading in the company's log. It returns ErrNotFound for an application the actor does not see, ErrForbidden for all
// others, and the fault of Profiles when the company does not agree.
func (s *Service) Applicant(ctx context.Context, actor access.Actor, id int64) (Profile, error) {
	if !actor.SignedIn() {
		return Profile{}, fault.ErrUnauthorized
	}
	a, err := find(ctx, bun.IDB(s.DB.Read()), visible(actor), id)
	if err != nil {
		return Profile{}, err
	}
	if !handles(actor, a) || s.Profiles == nil {
		return Profile{}, fault.ErrForbidden
	}
	if a.ClosedAt != nil {
		return Profile{}, errClosedProfile
	}
	return s.Profiles.Profile(ctx, actor, a.EnterpriseID, "申请 "+a.Number)
}

// errClosedProfile: what a company agreed to is for working on its application.
var errClosedProfile = fault.New(fault.Forbidden, "APPLICATION_CLOSED", "申请已办结，不再提供企业信息；确有需要的，请企业另行提供")
