package enterprise_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
)

// TestMandatesOnThePage gives a member a mandate, changes it and takes it back on the portal.
func TestMandatesOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	owner, member := b.fixture.mustActor(t, 7), b.fixture.mustActor(t, 8)
	b.mustVerify(t, owner, "k", claim(), enterprise.Agreed)
	b.mustVerify(t, member, "join", claim(), enterprise.Held)
	joins, err := b.Members(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Admit(t.Context(), owner, enterprise.AdmitJoin{Decide: enterprise.Decide{ID: joins.Requests[0].ID, Version: joins.Requests[0].Version, Key: "admit"}}); err != nil {
		t.Fatal(err)
	}
	member.EnterpriseID = owner.EnterpriseID
	page := func(who, path string) (int, string) {
		status, _, html := b.raw(who, "GET", path, "", "", nil, "")
		return status, html
	}
	key := func() string {
		_, html := page("baker", "/company/members/8")
		m := regexp.MustCompile(`action="/company/members/8"[^§]*?name="key" value="([^"]+)"`).FindStringSubmatch(html)
		if m == nil {
			t.Fatal(html)
		}
		return m[1]
	}
	if _, html := page("baker", "/company/members"); !strings.Contains(html, "没有经办授权，可以办理申请和诉求") || !strings.Contains(html, `href="/company/members/8"`) || strings.Contains(html, `href="/company/members/7"`) {
		t.Fatal(html)
	}
	if status, _, html := b.form("baker", "/company/members/8", map[string]string{"key": key(), "rights": "facts", "action": "save"}, nil); status != 422 || !strings.Contains(html, "请填写授权截止日期") ||
		!strings.Contains(html, `value="facts" checked`) {
		t.Fatalf("%d %s", status, html)
	}
	values := map[string]string{"key": key(), "rights": "facts", "until": "2027-06-30", "action": "save"}
	for range 2 {
		if status, to, html := b.form("baker", "/company/members/8", values, nil); status != 303 || to != "/company/members?done=mandated" {
			t.Fatalf("%d %s", status, html)
		}
	}
	if err := b.Entitled(t.Context(), b.db.Read(), owner.EnterpriseID, 8, enterprise.RightFacts); err != nil {
		t.Fatal(err)
	}
	if _, html := page("baker", "/company/members"); !strings.Contains(html, "可以填报经营数据，至 2027-06-30") || strings.Count(html, "授权记录") != 1 {
		t.Fatal(html)
	}
	// A member sees what they may do, and changes nothing.
	if status, html := page("rival", "/company/members"); status != 200 || !strings.Contains(html, "可以填报经营数据") || strings.Contains(html, "授权记录") || strings.Contains(html, "调整授权") {
		t.Fatalf("%d %s", status, html)
	}
	if status, _ := page("rival", "/company/members/8"); status != 403 {
		t.Errorf("%d", status)
	}
	if status, _, _ := b.form("rival", "/company/members/8", values, nil); status != 403 {
		t.Errorf("%d", status)
	}
	for _, path := range []string{"/company/members/99", "/company/members/7"} {
		if status, _ := page("baker", path); status < 400 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, html := b.form("baker", "/company/members/8", map[string]string{"key": key(), "rights": "facts", "until": "2027-06-30", "action": "end"}, nil); status != 303 {
		t.Fatalf("%d %s", status, html)
	}
	if err := b.Entitled(t.Context(), b.db.Read(), owner.EnterpriseID, 8, enterprise.RightFacts); err == nil {
		t.Error("it holds still")
	}
	if _, html := page("baker", "/company/members"); !strings.Contains(html, "已终止") {
		t.Error("the mandate is not in the record")
	}
}
