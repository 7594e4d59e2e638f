package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
)

// TestWhoHearsOfUrgency raises tickets through the interface and reads who was told: the units and people who have it, and of
// what is critical the supervisor too; nobody else, nobody twice, and not whoever did it.
func TestWhoHearsOfUrgency(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	system := access.SystemActor("test")
	root := must(h.identity.CreateDepartment(ctx, system, 0, "TZ", "测试区人民政府", 0))(t)
	unit := must(h.identity.CreateDepartment(ctx, system, root, "CGW", "区城市管理委员会", 1))(t)
	helps := must(h.identity.CreateDepartment(ctx, system, root, "GAJ", "区公安分局", 2))(t)
	other := must(h.identity.CreateDepartment(ctx, system, root, "SWJ", "区商务局", 3))(t)
	tokens, names := map[string]string{}, map[int64]string{}
	join := func(who string, s identity.Staff) {
		s.Name, s.Account, s.Phone = who, who, fmt.Sprintf("139001394%02d", len(tokens))
		tokens[who] = staffToken(t, h, s)
		names[must(h.identity.Authenticate(ctx, tokens[who]))(t).UserID] = who
	}
	join("agent", identity.Staff{Party: access.Platform, Roles: []string{"agent"}})
	join("colleague", identity.Staff{Party: access.Platform, Roles: []string{"agent"}})
	join("supervisor", identity.Staff{Party: access.Platform, Roles: []string{"desk_lead"}})
	join("clerk", identity.Staff{Party: access.Government, DepartmentID: unit, Roles: []string{"dept_handler"}})
	join("leader", identity.Staff{Party: access.Government, DepartmentID: unit, Roles: []string{"dept_leader"}})
	join("helper", identity.Staff{Party: access.Government, DepartmentID: helps, Roles: []string{"dept_handler"}})
	join("foreign", identity.Staff{Party: access.Government, DepartmentID: other, Roles: []string{"dept_handler", "dept_leader"}})
	tokens["owner"] = owner(t, h, "13800138061")
	types := must(h.tickets.Types(ctx, must(h.identity.Authenticate(ctx, tokens["agent"]))(t)))(t)
	kind := types[slices.IndexFunc(types, func(k ticket.Type) bool { return k.Urgency == ticket.Normal })].Code

	var last struct{ Message, Letter int64 }
	look := func() (told, texted []string, words string) {
		t.Helper()
		for range 2 { // a listener may read a fact again
			if err := h.feed.Drain(ctx); err != nil {
				t.Fatal(err)
			}
		}
		var rows []struct {
			ID, UserID     int64
			Template, Text string
		}
		must(0, h.db.Read().NewSelect().TableExpr("messages").Column("id", "user_id", "template", "text").Where("id > ?", last.Message).OrderExpr("id").Scan(ctx, &rows))(t)
		for _, r := range rows {
			if last.Message = r.ID; names[r.UserID] != "" {
				told = append(told, names[r.UserID]+" "+strings.TrimPrefix(r.Template, "ticket."))
				words = r.Text
			}
		}
		rows = nil
		must(0, h.db.Read().NewSelect().TableExpr("sms_messages").Column("id", "user_id", "template").Where("id > ?", last.Letter).OrderExpr("id").Scan(ctx, &rows))(t)
		for _, r := range rows {
			if last.Letter = r.ID; names[r.UserID] != "" {
				texted = append(texted, names[r.UserID])
			}
		}
		slices.Sort(told)
		slices.Sort(texted)
		return told, texted, words
	}
	type seen struct {
		ID, Version int64
	}
	do := func(who, path, body string) (v seen) {
		t.Helper()
		status, text := ask(t, h, "POST", path, tokens[who], body)
		if status != 200 || json.Unmarshal([]byte(text), &v) != nil {
			t.Fatalf("%s %s: %d %s", who, path, status, text)
		}
		return v
	}
	open := func(who, urgency string) seen {
		t.Helper()
		how := `"source":"h5"`
		if who != "owner" {
			how = fmt.Sprintf(`"source":"agent","contactName":"王芳","phone":"13800138055","urgency":%q`, urgency)
		}
		return do(who, "/api/tickets", fmt.Sprintf(`{"type":%q,"title":"路口井盖丢失","body":"新华西街路口井盖丢失，行人绕行",%s}`, kind, how))
	}
	raise := func(who string, v seen, urgency string) seen {
		t.Helper()
		return do(who, fmt.Sprintf("/api/tickets/%d/classify", v.ID), fmt.Sprintf(`{"version":%d,"type":%q,"urgency":%q,"reason":"来电核实"}`, v.Version, kind, urgency))
	}
	want := func(what string, told, texted []string, says ...string) {
		t.Helper()
		gotTold, gotTexted, words := look()
		if !slices.Equal(gotTold, told) {
			t.Errorf("%s: told %v, want %v", what, gotTold, told)
		}
		if !slices.Equal(gotTexted, texted) {
			t.Errorf("%s: texted %v, want %v", what, gotTexted, texted)
		}
		for _, s := range says {
			if !strings.Contains(words, s) {
				t.Errorf("%s says %q", what, words)
			}
		}
	}

	v := open("agent", "normal")
	v = do("agent", fmt.Sprintf("/api/tickets/%d/dispatch", v.ID), fmt.Sprintf(`{"version":%d,"unitId":%d,"coUnitIds":[%d]}`, v.Version, unit, helps))
	v = do("clerk", fmt.Sprintf("/api/tickets/%d/sign", v.ID), fmt.Sprintf(`{"version":%d}`, v.Version))
	do("clerk", fmt.Sprintf("/api/tickets/%d/claim", v.ID), `{}`)
	look()
	v = raise("agent", v, "urgent")
	want("raised", []string{"clerk raised", "helper raised", "leader raised"}, []string{"clerk", "helper", "leader"}, "紧急程度由“一般”改为“紧急”", "办理时限")
	v = raise("agent", v, "critical")
	want("critical", []string{"clerk raised_critical", "helper raised_critical", "leader raised_critical", "supervisor raised_critical"}, []string{"clerk", "helper", "leader", "supervisor"}, "改为“特急”", "请立即办理")
	raise("agent", v, "normal")
	want("lowered", nil, nil)

	// At the desk: whoever holds it, and while nobody does, those who dispatch.
	v = open("owner", "normal")
	look()
	v = raise("agent", v, "urgent")
	want("in the queue", []string{"colleague raised", "supervisor raised"}, []string{"colleague", "supervisor"})
	do("colleague", fmt.Sprintf("/api/tickets/%d/claim", v.ID), `{}`)
	look()
	raise("supervisor", v, "critical")
	want("held at the desk", []string{"colleague raised_critical"}, []string{"colleague"})

	// What comes in as critical is told the supervisors.
	open("agent", "critical")
	want("written down", []string{"supervisor critical"}, []string{"supervisor"}, "特急")
}
