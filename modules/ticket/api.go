package ticket

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "工单"

type ticketOutput struct{ Body View }

type openInput struct {
	web.Keyed
	Body struct {
		Type           string              `json:"type" minLength:"1" maxLength:"50"`
		Title          string              `json:"title"`
		Body           string              `json:"body"`
		ContactName    string              `json:"contactName,omitempty" doc:"Empty takes the name of the account."`
		Phone          string              `json:"phone,omitempty" doc:"Empty takes the phone of the account."`
		Source         Source              `json:"source" enum:"h5,portal,agent"`
		Fields         map[string][]string `json:"fields,omitempty" doc:"The own fields of the type by their keys; each a list of words, of which only choices have several."`
		Urgency        Urgency             `json:"urgency,omitempty" enum:"normal,urgent,critical" doc:"Agents only."`
		EnterpriseID   int64               `json:"enterpriseId,omitempty" doc:"Agents only."`
		EnterpriseName string              `json:"enterpriseName,omitempty" doc:"Agents only."`
		Area           string              `json:"area,omitempty" maxLength:"20" doc:"Code of the street or town; left out it is read from the words."`
		FileIDs        []int64             `json:"fileIds,omitempty" maxItems:"9"`
	}
}

func (in *openInput) command() OpenTicket {
	b := in.Body
	return OpenTicket{
		Key: in.Key, Type: b.Type, Title: b.Title, Body: b.Body, ContactName: b.ContactName, Phone: b.Phone, Source: b.Source,
		Urgency: b.Urgency, EnterpriseID: b.EnterpriseID, EnterpriseName: b.EnterpriseName, FileIDs: b.FileIDs, Fields: b.Fields, Area: b.Area,
	}
}

type listInput struct {
	web.Listing
	Status  []Status `query:"status" doc:"Any of these states, separated by commas."`
	Urgency Urgency  `query:"urgency"`
	Alert   Alert    `query:"alert" enum:"due_soon,overdue" doc:"Tickets with a clock that is due soon or overdue."`
	Query   string   `query:"q" maxLength:"4000" doc:"Words, a ticket number, a phone or its last four digits, a credit code from its 8th character on."`
	Flag    Flag     `query:"flag" doc:"What waits for a decision: return, extension, appeal or review; mine for what waits for the caller's own."`
	Waiting bool     `query:"waiting" doc:"What waits for the asker's own work."`
	FieldsInput
}

// FieldsInput are the key fields a list is narrowed by; Huma fills exported structs only.
type FieldsInput struct {
	Types      []string `query:"type" doc:"Any of these types, separated by commas."`
	Areas      []string `query:"area" doc:"Any of these streets and towns by their codes, separated by commas; none stands for unknown."`
	Unit       int64    `query:"unit" doc:"The unit that has it, or one above."`
	Holder     int64    `query:"holder" doc:"Who works on it."`
	Source     Source   `query:"source"`
	Tag        string   `query:"tag" maxLength:"20"`
	From       string   `query:"from" doc:"First day of receipt, as 2026-11-22."`
	To         string   `query:"to" doc:"Last day of receipt."`
	DueFrom    string   `query:"dueFrom" doc:"First day of the deadline."`
	DueTo      string   `query:"dueTo"`
	Phone      string   `query:"phone" maxLength:"20" doc:"Whole, or its last four digits."`
	Code       string   `query:"code" maxLength:"18" doc:"The beginning of a credit code, 8 characters or more."`
	Enterprise int64    `query:"company"`
	Queue      Queue    `query:"queue" enum:"free,mine,group" doc:"What waits for the asker's desk or unit: claimed by nobody, by the asker, by anybody of it."`
	Sort       Sort     `query:"sort" enum:"due,urgency" doc:"By deadline, or the most urgent first; only what is not over. Left out: newest first."`
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

type replyInput struct {
	Target
	Body struct {
		Version  int64           `json:"version"`
		Text     string          `json:"text"`
		FileIDs  []int64         `json:"fileIds,omitempty" maxItems:"9"`
		Evidence []GivenEvidence `json:"evidence,omitempty" maxItems:"20" doc:"What the type of the request asks for."`
	}
}

type reviewInput struct {
	Target
	Body struct {
		Version  int64           `json:"version"`
		Note     string          `json:"note,omitempty"`
		Evidence []JudgeEvidence `json:"evidence,omitempty" maxItems:"200"`
	}
}

type reasonInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type declineInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Code    string `json:"code" maxLength:"50" doc:"The case, from /api/ticket-decline-reasons."`
		Route   string `json:"route,omitempty" doc:"The legal route; left out it is the sentence of the case."`
		Reason  string `json:"reason,omitempty" doc:"What else the requester should know."`
	}
}

