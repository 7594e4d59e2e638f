package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
)

// knowing is a WeChat account that has all templates; what it is given stays in the outbox, for nobody works on it here.
type knowing struct{ message.Poster }

func (knowing) Knows(string) bool { return true }

// TestUnreadIsToldOncePerSilence has the bank write to a company over HTTP, and counts what comes of it in the company's outboxes: one text
// message and one in WeChat for one silence, however many messages, however many processes remind; the next after it was read.
func TestUnreadIsToldOncePerSilence(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h, s := toldDemo(t)
	s.tell(t, h.seedApplications)
	system := access.SystemActor("test")
	taken, _, err := h.applications.List(ctx, system, application.ListFilter{Statuses: []application.Status{application.Working, application.Taken}, Limit: 1})
	if err != nil || len(taken) == 0 {
		t.Fatal(len(taken), err)
	}
	app, err := h.applications.Case(ctx, h.db.Read(), system, taken[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	staff, err := h.identity.Colleagues(ctx, h.db.Read(), app.InstitutionID, conversation.PermTalk)
	if err != nil || len(staff) == 0 {
		t.Fatal(len(staff), err)
	}
	h.messages.People, h.messages.Poster = reachable{"13800138077", "oReachable"}, knowing{h.messages.Poster}
	if err := h.feed.Skip(ctx); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.feed.Run(running) }()
	t.Cleanup(func() { stop(); <-done })

	path := fmt.Sprintf("/api/conversations/application/%d", app.ID)
	say := func(words string) {
		t.Helper()
		if status, body := ask(t, h, "POST", path, session(t, h, staff[0].ID, s.at.Now()), fmt.Sprintf(`{"words":%q,"fileIds":[]}`, words)); status != 204 {
			t.Fatal(status, body)
		}
	}
	remind := func() {
		t.Helper()
		var wg sync.WaitGroup
		for range 4 { // as many processes
			wg.Go(func() {
				if err := h.conversations.Remind(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	told := func(want int) {
		t.Helper()
		counts := func() (n [3]int, err error) {
			for i, table := range []string{"messages", "sms_messages", "wechat_messages"} {
				if err := h.db.Read().NewRaw("SELECT count(*) FROM "+table+" WHERE template = 'conversation.unread' AND user_id = ?", app.UserID).Scan(ctx, &n[i]); err != nil {
					return n, err
				}
			}
			return n, nil
		}
		eventually(t, fmt.Sprintf("%d in the message centre", want), func() bool { n, err := counts(); return err == nil && n[0] >= want })
		eventually(t, "the feed has read everything", func() bool {
			var behind int
			err := h.db.Read().NewRaw("SELECT count(*) FROM events WHERE type = 'conversation.unread'").Scan(ctx, &behind)
			return err == nil && behind == want
		})
		time.Sleep(200 * time.Millisecond) // what would come twice has come
		if n, err := counts(); err != nil || n != [3]int{want, want, want} {
			t.Fatalf("%v in the centre, by text message and in WeChat instead of %d each: %v", n, want, err)
		}
	}
	say("请补充近半年流水")
	say("另请提供购销合同")
	s.at.Set(s.at.Now().Add(59 * time.Minute))
	remind()
	told(0)
	s.at.Set(s.at.Now().Add(2 * time.Minute))
	remind()
	told(1)
	say("今天能给吗")
	s.at.Set(s.at.Now().Add(3 * time.Hour))
	remind()
	told(1)
	var last int64
	if err := h.db.Read().NewRaw("SELECT max(id) FROM conversation_notes").Scan(ctx, &last); err != nil {
		t.Fatal(err)
	}
	if status, body := ask(t, h, "POST", path+"/read", session(t, h, app.UserID, s.at.Now()), fmt.Sprintf(`{"upTo":%d}`, last)); status != 204 {
		t.Fatal(status, body)
	}
	s.at.Set(s.at.Now().Add(2 * time.Hour))
	remind()
	told(1)
	say("材料收到，谢谢")
	s.at.Set(s.at.Now().Add(61 * time.Minute))
	remind()
	told(2)
}
