package ticket

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type holdInput struct {
	Target
	Body struct {
		Note   string `json:"note,omitempty"`
		UserID int64  `json:"userId,omitempty" doc:"Of an assignment."`
		Seen   int64  `json:"seen,omitempty" doc:"Of an assignment: who had it when the person looked; 0 for nobody."`
	}
}

func (in *holdInput) command() HoldTicket {
	return HoldTicket{ID: in.ID, Key: in.Key, Note: in.Body.Note, UserID: in.Body.UserID, Seen: in.Body.Seen}
}

type peopleOutput struct {
	Body struct {
		Items []Person `json:"items"`
	}
}

type writeNoteInput struct {
	Target
	Body struct {
		NoteID   int64   `json:"noteId,omitempty" doc:"Corrects one's own note."`
		Version  int64   `json:"version,omitempty" doc:"Of the note that is corrected."`
		Text     string  `json:"text"`
		Mentions []int64 `json:"mentions,omitempty" maxItems:"20"`
		Places   []int64 `json:"places,omitempty" maxItems:"20" doc:"Units with a part in the ticket that may read it, 0 for the desk."`
	}
}

type tagInput struct {
	Target
	Body struct {
		Add    []string `json:"add,omitempty" maxItems:"10"`
		Remove []string `json:"remove,omitempty" maxItems:"10"`
	}
}

type presenceInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Doing Doing `json:"doing" enum:"viewing,answering,gone"`
	}
}

type presenceOutput struct {
	Body struct {
		Items []Present `json:"items"`
	}
}

type deskTicketInput struct {
	web.Keyed
	Body struct {
		Type           string              `json:"type" minLength:"1" maxLength:"50"`
		Title          string              `json:"title"`
		Body           string              `json:"body"`
		ContactName    string              `json:"contactName"`
		Phone          string              `json:"phone"`
		Urgency        Urgency             `json:"urgency,omitempty" enum:"normal,urgent,critical"`
		EnterpriseID   int64               `json:"enterpriseId,omitempty"`
		EnterpriseName string              `json:"enterpriseName,omitempty"`
		Fields         map[string][]string `json:"fields,omitempty" doc:"The own fields of the type by their keys."`
		Answer         string              `json:"answer,omitempty" doc:"Answers and closes at once."`
		Solved         bool                `json:"solved,omitempty" doc:"What the caller said of the answer."`
		Satisfied      bool                `json:"satisfied,omitempty"`
		UnitID         int64               `json:"unitId,omitempty" doc:"Dispatches at once."`
		Area           string              `json:"area,omitempty" maxLength:"20" doc:"Code of the street or town; left out it is read from the words."`
		Note           string              `json:"note,omitempty" doc:"Of the dispatch, or why the caller is not satisfied."`
	}
}

func (in *deskTicketInput) command() OpenTicket {
	b := in.Body
	return OpenTicket{
		Key: in.Key, Type: b.Type, Title: b.Title, Body: b.Body, ContactName: b.ContactName, Phone: b.Phone, Source: FromAgent, Urgency: b.Urgency,
		EnterpriseID: b.EnterpriseID, EnterpriseName: b.EnterpriseName, Fields: b.Fields, Area: b.Area,
		Then: &AtOnce{Answer: b.Answer, Solved: b.Solved, Satisfied: b.Satisfied, Note: b.Note, UnitID: b.UnitID},
	}
}

type draftInput struct {
	Body struct {
		Body json.RawMessage `json:"body"`
	}
}

type draftOutput struct {
	Body struct {
		Draft *Draft `json:"draft,omitempty"`
	}
}

type viewsOutput struct {
	Body struct {
		Items    []SavedView `json:"items"`
		MayShare bool        `json:"mayShare"`
	}
}

type viewOutput struct{ Body SavedView }

type viewCountsOutput struct {
	Body struct {
		Items []ViewCount `json:"items"`
	}
}

type viewCreateInput struct {
	web.Keyed
	Body ViewText
}

type viewEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		ViewText
		Version int64 `json:"version"`
	}
}

type viewRemoveInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type viewsArrangeInput struct {
	Body struct {
		Order   []int64 `json:"order" maxItems:"60"`
		Default int64   `json:"default" doc:"The view the list begins with; 0 for none."`
	}
}

type bulkInput struct {
	web.Keyed
	Body struct {
		Action BulkAction `json:"action" enum:"claim,assign,dispatch,urge,archive,tag,locate"`
		BulkParams
		Items []BulkTarget `json:"items" minItems:"1" maxItems:"500"`
	}
}

type bulkUndoInput struct {
	Target
	Body struct {
		Reason string `json:"reason"`
	}
}

type bulkOutput struct{ Body BulkView }

