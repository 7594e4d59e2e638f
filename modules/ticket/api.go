package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "工单"

type ticketOutput struct{ Body View }

type openInput struct {
	web.Keyed
	Body struct {
		Type           string  `json:"type" minLength:"1" maxLength:"50"`
		Title          string  `json:"title"`
		Body           string  `json:"body"`
		ContactName    string  `json:"contactName,omitempty" doc:"Empty takes the name of the account."`
		Phone          string  `json:"phone,omitempty" doc:"Empty takes the phone of the account."`
		Source         Source  `json:"source" enum:"h5,portal,agent"`
		Urgency        Urgency `json:"urgency,omitempty" enum:"normal,urgent,critical" doc:"Agents only."`
		EnterpriseID   int64   `json:"enterpriseId,omitempty" doc:"Agents only."`
		EnterpriseName string  `json:"enterpriseName,omitempty" doc:"Agents only."`
		FileIDs        []int64 `json:"fileIds,omitempty" maxItems:"9"`
	}
}

func (in *openInput) command() OpenTicket {
	b := in.Body
	return OpenTicket{
		Key: in.Key, Type: b.Type, Title: b.Title, Body: b.Body, ContactName: b.ContactName, Phone: b.Phone, Source: b.Source,
		Urgency: b.Urgency, EnterpriseID: b.EnterpriseID, EnterpriseName: b.EnterpriseName, FileIDs: b.FileIDs,
	}
}

type listInput struct {
	web.Listing
	Status  []Status `query:"status" doc:"Any of these states, separated by commas."`
	Urgency Urgency  `query:"urgency"`
	Query   string   `query:"q" maxLength:"4000" doc:"Words, a ticket number, a phone or its last four digits, a credit code from its 8th character on."`
	Waiting bool     `query:"waiting" doc:"What waits for the asker's own work."`
}

type listOutput struct{ Body web.List[Item] }

type getInput struct {
	ID int64 `path:"id"`
}

// Target is embedded by the input of every command on a ticket; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

type answerInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		Text    string  `json:"text"`
		FileIDs []int64 `json:"fileIds,omitempty" maxItems:"9"`
	}
}

type reasonInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type dispatchInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		UnitID  int64  `json:"unitId"`
		Note    string `json:"note,omitempty"`
	}
}

type signInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
	}
}

type callBackInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		Outcome Outcome `json:"outcome"`
		Note    string  `json:"note"`
	}
}

type closeInput struct {
	Target
	Body struct {
		Version int64    `json:"version"`
		Outcome *Outcome `json:"outcome,omitempty" doc:"Needed after a unit's reply."`
		Note    string   `json:"note,omitempty"`
	}
}

type rateInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Rating  int    `json:"rating" minimum:"1" maximum:"5"`
		Opinion string `json:"opinion,omitempty"`
	}
}

func (in *Target) ref(version int64) Ref { return Ref{ID: in.ID, Version: version, Key: in.Key} }

type typesOutput struct {
	Body struct {
		Items []Type `json:"items"`
	}
}

type unitsOutput struct {
	Body struct {
		Items []UnitInfo `json:"items"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Platform, access.Government)
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/tickets", Summary: "提交诉求或代客登记", Tag: tag, Access: access.Only(access.Enterprise, access.Platform, access.Government),
	}.Huma(), func(ctx context.Context, in *openInput) (*ticketOutput, error) {
		return output(s.Open(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/tickets", Summary: "我的诉求，或本人可见的工单", Tag: tag, Access: reader,
	}.Huma(), func(ctx context.Context, in *listInput) (*listOutput, error) {
		p, err := s.Page(ctx, access.From(ctx), ListFilter{
			Statuses: in.Status, Urgency: in.Urgency, Query: in.Query, Waiting: in.Waiting, Cursor: in.Cursor, Limit: in.Limit,
		})
		if err != nil {
			return nil, err
		}
		return &listOutput{Body: web.NewList(p.Items, p.Next).Noted(p.Note)}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/tickets/{id}", Summary: "工单详情与进度", Tag: tag, Access: reader,
	}.Huma(), func(ctx context.Context, in *getInput) (*ticketOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, action(ToAnswer), func(ctx context.Context, in *answerInput) (*ticketOutput, error) {
		return output(s.Answer(ctx, access.From(ctx), AnswerTicket{in.ref(in.Body.Version), in.Body.Text, in.Body.FileIDs}))
	})
	huma.Register(api, action(ToDecline), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Decline(ctx, access.From(ctx), DeclineTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToDispatch), func(ctx context.Context, in *dispatchInput) (*ticketOutput, error) {
		return output(s.Dispatch(ctx, access.From(ctx), DispatchTicket{in.ref(in.Body.Version), in.Body.UnitID, in.Body.Note}))
	})
	huma.Register(api, action(ToSign), func(ctx context.Context, in *signInput) (*ticketOutput, error) {
		return output(s.Sign(ctx, access.From(ctx), SignTicket{in.ref(in.Body.Version)}))
	})
	huma.Register(api, action(ToReply), func(ctx context.Context, in *answerInput) (*ticketOutput, error) {
		return output(s.Reply(ctx, access.From(ctx), ReplyTicket{in.ref(in.Body.Version), in.Body.Text, in.Body.FileIDs}))
	})
	huma.Register(api, action(ToCallBack), func(ctx context.Context, in *callBackInput) (*ticketOutput, error) {
		return output(s.CallBack(ctx, access.From(ctx), CallBackTicket{in.ref(in.Body.Version), in.Body.Outcome, in.Body.Note}))
	})
	huma.Register(api, action(ToClose), func(ctx context.Context, in *closeInput) (*ticketOutput, error) {
		return output(s.Close(ctx, access.From(ctx), CloseTicket{in.ref(in.Body.Version), in.Body.Outcome, in.Body.Note}))
	})
	huma.Register(api, action(ToReopen), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Reopen(ctx, access.From(ctx), ReopenTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToVoid), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Void(ctx, access.From(ctx), VoidTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToRate), func(ctx context.Context, in *rateInput) (*ticketOutput, error) {
		return output(s.Rate(ctx, access.From(ctx), RateTicket{in.ref(in.Body.Version), in.Body.Rating, in.Body.Opinion}))
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-types", Summary: "诉求类型", Tag: tag, Access: reader,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*typesOutput, error) {
		items, err := s.Types(ctx, access.From(ctx))
		out := &typesOutput{}
		out.Body.Items = items
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-units", Summary: "可派单的承办单位", Tag: tag, Access: access.Require(PermDispatch),
	}.Huma(), func(ctx context.Context, _ *struct{}) (*unitsOutput, error) {
		items, err := s.Targets(ctx, access.From(ctx))
		out := &unitsOutput{}
		out.Body.Items = items
		return out, err
	})
}

// action declares the address and the right of a command.
func action(a Action) huma.Operation {
	r := RightOf(a)
	rule := access.Only(access.Enterprise)
	if r.Permission != "" {
		rule = access.Require(r.Permission)
	}
	return web.Operation{Method: "POST", Path: "/api/tickets/{id}/" + string(a), Summary: r.Label, Tag: tag, Access: rule}.Huma()
}

func output(v View, err error) (*ticketOutput, error) {
	if err != nil {
		return nil, err
	}
	return &ticketOutput{Body: v}, nil
}
