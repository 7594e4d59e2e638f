package ticket

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
)

// Item is a ticket in a list.
type Item struct {
	ID             int64      `json:"id"`
	Number         string     `json:"number"`
	Version        int64      `json:"version"`
	Type           string     `json:"type"`
	TypeName       string     `json:"typeName"`
	Title          string     `json:"title"`
	Urgency        Urgency    `json:"urgency" enum:"normal,urgent,critical"`
	Status         Status     `json:"status" enum:"received,answered,declined,dispatched,signed,suspended,replied,reviewed,callback,closed,archived,merged,voided"`
	Source         Source     `json:"source" enum:"h5,portal,agent,import,open311,wechat,mail"`
	RequesterName  string     `json:"requesterName"`
	EnterpriseName string     `json:"enterpriseName"`
	UnitName       string     `json:"unitName"`
	Area           string     `json:"area,omitempty" doc:"Code of the street or town the matter lies in; absent when nobody knows."`
	AreaName       string     `json:"areaName,omitempty"`
	CreatedAt      time.Time  `json:"createdAt"`
	DueAt          time.Time  `json:"dueAt"`
	ClosedAt       *time.Time `json:"closedAt,omitempty"`
	Rating         int        `json:"rating"` // 0 when not rated
	Flags          []Flag     `json:"flags,omitempty" enum:"return,extension,appeal,review" doc:"What waits for a decision beside the state; staff only."`
	Merged         bool       `json:"merged,omitempty" doc:"It is or was handled as part of another ticket; staff only."`
	Excluded       bool       `json:"excluded,omitempty" doc:"An appeal was granted: the statistics leave it out; staff only."`
	Secrecy        int        `json:"secrecy,omitempty" doc:"Its level when it is confidential."`
	Alert          Alert      `json:"alert,omitempty" enum:"due_soon,overdue" doc:"Of the clocks that run; absent to requesters."`
	HolderID       int64      `json:"holderId,omitempty" doc:"Who works on it at the viewer's own desk or unit; in lists, staff only."`
	HolderName     string     `json:"holderName,omitempty"`
	Tags           []string   `json:"tags,omitempty" doc:"Staff only."`
	Marks          *Marks     `json:"marks,omitempty" doc:"Where the words of a search stand; in a list that was searched only."`
}

// View is a ticket as one actor may see it.
type View struct {
	Item
	Body string `json:"body"`
	// Category is the scheme and version of the categories the ticket was filed under, CategoryCode its place there; a later change of
	// the type or of the scheme leaves both as they were.
	Category     string `json:"category,omitempty" doc:"As huiqi-matter/2026-1."`
	CategoryCode string `json:"categoryCode,omitempty"`
	CategoryName string `json:"categoryName,omitempty"`
	// Fields are the own fields of the type, as the form was when the ticket was filed.
	Fields      []FieldView `json:"fields"`
	Phone       string      `json:"phone" doc:"Masked; Reveal shows it."`
	Reply       string      `json:"reply"`
	Opinion     string      `json:"opinion"`
	OpinionTags []string    `json:"opinionTags" doc:"What the requester chose beside the words."`
	QueryCode   string      `json:"queryCode,omitempty"` // to the requester, and to whoever opened it in the answer to opening
	Timeline    []Step      `json:"timeline"`            // oldest first
	// Ask is what a suspended ticket waits for the requester to say.
	Ask      string        `json:"ask,omitempty"`
	Hops     []HopView     `json:"hops"`     // empty for requesters
	Requests []RequestView `json:"requests"` // empty for requesters
	Near     []Near        `json:"near"`     // empty for requesters
	Evidence *EvidencePart `json:"evidence,omitempty" doc:"What the type asks for with a reply and what was shown; staff only."`
	Files    []FileView    `json:"files"`
	Undo     *UndoView     `json:"undo,omitempty"` // the step the actor may take back
	Desk     *DeskView     `json:"desk,omitempty" doc:"What colleagues keep beside the ticket; staff only."`
	// Actions are what the actor may do now with the ticket as a whole.
	Actions []Action `json:"actions" enum:"answer,decline,dispatch,sign,reply,review,sendback,callback,close,reopen,void,rate,archive,suspend,resume,supplement,split,classify,appeal,merge,unmerge,link,unlink,undo"`
}

