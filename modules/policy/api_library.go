package policy

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type policyEnterInput struct{ web.Keyed }

type policyEditionOutput struct{ Body EditionView }

type policyEditionsOutput struct {
	Body struct {
		Items []EditionItem `json:"items" nullable:"false"`
	}
}

type policyEditionInput struct {
	ID int64 `path:"id"`
	No int64 `path:"no" minimum:"0" doc:"0 is the one being worked on."`
}

type policyBeginInput struct {
	web.Keyed
	ID int64 `path:"id"`
}

type policySaveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64   `json:"version"`
		Base    int64   `json:"base" doc:"Number of the edition the draft is to replace."`
		Content Content `json:"content"`
	}
}

type policyStepInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Note    string `json:"note,omitempty" maxLength:"500"`
	}
}

func (in *policyStepInput) ref() EditRef {
	return EditRef{PolicyID: in.ID, Version: in.Body.Version, Key: in.Key, Note: in.Body.Note}
}

type policyEndInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason" maxLength:"500"`
	}
}

type policyCompareInput struct {
	ID   int64 `path:"id"`
	From int64 `query:"from" minimum:"1" required:"true"`
	To   int64 `query:"to" minimum:"1" required:"true"`
}

type policyCompareOutput struct{ Body Comparison }

type policyWaitingInput struct {
	State EditionState `query:"state" default:"review"`
}

type policyWaitingOutput struct {
	Body struct {
		Items []WaitingItem `json:"items" nullable:"false"`
	}
}

type policyFieldsOutput struct {
	Body struct {
		Items []FieldInfo `json:"items" nullable:"false"`
		Kinds []CodeLabel `json:"kinds" nullable:"false"`
	}
}

type policyCheckInput struct{ Body ConditionText }

type policyCheckOutput struct{ Body Checked }

type policyPreviewInput struct {
	Body struct {
		PolicyID   int64           `json:"policyId,omitempty" doc:"Compare with its conditions in force; 0 with none."`
		Conditions json.RawMessage `json:"conditions"`
	}
}

type policyPreviewOutput struct{ Body Preview }

type policyExamplesInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Conditions json.RawMessage `json:"conditions,omitempty" doc:"Left out: those of the draft."`
	}
}

type policyExamplesOutput struct {
	Body struct {
		Items []Tried `json:"items" nullable:"false"`
	}
}

type policyExampleInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		ID      int64 `json:"id,omitempty" doc:"Left out: a new one."`
		Version int64 `json:"version,omitempty"`
		Example
	}
}

type policyExampleRemoveInput struct {
	web.Keyed
	ID      int64 `path:"id"`
	Example int64 `path:"example"`
	Body    struct {
		Version int64 `json:"version"`
	}
}

type policyCalendarInput struct {
	Month string `query:"month" maxLength:"7" doc:"2006-01; left out: this month."`
}

type policyCalendarOutput struct{ Body Month }

type policyFollowingOutput struct {
	Body struct {
		Items []Subscribed `json:"items" nullable:"false"`
	}
}

type policyFollowInput struct {
	web.Keyed
	Body struct {
		Subscribe
		End bool `json:"end,omitempty" doc:"End the subscription."`
	}
}

// RegisterReading adds the calendar and the subscriptions.
func RegisterReading(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	huma.Register(api, op("GET", "/api/policy-calendar", "申报日历", access.Public("政策公开，人人可查")), func(ctx context.Context, in *policyCalendarInput) (*policyCalendarOutput, error) {
		m, err := s.Calendar(ctx, access.From(ctx), in.Month)
		return &policyCalendarOutput{m}, err
	})
	following := func(items []Subscribed, err error) (*policyFollowingOutput, error) {
		out := &policyFollowingOutput{}
		out.Body.Items = items
		return out, err
	}
	company := access.Only(access.Enterprise)
	huma.Register(api, op("GET", "/api/policy-subscriptions", "我的政策订阅", company), func(ctx context.Context, _ *struct{}) (*policyFollowingOutput, error) {
		return following(s.Following(ctx, access.From(ctx)))
	})
	huma.Register(api, op("POST", "/api/policy-subscriptions", "订阅或取消订阅", company), func(ctx context.Context, in *policyFollowInput) (*policyFollowingOutput, error) {
		cmd := in.Body.Subscribe
		cmd.Key = in.Key
		if in.Body.End {
			return following(s.Unfollow(ctx, access.From(ctx), cmd))
		}
		return following(s.Follow(ctx, access.From(ctx), cmd))
	})
}

