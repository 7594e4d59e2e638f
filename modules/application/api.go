package application

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "申请"

type applicationOutput struct{ Body View }

type applicationProfileOutput struct{ Body Profile }

type applicationSubmitInput struct {
	web.Keyed
	Body struct {
		ProductID   int64               `json:"productId"`
		Amount      int64               `json:"amount,omitempty" doc:"Fen; financing only."`
		Term        int                 `json:"term,omitempty" doc:"Months; financing only."`
		Purpose     string              `json:"purpose"`
		Collateral  string              `json:"collateral,omitempty" doc:"Financing only."`
		ContactName string              `json:"contactName,omitempty" doc:"Empty takes the name of the account."`
		Phone       string              `json:"phone,omitempty" doc:"Empty takes the phone of the account."`
		Source      Source              `json:"source" enum:"h5,portal"`
		FileIDs     []int64             `json:"fileIds,omitempty" maxItems:"9"`
		PaperIDs    []int64             `json:"paperIds,omitempty" maxItems:"9" doc:"Licences of the company to be handed in."`
		Fields      map[string][]string `json:"fields,omitempty" doc:"Answers to the fields that administrators define, by their keys."`
	}
}

func (in *applicationSubmitInput) command() Submit {
	b := in.Body
	return Submit{
		Key: in.Key, ProductID: b.ProductID, Amount: b.Amount, Term: b.Term, Purpose: b.Purpose, Collateral: b.Collateral,
		ContactName: b.ContactName, Phone: b.Phone, Source: b.Source, FileIDs: b.FileIDs, PaperIDs: b.PaperIDs, Fields: b.Fields,
	}
}

type applicationListInput struct {
	web.Listing
	Status  []Status `query:"status" doc:"Any of these states, separated by commas."`
	Waiting bool     `query:"waiting" doc:"What waits to be accepted, nearest deadline first."`
	Overdue bool     `query:"overdue" doc:"What is not done although its deadline has passed, nearest deadline first."`
	Soon    bool     `query:"soon" doc:"What was reminded of and is not overdue, nearest deadline first."`
	Q       string   `query:"q" maxLength:"400" doc:"A number, a phone or its last four digits, the beginning of a credit code, or words."`
	Kind    string   `query:"kind" doc:"Of products."`
	// Institution narrows for those who see several.
	Institution int64  `query:"institution"`
	Mine        bool   `query:"mine" doc:"What the asker is the handler of."`
	Extra       string `query:"extra" maxLength:"1000" doc:"Conditions on the fields administrators define, one a line: pledge:房产, visited:2026-01-01..2026-06-30, share:10.."`
}

type applicationListOutput struct{ Body web.List[Item] }

type applicationGetInput struct {
	ID int64 `path:"id"`
}

// Target is embedded by the input of every command on an application; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (in *Target) ref(version int64) Ref { return Ref{ID: in.ID, Version: version, Key: in.Key} }

type applicationNoteInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		Note    string  `json:"note,omitempty"`
		FileIDs []int64 `json:"fileIds,omitempty" maxItems:"9"`
	}
}

type applicationSupplementInput struct {
	Target
	Body struct {
		Version int64               `json:"version"`
		Note    string              `json:"note,omitempty"`
		FileIDs []int64             `json:"fileIds,omitempty" maxItems:"9"`
		Fields  map[string][]string `json:"fields,omitempty" doc:"The answers as they are to be to what administrators ask; left out they stay."`
	}
}

type applicationReasonInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason,omitempty"`
	}
}

type applicationDeclineInput struct {
	Target
	Body struct {
		Version int64    `json:"version"`
		Codes   []string `json:"codes,omitempty" maxItems:"10" doc:"Of ready reasons."`
		Reason  string   `json:"reason,omitempty" doc:"In own words; needed when no ready reason is chosen or one asks for it."`
	}
}

type applicationExtraInput struct {
	Target
	Body struct {
		Version int64               `json:"version" doc:"Of what is filled in, not of the application."`
		Values  map[string][]string `json:"values"`
	}
}

type applicationReasonsOutput struct{ Body web.List[reason.Reason] }

type applicationPreviewInput struct {
	Body struct {
		Action Action `json:"action" enum:"accept,decline"`
		Items  []Ref  `json:"items" minItems:"1" maxItems:"50"`
	}
}

type applicationResultsInput struct {
	From string `query:"from" maxLength:"7" doc:"The first month of submission, 2026-06; six months before the last when left out."`
	To   string `query:"to" maxLength:"7" doc:"The last month; this one when left out."`
	By   Group  `query:"by" enum:"institution,kind,month"`
}

