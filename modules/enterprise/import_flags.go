package enterprise

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/uscc"
)

// What a person must decide about a row of a register before it is published.
const (
	flagNearCode  = "NEAR_CODE"  // the same name stands in the register under a code that looks like a slip of this one
	flagOldNumber = "OLD_NUMBER" // known by its old number only
	flagQuality   = "QUALITY"    // a rule of quality asks for a look
)

var flagTitles = map[string]string{flagNearCode: "同名企业、代码相近", flagOldNumber: "15 位旧工商注册号", flagQuality: "质量规则要求核实"}

// oldNumber reports whether s is a registration number of before 2015: fifteen digits, the last by ISO 7064 MOD 11,10.
func oldNumber(s string) bool {
	if len(s) != 15 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	p := 10
	for _, d := range []byte(s[:14]) {
		if p = (p + int(d-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+int(s[14]-'0'))%10 == 1
}

// byOldNumber finds the one company of the register that the row may be about: the one of its name.
func (s *Service) byOldNumber(ctx context.Context, name, old string) (uscc.Code, error) {
	found, err := s.namesakes(ctx, []string{name})
	if err != nil {
		return "", err
	}
	if list := found[plainName(name)]; len(list) == 1 {
		return uscc.Code(list[0]), nil
	}
	return "", fault.InvalidField("creditCode", "OLD_NUMBER", fmt.Sprintf("这是 15 位的旧工商注册号（尾号 %s），库中没有能对应的同名企业，请填写营业执照上 18 位的统一社会信用代码", old[11:]))
}

var (
	plainMarks = strings.NewReplacer("（", "(", "）", ")", " ", "", "\u3000", "")
	wideMarks  = strings.NewReplacer("(", "（", ")", "）")
)

// plainName is a name without the differences that say nothing.
func plainName(s string) string { return plainMarks.Replace(s) }

// namesakes finds the codes of companies by name, whichever brackets it is written with.
func (s *Service) namesakes(ctx context.Context, names []string) (map[string][]string, error) {
	out := map[string][]string{}
	var asked []string
	seen := map[string]bool{}
	for _, n := range names {
		half := plainName(n)
		if seen[half] {
			continue
		}
		seen[half] = true
		asked = append(asked, half)
		if full := wideMarks.Replace(half); full != half {
			asked = append(asked, full)
		}
	}
	if len(asked) == 0 {
		return out, nil
	}
	err := database.Each(ctx, s.db.Read(), func(rows *sql.Rows) error {
		var name, code string
		if err := rows.Scan(&name, &code); err != nil {
			return err
		}
		out[plainName(name)] = append(out[plainName(name)], code)
		return nil
	}, "SELECT e.name, e.credit_code FROM "+database.List(s.db.Read())+" CROSS JOIN enterprises AS e WHERE e.name = list.value AND e.credit_code IS NOT NULL", database.Texts(asked))
	return out, err
}

// nearCodes reports whether one code may be a slip of the other: at most two characters differ, or both hold the same
// organisation code.
func nearCodes(a, b string) bool {
	if len(a) != 18 || len(b) != 18 || a == b {
		return false
	}
	if a[8:17] == b[8:17] {
		return true
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n <= 2
}

func nearProblem(name, code string) sheet.RowProblem {
	return sheet.RowProblem{Field: "creditCode", Code: flagNearCode, Message: fmt.Sprintf("已有同名企业“%s”，代码 %s，与本行代码相近，可能是同一家企业填错代码；采用则按另一家企业新增", name, code)}
}

// similarRows looks at two rows of one file with the same name.
func similarRows(earlier, later sheet.Record) *sheet.RowProblem {
	if !nearCodes(earlier.Values["creditCode"], later.Values["creditCode"]) {
		return nil
	}
	p := nearProblem(later.Values["name"], earlier.Values["creditCode"])
	p.Message = fmt.Sprintf("与文件第 %d 行企业名称相同、代码相近，可能是同一家企业填错代码；采用则按另一家企业新增", earlier.Row)
	return &p
}

// importFlag says of each row of a register what a person must decide.
func (s *Service) importFlag(ctx context.Context, actor access.Actor, records []sheet.Record) ([][]sheet.RowProblem, error) {
	if err := actor.Need(PermImport); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(records))
	for _, r := range records {
		names = append(names, r.Values["name"])
	}
	found, err := s.namesakes(ctx, names)
	if err != nil {
		return nil, err
	}
	rules, err := s.qualityRules(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	out := make([][]sheet.RowProblem, len(records))
	for i, r := range records {
		if old := r.Values["oldNumber"]; old != "" {
			out[i] = append(out[i], sheet.RowProblem{Field: "creditCode", Code: flagOldNumber,
				Message: fmt.Sprintf("填写的是 15 位旧工商注册号，库中同名企业的代码为 %s；采用则更新该企业", r.Values["creditCode"])})
		} else {
			for _, code := range found[plainName(r.Values["name"])] {
				if nearCodes(code, r.Values["creditCode"]) {
					out[i] = append(out[i], nearProblem(r.Values["name"], code))
					break
				}
			}
		}
		for _, q := range rules.Rules {
			if q.Action == actReview && !q.pass(r.Values, now) {
				out[i] = append(out[i], sheet.RowProblem{Field: q.Field, Code: flagQuality, Message: "不符合质量规则“" + q.Name + "”，请核实后决定是否采用"})
			}
		}
	}
	return out, nil
}