// Step is one entry of the timeline. Requesters get no staff names and no internal notes.
type Step struct {
	Seq     int64     `json:"seq"`
	Kind    string    `json:"kind"` // the event's type: "ticket.replied"
	Label   string    `json:"label"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor,omitempty"`
	Text    string    `json:"text,omitempty"`
	Outcome *Outcome  `json:"outcome,omitempty"`
	FileIDs []int64   `json:"fileIds,omitempty"`
	// DueAt is the deadline of the ticket on the day of a letter: it may have moved since, the letter says what it said.
	DueAt *time.Time `json:"dueAt,omitempty" doc:"Of ticket.urged: the public deadline as it was then."`

	hidden bool // from the requester: it is between staff
}

// HopView is one dispatch.
type HopView struct {
	ID        int64      `json:"id"`
	FromName  string     `json:"fromName"`
	UnitID    int64      `json:"unitId"`
	UnitName  string     `json:"unitName"`
	Lead      bool       `json:"lead"`
	ParentID  int64      `json:"parentId" doc:"The hop this one works for; 0 for those the desk dispatched."`
	Role      Role       `json:"role" enum:"lead,co,task"`
	Round     int        `json:"round" doc:"0 the first time, 1 when it was done again."`
	State     HopState   `json:"state" enum:"dispatched,signed,replied,accepted,returned,ended,merged"`
	SentAt    time.Time  `json:"sentAt"`
	SignedAt  *time.Time `json:"signedAt,omitempty"`
	RepliedAt *time.Time `json:"repliedAt,omitempty"`
	DueAt     time.Time  `json:"dueAt"`
	Note      string     `json:"note"`
	Reply     string     `json:"reply" doc:"The unit's own answer."`
	Actions   []Action   `json:"actions" enum:"hop-sign,hop-reply,forward,split,return,extend,accept,rework,recall"`
}

// FileView is a file tied to a ticket, as the files module tells it.
type FileView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
	// State says whether it may be had: it waits for the virus scanner, or was put away by it.
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Type is one kind of request.
type Type struct {
	Code     string  `json:"code"`
	Name     string  `json:"name"`
	Category string  `json:"category"`
	Urgency  Urgency `json:"urgency" enum:"normal,urgent,critical"`
	Hours    int     `json:"hours"` // until it must be answered
	Sort     int     `json:"sort"`
	Review   bool    `json:"review,omitempty" doc:"A unit's reply is reviewed before the requester is called."`
	// CategoryCode is its place in the scheme that Category names, as "huiqi-matter/2026-1".
	CategoryCode string      `json:"categoryCode,omitempty"`
	Retired      bool        `json:"retired,omitempty" doc:"No new tickets of this type; requesters do not see it."`
	Version      int64       `json:"version" doc:"Of the type with its form, to change it."`
	Fields       []FormField `json:"fields,omitempty" doc:"The form that is filled beside title and text."`
	Initials     string      `json:"initials,omitempty" doc:"The first letters of the name's reading, to find it by."`
}

