package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
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
	Status         Status     `json:"status" enum:"received,answered,declined,dispatched,signed,replied,callback,closed,voided"`
	Source         Source     `json:"source" enum:"h5,portal,agent"`
	RequesterName  string     `json:"requesterName"`
	EnterpriseName string     `json:"enterpriseName"`
	UnitName       string     `json:"unitName"`
	CreatedAt      time.Time  `json:"createdAt"`
	DueAt          time.Time  `json:"dueAt"`
	ClosedAt       *time.Time `json:"closedAt,omitempty"`
	Rating         int        `json:"rating"` // 0 when not rated
	Marks          *Marks     `json:"marks,omitempty" doc:"Where the words of a search stand; in a list that was searched only."`
}

// View is a ticket as one actor may see it.
type View struct {
	Item
	Body      string     `json:"body"`
	Phone     string     `json:"phone"` // in clear to the desk, masked to everybody else
	Reply     string     `json:"reply"`
	Opinion   string     `json:"opinion"`
	QueryCode string     `json:"queryCode,omitempty"` // to whoever opened it, in the answer to opening
	Timeline  []Step     `json:"timeline"`            // oldest first
	Hops      []HopView  `json:"hops"`                // empty for requesters
	Files     []FileView `json:"files"`
	Actions   []Action   `json:"actions" enum:"answer,decline,dispatch,sign,reply,callback,close,reopen,void,rate"` // what the actor may do now
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
}

// HopView is one dispatch.
type HopView struct {
	ID        int64      `json:"id"`
	FromName  string     `json:"fromName"`
	UnitID    int64      `json:"unitId"`
	UnitName  string     `json:"unitName"`
	Lead      bool       `json:"lead"`
	State     HopState   `json:"state" enum:"dispatched,signed,replied,ended"`
	SentAt    time.Time  `json:"sentAt"`
	SignedAt  *time.Time `json:"signedAt,omitempty"`
	RepliedAt *time.Time `json:"repliedAt,omitempty"`
	DueAt     time.Time  `json:"dueAt"`
	Note      string     `json:"note"`
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
}

func (t *Ticket) item(typeNames map[string]string) Item {
	i := Item{
		ID: t.ID, Number: t.Number, Version: t.Version, Type: t.Type, TypeName: typeNames[t.Type], Title: t.Title,
		Urgency: t.Urgency, Status: t.Status, Source: t.Source, RequesterName: t.RequesterName, EnterpriseName: t.EnterpriseName,
		UnitName: t.UnitName, CreatedAt: t.CreatedAt.UTC(), DueAt: t.DueAt.UTC(), ClosedAt: utc(t.ClosedAt), Rating: t.Rating,
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
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket) (View, error) {
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return View{}, err
	}
	v := View{
		Item: t.item(names), Body: t.Body, Reply: t.Reply, Opinion: t.Opinion,
		Timeline: []Step{}, Hops: []HopView{}, Files: []FileView{}, Actions: []Action{},
	}
	phone, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
	if err != nil {
		return View{}, err
	}
	v.Phone = mask(string(phone))
	if isDesk(actor) {
		v.Phone = string(phone)
	}
	events, err := event.Of(ctx, db, Object, t.ID)
	if err != nil {
		return View{}, err
	}
	requester := actor.Party == access.Enterprise
	for _, e := range events {
		step, err := stepOf(e)
		if err != nil {
			return View{}, err
		}
		if requester {
			step = step.public(e.ActorID == actor.UserID)
		}
		v.Timeline = append(v.Timeline, step)
	}
	if !requester {
		rows, err := hops(ctx, db, t.ID)
		if err != nil {
			return View{}, err
		}
		for _, h := range rows {
			v.Hops = append(v.Hops, HopView{
				ID: h.ID, FromName: h.FromName, UnitID: h.UnitID, UnitName: h.UnitName, Lead: h.Lead, State: h.State, SentAt: h.SentAt.UTC(),
				SignedAt: utc(h.SignedAt), RepliedAt: utc(h.RepliedAt), DueAt: h.DueAt.UTC(), Note: h.Note,
			})
		}
	}
	files, err := s.files.Of(ctx, db, Object, t.ID)
	if err != nil {
		return View{}, err
	}
	v.Files = append(v.Files, files...)
	for _, a := range actionsFrom(t.Status) {
		if may(actor, t, a) && (a != ToRate || t.Rating == 0) {
			v.Actions = append(v.Actions, a)
		}
	}
	return v, nil
}

// stepOf reads the event back into words.
func stepOf(e event.Event) (Step, error) {
	s := Step{Seq: e.Seq, Kind: e.Type, Label: labelOf(e.Type), At: e.At.UTC(), Actor: e.ActorName}
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
		s.Label, s.Text = "派单至"+f.UnitName, f.Note
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
		s.Text, s.Outcome = f.Note, &f.Outcome
	case "ticket.closed":
		var f Closed
		err = e.Decode(&f)
		s.Text, s.Outcome = f.Note, f.Outcome
	case "ticket.reopened":
		var f Reopened
		err = e.Decode(&f)
		s.Label, s.Text = "退回"+f.UnitName+"重办", f.Note
	case "ticket.voided":
		var f Voided
		err = e.Decode(&f)
		s.Text = f.Reason
	case "ticket.rated":
		var f Rated
		err = e.Decode(&f)
		s.Text = f.Opinion
	}
	return s, err
}

// public drops what is between staff.
func (s Step) public(own bool) Step {
	if !own {
		s.Actor = ""
	}
	switch s.Kind {
	case "ticket.dispatched", "ticket.called_back", "ticket.closed", "ticket.reopened":
		s.Text, s.Outcome = "", nil
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
	s.names.list, s.names.at = names, time.Now()
	return names, nil
}

// typesChanged has the names read again.
func (s *Service) typesChanged() {
	s.names.Lock()
	defer s.names.Unlock()
	s.names.list = nil
}
