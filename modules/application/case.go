package application

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Case is what other modules need of an application on which they hang something of their own.
type Case struct {
	ID, Version                int64
	Number                     string
	Status                     Status
	ProductID                  int64
	ProductName                string
	Kind, KindName             string
	Lends                      bool
	InstitutionID              int64
	InstitutionName            string
	EnterpriseID               int64
	EnterpriseName             string
	UserID, HandlerID          int64
	ContactName, HandlerName   string
	Amount                     int64 // applied for, in fen
	Term                       int
	SubmittedAt                time.Time
	ClosedAt                   *time.Time
	ApprovedAmount, Disbursed  int64
	ApprovedRate, ApprovedTerm int
}

// Case returns an application that the actor may see, ErrNotFound otherwise.
func (s *Service) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (Case, error) {
	a, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return Case{}, err
	}
	return Case{ID: a.ID, Version: a.Version, Number: a.Number, Status: a.Status, ProductID: a.ProductID, ProductName: a.ProductName, Kind: a.Kind, KindName: a.KindName,
		Lends: a.Lends, InstitutionID: a.InstitutionID, InstitutionName: a.InstitutionName, EnterpriseID: a.EnterpriseID, EnterpriseName: a.EnterpriseName,
		UserID: a.UserID, HandlerID: a.HandlerID, ContactName: a.ContactName, HandlerName: a.HandlerName, Amount: a.Amount, Term: a.Term, SubmittedAt: a.SubmittedAt, ClosedAt: a.ClosedAt,
		ApprovedAmount: a.ApprovedAmount, Disbursed: a.DisbursedAmount, ApprovedRate: a.ApprovedRate, ApprovedTerm: a.ApprovedTerm}, nil
}

// CasePhone is the telephone number left with an application, for what the system sends. Only the system may ask.
func (s *Service) CasePhone(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (string, error) {
	if actor.Party != access.System {
		return "", ErrForbidden
	}
	a, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return "", err
	}
	plain, err := s.Box.Open(a.PhoneSealed, phonePlace(a.Number))
	return string(plain), err
}

// Beside is what another module shows on the applicant's page of an application on the portal.
type Beside func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error)

// ShowBeside adds panels to the applicant's page, in their order. It is called while the modules are joined.
func (s *Service) ShowBeside(panels ...Beside) { s.beside = append(s.beside, panels...) }

func (s *Service) panels(ctx context.Context, actor access.Actor, id int64) ([]page.Panel, error) {
	list := make([]page.Panel, 0, len(s.beside))
	for _, of := range s.beside {
		p, err := of(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