type applicationResultsOutput struct{ Body Results }

type applicationLimitsOutput struct{ Body web.List[LimitView] }

type applicationLimitInput struct {
	web.Keyed
	Kind string `path:"kind" maxLength:"40" doc:"A kind of products, or all for those that have no limits of their own."`
	Body struct {
		AcceptDays  int   `json:"acceptDays,omitempty"`
		HandleDays  int   `json:"handleDays,omitempty"`
		ConfirmDays int   `json:"confirmDays,omitempty"`
		WarnPercent int   `json:"warnPercent,omitempty"`
		Clear       bool  `json:"clear,omitempty" doc:"Takes the limits of the kind away: those of all kinds count."`
		Version     int64 `json:"version" doc:"0 where there were none."`
	}
}

type applicationApproveInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Amount  int64  `json:"amount" doc:"Fen."`
		Rate    int    `json:"rate" doc:"Basis points a year; 385 is 3.85 %."`
		Term    int    `json:"term" doc:"Months."`
		Note    string `json:"note,omitempty"`
	}
}

type applicationDisburseInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Amount  int64  `json:"amount" doc:"Fen; all instalments together are no more than what was granted."`
		PaidOn  string `json:"paidOn,omitempty" maxLength:"10" doc:"2026-11-30; today when left out."`
		Note    string `json:"note,omitempty"`
	}
}

type applicationPlanInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Note    string `json:"note,omitempty"`
		// Steps are those still to be done; what is done of the plan before stays.
		Steps []applicationPlannedStep `json:"steps" maxItems:"20"`
	}
}

type applicationPlannedStep struct {
	Title       string `json:"title"`
	Deliverable string `json:"deliverable,omitempty"`
	Day         string `json:"day" maxLength:"10" doc:"Until when: 2026-12-01."`
}

func (in *applicationPlanInput) command() MakePlan {
	cmd := MakePlan{Ref: in.ref(in.Body.Version), Note: in.Body.Note}
	for _, s := range in.Body.Steps {
		cmd.Steps = append(cmd.Steps, PlanStep{Title: s.Title, Deliverable: s.Deliverable, Day: s.Day})
	}
	return cmd
}

type applicationStepInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		No      int     `json:"no" doc:"The place of the step in the plan, from 1."`
		Note    string  `json:"note,omitempty"`
		FileIDs []int64 `json:"fileIds,omitempty" maxItems:"9"`
	}
}

type applicationDiligenceInput struct {
	Target
	Body struct {
		Version  int64   `json:"version"`
		Day      string  `json:"day" maxLength:"10"`
		Way      Way     `json:"way" enum:"on_site,phone,documents,third_party"`
		People   string  `json:"people" doc:"Who did it."`
		Findings string  `json:"findings" doc:"Stay within the institution, as do the files."`
		Advice   string  `json:"advice,omitempty"`
		FileIDs  []int64 `json:"fileIds,omitempty" maxItems:"9"`
	}
}

type applicationHandOverInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		UserID  int64  `json:"userId"`
		Note    string `json:"note,omitempty"`
	}
}

type applicationTelephoneOutput struct {
	Body struct {
		Phone string `json:"phone"`
	}
}

type applicationColleaguesOutput struct {
	Body struct {
		Items []Colleague `json:"items"`
	}
}

type applicationBatchInput struct {
	web.Keyed
	Body struct {
		Items  []Ref    `json:"items" minItems:"1" maxItems:"50"`
		Note   string   `json:"note,omitempty" doc:"To the companies, when accepting."`
		Codes  []string `json:"codes,omitempty" maxItems:"10" doc:"Ready reasons, when declining."`
		Reason string   `json:"reason,omitempty" doc:"In own words, when declining."`
	}
}

type applicationBatchOutput struct {
	Body struct {
		Items []Outcome `json:"items"`
	}
}

type applicationProductInput struct {
	Product int64 `path:"product"`
}

type applicationFormOutput struct{ Body Form }

type applicationDraftInput struct {
	Product int64 `path:"product"`
	Body    Typed
}

type applicationDraftOutput struct{ Body DraftView }