func (t *Ticket) item(typeNames map[string]string) Item {
	i := Item{
		ID: t.ID, Number: t.Number, Version: t.Version, Type: t.Type, TypeName: typeNames[t.Type], Title: t.Title,
		Urgency: t.Urgency, Status: t.Status, Source: t.Source, RequesterName: t.RequesterName, EnterpriseName: t.EnterpriseName,
		UnitName: t.UnitName, Area: t.Area, CreatedAt: t.CreatedAt.UTC(), DueAt: t.DueAt.UTC(), ClosedAt: utc(t.ClosedAt), Rating: t.Rating, Alert: t.Alert, Secrecy: t.Secrecy,
	}
	if i.TypeName == "" {
		i.TypeName = t.Type
	}
	return i
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// view gathers all an actor may see of a ticket they can see.
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket, has beside) (View, error) {
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return View{}, err
	}
	v := View{
		Item: t.item(names), Body: t.Body, Reply: t.Reply, Opinion: t.Opinion, OpinionTags: t.opinionTags(),
		Timeline: []Step{}, Hops: []HopView{}, Requests: []RequestView{}, Near: []Near{}, Files: []FileView{}, Actions: []Action{},
	}
	v.AreaName = s.areaName(v.Area)
	if v.Fields = []FieldView{}; has.fields {
		if v.Fields, err = s.fieldViews(ctx, db, actor, t.ID); err != nil {
			return View{}, err
		}
	}
	phone, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
	if err != nil {
		return View{}, err
	}
	v.Phone = mask(string(phone))
	if isRequester(actor, t) {
		v.QueryCode = toldCode(s.box, t.Number, t.QueryHash)
	}
	events, err := event.Of(ctx, db, Object, t.ID)
	if err != nil {
		return View{}, err
	}
	requester := actor.Party == access.Enterprise
	if requester {
		v.Alert = NoAlert
	}
	filed := t.CreatedAt
	for _, e := range events {
		if filed, err = filedAt(e, filed); err != nil {
			return View{}, err
		}
		if requester && clockInternal(e.Type) || !tells(actor, t, e) {
			continue
		}
		step, err := stepOf(e)
		if err != nil {
			return View{}, err
		}
		if t.Status == OnHold && e.Type == "ticket.suspended" {
			v.Ask = step.Text
		}
		if requester {
			if step.hidden {
				continue
			}
			step = step.public(e.ActorID == actor.UserID)
		}
		v.Timeline = append(v.Timeline, step)
	}
	place, name, err := s.placeOf(ctx, db, t.Type, filed)
	if err != nil {
		return View{}, err
	}
	v.Category, v.CategoryCode, v.CategoryName = place.Category, place.CategoryCode, name
	var all tree
	if !requester {
		if all, err = s.staffView(ctx, db, actor, t, has, &v, events); err != nil {
			return View{}, err
		}
	}
	if has.files {
		files, err := s.files.Of(ctx, db, Object, t.ID)
		if err != nil {
			return View{}, err
		}
		v.Files = append(v.Files, files...)
	}
	for _, a := range actionsFrom(t.Status) {
		if a.Addressed() && may(actor, t, a) && offered(actor, t, all, v.Near, a) {
			v.Actions = append(v.Actions, a)
		}
	}
	if v.Undo != nil {
		v.Actions = append(v.Actions, ToUndo)
	}
	return v, nil
}

// offered reports whether an action that the state and the right allow makes sense as a button of the ticket itself.
func offered(actor access.Actor, t *Ticket, all tree, near []Near, a Action) bool {
	lead := all.lead()
	switch a {
	case ToRate:
		return t.Rating == 0 && t.reviewed() == nil
	case ToReview, ToSendBack:
		return t.ReviewDue
	case ToCallBack, ToClose:
		return t.reviewed() == nil
	case ToReply:
		return lead == nil || all.waits(lead) == ""
	case ToUnlink:
		return slices.ContainsFunc(near, func(n Near) bool { return n.Kind == "link" })
	case ToSplit: // a unit splits its hop
		return isDesk(actor)
	}
	return a != ToUndo && RightOf(a).Side != Handler && RightOf(a).Side != Level
}