type dispatchInput struct {
	Target
	Body struct {
		Version   int64   `json:"version"`
		UnitID    int64   `json:"unitId"`
		CoUnitIDs []int64 `json:"coUnitIds,omitempty" maxItems:"20" doc:"Co-handlers."`
		Note      string  `json:"note,omitempty"`
	}
}

type reopenInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
		UnitID  int64  `json:"unitId,omitempty" doc:"Another unit than the last."`
	}
}

type classifyInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		Type    string  `json:"type" maxLength:"40"`
		Urgency Urgency `json:"urgency" enum:"normal,urgent,critical"`
		Reason  string  `json:"reason"`
	}
}

type hopInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		HopID   int64  `json:"hopId"`
		Note    string `json:"note,omitempty"`
	}
}

type hopReplyInput struct {
	Target
	Body struct {
		Version  int64           `json:"version"`
		HopID    int64           `json:"hopId"`
		Text     string          `json:"text"`
		FileIDs  []int64         `json:"fileIds,omitempty" maxItems:"9"`
		Evidence []GivenEvidence `json:"evidence,omitempty" maxItems:"20" doc:"What the type of the request asks for."`
	}
}

type forwardInput struct {
	Target
	Body struct {
		Version   int64   `json:"version"`
		HopID     int64   `json:"hopId"`
		UnitID    int64   `json:"unitId"`
		CoUnitIDs []int64 `json:"coUnitIds,omitempty" maxItems:"20"`
		Note      string  `json:"note,omitempty"`
	}
}

type splitInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		HopID   int64  `json:"hopId,omitempty" doc:"Left out when the desk splits."`
		Tasks   []Part `json:"tasks" minItems:"1" maxItems:"20"`
	}
}

type askInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		HopID   int64  `json:"hopId,omitempty" doc:"Of return and extension."`
		Code    string `json:"code"`
		Basis   string `json:"basis,omitempty"`
		Text    string `json:"text"`
		Days    int    `json:"days,omitempty" doc:"Of an extension, in working days."`
	}
}

func (in *askInput) command() AskTicket {
	b := in.Body
	return AskTicket{in.ref(b.Version), b.HopID, b.Code, b.Basis, b.Text, b.Days}
}

type decideInput struct {
	Target
	Body struct {
		Version   int64  `json:"version"`
		RequestID int64  `json:"requestId"`
		Grant     bool   `json:"grant"`
		Days      int    `json:"days,omitempty" doc:"Of an extension: fewer working days than asked."`
		Note      string `json:"note,omitempty" doc:"Needed to refuse."`
	}
}

func (in *decideInput) command() DecideTicket {
	b := in.Body
	return DecideTicket{in.ref(b.Version), b.RequestID, b.Grant, b.Days, b.Note}
}

type withdrawInput struct {
	Target
	Body struct {
		Version   int64 `json:"version"`
		RequestID int64 `json:"requestId"`
	}
}

type mergeInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		IntoID  int64  `json:"intoId"`
		Note    string `json:"note,omitempty"`
	}
}

type linkInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		OtherID int64  `json:"otherId"`
		Note    string `json:"note,omitempty"`
	}
}

type codesOutput struct {
	Body struct {
		Items []Code `json:"items"`
	}
}

type returnsInput struct {
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true" doc:"Not included; at most 366 days after from."`
}

