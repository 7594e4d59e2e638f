package institution

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/web"
)

// OnboardingDesk is what somebody who applies has before them.
type OnboardingDesk struct {
	// Application is the person's newest one; nil before they began one.
	Application *ApplicationView `json:"application,omitempty"`
	Next        string           `json:"next" doc:"What is to be done, or waited for, now."`
	Kinds       []Kind           `json:"kinds" nullable:"false"`
	FormHint    *hint.Said       `json:"formHint,omitempty" doc:"What is read beside the form."`
	Hint        *hint.Said       `json:"hint,omitempty" doc:"What is read where the application stands."`
}

// OnboardingForm is the form as it is typed.
type OnboardingForm struct {
	Version      int64  `json:"version" doc:"Of the draft that was seen; 0 before there is one."`
	Name         string `json:"name"`
	Kind         string `json:"kind"`
	CreditCode   string `json:"creditCode"`
	LegalPerson  string `json:"legalPerson"`
	Phone        string `json:"phone" doc:"Shown to companies."`
	Address      string `json:"address"`
	Summary      string `json:"summary"`
	Offers       string `json:"offers"`
	ContactName  string `json:"contactName"`
	ContactPhone string `json:"contactPhone" doc:"For the reviewers only."`
	Account      string `json:"account" doc:"What the administrator signs in with."`
}

type (
	onboardingOutput struct{ Body OnboardingDesk }

	onboardingGetInput struct {
		ID int64 `query:"id" minimum:"1" doc:"One of the asker's own; without it the newest."`
	}
	onboardingInput struct {
		web.Keyed
		Body OnboardingForm
	}
	onboardingDocumentInput struct {
		web.Keyed
		Body struct {
			OnboardingForm
			DocName string  `json:"docName"`
			DocNo   string  `json:"docNo"`
			DocTo   string  `json:"docTo" doc:"The last day, 2027-06-30; empty without a term."`
			FileIDs []int64 `json:"fileIds" maxItems:"20" nullable:"false" doc:"Uploads of the asker's own."`
		}
	}
	onboardingRemoveInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body OnboardingForm
	}
	onboardingWithdrawInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body struct {
			Version int64 `json:"version"`
		}
	}
)

func (f OnboardingForm) command(key string) Apply {
	return Apply{Key: key, Version: f.Version, Form: Form{Name: f.Name, Kind: f.Kind, CreditCode: f.CreditCode, LegalPerson: f.LegalPerson, Phone: f.Phone, Address: f.Address,
		Summary: f.Summary, Offers: f.Offers, ContactName: f.ContactName, ContactPhone: f.ContactPhone, Account: f.Account}}
}

// OnboardingDesk returns the person's application of that id, or with 0 their newest, with what is to be done about it, and what
// the form needs. Before they began one there is none in it; ErrNotFound is for the id of somebody else's.
func (s *Service) OnboardingDesk(ctx context.Context, actor access.Actor, id int64) (OnboardingDesk, error) {
	d := OnboardingDesk{Kinds: Kinds()}
	var a ApplicationView
	var err error
	if id == 0 {
		a, err = s.Mine(ctx, actor)
	} else {
		a, err = s.Application(ctx, actor, id)
	}
	if err != nil && (id != 0 || fault.KindOf(err) != fault.NotFound) {
		return d, err
	}
	if err == nil {
		d.Application, d.Next = &a, a.next()
		if d.Hint, err = s.Hints.ToSubmitter(ctx, s.DB.Read(), HintsOfApplications, "at-"+string(a.State)); err != nil {
			return d, err
		}
	}
	d.FormHint, err = s.Hints.ToSubmitter(ctx, s.DB.Read(), HintsOfApplications, "form")
	return d, err
}

// RegisterApplying adds the operations of somebody who applies for 入驻, as the portal's form has them.
func RegisterApplying(api huma.API, s *Service) {
	who := access.Only(access.Enterprise)
	desk := func(ctx context.Context, id int64, err error) (*onboardingOutput, error) {
		if err != nil {
			return nil, err
		}
		d, err := s.OnboardingDesk(ctx, access.From(ctx), id)
		if err != nil {
			return nil, err
		}
		return &onboardingOutput{Body: d}, nil
	}
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/onboarding", Summary: "我的机构入驻申请", Tag: tag, Access: access.Only(access.Enterprise, access.Institution)}.Huma(),
		func(ctx context.Context, in *onboardingGetInput) (*onboardingOutput, error) {
			return desk(ctx, in.ID, nil)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/onboarding/draft", Summary: "保存机构入驻草稿", Tag: tag, Access: who}.Huma(),
		func(ctx context.Context, in *onboardingInput) (*onboardingOutput, error) {
			a, err := s.SaveDraft(ctx, access.From(ctx), in.Body.command(in.Key))
			return desk(ctx, a.ID, err)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/onboarding/documents", Summary: "添加入驻证照", Tag: tag, Access: who}.Huma(),
		func(ctx context.Context, in *onboardingDocumentInput) (*onboardingOutput, error) {
			a, err := s.AddDocument(ctx, access.From(ctx), NewDocument{Apply: in.Body.command(in.Key), Document: Licence{Name: in.Body.DocName, No: in.Body.DocNo, To: in.Body.DocTo}, FileIDs: in.Body.FileIDs})
			return desk(ctx, a.ID, err)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/onboarding/documents/{id}/remove", Summary: "移除入驻证照", Tag: tag, Access: who}.Huma(),
		func(ctx context.Context, in *onboardingRemoveInput) (*onboardingOutput, error) {
			a, err := s.RemoveDocument(ctx, access.From(ctx), RemoveDocument{Apply: in.Body.command(in.Key), ID: in.ID})
			return desk(ctx, a.ID, err)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/onboarding/submit", Summary: "提交机构入驻申请", Tag: tag, Access: who}.Huma(),
		func(ctx context.Context, in *onboardingInput) (*onboardingOutput, error) {
			a, err := s.Submit(ctx, access.From(ctx), in.Body.command(in.Key))
			return desk(ctx, a.ID, err)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/onboarding/{id}/withdraw", Summary: "撤回机构入驻申请", Tag: tag, Access: who}.Huma(),
		func(ctx context.Context, in *onboardingWithdrawInput) (*onboardingOutput, error) {
			a, err := s.Withdraw(ctx, access.From(ctx), WithdrawApplication{Ref{in.ID, in.Body.Version, in.Key}})
			return desk(ctx, a.ID, err)
		})
}
