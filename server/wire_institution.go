package server

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// newInstitutions makes the keeper of institutions. What it needs of identity and of the files is there when it is called,
// not yet when it is made.
func (h *house) newInstitutions(c Config, p parts) *institution.Service {
	return institution.New(institution.Deps{DB: h.db, Clock: p.clock, Box: h.box, Files: institutionFiles{h}, Desk: reviewDesk{h}, Accounts: institutionAccounts{h},
		Operators: institutionOperators{h}, DemoCodes: c.Demo, Reasons: h.reviews, Hints: h.reviews, Deputies: h.reviews, Hooks: institution.Hooks{
			Changed: func(ctx context.Context, tx bun.Tx, card institution.Card) error {
				return h.catalog.FollowInstitution(ctx, tx, catalog.Provider(card))
			},
		}})
}

var _ institution.Desk = reviewDesk{}

// institutionFiles lets applications for 入驻 keep documents, under the rules for licences.
type institutionFiles struct{ *house }

var _ institution.Files = institutionFiles{}

// Keep stores a picture.
func (f institutionFiles) Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error) {
	return enterpriseFiles(f).Keep(ctx, actor, name, content)
}

// Claim ties a picture to a document.
func (f institutionFiles) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	return f.uploads.Claim(ctx, tx, actor, fileID, object, objectID)
}

// Of lists the pictures of a document.
func (f institutionFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]institution.FileView, error) {
	views, err := f.uploads.Of(ctx, db, object, id)
	list := make([]institution.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, institution.FileView(v))
	}
	return list, err
}

// institutionAccounts makes applicants administrators.
type institutionAccounts struct{ *house }

var _ institution.Accounts = institutionAccounts{}

// MayAdminister says whether a person can become an administrator.
func (a institutionAccounts) MayAdminister(ctx context.Context, db bun.IDB, userID int64, account string) error {
	return a.identity.MayAdminister(ctx, db, userID, account)
}

// FirstPassword makes a password to be shown once.
func (a institutionAccounts) FirstPassword(ctx context.Context, actor access.Actor, key, account string) (password, hash string, err error) {
	return a.identity.FirstPassword(ctx, actor, key, account)
}

// Administer makes a person the administrator of an institution.
func (a institutionAccounts) Administer(ctx context.Context, tx bun.Tx, actor access.Actor, x institution.Administrator) error {
	return a.identity.Administer(ctx, tx, actor, x.UserID, x.InstitutionID, x.Account, x.Hash)
}

// institutionOperators keeps the accounts of institutions' people.
type institutionOperators struct{ *house }

var _ institution.Operators = institutionOperators{}

// Staff lists the people of an institution and the roles they may have.
func (o institutionOperators) Staff(ctx context.Context, db bun.IDB, institutionID int64) (institution.Staff, error) {
	out := institution.Staff{Items: []institution.Operator{}, Roles: []institution.OperatorRole{}}
	list, err := o.identity.OperatorsOf(ctx, db, institutionID)
	if err != nil {
		return out, err
	}
	for _, u := range list {
		x := institution.Operator{ID: u.ID, Name: u.Name, Account: u.Account, PhoneMasked: u.PhoneMasked, State: string(u.State), Version: u.Version, SeenAt: u.SeenAt, Roles: []string{}}
		for _, r := range u.Roles {
			x.Roles = append(x.Roles, r.Name)
		}
		out.Items = append(out.Items, x)
	}
	roles, err := o.identity.InstitutionRoles(ctx, db)
	for _, r := range roles {
		out.Roles = append(out.Roles, institution.OperatorRole(r))
	}
	return out, err
}

// Open opens an account.
func (o institutionOperators) Open(ctx context.Context, tx bun.Tx, actor access.Actor, x institution.NewOperator) (int64, error) {
	return o.identity.OpenOperator(ctx, tx, actor, x.InstitutionID, identity.NewUser{Name: x.Name, Account: x.Account, Phone: x.Phone, Party: access.Institution, Roles: []string{x.Role}}, x.Hash)
}