// staffView adds what is between staff.
func (s *Service) staffView(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket, has beside, v *View, events []event.Event) (tree, error) {
	var rows []Hop
	var err error
	if has.hops {
		if rows, err = hops(ctx, db, t.ID); err != nil {
			return nil, err
		}
	}
	all := tree(rows)
	for i := range all {
		h := &all[i]
		v.Hops = append(v.Hops, HopView{
			ID: h.ID, FromName: h.FromName, UnitID: h.UnitID, UnitName: h.UnitName, Lead: h.Lead, ParentID: h.ParentID, Role: h.Role, Round: h.Round, State: h.State,
			SentAt: h.SentAt.UTC(), SignedAt: utc(h.SignedAt), RepliedAt: utc(h.RepliedAt), DueAt: h.DueAt.UTC(), Note: h.Note, Reply: h.Reply,
			Actions: hopActions(actor, t, all, h),
		})
	}
	if has.hops && has.evidence {
		if v.Evidence, err = evidenceOf(ctx, db, t); err != nil {
			return nil, err
		}
	}
	if has.requests {
		asked, err := requestsOf(ctx, db, t.ID)
		if err != nil {
			return nil, err
		}
		for i := range asked {
			v.Requests = append(v.Requests, asked[i].view(actor, t, all))
			if f := Flag(asked[i].Kind); asked[i].Pending() && !slices.Contains(v.Flags, f) {
				v.Flags = append(v.Flags, f)
			}
		}
	}
	if t.Status == Reported && t.ReviewDue {
		v.Flags = append(v.Flags, FlagReview)
	}
	v.Merged, v.Excluded = t.MergedInto != 0, t.Excluded
	if has.near {
		if v.Near, err = near(ctx, db, visible(actor), t); err != nil {
			return nil, err
		}
	}
	if v.Desk, err = s.deskView(ctx, db, actor, t, has, all); err != nil {
		return nil, err
	}
	v.HolderID, v.Tags = v.Desk.HolderID, v.Desk.Tags
	if has.memory {
		v.Undo, err = s.undoFor(ctx, db, actor, t, events)
	}
	return all, err
}

// stepOf reads the event back into words.
func stepOf(e event.Event) (Step, error) {
	s := Step{Seq: e.Seq, Kind: e.Type, Label: labelOf(e.Type), At: e.At.UTC(), Actor: e.By()}
	if told, err := clockTimeline(e, &s); told {
		return s, err
	}
	if told, err := deskTimeline(e, &s); told {
		return s, err
	}
	var err error
	switch e.Type {
	case "ticket.answered":
		var f Answered
		err = e.Decode(&f)
		s.Text = f.Text
	case "ticket.declined":
		var f Declined
		err = e.Decode(&f)
		s.Text = f.Reason
	case "ticket.dispatched":
		var f Dispatched
		err = e.Decode(&f)
		s.Label, s.Text = "派单至"+f.UnitName+with(f.To), f.Note
	case "ticket.signed":
		var f Signed
		err = e.Decode(&f)
		s.Label = f.UnitName + "签收"
	case "ticket.replied":
		var f Replied
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = f.UnitName+"反馈办理结果", f.Text, f.FileIDs
	case "ticket.called_back":
		var f CalledBack
		err = e.Decode(&f)
		s.Text, s.Outcome, s.Label = f.Note, &f.Outcome, s.Label+f.Told.words()
	case "ticket.closed":
		var f Closed
		err = e.Decode(&f)
		s.Text, s.Outcome, s.Label = f.Note, f.Outcome, s.Label+f.Told.words()
		if f.Rule != nil {
			s.Label = "按规则办结：" + f.Rule.Name
		}
	case "ticket.reopened":
		var f Reopened
		err = e.Decode(&f)
		s.Label, s.Text, s.Outcome = "退回"+f.UnitName+"重办"+f.Told.words(), f.Note, f.Outcome
	case "ticket.voided":
		var f Voided
		err = e.Decode(&f)
		s.Text = f.Reason
	case "ticket.rated":
		var f Rated
		err = e.Decode(&f)
		s.Text = Judgement{Tags: f.Tags, Words: f.Opinion}.said()
	default:
		return stepBeside(e, s)
	}
	return s, err
}

func with(co []Given) string {
	if len(co) == 0 {
		return ""
	}
	return "，" + names(co) + "协办"
}

