package server

import (
	"context"
	"fmt"
	"io"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinConversations makes what companies and institutions say to each other about applications.
func (h *house) joinConversations() {
	h.conversations = conversation.New(conversation.Deps{
		DB: h.db, Clock: h.clock, Cases: map[string]conversation.Cases{application.Object: talkedOf{h.applications}}, Files: conversationFiles{h.uploads},
		Paths: map[string]string{application.Object: "/applications"},
	})
	h.sees[conversation.ObjectNote] = h.conversations.Sees
	h.tasks = append(h.tasks, h.conversations.Tasks()...)
	h.applications.ShowBeside(h.conversations.Panel(application.Object, "/applications"))
	h.evidence.Behind = append(h.evidence.Behind, ofApplications(func(ctx context.Context, actor access.Actor, object string, id int64) ([]evidence.Section, error) {
		n, err := h.conversations.Count(ctx, actor, object, id)
		return []evidence.Section{{Title: "服务沟通", Facts: []page.Fact{{Label: "消息数", Value: fmt.Sprintf("双方往来 %d 条，内容不列入记录单", n)}}}}, err
	}))
}

// talkedOf are the applications as what is talked about.
type talkedOf struct{ *application.Service }

var _ conversation.Cases = talkedOf{}

// Case returns an application that the actor may see.
func (t talkedOf) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (conversation.Case, error) {
	v, err := t.Service.Case(ctx, db, actor, id)
	return conversation.Case{
		Object: application.Object, ID: v.ID, Number: v.Number, Title: v.ProductName, InstitutionID: v.InstitutionID, InstitutionName: v.InstitutionName,
		EnterpriseID: v.EnterpriseID, EnterpriseName: v.EnterpriseName, UserID: v.UserID, HandlerID: v.HandlerID, EndedAt: v.ClosedAt,
	}, err
}

// conversationFiles keeps uploads for notes.
type conversationFiles struct{ *file.Service }

var _ conversation.Files = conversationFiles{}

// Save keeps a file that came with a form.
func (f conversationFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (conversation.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return conversation.FileView(v), err
}

// Known returns files by id.
func (f conversationFiles) Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]conversation.FileView, error) {
	all, err := f.Service.Known(ctx, db, ids)
	out := make(map[int64]conversation.FileView, len(all))
	for id, v := range all {
		out[id] = conversation.FileView(v)
	}
	return out, err
}

// ofConversation tells the other side of the first note after a silence, and reminds who has not read.
func (n notices) ofConversation(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f struct {
		conversation.Head
		Side  conversation.Side `json:"side"`
		First bool              `json:"first"`
		Count int               `json:"count"`
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Params: map[string]string{"title": f.Title, "number": f.Number, "count": fmt.Sprint(f.Count)}}
	to := f.Side // of a reminder; a note is for the other side
	if e.Type == "conversation.sent" {
		if !f.First {
			return nil, nil
		}
		if to = conversation.Enterprise; f.Side == conversation.Enterprise {
			to = conversation.Institution
		}
	} else if e.Type != "conversation.unread" {
		return nil, nil
	}
	if to == conversation.Enterprise {
		notice.UserID, notice.Link, notice.Params["name"] = f.UserID, fmt.Sprintf("/applications/%d/messages", f.ObjectID), f.InstitutionName
		return []message.Notice{notice}, nil
	}
	notice.Link, notice.Params["name"] = fmt.Sprintf("/applications/%d", f.ObjectID), f.EnterpriseName
	if f.HandlerID != 0 {
		notice.UserID = f.HandlerID
		return []message.Notice{notice}, nil
	}
	all, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
	return each(all, notice), err
}