// registerDesk adds what the desk works with beside the steps of a ticket.
func registerDesk(api huma.API, s *Service) {
	registerHolding(api, s)
	registerViews(api, s)
	open, view := access.Require(PermOpen), access.Require(PermView)
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/desk/tickets", Summary: "直办：登记并直接答复办结，或登记并派单", Tag: tag, Access: open}.Huma(),
		func(ctx context.Context, in *deskTicketInput) (*ticketOutput, error) {
			return output(s.Open(ctx, access.From(ctx), in.command()))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/desk/draft", Summary: "本人未提交的直办草稿", Tag: tag, Access: open}.Huma(),
		func(ctx context.Context, _ *struct{}) (*draftOutput, error) {
			d, err := s.DraftOf(ctx, access.From(ctx))
			out := &draftOutput{}
			out.Body.Draft = d
			return out, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/desk/draft", Summary: "保存直办草稿", Tag: tag, Access: open, Status: 204}.Huma(),
		func(ctx context.Context, in *draftInput) (*struct{}, error) {
			return nil, s.KeepDraft(ctx, access.From(ctx), in.Body.Body)
		})
	huma.Register(api, web.Operation{Method: "DELETE", Path: "/api/desk/draft", Summary: "放弃直办草稿", Tag: tag, Access: open, Status: 204}.Huma(),
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, s.DropDraft(ctx, access.From(ctx))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-bulks", Summary: "批量操作工单", Tag: tag,
		Access: access.Require(PermClaim, PermAssign, PermDispatch, PermUrge, PermArchive, PermNote)}.Huma(),
		func(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
			v, err := s.StartBulk(ctx, access.From(ctx), StartBulk{Key: in.Key, Action: in.Body.Action, Params: in.Body.BulkParams, Targets: in.Body.Items})
			return &bulkOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-bulks/{id}", Summary: "批量操作的进度和结果", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *getInput) (*bulkOutput, error) {
			v, err := s.Bulk(ctx, access.From(ctx), in.ID)
			return &bulkOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-bulks/{id}/undo", Summary: "撤销批量操作", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *bulkUndoInput) (*bulkOutput, error) {
			v, err := s.UndoBulk(ctx, access.From(ctx), in.ID, in.Body.Reason, in.Key)
			return &bulkOutput{v}, err
		})
}

func registerHolding(api huma.API, s *Service) {
	for _, h := range []struct {
		path, summary string
		rule          access.Rule
		do            func(context.Context, access.Actor, HoldTicket) (View, error)
	}{
		{"claim", "领取工单", access.Require(PermClaim), s.Claim},
		{"release", "退回待领取", access.Require(PermClaim, PermAssign), s.Release},
		{"assign", "指派给同事", access.Require(PermAssign, PermClaim), s.Assign},
	} {
		huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/" + h.path, Summary: h.summary, Tag: tag, Access: h.rule}.Huma(),
			func(ctx context.Context, in *holdInput) (*ticketOutput, error) {
				return output(h.do(ctx, access.From(ctx), in.command()))
			})
	}
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/tickets/{id}/colleagues", Summary: "可以指派或提醒的同事", Tag: tag, Access: access.Require(PermClaim, PermAssign, PermNote)}.Huma(),
		func(ctx context.Context, in *getInput) (*peopleOutput, error) {
			items, err := s.Colleagues(ctx, access.From(ctx), in.ID)
			out := &peopleOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/notes", Summary: "添加或修改内部备注", Tag: tag, Access: access.Require(PermNote)}.Huma(),
		func(ctx context.Context, in *writeNoteInput) (*ticketOutput, error) {
			b := in.Body
			return output(s.WriteNote(ctx, access.From(ctx), WriteNote{ID: in.ID, NoteID: b.NoteID, Version: b.Version, Key: in.Key, Text: b.Text, Mentions: b.Mentions, Places: b.Places}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/tags", Summary: "调整标签", Tag: tag, Access: access.Require(PermNote)}.Huma(),
		func(ctx context.Context, in *tagInput) (*ticketOutput, error) {
			return output(s.Tag(ctx, access.From(ctx), TagTicket{ID: in.ID, Key: in.Key, Add: in.Body.Add, Remove: in.Body.Remove}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/presence", Summary: "说明正在查看或答复，并了解还有谁在看", Tag: tag, Access: access.Require(PermView)}.Huma(),
		func(ctx context.Context, in *presenceInput) (*presenceOutput, error) {
			items, err := s.Attend(ctx, access.From(ctx), in.ID, in.Body.Doing)
			out := &presenceOutput{}
			out.Body.Items = items
			return out, err
		})
}

func registerViews(api huma.API, s *Service) {
	view := access.Require(PermView)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-views", Summary: "可用的工单视图", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*viewsOutput, error) {
			items, err := s.Views(ctx, access.From(ctx))
			out := &viewsOutput{}
			out.Body.Items, out.Body.MayShare = items, access.From(ctx).Can(PermShareView)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-views/counts", Summary: "各视图的工单数，最多数到 1,000", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*viewCountsOutput, error) {
			items, err := s.CountViews(ctx, access.From(ctx))
			out := &viewCountsOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-views", Summary: "保存为新视图", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *viewCreateInput) (*viewOutput, error) {
			v, err := s.SaveView(ctx, access.From(ctx), SaveView{Key: in.Key, ViewText: in.Body})
			return &viewOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/ticket-views/{id}", Summary: "修改视图", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *viewEditInput) (*viewOutput, error) {
			v, err := s.SaveView(ctx, access.From(ctx), SaveView{ID: in.ID, Version: in.Body.Version, Key: in.Key, ViewText: in.Body.ViewText})
			return &viewOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-views/{id}/remove", Summary: "删除视图", Tag: tag, Access: view, Status: 204}.Huma(),
		func(ctx context.Context, in *viewRemoveInput) (*struct{}, error) {
			return nil, s.RemoveView(ctx, access.From(ctx), in.ID, in.Body.Version)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-views/arrange", Summary: "排列视图并设置默认视图", Tag: tag, Access: view, Status: 204}.Huma(),
		func(ctx context.Context, in *viewsArrangeInput) (*struct{}, error) {
			return nil, s.ArrangeViews(ctx, access.From(ctx), in.Body.Order, in.Body.Default)
		})
}