func names(to []Given) string {
	var out []string
	for _, g := range to {
		out = append(out, g.UnitName)
	}
	return strings.Join(out, "、")
}

// stepBeside reads the events beside the straight way from the first word to the rating.
func stepBeside(e event.Event, s Step) (Step, error) {
	var err error
	s.hidden = true
	switch e.Type {
	case "ticket.opened":
		s.hidden = false
	case "ticket.suspended":
		var f Suspended
		err = e.Decode(&f)
		s.Label, s.Text, s.hidden = "挂起，等待企业补充材料", f.Reason, false
	case "ticket.resumed":
		var f Supplemented
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs, s.hidden = "恢复办理", f.Reason, f.FileIDs, false
		if f.By == "requester" {
			s.Label = "企业补充材料，恢复办理"
		}
	case "ticket.heard":
		var f Heard
		err = e.Decode(&f)
		s.Label, s.Text, s.hidden = "企业再次来信", f.Text, false
		if f.Of != 0 { // of another requester: the one of this ticket learns nothing of it
			s.Label, s.hidden = "并入的一件工单再次来信", true
		}
	case "ticket.archived":
		s.Label, s.hidden = "归档", false
	case "ticket.classified":
		var f Classified
		err = e.Decode(&f)
		s.Label, s.Text = f.told()
		s.hidden = false
	case "ticket.merged":
		var f Joined
		err = e.Decode(&f)
		s.Label, s.Text, s.hidden = "与同类诉求合并办理", f.Note, false
	case "ticket.unmerged":
		var f Parted
		err = e.Decode(&f)
		s.Label, s.Text, s.hidden = "恢复单独办理", f.Note, false
	case "ticket.absorbed":
		s.Label = "并入一件同类工单"
	case "ticket.linked":
		s.Label = "关联一件工单"
	case "ticket.unlinked":
		s.Label = "取消关联一件工单"
	case "ticket.undone":
		var f Undone
		err = e.Decode(&f)
		s.Label, s.Text = "撤销“"+f.Label+"”", f.Reason
		undone, _ := stepOf(event.Event{Type: f.Kind, Facts: e.Facts})
		s.hidden = undone.hidden
	case "ticket.extension_decided":
		var f extensionDecided
		err = e.Decode(&f)
		s.Label, s.Text = granted(f.Granted)+f.Hop.UnitName+"延期", f.Note
		if f.Granted {
			s.Label = fmt.Sprintf("办理时限延长 %d 个工作日，至%s", f.Days, show(f.DueAt))
			if !f.Carry {
				s.Label = f.Hop.UnitName + s.Label
			}
		}
		s.hidden = !f.Carry
	default:
		return stepInside(e, s)
	}
	return s, err
}