type applicationDraftsOutput struct {
	Body struct {
		Items []DraftItem `json:"items"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	owner := access.Only(access.Enterprise)
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/applications", Summary: "提交申请", Tag: tag, Access: owner}.Huma(),
		func(ctx context.Context, in *applicationSubmitInput) (*applicationOutput, error) {
			return output(s.Submit(ctx, access.From(ctx), in.command()))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/applications", Summary: "本企业的申请，或本人可见的申请", Tag: tag, Access: reader}.Huma(),
		func(ctx context.Context, in *applicationListInput) (*applicationListOutput, error) {
			items, next, note, err := s.Search(ctx, access.From(ctx), ListFilter{
				Statuses: in.Status, Waiting: in.Waiting, Overdue: in.Overdue, Soon: in.Soon, Mine: in.Mine, Kind: in.Kind, Institution: in.Institution, Extra: in.Extra,
				Query: in.Q, Cursor: in.Cursor, Limit: in.Limit,
			})
			if err != nil {
				return nil, err
			}
			return &applicationListOutput{Body: web.NewList(items, next).Noted(note)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/applications/{id}", Summary: "申请详情与进度", Tag: tag, Access: reader}.Huma(),
		func(ctx context.Context, in *applicationGetInput) (*applicationOutput, error) {
			return output(s.Get(ctx, access.From(ctx), in.ID))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/applications/{id}/company", Summary: "申请企业的信息（须有企业授权）", Tag: tag,
		Access: access.Require(PermHandle)}.Huma(), func(ctx context.Context, in *applicationGetInput) (*applicationProfileOutput, error) {
		v, err := s.Applicant(ctx, access.From(ctx), in.ID)
		return &applicationProfileOutput{v}, err
	})
	huma.Register(api, command(ToWithdraw), func(ctx context.Context, in *applicationReasonInput) (*applicationOutput, error) {
		return output(s.Withdraw(ctx, access.From(ctx), Withdraw{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToSupplement), func(ctx context.Context, in *applicationSupplementInput) (*applicationOutput, error) {
		return output(s.Supplement(ctx, access.From(ctx), Supplement{in.ref(in.Body.Version), in.Body.Note, in.Body.FileIDs, in.Body.Fields}))
	})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/applications/{id}/fields", Summary: "企业补填必填的信息", Tag: tag, Access: owner}.Huma(),
		func(ctx context.Context, in *applicationExtraInput) (*applicationOutput, error) {
			return output(s.FillIn(ctx, access.From(ctx), FillIn{Key: in.Key, ID: in.ID, Version: in.Body.Version, Values: in.Body.Values}))
		})
	huma.Register(api, command(ToAccept), func(ctx context.Context, in *applicationNoteInput) (*applicationOutput, error) {
		return output(s.Accept(ctx, access.From(ctx), Accept{in.ref(in.Body.Version), in.Body.Note}))
	})
	huma.Register(api, command(ToDecline), func(ctx context.Context, in *applicationDeclineInput) (*applicationOutput, error) {
		return output(s.Decline(ctx, access.From(ctx), Decline{in.ref(in.Body.Version), in.Body.Codes, in.Body.Reason}))
	})
	huma.Register(api, command(ToAsk), func(ctx context.Context, in *applicationReasonInput) (*applicationOutput, error) {
		return output(s.AskSupplement(ctx, access.From(ctx), AskSupplement{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToProgress), func(ctx context.Context, in *applicationNoteInput) (*applicationOutput, error) {
		return output(s.Progress(ctx, access.From(ctx), Progress{in.ref(in.Body.Version), in.Body.Note, in.Body.FileIDs}))
	})
	huma.Register(api, command(ToApprove), func(ctx context.Context, in *applicationApproveInput) (*applicationOutput, error) {
		b := in.Body
		return output(s.Approve(ctx, access.From(ctx), Approve{in.ref(b.Version), Loan{b.Amount, b.Rate, b.Term}, b.Note}))
	})
	huma.Register(api, command(ToDisburse), func(ctx context.Context, in *applicationDisburseInput) (*applicationOutput, error) {
		return output(s.Disburse(ctx, access.From(ctx), Disburse{in.ref(in.Body.Version), in.Body.Amount, in.Body.PaidOn, in.Body.Note}))
	})
	huma.Register(api, command(ToPlan), func(ctx context.Context, in *applicationPlanInput) (*applicationOutput, error) {
		return output(s.MakePlan(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, command(ToStep), func(ctx context.Context, in *applicationStepInput) (*applicationOutput, error) {
		return output(s.FinishStep(ctx, access.From(ctx), FinishStep{in.ref(in.Body.Version), in.Body.No, in.Body.Note, in.Body.FileIDs}))
	})
	huma.Register(api, command(ToDeliver), func(ctx context.Context, in *applicationNoteInput) (*applicationOutput, error) {
		return output(s.Deliver(ctx, access.From(ctx), Deliver{in.ref(in.Body.Version), in.Body.Note, in.Body.FileIDs}))
	})
	huma.Register(api, command(ToConfirm), func(ctx context.Context, in *applicationReasonInput) (*applicationOutput, error) {
		return output(s.Confirm(ctx, access.From(ctx), Confirm{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToObject), func(ctx context.Context, in *applicationReasonInput) (*applicationOutput, error) {
		return output(s.Object(ctx, access.From(ctx), Objection{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToInvestigate), func(ctx context.Context, in *applicationDiligenceInput) (*applicationOutput, error) {
		b := in.Body
		return output(s.Investigate(ctx, access.From(ctx), Investigate{in.ref(b.Version), b.Day, b.Way, b.People, b.Findings, b.Advice, b.FileIDs}))
	})
	huma.Register(api, command(ToComplete), func(ctx context.Context, in *applicationNoteInput) (*applicationOutput, error) {
		return output(s.Complete(ctx, access.From(ctx), Complete{in.ref(in.Body.Version), in.Body.Note, in.Body.FileIDs}))
	})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/applications/{id}/undo", Summary: "撤销上一步", Tag: tag, Access: access.Only(access.Institution, access.Platform)}.Huma(),
		func(ctx context.Context, in *applicationReasonInput) (*applicationOutput, error) {
			return output(s.Undo(ctx, access.From(ctx), Undo{in.ref(in.Body.Version), in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/applications/{id}/extra", Summary: "登记机构填写的扩展信息", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, in *applicationExtraInput) (*applicationOutput, error) {
			return output(s.FillExtra(ctx, access.From(ctx), FillExtra{Key: in.Key, ID: in.ID, Version: in.Body.Version, Values: in.Body.Values}))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-results", Summary: "申请成果统计", Tag: tag, Access: access.Require(PermResults)}.Huma(),
		func(ctx context.Context, in *applicationResultsInput) (*applicationResultsOutput, error) {
			r, err := s.Results(ctx, access.From(ctx), ResultFilter{in.From, in.To, in.By})
			return &applicationResultsOutput{r}, err
		})
	huma.Register(api, command(ToHandOver), func(ctx context.Context, in *applicationHandOverInput) (*applicationOutput, error) {
		return output(s.HandOver(ctx, access.From(ctx), HandOver{in.ref(in.Body.Version), in.Body.UserID, in.Body.Note}))
	})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/applications/{id}/telephone", Summary: "查看申请人的联系电话，每次查看留痕", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, in *applicationGetInput) (*applicationTelephoneOutput, error) {
			out := &applicationTelephoneOutput{}
			var err error
			out.Body.Phone, err = s.Telephone(ctx, access.From(ctx), in.ID)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-colleagues", Summary: "可转交的本机构同事", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*applicationColleaguesOutput, error) {
			out := &applicationColleaguesOutput{}
			var err error
			out.Body.Items, err = s.Colleagues(ctx, access.From(ctx))
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-batches/accept", Summary: "批量受理", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, in *applicationBatchInput) (*applicationBatchOutput, error) {
			return outcomes(s.AcceptAll(ctx, access.From(ctx), in.Key, in.Body.Items, in.Body.Note))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-batches/decline", Summary: "批量不予受理", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, in *applicationBatchInput) (*applicationBatchOutput, error) {
			return outcomes(s.DeclineAll(ctx, access.From(ctx), in.Key, in.Body.Items, in.Body.Codes, in.Body.Reason))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-batches/preview", Summary: "批量办理前逐件预检，不改变申请", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, in *applicationPreviewInput) (*applicationBatchOutput, error) {
			return outcomes(s.PreviewAll(ctx, access.From(ctx), in.Body.Action, in.Body.Items))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-reasons", Summary: "不予受理、不予通过的常用原因", Tag: tag, Access: access.Require(PermHandle)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*applicationReasonsOutput, error) {
			list, err := s.OfferedReasons(ctx, access.From(ctx))
			return &applicationReasonsOutput{web.NewList(list, "")}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-limits", Summary: "申请各步骤的时限", Tag: tag, Access: access.Require(PermLimits)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*applicationLimitsOutput, error) {
			list, err := s.Limits(ctx, access.From(ctx))
			return &applicationLimitsOutput{web.NewList(list, "")}, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/application-limits/{kind}", Summary: "设置一类产品的申请时限", Tag: tag, Access: access.Require(PermLimits)}.Huma(),
		func(ctx context.Context, in *applicationLimitInput) (*applicationLimitsOutput, error) {
			b := in.Body
			cmd := SetLimit{Key: in.Key, Limit: Limit{in.Kind, b.AcceptDays, b.HandleDays, b.ConfirmDays, b.WarnPercent}, Clear: b.Clear, Version: b.Version}
			if cmd.Kind == "all" {
				cmd.Kind = ""
			}
			list, err := s.SetLimit(ctx, access.From(ctx), cmd)
			return &applicationLimitsOutput{web.NewList(list, "")}, err
		})
	registerHints(api, s)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-forms/{product}", Summary: "申请某产品前的信息：产品要求、联系人、草稿", Tag: tag, Access: owner}.Huma(),
		func(ctx context.Context, in *applicationProductInput) (*applicationFormOutput, error) {
			f, err := s.Form(ctx, access.From(ctx), in.Product)
			return &applicationFormOutput{Body: f}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-drafts", Summary: "本人的申请草稿", Tag: tag, Access: owner}.Huma(),
		func(ctx context.Context, _ *struct{}) (*applicationDraftsOutput, error) {
			out := &applicationDraftsOutput{}
			var err error
			out.Body.Items, err = s.Drafts(ctx, access.From(ctx))
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-drafts/{product}", Summary: "保存申请草稿，重复保存以最后一次为准", Tag: tag, Access: owner}.Huma(),
		func(ctx context.Context, in *applicationDraftInput) (*applicationDraftOutput, error) {
			v, err := s.SaveDraft(ctx, access.From(ctx), in.Product, in.Body)
			return &applicationDraftOutput{Body: v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-drafts/{product}/discard", Summary: "删除申请草稿", Tag: tag, Access: owner, Status: 204}.Huma(),
		func(ctx context.Context, in *applicationProductInput) (*struct{}, error) {
			return nil, s.DiscardDraft(ctx, access.From(ctx), in.Product)
		})
}

// command declares the address and the right of a command.
func command(a Action) huma.Operation {
	r := RightOf(a)
	rule := access.Only(access.Enterprise)
	if r.Permission != "" {
		rule = access.Require(r.Permission)
	}
	return web.Operation{Method: "POST", Path: "/api/applications/{id}/" + string(a), Summary: r.Label, Tag: tag, Access: rule}.Huma()
}

func output(v View, err error) (*applicationOutput, error) {
	if err != nil {
		return nil, err
	}
	return &applicationOutput{Body: v}, nil
}

func outcomes(items []Outcome, err error) (*applicationBatchOutput, error) {
	out := &applicationBatchOutput{}
	out.Body.Items = items
	return out, err
}

type hintsOutput struct{ Body Hints }

type applicationHintInput struct {
	web.Keyed
	Kind string `path:"kind" maxLength:"30" doc:"all for all kinds."`
	For  Reader `path:"for" enum:"handler,applicant"`
	Step string `path:"step" maxLength:"30"`
	Body struct {
		Version  int64   `json:"version" doc:"0 where there was none."`
		Text     string  `json:"text,omitempty"`
		LinkText string  `json:"linkText,omitempty"`
		LinkURL  string  `json:"linkUrl,omitempty" doc:"https:// or an address of this site that begins with /."`
		Picture  *string `json:"picture,omitempty" doc:"A PNG or JPEG of up to 300 KB in base64; empty takes it away, left out keeps it."`
		Alt      string  `json:"alt,omitempty" doc:"What the picture shows."`
	}
}

func registerHints(api huma.API, s *Service) {
	edit := access.Require(PermLimits)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/application-hints", Summary: "申请各步骤的办理提示", Tag: tag, Access: edit}.Huma(),
		func(ctx context.Context, _ *struct{}) (*hintsOutput, error) {
			v, err := s.Hints(ctx, access.From(ctx))
			return &hintsOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/application-hints/{kind}/{for}/{step}", Summary: "设置申请一个步骤的办理提示", Tag: tag, Access: edit}.Huma(),
		func(ctx context.Context, in *applicationHintInput) (*struct{}, error) {
			b := in.Body
			if in.Kind == everyKind {
				in.Kind = ""
			}
			return nil, s.SetHint(ctx, access.From(ctx), SetHint{Key: in.Key, Kind: in.Kind, For: in.For, Step: in.Step,
				Set: hint.Set{Text: b.Text, LinkText: b.LinkText, LinkURL: b.LinkURL, Picture: b.Picture, Alt: b.Alt, Version: b.Version}})
		})
}
