package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

// TestFilesOfAFormWithoutScripts sends files with a supplement as a browser without scripts does: they pass the checks of every upload,
// the unit reads them, and nobody who does not see the ticket does.
func TestFilesOfAFormWithoutScripts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	system := access.SystemActor("test")
	root := must(h.identity.CreateDepartment(ctx, system, 0, "TZ", "测试区人民政府", 0))(t)
	unit := must(h.identity.CreateDepartment(ctx, system, root, "CGW", "区城市管理委员会", 1))(t)
	other := must(h.identity.CreateDepartment(ctx, system, root, "SWJ", "区商务局", 2))(t)
	mine, rival := owner(t, h, "13800138071"), owner(t, h, "13800138072")
	agent := staffToken(t, h, identity.Staff{Name: "陈静", Account: "zuoxi", Phone: "13900139501", Party: access.Platform, Roles: []string{"agent"}})
	clerk := staffToken(t, h, identity.Staff{Name: "赵强", Account: "chengguan", Phone: "13900139502", Party: access.Government, DepartmentID: unit, Roles: []string{"dept_handler"}})
	foreign := staffToken(t, h, identity.Staff{Name: "孙丽", Account: "shangwu", Phone: "13900139503", Party: access.Government, DepartmentID: other, Roles: []string{"dept_handler", "dept_leader"}})
	for _, step := range []struct{ who, path, body string }{
		{mine, "/api/tickets", `{"type":"` + mustTypeCode(t, h) + `","title":"井盖丢失","body":"新华西街井盖丢失","source":"portal"}`},
		{agent, "/api/tickets/1/dispatch", fmt.Sprintf(`{"version":1,"unitId":%d}`, unit)},
		{clerk, "/api/tickets/1/sign", `{"version":2}`},
		{clerk, "/api/tickets/1/suspend", `{"version":3,"reason":"请提供现场照片"}`},
	} {
		if status, text := ask(t, h, "POST", step.path, step.who, step.body); status != 200 {
			t.Fatalf("%s: %d %s", step.path, status, text)
		}
	}
	_, html := ask(t, h, "GET", "/tickets/1", mine, "")
	_, key, found := strings.Cut(html, `name="key" value="`)
	if !found {
		t.Fatalf("no form: %s", html)
	}
	key, _, _ = strings.Cut(key, `"`)
	send := func(who, name string, content []byte) (int, string) {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for k, v := range map[string]string{"_csrf": h.web.Token(who), "version": "4", "key": key, "text": "照片见附件"} {
			must(0, w.WriteField(k, v))(t)
		}
		part := must(w.CreateFormFile("files", name))(t)
		must(part.Write(content))(t)
		must(0, w.Close())(t)
		req := httptest.NewRequest("POST", "/tickets/1/supplement", &b)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		res := must(h.web.App.Test(req, -1))(t)
		page := must(io.ReadAll(res.Body))(t)
		return res.StatusCode, res.Header.Get("Location") + string(page)
	}
	for name, content := range map[string][]byte{"说明.exe": []byte("MZ\x90"), "照片.png": []byte("<html>"), "空.pdf": nil} {
		if status, page := send(mine, name, content); status != 422 || !strings.Contains(page, "“"+name+"”没有上传：") || !strings.Contains(page, "照片见附件") {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
	if status, _ := send(rival, "现场.png", pngFile(t)); status != 404 {
		t.Errorf("a rival: %d", status)
	}
	if status, page := send(mine, "现场.png", pngFile(t)); status != 303 || page != "/tickets/1?done=supplemented" {
		t.Fatalf("%d %s", status, page)
	}
	_, text := ask(t, h, "GET", "/api/tickets/1", clerk, "")
	var v struct {
		Status string
		Files  []struct{ Name, URL string }
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Status != "signed" || len(v.Files) != 1 || v.Files[0].Name != "现场.png" {
		t.Fatalf("the unit reads %+v, %v: %s", v, err, text)
	}
	for who, want := range map[string]int{mine: 200, clerk: 200, agent: 200, foreign: 404, rival: 404} {
		if status, _ := ask(t, h, "GET", v.Files[0].URL, who, ""); status != want {
			t.Errorf("the file: %d, want %d", status, want)
		}
	}
	if _, html := ask(t, h, "GET", "/tickets/1", mine, ""); !strings.Contains(html, "现场.png") {
		t.Errorf("the requester's page: %s", html)
	}
}
