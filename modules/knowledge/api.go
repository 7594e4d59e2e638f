package knowledge

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "知识库"

type knowledgeListInput struct {
	web.Listing
	Query    string   `query:"q" maxLength:"100"`
	State    string   `query:"state" doc:"draft, review, published, withdrawn; over: to be checked again; reported: said to be wrong."`
	Category string   `query:"category" maxLength:"20"`
	Audience Audience `query:"audience"`
	Mine     bool     `query:"mine"`
}

type knowledgeListOutput struct{ Body web.List[Item] }

type knowledgeFindInput struct {
	Query string `query:"q" maxLength:"100"`
	Type  string `query:"type" maxLength:"20" doc:"Code of the ticket's type."`
	Limit int    `query:"limit" minimum:"1" maximum:"20" default:"8"`
}

type knowledgeFindOutput struct{ Body web.List[Found] }

type knowledgeInput struct {
	ID int64 `path:"id"`
}

type knowledgePageOutput struct{ Body Page }

type knowledgeOutput struct{ Body View }

type knowledgeOptionsOutput struct{ Body Options }

type knowledgeTodoOutput struct{ Body web.List[Todo] }

type knowledgeBlocksInput struct {
	Body struct {
		Body string `json:"body" maxLength:"20000"`
	}
}

type knowledgeBlocksOutput struct {
	Body struct {
		Blocks []notation.Block `json:"blocks"`
	}
}

// EntryText is what a writer sends of an entry.
type EntryText struct {
	Title        string     `json:"title"`
	Question     string     `json:"question"`
	Answer       string     `json:"answer" doc:"One paragraph a line; # heading, - entry, 1. step, [text](address)."`
	Category     string     `json:"category,omitempty" doc:"Code of a ticket type or of a group of them."`
	Keywords     []string   `json:"keywords,omitempty" maxItems:"50"`
	Audience     Audience   `json:"audience" enum:"public,staff,units"`
	UnitIDs      []int64    `json:"unitIds,omitempty" maxItems:"50" doc:"The units concerned."`
	ValidFrom    string     `json:"validFrom,omitempty" doc:"A day as 2026-11-22; empty: at once."`
	ValidUntil   string     `json:"validUntil,omitempty" doc:"A day as 2026-11-22; empty: without end."`
	SourceKind   SourceKind `json:"sourceKind" enum:"law,policy,guide,practice"`
	SourceTitle  string     `json:"sourceTitle"`
	SourceNumber string     `json:"sourceNumber,omitempty" doc:"Needed for laws and policies."`
}

func (t EntryText) text() Text {
	return Text{Title: t.Title, Question: t.Question, Answer: t.Answer, Category: t.Category, Keywords: t.Keywords, Audience: t.Audience, UnitIDs: t.UnitIDs,
		From: t.ValidFrom, Until: t.ValidUntil, SourceKind: t.SourceKind, SourceTitle: t.SourceTitle, SourceNumber: t.SourceNumber}
}

type knowledgeCreateInput struct {
	web.Keyed
	Body struct {
		EntryText
		UnitID int64 `json:"unitId,omitempty" doc:"The unit that answers for it; 0 is the platform."`
	}
}

// Target is embedded by the input of every command on an entry; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (in *Target) ref(version int64) Ref { return Ref{ID: in.ID, Version: version, Key: in.Key} }

type knowledgeEditInput struct {
	Target
	Body struct {
		EntryText
		Change  string `json:"change,omitempty" doc:"What is new, in the writer's words."`
		Version int64  `json:"version"`
	}
}

type knowledgeStepInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
	}
}

type knowledgeReasonInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type knowledgeConfirmInput struct {
	Target
	Body struct {
		Version    int64  `json:"version"`
		ValidUntil string `json:"validUntil,omitempty" doc:"A day as 2026-11-22; empty: without end."`
	}
}

type knowledgeEditionInput struct {
	ID int64 `path:"id"`
	No int   `path:"no"`
}

type knowledgeEditionOutput struct{ Body EditionView }

type knowledgeDiffInput struct {
	ID   int64 `path:"id"`
	From int   `query:"from" required:"true" minimum:"1"`
	To   int   `query:"to" required:"true" minimum:"1"`
}

type knowledgeDiffOutput struct {
	Body struct {
		Changes []Change `json:"changes"`
	}
}

type knowledgeUseInput struct {
	ID   int64 `path:"id"`
	Body struct {
		TicketID int64 `json:"ticketId" minimum:"1"`
	}
}

type knowledgeUseOutput struct {
	Body struct {
		Uses int64 `json:"uses"`
	}
}

type knowledgeJudgeInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Wrong    bool   `json:"wrong,omitempty"`
		Reason   string `json:"reason,omitempty" doc:"Needed for what is wrong."`
		TicketID int64  `json:"ticketId,omitempty" minimum:"0"`
	}
}

type knowledgeSettleInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Outcome Outcome `json:"outcome" enum:"corrected,kept"`
		Note    string  `json:"note"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	everybody := access.Public("公开的知识条目")
	staff := access.Require(PermView, PermEdit, PermReview)
	writers := access.Require(PermEdit, PermReview)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/public/knowledge", Summary: "公开知识检索", Tag: tag, Access: everybody,
	}.Huma(), func(ctx context.Context, in *knowledgeFindInput) (*knowledgeFindOutput, error) {
		items, err := s.Public(ctx, access.From(ctx), FindFilter(*in))
		return &knowledgeFindOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/public/knowledge/{id}", Summary: "公开的一条知识", Tag: tag, Access: everybody,
	}.Huma(), func(ctx context.Context, in *knowledgeInput) (*knowledgePageOutput, error) {
		p, err := s.Open(ctx, access.From(ctx), in.ID)
		return &knowledgePageOutput{p}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge-search", Summary: "办理工单时检索知识", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *knowledgeFindInput) (*knowledgeFindOutput, error) {
		items, err := s.Find(ctx, access.From(ctx), FindFilter(*in))
		return &knowledgeFindOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge", Summary: "知识条目列表", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *knowledgeListInput) (*knowledgeListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), ListFilter{in.Query, in.State, in.Category, in.Audience, in.Mine, in.Cursor, in.Limit})
		return &knowledgeListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge-options", Summary: "知识条目的事项和单位", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*knowledgeOptionsOutput, error) {
		o, err := s.Options(ctx, access.From(ctx))
		return &knowledgeOptionsOutput{o}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge-todo", Summary: "待我处理的知识条目", Tag: tag, Access: writers,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*knowledgeTodoOutput, error) {
		items, err := s.Todo(ctx, access.From(ctx))
		return &knowledgeTodoOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/knowledge-blocks", Summary: "答复内容分段，用于预览", Tag: tag, Access: writers,
	}.Huma(), func(_ context.Context, in *knowledgeBlocksInput) (*knowledgeBlocksOutput, error) {
		out := &knowledgeBlocksOutput{}
		if out.Body.Blocks = notation.Blocks(in.Body.Body); out.Body.Blocks == nil {
			out.Body.Blocks = []notation.Block{}
		}
		return out, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge/{id}", Summary: "知识条目详情", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *knowledgeInput) (*knowledgeOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge/{id}/editions/{no}", Summary: "知识条目的一个版本", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *knowledgeEditionInput) (*knowledgeEditionOutput, error) {
		v, err := s.Edition(ctx, access.From(ctx), in.ID, in.No)
		return &knowledgeEditionOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/knowledge/{id}/diff", Summary: "两个版本的差异", Tag: tag, Access: writers,
	}.Huma(), func(ctx context.Context, in *knowledgeDiffInput) (*knowledgeDiffOutput, error) {
		out := &knowledgeDiffOutput{}
		var err error
		out.Body.Changes, err = s.Diff(ctx, access.From(ctx), in.ID, in.From, in.To)
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/knowledge", Summary: "新建知识条目", Tag: tag, Access: access.Require(PermEdit),
	}.Huma(), func(ctx context.Context, in *knowledgeCreateInput) (*knowledgeOutput, error) {
		return output(s.Create(ctx, access.From(ctx), CreateEntry{in.Key, in.Body.UnitID, in.Body.text()}))
	})
	huma.Register(api, web.Operation{
		Method: "PUT", Path: "/api/knowledge/{id}", Summary: "修改知识条目", Tag: tag, Access: access.Require(PermEdit),
	}.Huma(), func(ctx context.Context, in *knowledgeEditInput) (*knowledgeOutput, error) {
		return output(s.Edit(ctx, access.From(ctx), EditEntry{in.ref(in.Body.Version), in.Body.text(), in.Body.Change}))
	})
	for a, do := range map[Action]func(context.Context, access.Actor, Ref) (View, error){
		ToSubmit: s.Submit, ToPublish: s.Publish, ToRevise: s.Revise, ToDiscard: s.Discard,
	} {
		huma.Register(api, action(a), func(ctx context.Context, in *knowledgeStepInput) (*knowledgeOutput, error) {
			return output(do(ctx, access.From(ctx), in.ref(in.Body.Version)))
		})
	}
	for a, do := range map[Action]func(context.Context, access.Actor, ReasonedEntry) (View, error){ToReturn: s.Return, ToWithdraw: s.Withdraw} {
		huma.Register(api, action(a), func(ctx context.Context, in *knowledgeReasonInput) (*knowledgeOutput, error) {
			return output(do(ctx, access.From(ctx), ReasonedEntry{in.ref(in.Body.Version), in.Body.Reason}))
		})
	}
	huma.Register(api, action(ToConfirm), func(ctx context.Context, in *knowledgeConfirmInput) (*knowledgeOutput, error) {
		return output(s.Confirm(ctx, access.From(ctx), ConfirmEntry{in.ref(in.Body.Version), in.Body.ValidUntil}))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/knowledge/{id}/uses", Summary: "登记答复中引用了知识条目", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *knowledgeUseInput) (*knowledgeUseOutput, error) {
		out := &knowledgeUseOutput{}
		var err error
		out.Body.Uses, err = s.Use(ctx, access.From(ctx), in.ID, in.Body.TicketID)
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/knowledge/{id}/feedback", Summary: "反馈有用或有误", Tag: tag, Access: staff, Status: 204,
	}.Huma(), func(ctx context.Context, in *knowledgeJudgeInput) (*struct{}, error) {
		return nil, s.Judge(ctx, access.From(ctx), Judge{in.ID, in.Body.Wrong, in.Body.Reason, in.Body.TicketID})
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/knowledge-feedback/{id}/settle", Summary: "处理反馈", Tag: tag, Access: writers, Status: 204,
	}.Huma(), func(ctx context.Context, in *knowledgeSettleInput) (*struct{}, error) {
		return nil, s.Settle(ctx, access.From(ctx), SettleReport{in.ID, in.Body.Outcome, in.Body.Note})
	})
}

// action declares the address and the right of a command.
func action(a Action) huma.Operation {
	r := wordOf(a)
	return web.Operation{Method: "POST", Path: "/api/knowledge/{id}/" + string(a), Summary: r.Label, Tag: tag, Access: access.Require(r.Right)}.Huma()
}

func output(v View, err error) (*knowledgeOutput, error) {
	if err != nil {
		return nil, err
	}
	return &knowledgeOutput{Body: v}, nil
}