type returnsOutput struct {
	Body struct {
		Items []ReturnCount `json:"items"`
	}
}

type typeReviewInput struct {
	Code string `path:"code" maxLength:"50"`
	Body struct {
		Review bool `json:"review"`
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
		Version int64    `json:"version"`
		Rating  int      `json:"rating" minimum:"1" maximum:"5"`
		Tags    []string `json:"tags,omitempty" maxItems:"6" doc:"Of the level in the form."`
		Opinion string   `json:"opinion,omitempty"`
		Solved  *bool    `json:"solved,omitempty" doc:"Left out, it goes by the rating."`
	}
}

type judgeFormOutput struct{ Body JudgeForm }

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
	registerClocks(api, s)
	registerForms(api, s)
	registerHints(api, s)
	registerIntake(api, s)
	registerDesk(api, s)
	registerCallbacks(api, s)
	registerExpiry(api, s)
	registerAreas(api, s)
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
			Statuses: in.Status, Urgency: in.Urgency, Alert: in.Alert, Query: in.Query, Flag: in.Flag, Waiting: in.Waiting, Fields: Fields(in.FieldsInput), Cursor: in.Cursor, Limit: in.Limit,
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
	huma.Register(api, action(ToDecline), func(ctx context.Context, in *declineInput) (*ticketOutput, error) {
		b := in.Body
		return output(s.Decline(ctx, access.From(ctx), DeclineTicket{in.ref(b.Version), b.Code, b.Route, b.Reason}))
	})
	huma.Register(api, action(ToDispatch), func(ctx context.Context, in *dispatchInput) (*ticketOutput, error) {
		return output(s.Dispatch(ctx, access.From(ctx), DispatchTicket{in.ref(in.Body.Version), in.Body.UnitID, in.Body.CoUnitIDs, in.Body.Note}))
	})
	huma.Register(api, action(ToSign), func(ctx context.Context, in *signInput) (*ticketOutput, error) {
		return output(s.Sign(ctx, access.From(ctx), SignTicket{in.ref(in.Body.Version)}))
	})
	huma.Register(api, action(ToReply), func(ctx context.Context, in *replyInput) (*ticketOutput, error) {
		return output(s.Reply(ctx, access.From(ctx), ReplyTicket{in.ref(in.Body.Version), in.Body.Text, in.Body.FileIDs, in.Body.Evidence}))
	})
	huma.Register(api, action(ToCallBack), func(ctx context.Context, in *callBackInput) (*ticketOutput, error) {
		return output(s.CallBack(ctx, access.From(ctx), CallBackTicket{in.ref(in.Body.Version), in.Body.Outcome, in.Body.Note}))
	})
	huma.Register(api, action(ToClose), func(ctx context.Context, in *closeInput) (*ticketOutput, error) {
		return output(s.Close(ctx, access.From(ctx), CloseTicket{in.ref(in.Body.Version), in.Body.Outcome, in.Body.Note}))
	})
	huma.Register(api, action(ToReopen), func(ctx context.Context, in *reopenInput) (*ticketOutput, error) {
		return output(s.Reopen(ctx, access.From(ctx), ReopenTicket{in.ref(in.Body.Version), in.Body.Reason, in.Body.UnitID}))
	})
	huma.Register(api, action(ToClassify), func(ctx context.Context, in *classifyInput) (*ticketOutput, error) {
		return output(s.Classify(ctx, access.From(ctx), ClassifyTicket{in.ref(in.Body.Version), in.Body.Type, in.Body.Urgency, in.Body.Reason}))
	})
	huma.Register(api, action(ToVoid), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Void(ctx, access.From(ctx), VoidTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-judge-form", Summary: "对诉求答复的评价表", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, _ *struct{}) (*judgeFormOutput, error) {
			f, err := s.JudgeForm(ctx)
			return &judgeFormOutput{f}, err
		})
	huma.Register(api, action(ToRate), func(ctx context.Context, in *rateInput) (*ticketOutput, error) {
		return output(s.Rate(ctx, access.From(ctx), RateTicket{in.ref(in.Body.Version), in.Body.Rating, in.Body.Tags, in.Body.Opinion, in.Body.Solved}))
	})
	registerSideways(api, s)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-types", Summary: "诉求类型", Tag: tag, Access: reader,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*typesOutput, error) {
		items, err := s.Types(ctx, access.From(ctx))
		out := &typesOutput{}
		out.Body.Items = items
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-units", Summary: "可派单或转办的承办单位", Tag: tag, Access: access.Require(PermDispatch, PermForward),
	}.Huma(), func(ctx context.Context, _ *struct{}) (*unitsOutput, error) {
		items, err := s.Targets(ctx, access.From(ctx))
		out := &unitsOutput{}
		out.Body.Items = items
		return out, err
	})
}

