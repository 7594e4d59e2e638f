package server

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/platform/web"
)

// staffToken opens an account of the back office and signs it in.
func staffToken(t *testing.T, h *house, in identity.Staff) string {
	t.Helper()
	ctx := context.Background()
	id, err := h.identity.CreateStaff(ctx, access.SystemActor("test"), in)
	if err != nil {
		t.Fatal(err)
	}
	token := secret.Token()
	now := time.Now().UTC()
	err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, ?, '', '', ?, ?, ?)",
			h.box.HashToken(token), id, false, now, now, now.Add(time.Hour)).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func operatorToken(t *testing.T, h *house) string {
	t.Helper()
	return staffToken(t, h, identity.Staff{Name: "=1+1运营", Account: "yunying", Phone: "13900139001", Party: access.Platform, Roles: []string{"operator"}})
}

// upload sends a file the way the page does.
func upload(t *testing.T, h *house, token, target, name string, content []byte) (int, web.Problem, map[string]any) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("target", target)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content)
	_ = w.Close()
	req := httptest.NewRequest("POST", "/api/imports", &b)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Cookie", "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef; "+web.SessionCookieName+"="+token)
	req.Header.Set("X-CSRF-Token", h.web.Token(token))
	res, err := h.web.App.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(res.Body)
	var p web.Problem
	out := map[string]any{}
	_ = json.Unmarshal(raw, &p)
	_ = json.Unmarshal(raw, &out)
	return res.StatusCode, p, out
}

