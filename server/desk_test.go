package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestDemoDesk loads what the desk works with: enough of each, every queue of the knowledge base with something in it, a
// unit for every type, and answers, phrases and suggestions that fit a ticket of the story.
func TestDemoDesk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	now := h.clock.Now()
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now), now: now, ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	// The loaders write with a house whose clock stands at the time of the story.
	story := *h
	story.clock = s.at
	story.joinKnowledge()
	story.joinCanned()
	if err := story.joinDirectory(); err != nil {
		t.Fatal(err)
	}
	for _, load := range []func(context.Context, *seeded) error{story.seedDepartments, story.seedStaff, story.seedKnowledge, story.seedCanned, story.seedDirectory} {
		s.at.Set(now.AddDate(0, -6, 0))
		if err := load(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	agent, err := s.as(ctx, h, "staff", "agent01")
	if err != nil {
		t.Fatal(err)
	}
	desk := access.SystemActor("test")
	for state, least := range map[string]int{"": 30, "draft": 2, "review": 1, "published": 28, knowledge.StateOver: 1, knowledge.StateReported: 1} {
		items, _, err := h.knowledge.List(ctx, desk, knowledge.ListFilter{State: state, Limit: 100})
		if err != nil || len(items) < least {
			t.Errorf("%d entries are %q, %v", len(items), state, err)
		}
	}
	found, err := h.knowledge.Find(ctx, agent, knowledge.FindFilter{Query: "停电", Type: "050101"})
	if err != nil || len(found) == 0 || !strings.Contains(found[0].Plain, "95598") {
		t.Errorf("停电: %+v, %v", found, err)
	}
	phrases, err := h.canned.List(ctx, agent, "")
	if err != nil || len(phrases) < 15 {
		t.Errorf("%d phrases, %v", len(phrases), err)
	}
	b, err := h.directory.Board(ctx, agent)
	if err != nil || len(b.Problems) != 0 {
		t.Errorf("the directory: %+v, %v", b.Problems, err)
	}
	for _, m := range b.Matters {
		if strings.HasSuffix(m.Code, "00") {
			continue
		}
		v, err := h.directory.Suggest(ctx, agent, directory.Query{Type: m.Code})
		if err != nil || v.Lead == nil || v.Why != directory.Exact {
			t.Errorf("%s: %+v, %v", m.Name, v, err)
		}
	}
	v, err := h.directory.Suggest(ctx, agent, directory.Query{Type: "070102", Text: "台湖镇商铺门前垃圾三天没有清运"})
	if err != nil || v.Lead == nil || !strings.Contains(v.Lead.Name, "台湖镇") {
		t.Errorf("垃圾清运: %+v, %v", v, err)
	}
	old, err := h.directory.Explain(ctx, agent, directory.Query{Type: "060202"}, now.AddDate(0, -4, 0))
	today, err2 := h.directory.Suggest(ctx, agent, directory.Query{Type: "060202"})
	if err != nil || err2 != nil || old.Lead.ID == today.Lead.ID {
		t.Errorf("the change of the story: %v, %v", err, err2)
	}
}

// TestDeskOverHTTP goes the way of an answer: written, let out by a second person, found for a ticket, put into it, said to
// be wrong; a phrase filled from the ticket; the ticket dispatched to the unit that the directory names, and counted.
func TestDeskOverHTTP(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	root, err := h.identity.CreateDepartment(ctx, access.SystemActor("test"), 0, "TZ", "测试区人民政府", 0)
	if err != nil {
		t.Fatal(err)
	}
	unit, err := h.identity.CreateDepartment(ctx, access.SystemActor("test"), root, "CGW", "区城市管理委员会", 1)
	if err != nil {
		t.Fatal(err)
	}
	staff := func(account, phone, role string) string {
		return staffToken(t, h, identity.Staff{Name: account, Account: account, Password: "Aa1-desk-over-http", Phone: phone, Party: access.Platform, Roles: []string{role}})
	}
	agent, editor, operator := staff("zuoxi", "13900139101", "agent"), staff("shenhe", "13900139102", "editor"), staff("yunying", "13900139103", "operator")
	company := owner(t, h, "13800138031")
	send := func(who, method, path, body string, want int, has string) string {
		t.Helper()
		status, answer := ask(t, h, method, path, who, body)
		if status != want || !strings.Contains(answer, has) {
			t.Fatalf("%s %s: %d %s, want %d with %q", method, path, status, answer, want, has)
		}
		return answer
	}
	text := `"title":"突然停电怎样报修","question":"停电了怎么办","answer":"拨打95598报修。","audience":"staff","category":"050101","sourceKind":"guide","sourceTitle":"供电服务指南"`
	send("", "GET", "/api/knowledge", "", 401, "SIGN_IN_REQUIRED")
	send(company, "GET", "/api/knowledge", "", 403, "FORBIDDEN")
	send(agent, "POST", "/api/knowledge", `{"title":"无"}`, 422, "")
	send(agent, "POST", "/api/knowledge", "{"+text+"}", 200, `"status":"draft"`)
	send(agent, "POST", "/api/knowledge/1/submit", `{"version":1}`, 200, `"status":"review"`)
	send(agent, "POST", "/api/knowledge/1/publish", `{"version":2}`, 403, "FORBIDDEN")
	send(editor, "POST", "/api/knowledge/1/publish", `{"version":1}`, 409, "已更新")
	send(editor, "POST", "/api/knowledge/1/publish", `{"version":2}`, 200, `"live":1`)
	send(company, "GET", "/api/public/knowledge/1", "", 404, "NOT_FOUND")
	send(company, "GET", "/api/public/knowledge?q=%E5%81%9C%E7%94%B5", "", 200, `"items":[]`)

	send(agent, "POST", "/api/tickets", `{"type":"050101","title":"厂区停电","body":"上午起停电","source":"agent","contactName":"王芳","phone":"13800138033"}`, 200, `"id":1`)
	send(agent, "GET", "/api/knowledge-search?q=%E5%81%9C%E7%94%B5&type=050101", "", 200, `"plain":"拨打95598报修。"`)
	send(agent, "POST", "/api/knowledge/1/uses", `{"ticketId":1}`, 200, `"uses":1`)
	send(agent, "POST", "/api/knowledge/1/uses", `{"ticketId":1}`, 200, `"uses":1`)
	send(agent, "POST", "/api/knowledge/1/uses", `{"ticketId":99}`, 404, "NOT_FOUND")
	send(agent, "POST", "/api/knowledge/1/feedback", `{"wrong":true,"reason":"号码有变化","ticketId":1}`, 204, "")
	send(agent, "GET", "/api/knowledge-todo", "", 200, `"kind":"report"`)

	send(company, "GET", "/api/canned-replies", "", 403, "FORBIDDEN")
	send(operator, "POST", "/api/canned-replies", `{"holder":"desk","title":"受理告知","body":"{{联系人}}您好，工单号{{工单号}}","code":"slts"}`, 200, `"code":"slts"`)
	send(agent, "GET", "/api/canned-replies?q=/sl", "", 200, "受理告知")
	send(agent, "POST", "/api/canned-replies/1/use", `{"ticketId":1}`, 200, "王芳您好，工单号")
	send(agent, "POST", "/api/canned-replies/1/remove", `{"version":1}`, 403, "FORBIDDEN")

	send(agent, "POST", "/api/directory", fmt.Sprintf(`{"matter":"050101","leadId":%d,"reason":"职责"}`, unit), 403, "FORBIDDEN")
	send(operator, "POST", "/api/directory", fmt.Sprintf(`{"matter":"050101","leadId":%d,"reason":"职责"}`, unit), 200, `"state":"valid"`)
	send(agent, "GET", "/api/dispatch-suggestions?type=050101", "", 200, `"why":"exact"`)
	send(company, "GET", "/api/dispatch-suggestions?type=050101", "", 403, "FORBIDDEN")
	send(agent, "POST", "/api/tickets/1/dispatch", fmt.Sprintf(`{"version":1,"unitId":%d,"note":""}`, unit), 200, "")
	if err := h.feed.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	now := h.clock.Now()
	span := fmt.Sprintf("from=%s&to=%s", now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	send(agent, "GET", "/api/directory-accuracy?"+span, "", 200, `"dispatches":1`)
	send(agent, "GET", "/api/directory-accuracy?"+span, "", 200, `"followed":1`)
	send(agent, "GET", "/api/dispatch-explanations?type=050101&at="+now.Add(-time.Hour).Format(time.RFC3339), "", 200, `"why":"nothing"`)
	send(operator, "GET", "/api/directory", "", 200, `"kind":"gap"`)
}