// registerSideways adds the operations beside the straight way.
func registerSideways(api huma.API, s *Service) {
	huma.Register(api, action(ToReview), func(ctx context.Context, in *reviewInput) (*ticketOutput, error) {
		return output(s.Review(ctx, access.From(ctx), ReviewTicket{in.ref(in.Body.Version), in.Body.Note, in.Body.Evidence}))
	})
	huma.Register(api, action(ToSendBack), func(ctx context.Context, in *reviewInput) (*ticketOutput, error) {
		return output(s.SendBack(ctx, access.From(ctx), ReviewTicket{in.ref(in.Body.Version), in.Body.Note, in.Body.Evidence}))
	})
	huma.Register(api, action(ToArchive), func(ctx context.Context, in *signInput) (*ticketOutput, error) {
		return output(s.Archive(ctx, access.From(ctx), ArchiveTicket{in.ref(in.Body.Version)}))
	})
	huma.Register(api, action(ToSuspend), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Suspend(ctx, access.From(ctx), SuspendTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToResume), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Resume(ctx, access.From(ctx), SuspendTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToSupplement), func(ctx context.Context, in *answerInput) (*ticketOutput, error) {
		return output(s.Supplement(ctx, access.From(ctx), SupplementTicket{Ref: in.ref(in.Body.Version), Text: in.Body.Text, FileIDs: in.Body.FileIDs}))
	})
	huma.Register(api, action(ToForward), func(ctx context.Context, in *forwardInput) (*ticketOutput, error) {
		b := in.Body
		return output(s.Forward(ctx, access.From(ctx), ForwardTicket{in.ref(b.Version), b.HopID, b.UnitID, b.CoUnitIDs, b.Note}))
	})
	huma.Register(api, action(ToSplit), func(ctx context.Context, in *splitInput) (*ticketOutput, error) {
		return output(s.Split(ctx, access.From(ctx), SplitTicket{in.ref(in.Body.Version), in.Body.HopID, in.Body.Tasks}))
	})
	huma.Register(api, action(ToHopSign), func(ctx context.Context, in *hopInput) (*ticketOutput, error) {
		return output(s.SignHop(ctx, access.From(ctx), SignHop{in.ref(in.Body.Version), in.Body.HopID}))
	})
	huma.Register(api, action(ToHopReply), func(ctx context.Context, in *hopReplyInput) (*ticketOutput, error) {
		return output(s.ReplyHop(ctx, access.From(ctx), ReplyHop{in.ref(in.Body.Version), in.Body.HopID, in.Body.Text, in.Body.FileIDs, in.Body.Evidence}))
	})
	huma.Register(api, action(ToAccept), func(ctx context.Context, in *hopInput) (*ticketOutput, error) {
		return output(s.Accept(ctx, access.From(ctx), JudgeTask{in.ref(in.Body.Version), in.Body.HopID, in.Body.Note}))
	})
	huma.Register(api, action(ToRework), func(ctx context.Context, in *hopInput) (*ticketOutput, error) {
		return output(s.Rework(ctx, access.From(ctx), JudgeTask{in.ref(in.Body.Version), in.Body.HopID, in.Body.Note}))
	})
	huma.Register(api, action(ToRecall), func(ctx context.Context, in *hopInput) (*ticketOutput, error) {
		return output(s.Recall(ctx, access.From(ctx), RecallHop{in.ref(in.Body.Version), in.Body.HopID, in.Body.Note}))
	})
	huma.Register(api, action(ToReturn), func(ctx context.Context, in *askInput) (*ticketOutput, error) {
		return output(s.AskReturn(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, action(ToExtend), func(ctx context.Context, in *askInput) (*ticketOutput, error) {
		return output(s.AskExtension(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, action(ToAppeal), func(ctx context.Context, in *askInput) (*ticketOutput, error) {
		return output(s.AppealTicket(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, action(ToEndorse), func(ctx context.Context, in *decideInput) (*ticketOutput, error) {
		return output(s.Endorse(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, action(ToDecide), func(ctx context.Context, in *decideInput) (*ticketOutput, error) {
		return output(s.Decide(ctx, access.From(ctx), in.command()))
	})
	huma.Register(api, action(ToWithdraw), func(ctx context.Context, in *withdrawInput) (*ticketOutput, error) {
		return output(s.Withdraw(ctx, access.From(ctx), WithdrawTicket{in.ref(in.Body.Version), in.Body.RequestID}))
	})
	huma.Register(api, action(ToMerge), func(ctx context.Context, in *mergeInput) (*ticketOutput, error) {
		return output(s.Merge(ctx, access.From(ctx), MergeTicket{in.ref(in.Body.Version), in.Body.IntoID, in.Body.Note}))
	})
	huma.Register(api, action(ToUnmerge), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Unmerge(ctx, access.From(ctx), UnmergeTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToLink), func(ctx context.Context, in *linkInput) (*ticketOutput, error) {
		return output(s.Link(ctx, access.From(ctx), LinkTicket{in.ref(in.Body.Version), in.Body.OtherID, in.Body.Note}))
	})
	huma.Register(api, action(ToUnlink), func(ctx context.Context, in *linkInput) (*ticketOutput, error) {
		return output(s.Unlink(ctx, access.From(ctx), LinkTicket{in.ref(in.Body.Version), in.Body.OtherID, in.Body.Note}))
	})
	huma.Register(api, action(ToUndo), func(ctx context.Context, in *reasonInput) (*ticketOutput, error) {
		return output(s.Undo(ctx, access.From(ctx), UndoTicket{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-reasons", Summary: "退单、延期和申诉的原因", Tag: tag, Access: access.Require(PermView),
	}.Huma(), func(context.Context, *struct{}) (*codesOutput, error) {
		out := &codesOutput{}
		out.Body.Items = Codes()
		return out, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-returns", Summary: "按承办单位和派单人统计的退单", Tag: tag, Access: access.Require(PermDecide),
	}.Huma(), func(ctx context.Context, in *returnsInput) (*returnsOutput, error) {
		items, err := s.Returns(ctx, access.From(ctx), in.From, in.To)
		out := &returnsOutput{}
		out.Body.Items = items
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/ticket-types/{code}/review", Summary: "设置诉求类型的办理结果是否审核", Tag: tag, Access: access.Require(PermTypes),
	}.Huma(), func(ctx context.Context, in *typeReviewInput) (*struct{}, error) {
		return nil, s.SetReview(ctx, access.From(ctx), in.Code, in.Body.Review)
	})
}

// action declares the address and the right of a command.
func action(a Action) huma.Operation {
	r := RightOf(a)
	rule := access.Only(access.Enterprise)
	if r.Permission != "" {
		rule = access.Require(r.Permission)
	}
	if a == ToDecide { // an appeal has a right of its own
		rule = access.Require(PermDecide, PermArbitrate)
	}
	return web.Operation{Method: "POST", Path: "/api/tickets/{id}/" + string(a), Summary: r.Label, Tag: tag, Access: rule}.Huma()
}

func output(v View, err error) (*ticketOutput, error) {
	if err != nil {
		return nil, err
	}
	return &ticketOutput{Body: v}, nil
}
