package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/platform/web"
)

// importForm is a file to import, the way the page sends it.
func importForm(t testing.TB, target, name string, content []byte) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	must(0, w.WriteField("target", target))(t)
	must(must(w.CreateFormFile("file", name))(t).Write(content))(t)
	must(0, w.Close())(t)
	return w.FormDataContentType(), body
}

// workbookOf is a workbook with a sheet made of rows as they are written here.
func workbookOf(t *testing.T, good []byte, rows string) []byte {
	return patched(t, good, map[string]string{"xl/worksheets/sheet1.xml": `<?xml version="1.0"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`})
}

// badSheets are numbers 32 and 36, and what of 28, 29, 33 and 34 is refused when the file comes.
func badSheets(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	token := operatorToken(t, d.house)
	admin := staffToken(t, d.house, identity.Staff{Name: "管理员", Account: "admin1", Phone: "13900139002", Party: access.Platform, Roles: []string{"platform_admin"}})
	to := func(session, target, name string, content []byte) func(*testing.T) answer {
		return func(t *testing.T) answer {
			kind, body := importForm(t, target, name, content)
			return d.on(t).ask("POST", "/api/imports", session, body, "Content-Type", kind)
		}
	}
	send := func(name string, content []byte) func(*testing.T) answer {
		return to(token, "enterprises", name, content)
	}
	good := book(t, [][]any{{"企业名称", "统一社会信用代码"}, {"北京麦香烘焙有限公司", string(uscc.Demo(1))}}, nil)
	with := func(part, content string) func(*testing.T) answer {
		return send("a.xlsx", patched(t, good, map[string]string{part: content}))
	}
	large := func(content func(testing.TB) []byte) func(*testing.T) answer {
		return func(t *testing.T) answer { return send("a.xlsx", content(t))(t) }
	}
	sheet := func(rows string) func(*testing.T) answer { return send("a.xlsx", workbookOf(t, good, rows)) }
	const (
		xxe    = `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`
		laughs = `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`
		resave = "另存为 .xlsx"
		older  = "另存为“Excel 工作簿（.xlsx）”"
		rels   = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Target="http://evil.example/" TargetMode="External"/></Relationships>`
	)
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 8192)...)
	var long strings.Builder
	long.WriteString("企业名称,统一社会信用代码\n")
	for i := range 50_001 {
		fmt.Fprintf(&long, "企业%d,%d\n", i, i)
	}
	macro := patched(t, good, map[string]string{"xl/vbaProject.bin": "x"})
	return followed([]badInput{
		{28, "1,000,000 parts of a workbook", large(crowded(1_000_000)), 422, "SHEET_BAD", "file", resave, nil},
		{28, "the same, said to be few", large(modest(1_000_000)), 422, "SHEET_BAD", "file", resave, nil},

		{29, "a workbook with a password", send("a.xlsx", lockedOffice()), 422, "FILE_ENCRYPTED", "file", "取消密码", nil},
		{29, "a workbook with locked parts", send("a.xlsx", locked(good)), 422, "FILE_ENCRYPTED", "file", "取消密码", nil},

		{32, "entity in the sheet", with("xl/worksheets/sheet1.xml", xxe+`<worksheet/>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "entity in the texts", with("xl/sharedStrings.xml", xxe+`<sst><si><t>&x;</t></si></sst>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "entity in a part nobody reads", with("docProps/core.xml", xxe+`<x/>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "a thousand million laughs", with("xl/sharedStrings.xml", laughs+`<sst><si><t>&c;</t></si></sst>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "a document type", with("xl/sharedStrings.xml", `<!DOCTYPE sst SYSTEM "http://evil.example/sst.dtd"><sst/>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "a document type further back", with("xl/sharedStrings.xml", strings.Repeat(" ", 4096)+`<!DOCTYPE sst><sst/>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "link to another file", with("xl/externalLinks/externalLink1.xml", "<x/>"), 422, "SHEET_BAD", "file", "断开链接", nil},
		{32, "link to another place", with("xl/_rels/workbook.xml.rels", rels), 422, "SHEET_BAD", "file", resave, nil},
		{32, "row 99999999", sheet(`<row r="99999999"><c r="A99999999"><v>1</v></c></row>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "cell ZZZ9", sheet(`<row r="9"><c r="ZZZ9"><v>1</v></c></row>`), 422, "SHEET_BAD", "file", resave, nil},
		{32, "more texts than are kept", with("xl/sharedStrings.xml", "<sst>"+strings.Repeat("<si><t>"+strings.Repeat("长", 300)+"</t></si>", 38_000)), 422, "SHEET_BAD", "file", "拆成几个文件", nil},
		{32, "no table at all", send("a.xlsx", []byte("PK\x03\x04.....")), 422, "SHEET_BAD", "file", resave, nil},

		{33, "macros", send("a.xlsm", macro), 422, "SHEET_MACRO", "file", "不含宏", nil},
		{33, "macros renamed", send("a.xlsx", macro), 422, "SHEET_MACRO", "file", "不含宏", nil},

		{34, "the old format", send("a.xls", ole), 422, "SHEET_OLD_FORMAT", "file", older, nil},
		{34, "the old format renamed", send("a.xlsx", ole), 422, "SHEET_OLD_FORMAT", "file", older, nil},
		{34, "the new format named old", send("a.xls", good), 422, "SHEET_OLD_FORMAT", "file", older, nil},
		{34, "UTF-16", send("a.csv", []byte("\xff\xfea\x00")), 422, "SHEET_ENCODING", "file", "另存为", nil},
		{34, "no known encoding", send("a.csv", []byte("企业名称,统一社会信用代码\n\xff\xff\xff,1\n")), 422, "SHEET_ENCODING", "file", "另存为", nil},
		{34, "nothing in it", send("a.csv", nil), 422, "SHEET_EMPTY", "file", "没有数据", nil},
		{34, "blank rows only", send("a.csv", []byte(",,\n,,\n")), 422, "SHEET_EMPTY", "file", "没有数据", nil},

		{36, "200,001 rows", send("a.csv", []byte(strings.Repeat(long.String(), 4))), 413, "IMPORT_ROWS", "file", "一次最多导入 200000 行，请拆成几个文件后分别上传", nil},
		{36, "50,001 rows where fewer are taken", to(admin, "staff", "a.csv", []byte(long.String())), 413, "IMPORT_ROWS", "file", "一次最多导入 50000 行，请拆成几个文件后分别上传", nil},
		{36, "data that nobody imports", to(token, "nothing", "a.xlsx", good), 422, "IMPORT_TARGET", "target", "请", nil},
		{36, "data beyond the rights", to(token, "staff", "a.xlsx", good), 403, "FORBIDDEN", "", "没有", nil},
		{36, "a row", send("a.xlsx", good), 201, "", "", "", func(t *testing.T, _ answer) {
			if n := d.rows(t, "imports"); n != 1 {
				t.Errorf("%d imports", n)
			}
		}},
	}, d.empty("imports"))
}

// row is what became of a row of an import, as an answer: 422 when it is bad.
func row(rows map[int]map[string]any, number int) func(*testing.T) answer {
	return func(t *testing.T) answer {
		r := rows[number]
		if r == nil {
			t.Fatalf("row %d is not accounted for", number)
		}
		if r["state"] != "bad" {
			return answer{status: 200, body: []byte(fmt.Sprint(r["state"]))}
		}
		field, code, message := problemOf(r)
		p := web.Problem{Code: code, Detail: message, TraceID: fmt.Sprint("row ", number)}
		if field != "" {
			p.Errors = []fault.Field{{Name: field, Message: message}}
		}
		return answer{status: 422, Problem: p}
	}
}

func became(state string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		if string(a.body) != state {
			t.Errorf("the row was %s", a.body)
		}
	}
}