// RegisterLibrary adds the operations of those who keep the library.
func RegisterLibrary(api huma.API, s *Service) {
	view, edit := access.Require(PermView), access.Require(PermEdit)
	publish, keep := access.Require(PermPublish), access.Require(PermEdit, PermPublish)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	edition := func(v EditionView, err error) (*policyEditionOutput, error) {
		if err != nil {
			return nil, err
		}
		return &policyEditionOutput{v}, nil
	}
	huma.Register(api, op("POST", "/api/policies", "录入政策", edit), func(ctx context.Context, in *policyEnterInput) (*policyEditionOutput, error) {
		return edition(s.Enter(ctx, access.From(ctx), in.Key))
	})
	huma.Register(api, op("GET", "/api/policy-editions", "编辑中或待审核的政策稿件", view), func(ctx context.Context, in *policyWaitingInput) (*policyWaitingOutput, error) {
		out := &policyWaitingOutput{}
		var err error
		out.Body.Items, err = s.Waiting(ctx, access.From(ctx), in.State)
		return out, err
	})
	huma.Register(api, op("GET", "/api/policies/{id}/editions", "政策的各版", view), func(ctx context.Context, in *policyGetInput) (*policyEditionsOutput, error) {
		out := &policyEditionsOutput{}
		var err error
		out.Body.Items, err = s.Editions(ctx, access.From(ctx), in.ID)
		return out, err
	})
	huma.Register(api, op("GET", "/api/policies/{id}/editions/{no}", "政策的一版", view), func(ctx context.Context, in *policyEditionInput) (*policyEditionOutput, error) {
		return edition(s.Edition(ctx, access.From(ctx), in.ID, in.No))
	})
	huma.Register(api, op("GET", "/api/policies/{id}/compare", "两版的差异", view), func(ctx context.Context, in *policyCompareInput) (*policyCompareOutput, error) {
		v, err := s.Compare(ctx, access.From(ctx), in.ID, in.From, in.To)
		return &policyCompareOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/policies/{id}/editions", "开始修订", edit), func(ctx context.Context, in *policyBeginInput) (*policyEditionOutput, error) {
		return edition(s.Begin(ctx, access.From(ctx), in.ID, in.Key))
	})
	huma.Register(api, op("PUT", "/api/policies/{id}/draft", "保存稿件", edit), func(ctx context.Context, in *policySaveInput) (*policyEditionOutput, error) {
		return edition(s.Save(ctx, access.From(ctx), SaveEdition{
			EditRef: EditRef{PolicyID: in.ID, Version: in.Body.Version, Key: in.Key}, Base: in.Body.Base, Content: in.Body.Content,
		}))
	})
	for _, x := range []struct {
		word, summary string
		rule          access.Rule
		do            func(context.Context, access.Actor, EditRef) (EditionView, error)
	}{
		{"submit", "提交审核", edit, s.Submit}, {"recall", "撤回送审", edit, s.Recall}, {"discard", "放弃稿件", edit, s.Discard},
		{"return", "退回修改", publish, s.Return}, {"release", "审核发布", publish, s.Release},
	} {
		huma.Register(api, op("POST", "/api/policies/{id}/draft/"+x.word, x.summary, x.rule), func(ctx context.Context, in *policyStepInput) (*policyEditionOutput, error) {
			return edition(x.do(ctx, access.From(ctx), in.ref()))
		})
	}
	end := func(v View, err error) (*policyOutput, error) {
		if err != nil {
			return nil, err
		}
		return &policyOutput{Body: v}, nil
	}
	huma.Register(api, op("POST", "/api/policies/{id}/withdraw", "撤回政策", publish), func(ctx context.Context, in *policyEndInput) (*policyOutput, error) {
		return end(s.Withdraw(ctx, access.From(ctx), WithdrawPolicy{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
	})
	huma.Register(api, op("POST", "/api/policies/{id}/expire", "废止政策", publish), func(ctx context.Context, in *policyEndInput) (*policyOutput, error) {
		return end(s.Expire(ctx, access.From(ctx), ExpirePolicy{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
	})
	registerConditions(api, s, op, view, edit, keep)
}

// registerConditions adds the operations of the builder of conditions.
func registerConditions(api huma.API, s *Service, op func(method, path, summary string, rule access.Rule) huma.Operation, view, edit, keep access.Rule) {
	huma.Register(api, op("GET", "/api/policy-fields", "申报条件可用的字段", view), func(ctx context.Context, _ *struct{}) (*policyFieldsOutput, error) {
		out := &policyFieldsOutput{}
		var err error
		out.Body.Items, err = s.Fields(ctx, access.From(ctx))
		for _, k := range Kinds {
			out.Body.Kinds = append(out.Body.Kinds, CodeLabel{Code: string(k), Label: k.Label()})
		}
		return out, err
	})
	huma.Register(api, op("POST", "/api/policy-conditions/check", "核对申报条件并由文本起草", keep), func(ctx context.Context, in *policyCheckInput) (*policyCheckOutput, error) {
		v, err := s.CheckConditions(ctx, access.From(ctx), in.Body)
		return &policyCheckOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/policy-conditions/preview", "申报条件符合的企业数量", keep), func(ctx context.Context, in *policyPreviewInput) (*policyPreviewOutput, error) {
		v, err := s.Preview(ctx, access.From(ctx), in.Body.PolicyID, in.Body.Conditions)
		return &policyPreviewOutput{v}, err
	})
	examples := func(items []Tried, err error) (*policyExamplesOutput, error) {
		out := &policyExamplesOutput{}
		out.Body.Items = items
		return out, err
	}
	huma.Register(api, op("POST", "/api/policies/{id}/examples/try", "示例企业的判定", view), func(ctx context.Context, in *policyExamplesInput) (*policyExamplesOutput, error) {
		return examples(s.Examples(ctx, access.From(ctx), in.ID, in.Body.Conditions))
	})
	huma.Register(api, op("POST", "/api/policies/{id}/examples", "添加或修改示例企业", edit), func(ctx context.Context, in *policyExampleInput) (*policyExamplesOutput, error) {
		return examples(s.SaveExample(ctx, access.From(ctx), SaveExample{PolicyID: in.ID, ID: in.Body.ID, Version: in.Body.Version, Key: in.Key, Example: in.Body.Example}))
	})
	huma.Register(api, op("POST", "/api/policies/{id}/examples/{example}/remove", "删除示例企业", edit), func(ctx context.Context, in *policyExampleRemoveInput) (*policyExamplesOutput, error) {
		return examples(s.RemoveExample(ctx, access.From(ctx), RemoveExample{PolicyID: in.ID, ID: in.Example, Version: in.Body.Version, Key: in.Key}))
	})
}
