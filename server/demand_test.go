package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestDemands loads the demands of the demo district and has one posted, reviewed, quoted for and picked over HTTP, by the people who
// do it: the application is there, everybody is told once, and nobody reads what is not theirs.
func TestDemands(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h, s := toldDemo(t)
	world, now := s.world, s.now
	if err := h.ensureReasons(ctx); err != nil {
		t.Fatal(err)
	}
	s.tell(t, h.seedApplications, h.seedDemands)
	want, got := map[string]int{}, map[string]int{}
	for _, d := range world.Demands() {
		want[d.End]++
	}
	var states []string
	if err := h.db.Read().NewRaw("SELECT state FROM demands").Scan(ctx, &states); err != nil {
		t.Fatal(err)
	}
	for _, st := range states {
		got[st]++
	}
	if want["picked"] != 1 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v, the stories end with %v", got, want)
	}
	var quoted, invited int
	if err := h.db.Read().NewRaw("SELECT (SELECT count(*) FROM demand_quotes), (SELECT count(*) FROM demand_invitations)").Scan(ctx, &quoted, &invited); err != nil || quoted != 6 || invited < 10 {
		t.Fatalf("%d quotes, %d invitations, %v", quoted, invited, err)
	}

	// Who acts.
	enter := func(kind, key string) string {
		a, err := s.as(ctx, h, kind, key)
		if err != nil {
			t.Fatal(err)
		}
		return session(t, h, a.UserID, now)
	}
	bakery, operator, reviewer := enter("owner", world.Walk.BakeryOwner), enter("staff", "operator01"), enter("staff", "reviewer01")
	cloud, safe := enter("operator", operatorOf(t, world, "digital-yunfan")), enter("operator", operatorOf(t, world, "digital-anwang"))
	stranger := owner(t, h, "13800138021")
	if err := h.feed.Skip(ctx); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.feed.Run(running) }()
	t.Cleanup(func() { stop(); <-done })

	call := func(who, method, path string, body any, status int, into any) string {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		code, text := ask(t, h, method, path, who, string(b))
		if code != status {
			t.Fatalf("%s %s: %d, %s", method, path, code, text)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		return text
	}
	type object = map[string]any
	const title = `<script>alert(1)</script>小程序`
	var v demand.View
	call(bakery, "POST", "/api/demands", object{"kind": "digital", "title": title, "description": "需要点单小程序，\"><img src=x onerror=alert(2)>", "budgetMin": "", "budgetMax": "1.23456", "term": "", "until": "2026-12-05", "wantedBy": "2026-12-01",
		"place": "", "named": false, "contactName": "", "phone": "", "contactNote": "", "fileIds": []int{}}, 200, &v)
	bad := call(bakery, "POST", fmt.Sprintf("/api/demands/%d/submit", v.ID), object{"version": v.Version}, 422, nil)
	if !strings.Contains(bad, "最多 4 位小数") || !strings.Contains(bad, "不能早于报价截止日期") {
		t.Fatal(bad)
	}
	typed := *v.Typed
	typed.BudgetMax, typed.WantedBy = "1.2", "2026-12-20"
	saved := object{"version": v.Version}
	b, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &saved); err != nil {
		t.Fatal(err)
	}
	call(bakery, "PUT", fmt.Sprintf("/api/demands/%d", v.ID), saved, 200, &v)
	path := fmt.Sprintf("/api/demands/%d", v.ID)
	hall := fmt.Sprintf("/api/demand-hall/%d", v.ID)
	call(bakery, "POST", path+"/submit", object{"version": v.Version}, 200, &v)
	call(cloud, "GET", hall, nil, 404, nil)
	call(reviewer, "POST", path+"/approve", object{"version": v.Version}, 403, nil)
	call(operator, "POST", path+"/approve", object{"version": v.Version - 1}, 409, nil)
	var matches struct{ Items []demand.Match }
	call(operator, "GET", path+"/matches", nil, 200, &matches)
	if len(matches.Items) < 2 {
		t.Fatalf("%+v", matches)
	}
	call(operator, "POST", path+"/approve", object{"version": v.Version}, 200, &v)
	eventually(t, "the institutions are invited and told", func() bool {
		var invitations, messages int
		err := h.db.Read().NewRaw("SELECT (SELECT count(*) FROM demand_invitations WHERE demand_id = ?), (SELECT count(*) FROM messages WHERE template = 'demand.invited')", v.ID).Scan(ctx, &invitations, &messages)
		return err == nil && invitations == len(matches.Items) && messages >= invitations
	})

	// The hall: escaped, no name, no sign of quotes.
	for _, address := range []string{fmt.Sprintf("/demands/%d", v.ID), "/demands", "/demands?q=" + "%3Cscript%3E", "/demands?kind=digital&sort=until"} {
		status, html := ask(t, h, "GET", address, "", "")
		if status != 200 || strings.Contains(html, "<script>alert") || strings.Contains(html, "<img src=x") || !strings.Contains(html, "&lt;script&gt;alert(1)") && !strings.Contains(html, "<mark>") {
			t.Errorf("%s: %d %s", address, status, html)
		}
		if strings.Contains(html, v.EnterpriseName) && strings.Contains(address, fmt.Sprint(v.ID)) {
			t.Errorf("%s names the company", address)
		}
	}
	var before, after demand.HallView
	call(safe, "GET", hall, nil, 200, &before)
	var mine demand.HallView
	call(cloud, "GET", hall, nil, 200, &mine)
	if !mine.Invited || len(mine.Products) == 0 || strings.Contains(fmt.Sprintf("%+v", mine), v.EnterpriseName) {
		t.Fatalf("%+v", mine)
	}
	bid := object{"version": 0, "productId": mine.Products[0].ID, "price": "9800", "days": "20", "amount": "", "rate": "", "term": "", "text": "含一年维护", "validUntil": "2026-12-31"}
	call(safe, "PUT", path+"/quote", bid, 422, nil) // the product of another institution
	call(cloud, "PUT", path+"/quote", bid, 200, &mine)
	call(safe, "GET", hall, nil, 200, &after)
	if fmt.Sprintf("%+v", before) != fmt.Sprintf("%+v", after) {
		t.Errorf("an institution sees that another one quoted:\n%+v\n%+v", before, after)
	}
	for _, address := range []string{"/api/demand-quotes", "/api/demand-hall", hall} {
		if text := call(safe, "GET", address, nil, 200, nil); strings.Contains(text, "含一年维护") || strings.Contains(text, "980000") {
			t.Errorf("%s: %s", address, text)
		}
	}
	for _, address := range []string{path, "/api/demands", "/api/demand-stats"} {
		if status, text := ask(t, h, "GET", address, safe, ""); status < 400 {
			t.Errorf("%s: %d %s", address, status, text)
		}
	}
	if text := call(operator, "GET", path, nil, 200, nil); strings.Contains(text, "含一年维护") || strings.Contains(text, "980000") {
		t.Error("the operator reads what was offered")
	}
	call(bakery, "GET", path, nil, 200, &v)
	if len(v.QuoteList) != 1 || v.QuoteList[0].Price != 980000 {
		t.Fatalf("%+v", v.QuoteList)
	}
	if status, html := ask(t, h, "GET", fmt.Sprintf("/my/demands/%d", v.ID), bakery, ""); status != 200 || !strings.Contains(html, "9,800 元") || strings.Contains(html, "<script>alert") {
		t.Errorf("%d %s", status, html)
	}

	// Nobody else's: the answers of every route are those of a demand that is not there.
	walked := 0
	for _, r := range h.web.Routes() {
		if !strings.Contains(r.Path, "/demands/:id") && !strings.Contains(r.Path, "/demands/{id}") {
			continue
		}
		if r.Path == "/demands/:id<int>" {
			continue // the hall is everybody's
		}
		walked++
		body := `{"version":1,"reason":"没有道理的理由","codes":["unclear"],"quoteId":1,"quoteVersion":1,"institutionId":1,"productId":1,"price":"1","days":"1","amount":"","rate":"","term":"","text":"好的","validUntil":"2026-12-31",
			"kind":"","title":"","description":"","budgetMin":"","budgetMax":"","until":"","wantedBy":"","place":"","named":false,"contactName":"","phone":"","contactNote":"","fileIds":[]}`
		at := func(id int64) string { return parameter.ReplaceAllString(r.Path, fmt.Sprint(id)) }
		status, text := ask(t, h, r.Method, at(v.ID), stranger, body)
		missing, _ := ask(t, h, r.Method, at(987654), stranger, body)
		if status != missing || status < 400 || strings.Contains(text, "小程序") {
			t.Errorf("%s %s: somebody else's answers %d, a missing one %d: %s", r.Method, r.Path, status, missing, text)
		}
	}
	if walked < 20 {
		t.Errorf("only %d routes were walked", walked)
	}

	// Who took the verification of the company back would be told of it.
	company := must(h.identity.Authenticate(ctx, bakery))(t)
	if relied, err := h.reliedOn(ctx, h.db.Read(), company.EnterpriseID, now.AddDate(-1, 0, 0)); err != nil || !strings.Contains(strings.Join(relied, ""), "件需求") {
		t.Errorf("%v %v", relied, err)
	}

	// The pick.
	call(bakery, "POST", path+"/pick", object{"version": v.Version, "quoteId": v.QuoteList[0].ID, "quoteVersion": v.QuoteList[0].Version}, 200, &v)
	if v.State != demand.Chosen || v.ApplicationID == 0 {
		t.Fatalf("%+v", v)
	}
	var application struct{ Number, Purpose, Status string }
	for _, who := range []string{bakery, cloud} {
		call(who, "GET", fmt.Sprintf("/api/applications/%d", v.ApplicationID), nil, 200, &application)
		if application.Number != v.ApplicationNumber || !strings.Contains(application.Purpose, v.Number) || application.Status != "submitted" {
			t.Fatalf("%+v", application)
		}
		var origin demand.Origin
		call(who, "GET", fmt.Sprintf("/api/applications/%d/demand", v.ApplicationID), nil, 200, &origin)
		if origin.DemandID != v.ID {
			t.Fatalf("%+v", origin)
		}
	}
	call(safe, "GET", fmt.Sprintf("/api/applications/%d/demand", v.ApplicationID), nil, 404, nil)
	if status, html := ask(t, h, "GET", fmt.Sprintf("/applications/%d", v.ApplicationID), bakery, ""); status != 200 || !strings.Contains(html, fmt.Sprintf("/my/demands/%d", v.ID)) {
		t.Errorf("the application does not lead back: %d", status)
	}
	eventually(t, "the institution is told of the pick", func() bool {
		var n int
		err := h.db.Read().NewRaw("SELECT count(*) FROM messages WHERE template = 'demand.picked'").Scan(ctx, &n)
		return err == nil && n > 0
	})
	call("", "GET", hall, nil, 404, nil)
}

func operatorOf(t *testing.T, w demo.World, institution string) string {
	t.Helper()
	for _, in := range w.Institutions {
		if in.Key == institution && len(in.Operators) > 0 {
			return in.Operators[0].Key
		}
	}
	t.Fatalf("no operator of %s", institution)
	return ""
}

// session signs an account in without its password.
func session(t *testing.T, h *house, userID int64, now time.Time) string {
	t.Helper()
	token := secret.Token()
	err := h.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, ?, '', '', ?, ?, ?)",
			h.box.HashToken(token), userID, false, now, now, now.Add(time.Hour)).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}
