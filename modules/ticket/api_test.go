package ticket_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

type browser struct {
	t       *testing.T
	edge    *web.Server
	service *ticket.Service
	house   fixture
	people  map[string]access.Actor // who signs in as what
}

func mustServe(t *testing.T) browser {
	t.Helper()
	return serve(t, mustNew(t))
}

func serve(t *testing.T, f fixture) browser {
	t.Helper()
	people := map[string]access.Actor{"baker": baker, "rival": boss(8, 71), "desk": desk, "bureau": bureau, "tax": tax, "foreignUnit": everything(tax)}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			a, ok := people[token]
			if !ok {
				return access.Actor{}, fault.ErrUnauthorized
			}
			return a, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ticket.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	return browser{t, edge, f.Service, f, people}
}

func (b browser) do(who, method, path, body string) (int, string) {
	b.t.Helper()
	send := func(method, path, body, csrf string) (int, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-CSRF-Token", csrf)
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", md5.Sum([]byte(path+body))))
		res, err := b.edge.App.Test(req, -1)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	_, csrf := send("GET", "/csrf", "", "")
	return send(method, path, body, csrf)
}

func TestTheDeskOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/tickets", "", 401, "SIGN_IN_REQUIRED", ""},
		{"types", "baker", "GET", "/api/ticket-types", "", 200, `"hours":72`, ""},
		{"units for the desk", "desk", "GET", "/api/ticket-units", "", 200, "区人社局", ""},
		{"units for others", "baker", "GET", "/api/ticket-units", "", 403, "FORBIDDEN", ""},
		{"open", "baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"h5"}`, 200, `"queryCode":"`, "13800138000"},
		{"open twice", "baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"h5"}`, 200, `"id":1,`, ""},
		{"open without title", "baker", "POST", "/api/tickets", `{"type":"labour","title":"","body":"如何申请","source":"h5"}`, 422, `"field":"title"`, ""},
		{"mine", "baker", "GET", "/api/tickets", "", 200, "GD20261122-000001", "GD20261122-000002"},
		{"rival's list", "rival", "GET", "/api/tickets", "", 200, `"items":[]`, ""},
		{"rival opens it", "rival", "GET", "/api/tickets/1", "", 404, "NOT_FOUND", "补贴"},
		{"desk", "desk", "GET", "/api/tickets?status=received,answered&urgency=normal", "", 200, "GD20261122-000001", ""},
		{"desk opens it", "desk", "GET", "/api/tickets/1", "", 200, "138****8000", ""},
		{"no such state", "desk", "GET", "/api/tickets?status=lost", "", 422, `"field":"status"`, ""},
		{"baker dispatches", "baker", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":10}`, 403, "FORBIDDEN", ""},
		{"dispatch to nowhere", "desk", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":999}`, 422, `"field":"unitId"`, ""},
		{"dispatch", "desk", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":10,"note":"请核实"}`, 200, `"status":"dispatched"`, ""},
		{"stale", "desk", "POST", "/api/tickets/1/decline", `{"version":1,"code":"elsewhere","reason":"不属于"}`, 409, "李敏", ""},
		{"foreign unit", "tax", "POST", "/api/tickets/1/sign", `{"version":2}`, 404, "NOT_FOUND", ""},
		{"sign", "bureau", "POST", "/api/tickets/1/sign", `{"version":2}`, 200, `"status":"signed"`, "13800138000"},
		{"foreign file", "bureau", "POST", "/api/tickets/1/reply", `{"version":3,"text":"已办","fileIds":[700]}`, 404, "NOT_FOUND", ""},
		{"reply", "bureau", "POST", "/api/tickets/1/reply", `{"version":3,"text":"已办","fileIds":[6001]}`, 200, `"status":"replied"`, ""},
		{"call back", "desk", "POST", "/api/tickets/1/callback", `{"version":4,"outcome":{"contacted":false,"solved":false,"satisfied":false},"note":"无人接听"}`, 200, `"status":"callback"`, ""},
		{"close without outcome", "desk", "POST", "/api/tickets/1/close", `{"version":5}`, 422, `"field":"outcome"`, ""},
		{"close", "desk", "POST", "/api/tickets/1/close", `{"version":5,"outcome":{"contacted":true,"solved":true,"satisfied":true}}`, 200, `"status":"closed"`, ""},
		{"six stars", "baker", "POST", "/api/tickets/1/rate", `{"version":6,"rating":6}`, 422, `"field":"rating"`, ""},
		{"rival rates", "rival", "POST", "/api/tickets/1/rate", `{"version":6,"rating":1}`, 404, "NOT_FOUND", ""},
		{"rate", "baker", "POST", "/api/tickets/1/rate", `{"version":6,"rating":5}`, 200, `"rating":5`, "无人接听"},
		{"answer too late", "desk", "POST", "/api/tickets/1/answer", `{"version":7,"text":"好"}`, 409, "TICKET_STATE", ""},
		{"void too late", "desk", "POST", "/api/tickets/1/void", `{"version":7,"reason":"重复"}`, 409, "已办结", ""},
		{"archive", "desk", "POST", "/api/tickets/1/archive", `{"version":7}`, 200, `"status":"archived"`, ""},
		{"reopen too late", "desk", "POST", "/api/tickets/1/reopen", `{"version":8,"reason":"重办"}`, 409, "不能退回重办", ""},
	} {
		status, body := b.do(c.who, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestEveryOperationDeclaresWhoMay(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range mustServe(t).edge.Routes() {
		if strings.HasPrefix(r.Path, "/api/ticket") {
			n++
			if !r.Rule.Declared() || (r.Rule.Kind == "public") != (r.Path == "/api/ticket-queries") {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		}
	}
	if n < 51 {
		t.Errorf("%d operations", n)
	}
}

// TestOfFiftyClaimsOverHTTPOneWins: fifty agents press the button at once, each at their own desk. One has the ticket; each of
// the others is told 409 and who has it; a second press of the winner's changes nothing.
func TestOfFiftyClaimsOverHTTPOneWins(t *testing.T) {
	t.Parallel()
	f := mustDesk(t, ticket.Assigning{})
	b := serve(t, f)
	const agents = 50
	for i := range agents {
		a := plainAgent(int64(100 + i))
		a.Name = fmt.Sprintf("坐席%d", 100+i)
		b.people[a.Name] = a
	}
	if status, body := b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"h5"}`); status != 200 {
		t.Fatal(status, body)
	}
	statuses, bodies := make([]int, agents), make([]string, agents)
	var wg sync.WaitGroup
	for i := range agents {
		wg.Go(func() {
			statuses[i], bodies[i] = b.do(fmt.Sprintf("坐席%d", 100+i), "POST", "/api/tickets/1/claim", `{}`)
		})
	}
	wg.Wait()
	won := slices.Index(statuses, 200)
	if won < 0 {
		t.Fatalf("nobody won: %v", statuses)
	}
	winner := fmt.Sprintf("坐席%d", 100+won)
	for i, status := range statuses {
		if i != won && (status != 409 || !strings.Contains(bodies[i], winner)) {
			t.Errorf("%d: %d %s", i, status, bodies[i])
		}
	}
	if status, body := b.do(winner, "POST", "/api/tickets/1/claim", `{}`); status != 200 || !strings.Contains(body, winner) {
		t.Errorf("again: %d %s", status, body)
	}
	if n := f.rows(t, "ticket_holders"); n != 1 {
		t.Errorf("%d hold it", n)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	_, body := b.do("baker", "POST", "/api/tickets", `{"type":"power","title":"停电","body":"门店停电","source":"portal"}`)
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"timeline", "hops", "files", "actions"} {
		if _, ok := v[name].([]any); !ok {
			t.Errorf("%s is %v", name, v[name])
		}
	}
	if got := fmt.Sprint(v["urgency"]); got != "urgent" {
		t.Errorf("urgency %s", got)
	}
}

// everything gives a person of a unit every right of the module: what is kept from them is kept by what they see.
func everything(a access.Actor) access.Actor {
	a.Permissions = permissions()
	return a
}

// TestAForeignerLearnsNothing walks every address of a ticket that the program has, as a person of another unit with all
// rights and as another company: each answers exactly as for a ticket that does not exist. An address that is added later is
// walked too; one whose body this test does not know fails it.
func TestAForeignerLearnsNothing(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	if status, body := b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"食堂停电赔偿","body":"无锡路8号停电三小时","source":"h5"}`); status != 200 {
		t.Fatal(status, body)
	}
	if status, body := b.do("desk", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":10,"note":"内部说明"}`); status != 200 {
		t.Fatal(status, body)
	}
	given := map[string]string{
		"text": `"text":"说明情况"`, "reason": `"reason":"说明情况"`, "note": `"note":"说明情况"`, "unitId": `"unitId":20`, "hopId": `"hopId":1`, "code": `"code":"not_ours"`, "late": `"code":"survey"`,
		"requestId": `"requestId":1`, "grant": `"grant":true`, "days": `"days":1`, "intoId": `"intoId":2`, "otherId": `"otherId":2`, "rating": `"rating":5`,
		"userId": `"userId":60`, "add": `"add":["回头看"]`, "area": `"area":"","seen":"114"`, "doing": `"doing":"viewing"`,
		"outcome": `"outcome":{"contacted":true,"solved":true,"satisfied":true}`, "class": `"type":"power","urgency":"urgent"`, "tasks": `"tasks":[{"unitId":100,"note":"核查"}]`, "version": `"version":2`, "callback": `"result":"no_answer"`,
	}
	bodies := map[ticket.Action]string{
		ticket.ToAnswer: "text", ticket.ToDecline: "code,reason", ticket.ToDispatch: "unitId", ticket.ToSign: "", ticket.ToReply: "text", ticket.ToReview: "note", ticket.ToSendBack: "note",
		ticket.ToCallBack: "outcome,note", ticket.ToClose: "outcome", ticket.ToReopen: "reason", ticket.ToVoid: "reason", ticket.ToRate: "rating", ticket.ToArchive: "",
		ticket.ToSuspend: "reason", ticket.ToResume: "reason", ticket.ToSupplement: "text", ticket.ToForward: "hopId,unitId", ticket.ToSplit: "tasks", ticket.ToHopSign: "hopId",
		ticket.ToHopReply: "hopId,text", ticket.ToAccept: "hopId", ticket.ToRework: "hopId,note", ticket.ToRecall: "hopId,note", ticket.ToReturn: "hopId,code,text",
		ticket.ToExtend: "hopId,late,text,days", ticket.ToAppeal: "code,text", ticket.ToEndorse: "requestId,grant", ticket.ToDecide: "requestId,grant", ticket.ToWithdraw: "requestId",
		ticket.ToMerge: "intoId", ticket.ToUnmerge: "reason", ticket.ToLink: "otherId", ticket.ToUnlink: "otherId", ticket.ToUndo: "reason", ticket.ToClassify: "class,reason",
		"callback-record": "callback", "urge": "text", "urge-answer": "text", "instruct": "text",
		"claim": "", "release": "", "assign": "userId", "notes": "text", "tags": "add", "presence": "doing", "locate": "area",
	}
	trace := regexp.MustCompile(`"traceId":"[^"]*"`)
	walked := 0
	for _, r := range b.edge.Routes() {
		path, ok := strings.CutPrefix(r.Path, "/api/tickets/")
		if !ok {
			continue
		}
		rest, ok := strings.CutPrefix(path, "{id}")
		if !ok {
			if rest, ok = strings.CutPrefix(path, ":id"); !ok {
				t.Errorf("%s %s: is this an address of one ticket? say so in this test", r.Method, r.Path)
				continue
			}
		}
		body := ""
		if r.Method != "GET" {
			fields, known := bodies[ticket.Action(strings.TrimPrefix(rest, "/"))]
			if !known {
				t.Errorf("%s %s: give its body in this test", r.Method, r.Path)
				continue
			}
			parts := []string{given["version"]}
			if strings.Contains(rest, "urge") || slices.Contains([]string{"/instruct", "/claim", "/release", "/assign", "/notes", "/tags", "/presence", "/locate"}, rest) { // they leave the version as it is
				parts = nil
			}
			for _, f := range strings.FieldsFunc(fields, func(c rune) bool { return c == ',' }) {
				parts = append(parts, given[f])
			}
			body = "{" + strings.Join(parts, ",") + "}"
		}
		for _, who := range []string{"foreignUnit", "rival"} {
			walked++
			status, got := b.do(who, r.Method, "/api/tickets/1"+rest, body)
			missing, want := b.do(who, r.Method, "/api/tickets/987654"+rest, body)
			got, want = trace.ReplaceAllString(got, ""), strings.ReplaceAll(trace.ReplaceAllString(want, ""), "987654", "1")
			if status != missing || got != want || (status != 404 && status != 403) {
				t.Errorf("%s %s as %s: %d %s\nmissing: %d %s", r.Method, r.Path, who, status, got, missing, want)
			}
		}
	}
	if walked != 2*(len(bodies)+3) { // the ticket, its clocks and its colleagues are read
		t.Errorf("%d addresses walked, %d bodies known", walked/2, len(bodies))
	}
	for _, who := range []string{"foreignUnit", "rival"} {
		for _, query := range []string{"", "?q=停电", "?q=GD20261122-000001", "?waiting=true", "?status=dispatched", "?flag=return", "?q=13800138000", "?q=8000",
			"?type=labour", "?source=h5", "?from=2026-11-01", "?sort=due", "?sort=urgency", "?company=70&type=labour"} {
			status, body := b.do(who, "GET", "/api/tickets"+query, "")
			if status != 200 || !strings.Contains(body, `"items":[]`) || strings.Contains(body, "000001") {
				t.Errorf("list %s as %s: %d %s", query, who, status, body)
			}
		}
		if status, body := b.do(who, "POST", "/api/ticket-callers", `{"phone":"13800138000"}`); status != 403 {
			t.Errorf("caller as %s: %d %s", who, status, body)
		}
		if status, body := b.do(who, "POST", "/api/ticket-similar", `{"type":"labour","title":"食堂停电赔偿","body":"无锡路8号停电三小时","phone":"13800138000"}`); strings.Contains(body, "000001") || status != 403 && !strings.Contains(body, `"items":[]`) {
			t.Errorf("similar as %s: %d %s", who, status, body)
		}
		if status, body := b.do(who, "GET", "/api/ticket-returns?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z", ""); status != 403 {
			t.Errorf("returns as %s: %d %s", who, status, body)
		}
	}
}
