package enterprise_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
)

// TestJoinsOnThePage refuses a request with a reason, takes it to the operator, and lets another in.
func TestJoinsOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	b.mustVerify(t, b.fixture.mustActor(t, 7), "k", claim(), enterprise.Agreed)
	b.mustVerify(t, b.fixture.mustActor(t, 8), "join", claim(), enterprise.Held)
	field := func(html, name string) string {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(html)
		if m == nil {
			t.Fatalf("no %s: %s", name, html)
		}
		return m[1]
	}
	say := func(who, action, word string, want int, has string) {
		t.Helper()
		status, _, html := b.raw(who, "GET", "/company/joins/1", "", "", nil, "")
		if status != 200 {
			t.Fatalf("%s: %d %s", who, status, html)
		}
		values := map[string]string{"key": field(html, "key"), "version": field(html, "version"), "reason": word, "note": word}
		if status, _, html := b.form(who, "/company/joins/1/"+action, values, nil); status != want || !strings.Contains(html, has) {
			t.Fatalf("%s %s: %d %s", who, action, status, html)
		}
	}
	if status, _, _ := b.raw("desk", "GET", "/company/joins/1", "", "", nil, ""); status != 403 {
		t.Errorf("staff: %d", status)
	}
	say("baker", "refuse", "", 422, "请写明不同意的原因")
	say("baker", "refuse", "不是本公司员工", 303, "")
	if status, _, _ := b.raw("baker", "GET", "/company/joins/1", "", "", nil, ""); status != 404 {
		t.Errorf("decided already: %d", status)
	}
	if _, _, html := b.raw("rival", "GET", "/company", "", "", nil, ""); !strings.Contains(html, "不是本公司员工") || !strings.Contains(html, `href="/company/joins/1"`) {
		t.Fatal(html)
	}
	say("rival", "dispute", "短", 422, "有 1 处需要修改")
	say("rival", "dispute", "我是法定代表人，对方冒用", 303, "")
	if _, _, html := b.raw("rival", "GET", "/company", "", "", nil, ""); strings.Contains(html, `href="/company/joins/1"`) {
		t.Error("it may be disputed again")
	}
	if n := b.count(t, "SELECT count(*) FROM enterprise_joins WHERE state = 'disputed' AND note = '我是法定代表人，对方冒用'"); n != 1 {
		t.Errorf("%d disputes", n)
	}
}