// book is a workbook of rows as Excel would write it.
func book(t *testing.T, rows [][]any, more func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r); err != nil {
			t.Fatal(err)
		}
	}
	if more != nil {
		more(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// patched replaces or adds parts of a workbook.
func patched(t *testing.T, in []byte, with map[string]string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(in), int64(len(in)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	write := func(name, content string) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, content)
	}
	for _, f := range z.File {
		if _, replaced := with[f.Name]; replaced {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(r)
		r.Close()
		write(f.Name, string(raw))
	}
	for name, content := range with {
		write(name, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// throughImport walks one file through to its end and returns the import and its rows by number.
func throughImport(t *testing.T, h *house, token, target, name string, content []byte, duplicates string, columns map[string]int) (map[string]any, map[int]map[string]any) {
	t.Helper()
	status, p, v := upload(t, h, token, target, name, content)
	if status != 201 {
		t.Fatalf("upload: %d %+v", status, p)
	}
	id := int(v["id"].(float64))
	var at map[string]any
	for _, s := range v["sheets"].([]any) {
		if one := s.(map[string]any); at == nil && one["skipped"] == false {
			at = one
		}
	}
	suggested := at["suggested"].(map[string]any)
	for k, c := range columns {
		suggested[k] = c
	}
	body, _ := json.Marshal(map[string]any{"sheet": at["index"], "columns": suggested, "duplicates": duplicates})
	if status, text := ask(t, h, "POST", fmt.Sprintf("/api/imports/%d/mapping", id), token, string(body)); status != 200 {
		t.Fatalf("mapping %s: %d %s", body, status, text)
	}
	step := func() {
		if worked, err := h.imports.Step(context.Background()); !worked || err != nil {
			t.Fatal(worked, err)
		}
	}
	get := func() map[string]any {
		_, text := ask(t, h, "GET", fmt.Sprintf("/api/imports/%d", id), token, "")
		out := map[string]any{}
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(text)
		}
		return out
	}
	step()
	if v = get(); v["canPublish"] == true {
		if status, text := ask(t, h, "POST", fmt.Sprintf("/api/imports/%d/publish", id), token, "{}"); status != 200 {
			t.Fatalf("publish: %d %s", status, text)
		}
		step()
		v = get()
	}
	rows := map[int]map[string]any{}
	for cursor := ""; ; {
		_, text := ask(t, h, "GET", fmt.Sprintf("/api/imports/%d/rows?limit=100&cursor=%s", id, cursor), token, "")
		var page struct {
			Items      []map[string]any `json:"items"`
			NextCursor string           `json:"nextCursor"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatal(text)
		}
		for _, r := range page.Items {
			rows[int(r["number"].(float64))] = r
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return v, rows
}

func problemOf(r map[string]any) (field, code, message string) {
	list := r["problems"].([]any)
	if len(list) == 0 {
		return "", "", ""
	}
	p := list[0].(map[string]any)
	return p["field"].(string), p["code"].(string), p["message"].(string)
}

// TestTenThousandRows takes in a file with every kind of dirt, in GBK with semicolons: every row is accounted for, once.
func TestTenThousandRows(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	token := operatorToken(t, h)
	var b strings.Builder
	b.WriteString("企业名称;统一社会信用代码;成立日期\r\n")
	const rows = 10_000
	want := map[string]int{}
	for i := range rows {
		code, name, day, kind := string(uscc.Demo(i)), fmt.Sprintf("北京第%d号有限公司", i), "2020-01-02", "created"
		switch i % 20 {
		case 3:
			code, kind = "9.11101E+17", "bad"
		case 7:
			name, kind = "", "bad"
		case 11:
			day, kind = "昨天", "bad"
		case 13:
			code, kind = string(uscc.Demo(i-13)), "skipped"
		case 17:
			name = fmt.Sprintf("\"带;分号和\"\"引号\"\"的公司%d\"", i)
		case 19:
			code, kind = "", "bad"
		}
		want[kind]++
		fmt.Fprintf(&b, "%s;%s;%s\r\n", name, code, day)
		if i%500 == 0 {
			b.WriteString(";;\r\n")
		}
	}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(b.String())
	if err != nil {
		t.Fatal(err)
	}
	v, got := throughImport(t, h, token, "enterprises", "名录.csv", []byte(gbk), "skip", nil)
	count := map[string]int{}
	for _, r := range got {
		count[r["state"].(string)]++
		if _, _, message := problemOf(r); r["state"] == "bad" && message == "" {
			t.Fatalf("row %v is bad without a reason", r["number"])
		}
	}
	if len(got) != rows || fmt.Sprint(count) != fmt.Sprint(want) || int(v["read"].(float64)) != rows {
		t.Errorf("%d rows %v, want %v; %v", len(got), count, want, v)
	}
	n, err := h.db.Read().NewSelect().TableExpr("enterprises").Count(t.Context())
	if err != nil || int(n) != want["created"] {
		t.Errorf("%d companies for %d created, %v", n, want["created"], err)
	}
}

// TestStaffList opens accounts from a list, with first passwords for those that are new.
func TestStaffList(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	ctx := context.Background()
	admin := staffToken(t, h, identity.Staff{Name: "管理员", Account: "admin1", Phone: "13900139002", Party: access.Platform, Roles: []string{"platform_admin"}})
	if _, err := h.identity.CreateDepartment(ctx, access.SystemActor("test"), 0, "hd", "区营商环境服务中心", 1); err != nil {
		t.Fatal(err)
	}
	content := book(t, [][]any{
		{"姓名", "用户名", "手机号码", "人员类别", "所属部门", "角色"},
		{"王芳", "wangfang", 13800138001, "政府部门", "区营商环境服务中心", "部门经办人"},
		{"赵强", "zhaoqiang", "13800138002", "平台", "", "热线坐席、平台运营"},
		{"李四", "Li Si!", "13800138003", "政府部门", "区营商环境服务中心", "部门经办人"},
		{"钱五", "qianwu", "138", "政府部门", "区营商环境服务中心", "部门经办人"},
		{"孙六", "sunliu", "13800138004", "政府部门", "没有的部门", "部门经办人"},
		{"周七", "zhouqi", "13800138005", "政府部门", "区营商环境服务中心", "系统管理员"},
		{"吴八", "wuba", "13900139002", "平台", "", "热线坐席"},
		{"管理员", "admin1", "13900139002", "平台", "", "系统管理员"},
		{"郑九", "zhengjiu", "13800138001", "平台", "", "热线坐席"}, // the phone of the first
		{"三权", "sanquan", "13800138006", "平台", "", "系统管理员、安全管理员"},
	}, nil)
	v, got := throughImport(t, h, admin, "staff", "人员.xlsx", content, "skip", nil)
	for number, want := range map[int]string{2: "created", 3: "created", 4: "bad BAD_ACCOUNT account", 5: "bad BAD_PHONE phone", 6: "bad NO_DEPARTMENT place", 7: "bad UNKNOWN_ROLE roles",
		8: "bad PHONE_TAKEN phone", 9: "skipped", 10: "refused PHONE_TAKEN phone", 11: "refused ROLES_EXCLUSIVE roles"} {
		field, code, _ := problemOf(got[number])
		if have := strings.TrimSpace(fmt.Sprintf("%s %s %s", got[number]["state"], code, field)); have != want {
			t.Errorf("row %d: %s, want %s", number, have, want)
		}
	}
	status, raw := ask(t, h, "GET", fmt.Sprintf("/api/imports/%v/result", v["id"]), admin, "")
	if status != 200 {
		t.Fatalf("result: %d %s", status, raw)
	}
	f, err := excelize.OpenReader(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := f.GetRows("发放清单")
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	first := lines[1][len(lines[1])-1]
	var hash string
	if err := h.db.Read().NewRaw("SELECT password_hash FROM users WHERE account = 'wangfang'").Scan(ctx, &hash); err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.box.VerifyPassword(ctx, first, hash); err != nil || !ok {
		t.Errorf("%q does not open the account: %v", first, err)
	}
	if n, err := h.db.Read().NewSelect().TableExpr("users").Where("account IN ('zhengjiu', 'sanquan')").Count(ctx); err != nil || n != 0 {
		t.Errorf("%d refused accounts were opened, %v", n, err)
	}
	other := operatorToken(t, h)
	if status, _ := ask(t, h, "GET", fmt.Sprintf("/api/imports/%v/result", v["id"]), other, ""); status != 404 {
		t.Errorf("somebody else's passwords: %d", status)
	}
}

// TestPhonesLeaveInClearByTheirOwnRight exports the column of whole numbers: with ticket.export_phone they are in the file, and
// who holds the same rights without it is refused.
func TestPhonesLeaveInClearByTheirOwnRight(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	actor, err := h.identity.Authenticate(ctx, owner(t, h, "13800138011"))
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, actor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "用工补贴如何申请", Body: "门店新招三人", Source: "h5"}); err != nil {
		t.Fatal(err)
	}
	with := func(account, phone string, rights ...access.Permission) string {
		t.Helper()
		role, err := h.identity.CreateRole(ctx, access.SystemActor("test"), identity.NewRole{Name: "回访" + account, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights})
		if err != nil {
			t.Fatal(err)
		}
		return staffToken(t, h, identity.Staff{Name: "回访员", Account: account, Phone: phone, Party: access.Platform, Roles: []string{role.Code}})
	}
	may := with("huifang1", "13900139011", ticket.PermView, ticket.PermExport, ticket.PermExportPhone)
	mayNot := with("huifang2", "13900139012", ticket.PermView, ticket.PermExport)
	const body = `{"source":"tickets","format":"csv","purpose":"电话回访","columns":["number","phoneMasked","phone"]}`
	status, text := ask(t, h, "POST", "/api/exports", mayNot, body)
	var p web.Problem
	if err := json.Unmarshal([]byte(text), &p); err != nil || status != 422 || p.Code != "EXPORT_COLUMNS" {
		t.Errorf("without the right: %d %s", status, text)
	}
	if worked, err := h.exports.Step(ctx); worked || err != nil {
		t.Errorf("what was refused is written all the same: %v %v", worked, err)
	}
	status, text = ask(t, h, "POST", "/api/exports", may, body)
	var v struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 || v.ID == 0 {
		t.Fatalf("with the right: %d %s", status, text)
	}
	if worked, err := h.exports.Step(ctx); !worked || err != nil {
		t.Fatal(worked, err)
	}
	path := fmt.Sprintf("/api/exports/%d/file", v.ID)
	status, text = ask(t, h, "GET", path, may, "")
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if status != 200 || err != nil || len(lines) != 3 || len(lines[2]) != 3 || lines[2][1] != "138****8011" || lines[2][2] != "13800138011" {
		t.Errorf("%d %v %q", status, err, lines)
	}
	if status, text := ask(t, h, "GET", path, mayNot, ""); status != 404 && status != 403 || strings.Contains(text, "13800138011") {
		t.Errorf("the file by who may not: %d %s", status, text)
	}
}

// TestExportOverHTTP takes every list out by its own right, with nothing in it that runs (T-SEC-11).
func TestExportOverHTTP(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	mine := owner(t, h, "13800138011")
	actor, err := h.identity.Authenticate(ctx, mine)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, actor)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: fmt.Sprintf("=cmd|'/C calc'!A%d", i), Body: "\t+1+1;=2", Source: "h5"}); err != nil {
			t.Fatal(err)
		}
	}
	agent := staffToken(t, h, identity.Staff{Name: "@王芳", Account: "zuoxi", Phone: "13900139003", Party: access.Platform, Roles: []string{"agent"}})
	create := func(token, body string) (int, map[string]any) {
		status, text := ask(t, h, "POST", "/api/exports", token, body)
		out := map[string]any{}
		_ = json.Unmarshal([]byte(text), &out)
		return status, out
	}
	if status, out := create(agent, `{"source":"tickets","format":"csv","purpose":"通报","columns":["number","phone"]}`); status != 422 || out["code"] != "EXPORT_COLUMNS" {
		t.Errorf("phones without the right: %d %v", status, out)
	}
	if status, _ := create(agent, `{"source":"audit","format":"csv","purpose":"通报"}`); status != 403 {
		t.Errorf("the audit log by an agent: %d", status)
	}
	if status, _ := create(mine, `{"source":"tickets","format":"csv","purpose":"通报"}`); status != 403 {
		t.Errorf("a company's person: %d", status)
	}
	status, v := create(agent, `{"source":"tickets","format":"csv","purpose":"月度通报","filters":{"status":"received,answered"}}`)
	if status != 200 || v["filterText"] == "" {
		t.Fatalf("%d %v", status, v)
	}
	if worked, err := h.exports.Step(ctx); !worked || err != nil {
		t.Fatal(worked, err)
	}
	path := fmt.Sprintf("/api/exports/%v/file", v["id"])
	status, text := ask(t, h, "GET", path, agent, "")
	if status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil || len(all) != 5 {
		t.Fatalf("%d lines, %v: %s", len(all), err, text)
	}
	if !strings.Contains(all[0][0], "@王芳") || !strings.Contains(all[0][0], "用途：月度通报") || !strings.Contains(text, "138****8011") || strings.Contains(text, "13800138011") {
		t.Errorf("%s", text)
	}
	for _, line := range all[2:] {
		if !strings.HasPrefix(line[1], "'=cmd") {
			t.Errorf("the title %q runs", line[1])
		}
	}
	// what of it did not arrive can be asked for; a look at its size is no download
	part := func(method, ranges string) *http.Response {
		req := httptest.NewRequest(method, path, nil)
		req.Header.Set("Cookie", web.SessionCookieName+"="+agent)
		if ranges != "" {
			req.Header.Set("Range", ranges)
		}
		res, err := h.web.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	res := part("GET", "bytes=10-19")
	b, _ := io.ReadAll(res.Body)
	if res.StatusCode != 206 || string(b) != text[10:20] || res.Header.Get("Content-Range") != fmt.Sprintf("bytes 10-19/%d", len(text)) {
		t.Errorf("%d %q %v", res.StatusCode, b, res.Header)
	}
	if res := part("GET", fmt.Sprintf("bytes=%d-", len(text))); res.StatusCode != 416 {
		t.Errorf("beyond the end: %d", res.StatusCode)
	}
	if res := part("HEAD", ""); res.StatusCode != 200 || res.ContentLength != int64(len(text)) {
		t.Errorf("%d, %d bytes", res.StatusCode, res.ContentLength)
	}
	if _, text := ask(t, h, "GET", strings.TrimSuffix(path, "/file"), agent, ""); !strings.Contains(text, `"downloads":3`) {
		t.Errorf("three took something of it: %s", text)
	}
	for _, token := range []string{mine, operatorToken(t, h), ""} {
		if status, _ := ask(t, h, "GET", path, token, ""); status != 404 && status != 403 && status != 401 {
			t.Errorf("somebody else's file: %d", status)
		}
	}
	// each of the other lists leaves too
	system := operatorActor(t, h)
	for _, src := range []string{"applications", "enterprises", "letters", "deliveries"} {
		status, v := create(system, fmt.Sprintf(`{"source":%q,"format":"xlsx","purpose":"核对"}`, src))
		if status != 200 {
			t.Errorf("%s: %d %v", src, status, v)
			continue
		}
		if worked, err := h.exports.Step(ctx); !worked || err != nil {
			t.Errorf("%s: %v %v", src, worked, err)
		}
		status, raw := ask(t, h, "GET", fmt.Sprintf("/api/exports/%v/file", v["id"]), system, "")
		f, err := excelize.OpenReader(strings.NewReader(raw))
		if status != 200 || err != nil {
			t.Errorf("%s: %d %v", src, status, err)
			continue
		}
		f.Close()
	}
	auditor := staffToken(t, h, identity.Staff{Name: "审计", Account: "shenji", Phone: "13900139005", Party: access.Platform, Roles: []string{"audit_admin"}})
	status, v = create(auditor, `{"source":"audit","format":"csv","purpose":"季度检查","filters":{"action":"export."}}`)
	if status != 200 {
		t.Fatalf("%d %v", status, v)
	}
	if worked, err := h.exports.Step(ctx); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if _, text := ask(t, h, "GET", fmt.Sprintf("/api/exports/%v/file", v["id"]), auditor, ""); !strings.Contains(text, "下载导出文件 工单_") || !strings.Contains(text, "export.create") {
		t.Errorf("the log says nothing of the exports: %s", text)
	}
}

func operatorActor(t *testing.T, h *house) string {
	t.Helper()
	return staffToken(t, h, identity.Staff{Name: "运营二", Account: "yunying2", Phone: "13900139004", Party: access.Platform, Roles: []string{"operator"}})
}