// dirtyRows are numbers 33 to 35 inside a file: each bad row is named with its field, a code and what to do, and the good
// ones get in.
func dirtyRows(t *testing.T) []badInput {
	h := testHouse(t)
	must(0, h.ensureConsents(context.Background()))(t) // the basis on which a company's data is read
	token := operatorToken(t, h)
	code := func(n int) string { return string(uscc.Demo(n)) }
	wide := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '０'
		}
		return r
	}, code(4))
	wrong := []byte(code(1))
	wrong[17] = map[bool]byte{true: '1', false: '0'}[wrong[17] == '0']
	rows := [][]any{
		{"通州区企业登记信息"}, // merged over the head
		{"成立日期", "法人", "信用代码", "单位名称", "注册资本（万元）", "所属行业", "手机"},                     // another order, other names
		{"2020-03-18", "林晓梅", code(1), "北京麦香烘焙有限公司", "500", "1411", "138 0013 8000"}, // 3
		{},                                // 4
		{"", "", code(2), "", "", "", ""}, // 5 no name
		{"", "", nil, "无代码公司", "", "", ""},                             // 6
		{"", "", string(wrong), "错码公司", "", "", ""},                    // 7
		{"", "", 9.11101e17, "科学计数公司", "", "", ""},                     // 8
		{"2026-02-30", "", code(3), "坏日期公司", "", "", ""},               // 9
		{"2020/3/8", "", wide, "全角公司", "１２．５", "", "１３８００１３８０００"},      // 10
		{"", "", code(5), "坏资本公司", "五百", "", ""},                       // 11
		{"", "", code(6), "坏行业公司", "", "没有这个行业名称", ""},                 // 12
		{"", "", code(1), "重复的公司", "", "", ""},                         // 13
		{"2099-01-01", "", code(7), "未来公司", "", "", ""},                // 14
		{"", "", code(8), "坏电话公司", "", "", "139-0000"},                 // 15
		{"", "", code(9), "<script>alert(1)</script>=1+1", "", "", ""}, // 16
		{"", "", code(10), "𠮷野家·阿卜杜拉", "", "", ""},                     // 17
	}
	content := book(t, rows, func(f *excelize.File) {
		_ = f.MergeCell("Sheet1", "A1", "G1")
		_ = f.SetCellFormula("Sheet1", "D18", `A1&"公司"`)
		_ = f.SetCellStr("Sheet1", "C18", code(11)) // 18: a formula without a result
		_, _ = f.NewSheet("隐藏的表")
		_ = f.SetSheetVisible("隐藏的表", false)
		_ = f.SetCellStr("隐藏的表", "A1", "企业名称")
	})
	v, got := throughImport(t, h, token, "enterprises", "名录.xlsx", content, "refuse", nil)
	company := func(t *testing.T, r map[string]any) string {
		_, text := ask(t, h, "GET", fmt.Sprintf("/api/enterprises/%v?basis=verification", r["objectId"]), token, "")
		return text
	}
	get := func(path string) func(*testing.T) answer {
		return func(t *testing.T) answer {
			status, text := ask(t, h, "GET", path, token, "")
			return answer{status: status, body: []byte(text)}
		}
	}
	// 35: the same again, refused, skipped and updated
	again := book(t, [][]any{{"企业名称", "统一社会信用代码", "注册资本"}, {"北京麦香烘焙有限公司", code(1), "800"}, {"新公司", code(20), ""}, {"新公司", code(20), "60"}}, nil)
	repeat := func(choice string) (map[string]any, map[int]map[string]any) {
		return throughImport(t, h, token, "enterprises", "again.xlsx", again, choice, nil)
	}
	refusedAll, refusedRows := repeat("refuse")
	skippedAll, skippedRows := repeat("skip")
	updatedAll, updatedRows := repeat("update")
	return []badInput{
		{33, "a merged head in another order", row(got, 3), 200, "", "", "", became("created")},
		{33, "blank rows and hidden sheets", get(fmt.Sprintf("/api/imports/%v", v["id"])), 200, "", "", "", func(t *testing.T, a answer) {
			if v["state"] != "done" || v["created"].(float64) != 4 || v["bad"].(float64) != 11 || len(got) != 15 || got[4] != nil {
				t.Errorf("%d rows are accounted for: %v", len(got), v)
			}
			if !strings.Contains(fmt.Sprint(v["sheets"]), "name:隐藏的表") || !strings.Contains(fmt.Sprint(v["sheets"]), "skipped:true") {
				t.Errorf("%v", v["sheets"])
			}
		}},
		{33, "no name", row(got, 5), 422, "REQUIRED", "name", "必填", nil},
		{33, "no code", row(got, 6), 422, "REQUIRED", "creditCode", "必填", nil},
		{33, "a wrong code", row(got, 7), 422, "BAD_USCC", "creditCode", "请核对营业执照", nil},
		{33, "a day that is none", row(got, 9), 422, "BAD_DATE", "established", "请填写为", nil},
		{33, "full width", row(got, 10), 200, "", "", "", func(t *testing.T, _ answer) {
			if text := company(t, got[10]); !strings.Contains(text, code(4)) || !strings.Contains(text, "12.5 万元") || !strings.Contains(text, "2020年3月8日") {
				t.Errorf("it came as %s", text)
			}
		}},
		{33, "no number", row(got, 11), 422, "NUMBER", "capital", "例如", nil},
		{33, "an industry nobody knows", row(got, 12), 422, "INDUSTRY", "industry", "行业", nil},
		{33, "a day to come", row(got, 14), 422, "BAD_DATE", "established", "晚于今天", nil},
		{33, "no telephone", row(got, 15), 422, "BAD_PHONE", "contactPhone", "请", nil},
		{33, "markup", row(got, 16), 200, "", "", "", became("created")},
		{33, "a formula without a result", row(got, 18), 422, "CELL_ERROR", "name", "公式", nil},
		{33, "the report, to be mended and sent again", get(fmt.Sprintf("/api/imports/%v/report", v["id"])), 200, "", "", "", func(t *testing.T, a answer) {
			f := must(excelize.OpenReader(bytes.NewReader(a.body)))(t)
			defer f.Close()
			lines := must(f.GetRows("问题清单"))(t)
			if len(lines) != 12 {
				t.Fatalf("%d lines", len(lines))
			}
			last := len(lines[0]) - 1
			if lines[0][last] != "问题与修改办法" || lines[0][last-1] != "原文件行号" || lines[1][last-1] != "5" || !strings.Contains(lines[1][last], "企业名称") {
				t.Errorf("%q\n%q", lines[0], lines[1])
			}
		}},
		{7, "in a row", row(got, 17), 200, "", "", "", became("created")},
		{34, "a code as 9.11E+17", row(got, 8), 422, "NUMBER_LOST", "creditCode", "“统一社会信用代码”被 Excel 转为科学计数法，数字已不完整，请将该列设为文本后重新填写", nil},

		{35, "a row twice", row(got, 13), 422, "DUPLICATE_ROW", "", "第 3 行", nil},
		{35, "a row twice, one of a new record", row(refusedRows, 4), 422, "DUPLICATE_ROW", "", "第 3 行", nil},
		{35, "a record that is there, refused", row(refusedRows, 2), 422, "RECORD_EXISTS", "", "已", func(t *testing.T, _ answer) {
			if refusedAll["created"].(float64) != 1 || refusedAll["bad"].(float64) != 2 {
				t.Errorf("%v %v", refusedAll, refusedRows)
			}
		}},
		{35, "a record that is there, skipped", row(skippedRows, 2), 200, "", "", "", func(t *testing.T, a answer) {
			if skippedAll["skipped"].(float64) != 3 || string(a.body) != "skipped" {
				t.Errorf("%v %v", skippedAll, skippedRows)
			}
		}},
		{35, "a record that is there, updated", row(updatedRows, 2), 200, "", "", "", func(t *testing.T, _ answer) {
			if updatedAll["updated"].(float64) != 3 {
				t.Errorf("%v", updatedAll)
			}
			if text := company(t, updatedRows[2]); !strings.Contains(text, "800 万元") || !strings.Contains(text, "2020年3月18日") {
				t.Errorf("the update lost or missed something: %s", text)
			}
			// nothing of the phones lies in clear
			for _, q := range []string{"SELECT row_values FROM import_rows", "SELECT problems FROM import_rows", "SELECT phone_sealed FROM enterprise_contacts", "SELECT detail FROM audit_entries", "SELECT sheets FROM imports"} {
				var all []string
				if err := h.db.Read().NewRaw(q).Scan(t.Context(), &all); err != nil || len(all) == 0 {
					t.Fatalf("%s: %d, %v", q, len(all), err)
				}
				if strings.Contains(strings.Join(all, " "), "13800138000") {
					t.Errorf("%s holds a phone in clear", q)
				}
			}
		}},
	}
}