// Switch disables an account or lets it in again.
func (o institutionOperators) Switch(ctx context.Context, tx bun.Tx, actor access.Actor, x institution.OperatorSwitch) error {
	return o.identity.SwitchOperator(ctx, tx, actor, x.InstitutionID, identity.UserRef{ID: x.ID, Version: x.Version}, x.On, x.Reason)
}

// ofOnboarding tells the reviewers of applications that wait, and the applicant what came of theirs.
func (n notices) ofOnboarding(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f struct {
		institution.OnboardingHead
		Reason  string            `json:"reason"`
		Account string            `json:"account"`
		State   institution.State `json:"state"`
		Label   string            `json:"label"` // of the decision that was taken back
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Link: fmt.Sprintf("/institutions/apply/%d", f.ID),
		Params: map[string]string{"name": f.Name, "number": f.Number, "reason": oneLine(f.Reason), "account": f.Account}}
	switch e.Type {
	case "institution_application.submitted", "institution_application.checked", "institution_application.overdue":
		notice.Link = fmt.Sprintf("/institution-applications?open=%d", f.ID)
		right := institution.PermReview
		if e.Type == "institution_application.checked" || f.State == institution.Checked {
			right = institution.PermApprove
		}
		to, err := n.audience.Reviewing(ctx, tx, right)
		return each(to, notice), err
	case "institution_application.review_undone":
		notice.Params["kind"] = f.Label
		again := notice
		again.Link = fmt.Sprintf("/institution-applications?open=%d", f.ID)
		right := institution.PermReview
		if f.State == institution.Checked {
			right = institution.PermApprove
		}
		to, err := n.audience.Reviewing(ctx, tx, right)
		return append(each(to, again), notice), err
	case "institution_application.returned", "institution_application.refused":
		return []message.Notice{notice}, nil
	case "institution_application.approved":
		notice.Link = "/institution" // they are staff from now on
		return []message.Notice{notice}, nil
	}
	return nil, nil
}

// ofInstitution reminds an institution's people, and those who manage institutions, of a qualification that ends.
func (n notices) ofInstitution(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	if e.Type != "institution.expiring" {
		return nil, nil
	}
	var f institution.Expiring
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	left := fmt.Sprintf("还有 %d 天", f.Days)
	if f.Days == 0 {
		left = "就是今天"
	}
	notice := message.Notice{Template: e.Type, Params: map[string]string{"name": f.Name, "kind": f.Paper, "until": f.To, "left": left}}
	own, err := n.audience.InstitutionUsers(ctx, tx, f.ID)
	if err != nil {
		return nil, err
	}
	notice.Link = "/institution"
	list := each(own, notice)
	notice.Link = fmt.Sprintf("/institutions/%d", f.ID)
	managers, err := n.audience.UsersWith(ctx, tx, institution.PermManage)
	return append(list, each(managers, notice)...), err
}

// ofRenewal tells the reviewers of a paper that was handed in, and the institution's people what came of it.
func (n notices) ofRenewal(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f struct {
		institution.RenewalHead
		Reason string `json:"reason"`
		Label  string `json:"label"` // of the decision that was taken back
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: "/institution", Params: map[string]string{"name": f.InstitutionName, "kind": f.Paper, "reason": oneLine(f.Reason)}}
	switch e.Type {
	case "institution_renewal.submitted":
		notice.Link = "/institution-renewals?state=waiting"
		to, err := n.audience.Reviewing(ctx, tx, institution.PermReview)
		return each(to, notice), err
	case "institution_renewal.review_undone":
		notice.Params["step"] = f.Label
		own, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		if err != nil {
			return nil, err
		}
		again := notice
		again.Link = "/institution-renewals?state=waiting"
		to, err := n.audience.Reviewing(ctx, tx, institution.PermReview)
		return append(each(to, again), each(own, notice)...), err
	case "institution_renewal.passed", "institution_renewal.returned":
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	}
	return nil, nil
}

// oneLine is a reason within a sentence of a message.
func oneLine(reason string) string {
	return strings.TrimRight(strings.ReplaceAll(reason, "\n", "；"), "。")
}
