package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
)

// TestRepliesAreJudgedByTheForm: what a requester is asked about a reply, and may choose, is the form that administrators edit
// with those of services; what was chosen is kept with the ticket and told to the desk.
func TestRepliesAreJudgedByTheForm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	her := owner(t, h, "13800138051")
	desk := staffToken(t, h, identity.Staff{Name: "陈静", Account: "zuoxi", Phone: "13900139201", Party: access.Platform, Roles: []string{"agent"}})
	kind := mustTypeCode(t, h)
	// closed opens a ticket and has it answered and closed.
	closed := func() (path string) {
		t.Helper()
		var made struct{ ID int64 }
		status, text := ask(t, h, "POST", "/api/tickets", her, fmt.Sprintf(`{"type":%q,"title":"路灯不亮","body":"门前路灯坏了三天","source":"h5"}`, kind))
		if err := json.Unmarshal([]byte(text), &made); status != 200 || err != nil {
			t.Fatalf("%d %s", status, text)
		}
		path = fmt.Sprintf("/api/tickets/%d", made.ID)
		if status, text := ask(t, h, "POST", path+"/answer", desk, `{"version":1,"text":"已更换灯头","fileIds":[]}`); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		if status, text := ask(t, h, "POST", path+"/close", desk, `{"version":2}`); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return path
	}
	first := closed()
	if status, text := ask(t, h, "GET", "/api/ticket-judge-form", her, ""); status != 200 || !strings.Contains(text, "办理及时") || !strings.Contains(text, `"level":5`) {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := ask(t, h, "POST", first+"/rate", her, `{"version":3,"rating":5,"tags":["推诿"]}`); status != 422 || !strings.Contains(text, "不对应") || !strings.Contains(text, `"field":"tags"`) {
		t.Errorf("a tag of another level: %d %s", status, text)
	}
	if status, text := ask(t, h, "POST", first+"/rate", her, `{"version":3,"rating":0}`); status != 422 {
		t.Errorf("no level: %d %s", status, text)
	}
	if status, text := ask(t, h, "POST", first+"/rate", her, `{"version":3,"rating":5,"tags":["态度好","办理及时"],"opinion":"谢谢"}`); status != 200 || !strings.Contains(text, `"opinionTags":["办理及时","态度好"]`) {
		t.Errorf("rated: %d %s", status, text)
	}
	if status, text := ask(t, h, "GET", first, desk, ""); status != 200 || !strings.Contains(text, `"opinionTags":["办理及时","态度好"]`) || !strings.Contains(text, `办理及时、态度好\n谢谢`) {
		t.Errorf("the desk reads %d %s", status, text)
	}

	// Another form from now on: words are needed of whoever is not satisfied.
	manager := access.SystemActor("test")
	forms, err := h.evaluations.Forms(ctx, manager)
	if err != nil {
		t.Fatal(err)
	}
	var form evaluation.FormView
	for _, f := range forms {
		if f.Kind == evaluation.KindOfTickets {
			form = f
		}
	}
	form.After, form.Levels[4].Words, form.Levels[4].Tags = "这件诉求办得怎么样？", true, []string{"无人理会"}
	if err := h.evaluations.SetForm(ctx, manager, evaluation.SetForm{Kind: form.Kind, Base: form.ID, Form: form.Form}); err != nil {
		t.Fatal(err)
	}
	second := closed()
	page := strings.Replace(second, "/api", "", 1)
	if status, html := ask(t, h, "GET", page, her, ""); status != 200 || !strings.Contains(html, "这件诉求办得怎么样？") || !strings.Contains(html, `value="无人理会"`) || !strings.Contains(html, "需要改进的方面") || strings.Count(html, `id="tags-0"`) > 1 {
		t.Errorf("the page asks %d %s", status, html)
	}
	if status, text := ask(t, h, "POST", second+"/rate", her, `{"version":3,"rating":1,"tags":["无人理会"],"opinion":"差"}`); status != 422 || !strings.Contains(text, `"field":"opinion"`) {
		t.Errorf("no words: %d %s", status, text)
	}
	if status, text := ask(t, h, "POST", second+"/rate", her, `{"version":3,"rating":1,"tags":["无人理会"],"opinion":"没有人联系过我"}`); status != 200 || !strings.Contains(text, `"opinionTags":["无人理会"]`) {
		t.Errorf("not satisfied: %d %s", status, text)
	}
}