// stepInside reads what is between staff.
func stepInside(e event.Event, s Step) (Step, error) {
	var f struct {
		Hop      Given       `json:"hop"`
		To       []Given     `json:"to"`
		FromName string      `json:"fromName"`
		Note     string      `json:"note"`
		Text     string      `json:"text"`
		Reason   string      `json:"reason"`
		Code     string      `json:"code"`
		Days     int         `json:"days"`
		Granted  bool        `json:"granted"`
		Passed   bool        `json:"passed"`
		Kind     RequestKind `json:"kind"`
		FileIDs  []int64     `json:"fileIds"`
		Action   string      `json:"action"`
		Rule     RuleRef     `json:"rule"`
	}
	if err := e.Decode(&f); err != nil {
		return s, err
	}
	unit := f.Hop.UnitName
	s.Text, s.FileIDs = f.Note, f.FileIDs
	switch e.Type {
	case "ticket.forwarded":
		s.Label = f.FromName + "转办" + names(f.To)
		if len(f.To) > 0 && f.To[0].Role == RoleTask {
			s.Label = f.FromName + "拆分任务给" + names(f.To)
		}
	case "ticket.hop_signed":
		s.Label = unit + "签收"
	case "ticket.hop_replied":
		s.Label, s.Text = unit+"反馈（"+roleLabels[f.Hop.Role]+"）", f.Text
	case "ticket.task_accepted":
		s.Label = "验收" + unit + "的任务"
	case "ticket.task_returned":
		s.Label = "退回" + unit + "的反馈"
	case "ticket.recalled":
		s.Label = "收回" + unit + "的办理环节"
	case "ticket.reviewed":
		s.Label = "审核通过"
	case "ticket.sent_back":
		s.Label = "审核退回，重新反馈"
	case "ticket.return_asked":
		s.Label, s.Text = unit+"申请退单："+codeName(AskReturn, f.Code), f.Note
	case "ticket.return_decided":
		s.Label = granted(f.Granted) + unit + "退单"
	case "ticket.extension_asked":
		s.Label, s.Text = fmt.Sprintf("申请延期 %d 个工作日", f.Days), f.Reason
	case "ticket.extension_endorsed":
		s.Label = granted(f.Passed) + unit + "的延期申请（本单位审核）"
	case "ticket.request_withdrawn":
		s.Label = unit + "撤回" + kindLabels[f.Kind] + "申请"
	case "ticket.appeal_asked":
		s.Label = "申诉：" + codeName(AskAppeal, f.Code)
	case "ticket.lapsed":
		s.Label, s.Text = "按规则"+map[string]string{"recall": unit + "未签收，收回至受理席", "remind": "催促承办单位", "report": "报告督办人员"}[f.Action]+"："+f.Rule.Name, f.Reason
	case "ticket.appeal_decided":
		s.Label = granted(f.Granted) + "申诉"
		if f.Granted {
			s.Label += "，不计入统计"
		}
	}
	return s, nil
}

var roleLabels = map[Role]string{RoleLead: "转办", RoleCo: "协办", RoleTask: "任务"}

func show(at time.Time) string { return clock.Show(at) }

// public drops what is between staff.
func (s Step) public(own bool) Step {
	if !own {
		s.Actor = ""
	}
	switch s.Kind {
	case "ticket.dispatched", "ticket.called_back", "ticket.closed", "ticket.reopened", "ticket.undone", "ticket.merged", "ticket.unmerged", "ticket.extension_decided", "ticket.classified":
		s.Text, s.Outcome = "", nil
	}
	if s.Kind == "ticket.called_back" { // how a call went is for those who call
		s.Label = labelOf(s.Kind)
	}
	return s
}

func labelOf(typ string) string {
	switch typ {
	case "ticket.opened":
		return "提交诉求，受理"
	case "ticket.answered":
		return "直接答复"
	case "ticket.declined":
		return "不予受理"
	case "ticket.dispatched":
		return "派单"
	case "ticket.signed":
		return "签收"
	case "ticket.replied":
		return "反馈办理结果"
	case "ticket.called_back":
		return "电话回访"
	case "ticket.closed":
		return "办结"
	case "ticket.reopened":
		return "退回重办"
	case "ticket.voided":
		return "作废"
	case "ticket.confided":
		return "调整保密设置"
	case "ticket.rated":
		return "评价"
	}
	return "更新"
}

// namesFor is how long the names of the types are kept: whoever renames one sees it at once, another process in this time.
const namesFor = 5 * time.Second

// typeNames are the names of the types by their codes.
func (s *Service) typeNames(ctx context.Context, db bun.IDB) (map[string]string, error) {
	s.names.Lock()
	defer s.names.Unlock()
	if s.names.list != nil && time.Since(s.names.at) < namesFor {
		return s.names.list, nil
	}
	rows, err := typeRows(ctx, db)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.Code] = r.Name
	}
	if s.names.places, err = readPlaces(ctx, db); err != nil {
		return nil, err
	}
	s.names.list, s.names.at = names, time.Now()
	return names, nil
}

// typesChanged has the names read again.
func (s *Service) typesChanged() {
	s.names.Lock()
	defer s.names.Unlock()
	s.names.list = nil
}