// oddSheets are the part of 33 and 34 that is read: texts in the ways that spreadsheets save them.
func oddSheets(t *testing.T) []badInput {
	h := testHouse(t)
	must(0, h.ensureConsents(context.Background()))(t)
	token := operatorToken(t, h)
	n := 100
	var out []badInput
	add := func(no int, what, name, company string, file func(company, code string) []byte) {
		n++
		code := string(uscc.Demo(n))
		out = append(out, badInput{no, what, func(t *testing.T) answer {
			_, got := throughImport(t, h, token, "enterprises", name, file(company, code), "refuse", nil)
			a := row(got, 2)(t)
			if a.status == 200 {
				_, text := ask(t, h, "GET", fmt.Sprintf("/api/enterprises/%v?basis=verification", got[2]["objectId"]), token, "")
				a.body = []byte(text)
			}
			return a
		}, 200, "", "", "", func(t *testing.T, a answer) {
			said, _ := json.Marshal(company)
			if !bytes.Contains(a.body, said) || !bytes.Contains(a.body, []byte(code)) {
				t.Errorf("%s came as %s", said, a.body)
			}
		}})
	}
	csv := func(format string) func(string, string) []byte {
		return func(company, code string) []byte {
			return []byte(strings.NewReplacer("NAME", company, "CODE", code).Replace(format))
		}
	}
	add(34, "GBK", "a.csv", "北京甲有限公司", func(company, code string) []byte {
		return []byte(must(simplifiedchinese.GBK.NewEncoder().String("企业名称,统一社会信用代码\r\n" + company + "," + code + "\r\n"))(t))
	})
	add(34, "UTF-8 with a mark", "a.csv", "北京乙有限公司", csv("\ufeff企业名称,统一社会信用代码\r\nNAME,CODE\r\n"))
	add(34, "semicolons", "a.csv", "北京丙有限公司", csv("企业名称;统一社会信用代码;经营范围\nNAME;CODE;食品,饮料\n"))
	add(34, "tabs", "a.csv", "北京丁有限公司", csv("企业名称\t统一社会信用代码\nNAME\tCODE\n"))
	add(34, "CR, LF and both", "a.csv", "北京戊有限公司", csv("企业名称,统一社会信用代码\rNAME,CODE\n,\r\n"))
	add(34, "quotes, separators and line ends in a cell", "a.csv", `北京“己”有限公司`, csv("企业名称,统一社会信用代码,经营范围\r\n\"NAME\",CODE,\"食品,\"\"饮料\"\"\r\n零售\"\r\n"))
	add(34, "a quote in the midst of a cell", "a.csv", "北京庚有限公司", csv("企业名称,统一社会信用代码,经营范围\r\nNAME,CODE,8\"屏\r\n"))
	add(33, "a formula with its result", "a.xlsx", "北京辛有限公司", func(company, code string) []byte {
		good := book(t, [][]any{{"企业名称", "统一社会信用代码"}, {company, code}}, nil)
		return workbookOf(t, good, `<row r="1"><c r="A1" t="inlineStr"><is><t>企业名称</t></is></c><c r="B1" t="inlineStr"><is><t>统一社会信用代码</t></is></c></row>`+
			`<row r="2"><c r="A2" t="str"><f>"北京"&amp;"辛有限公司"</f><v>`+company+`</v></c><c r="B2" t="inlineStr"><is><t>`+code+`</t></is></c></row>`)
	})
	out = append(out, badInput{34, "a code as 1.1E+17 in a text", func(t *testing.T) answer {
		_, got := throughImport(t, h, token, "enterprises", "a.csv", []byte("企业名称,统一社会信用代码\n北京壬有限公司,1.1E+17\n"), "refuse", nil)
		return row(got, 2)(t)
	}, 422, "NUMBER_LOST", "creditCode", "被 Excel 转为科学计数法", nil})
	return out
}
