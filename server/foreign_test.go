package server

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// passing is what differs between two answers that say the same: times, traces, tokens.
var passing = regexp.MustCompile(`\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d|"traceId":"[0-9a-f]+"|错误编号[^<]*|\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)|[A-Za-z0-9_-]{20,}|"uptime[A-Za-z]*":[0-9.]+|\d+ ?ms`)

// asking are the commands that change nothing: what they answer is walked like what is read. A search that is added belongs here.
var asking = map[string]string{
	"/api/ticket-callers":         `{"phone":"13800138055"}`,
	"/api/ticket-similar":         `{"type":"%s","title":"琉璃井盖失窃","body":"新华西街路口井盖失窃","phone":"13800138055"}`,
	"/api/dispatch-suggestions":   `{"type":"%s","text":"琉璃井盖失窃"}`,
	"/api/ticket-budgets/preview": `{"type":"%s","urgency":"normal"}`,
}

// unread are the addresses that the walk leaves out: a stream never ends, a sign-out would end the walk, and the others change
// with the walk itself, as the answers of matching that a person keeps, and the figures of the process.
var unread = []string{"/live", "/logout", "/captcha", "/policy-answers", "/policies/answers", "/metrics"}

// TestNothingChangesForAForeigner reads everything the program registers, before there is a ticket and after it was written
// down and dispatched, as staff of another unit, as the owner of another company and as a visitor: each answer is the same to
// the letter, counts and suggestions with it. The agent who wrote it down reads it in many places, so the walk can tell.
func TestNothingChangesForAForeigner(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	system := access.SystemActor("test")
	root := must(h.identity.CreateDepartment(ctx, system, 0, "TZ", "测试区人民政府", 0))(t)
	unit := must(h.identity.CreateDepartment(ctx, system, root, "CGW", "区城市管理委员会", 1))(t)
	other := must(h.identity.CreateDepartment(ctx, system, root, "SWJ", "区商务局", 2))(t)
	var ours []string // every right a unit can have by the roles the program comes with
	for _, r := range roles() {
		if r.Party == access.Government && r.Scope != access.ScopeDistrict {
			ours = append(ours, r.Code)
		}
	}
	if len(ours) < 2 {
		t.Fatalf("roles of units: %v", ours)
	}
	agent := staffToken(t, h, identity.Staff{Name: "陈静", Account: "zuoxi", Phone: "13900139101", Party: access.Platform, Roles: []string{"agent"}})
	lead := staffToken(t, h, identity.Staff{Name: "李明", Account: "banzhang", Phone: "13900139104", Party: access.Platform, Roles: []string{"desk_lead"}})
	people := map[string]string{
		"agent":   agent,
		"foreign": staffToken(t, h, identity.Staff{Name: "孙丽", Account: "shangwu", Phone: "13900139102", Party: access.Government, DepartmentID: other, Roles: ours}),
		"rival":   owner(t, h, "13800138041"),
		"visitor": "",
	}
	kind := mustTypeCode(t, h)
	number := "GD" + h.clock.Now().In(clock.Beijing).Format("20060102") + "-000001"
	routes := h.web.Routes()
	walk := func() map[string]string {
		answers := map[string]string{}
		for _, r := range routes {
			body, asks := asking[r.Path]
			if strings.Contains(body, "%s") {
				body = fmt.Sprintf(body, kind)
			}
			if r.Method != "GET" && !asks || r.Rule.Kind == "demo" || slices.ContainsFunc(unread, func(part string) bool { return strings.Contains(r.Path, part) }) {
				continue
			}
			for who, token := range people {
				path := parameter.ReplaceAllString(r.Path, "1")
				for _, query := range []string{"", "?q=%E7%90%89%E7%92%83", "?q=8055&phone=8055&type=" + kind + "&queue=free&waiting=true"} {
					if query != "" && (asks || path != r.Path || !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/tickets")) {
						continue
					}
					status, text := ask(t, h, r.Method, path+query, token, body)
					if status >= 500 && status != 503 {
						t.Errorf("%s %s as %s: %d %s", r.Method, path+query, who, status, text)
					}
					answers[who+" "+r.Method+" "+path+query] = fmt.Sprint(status, " ", passing.ReplaceAllString(text, "…"))
				}
			}
		}
		return answers
	}
	before := walk()
	for _, step := range []struct{ who, path, body, has string }{
		{agent, "/api/tickets", `{"type":"` + kind + `","title":"琉璃井盖失窃","body":"新华西街路口井盖失窃，行人绕行","source":"agent","contactName":"王芳","phone":"13800138055"}`, number},
		{agent, "/api/tickets/1/dispatch", fmt.Sprintf(`{"version":1,"unitId":%d,"note":"请当日到场"}`, unit), "dispatched"},
		{agent, "/api/tickets/1/notes", `{"text":"来电人着急"}`, "来电人着急"},
		{lead, "/api/tickets/1/urge", `{"text":"请尽快"}`, "请尽快"},
	} {
		if status, text := ask(t, h, "POST", step.path, step.who, step.body); status != 200 || !strings.Contains(text, step.has) {
			t.Fatalf("%s: %d %s", step.path, status, text)
		}
	}
	after := walk()
	seen := 0
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if after[key] == before[key] {
			continue
		}
		if strings.HasPrefix(key, "agent ") {
			seen++
			continue
		}
		a, b := before[key], after[key]
		at := 0
		for at < min(len(a), len(b)) && a[at] == b[at] {
			at++
		}
		at = max(0, at-60)
		t.Errorf("%s\nbefore: …%.300s\nafter:  …%.300s", key, a[at:], b[at:])
	}
	if seen < 8 || len(after) < 800 {
		t.Errorf("%d answers walked, the agent sees a difference in %d: the walk proves little", len(after), seen)
	}
	t.Logf("%d answers walked, the agent sees a difference in %d", len(after), seen)
}
