package enterprise

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// A register says what a company holds, or what stands against it, in one cell: entries with ； or on lines of their own, of
// each its parts with | or blanks between them: the kind, the day, the last day (of being shown, of the state, of a title), the
// number of the document, the authority, other words. 无 says that there is none, which is knowledge; an empty cell says nothing.

// recordFields are the fields of a register that are written so.
var recordFields = []string{"qualification", "creditStanding", "penalties", "judgments", "socialArrears"}

// recordField is a field of a register with the kinds its entries may have.
func (t Terms) recordField(name string) field {
	f, _ := fieldOf(name)
	switch name {
	case "qualification":
		f.values = t.Qualifications
	case "creditStanding":
		f.values = standingNames
	}
	return f
}

// undated reports whether an entry may come without its day: lists of titles often name none.
func (f field) undated() bool { return f.name == "qualification" || f.name == "creditStanding" }

// standingNames are the lists of 市场监督管理 and 信用 offices that a company may stand on.
var standingNames = map[string]string{"经营异常": "经营异常名录", "严重失信": "严重失信主体名单"}

// recordKinds are the words by which the kinds of entries are known besides their names, the narrower first.
var recordKinds = map[string][][2]string{
	"penalties": {{"较大数额", "major_fine"}, {"重大罚款", "major_fine"}, {"罚款", "fine"}, {"没收", "fine"}, {"通报批评", "warning"}, {"警告", "warning"}, {"暂扣", "permit_held"}, {"吊销", "permit"},
		{"降低资质", "permit"}, {"停产", "closure"}, {"停业", "closure"}, {"关闭", "closure"}, {"限制从业", "closure"}, {"限制开展", "restraint"}, {"拘留", "detention"}},
	"judgments": {{"失信被执行", "dishonest"}, {"被执行", "enforced"}, {"限制高消费", "restricted"}, {"限高", "restricted"}, {"被告", "defendant"}, {"涉诉", "defendant"}, {"破产", "bankruptcy"},
		{"重整", "bankruptcy"}},
	"socialArrears":  {{"欠", "social"}, {"未缴", "social"}},
	"creditStanding": {{"异常", "经营异常"}, {"严重", "严重失信"}},
	"qualification": {{"中关村高新", "zgc_high_tech"}, {"高新技术企业", "high_tech"}, {"科技型中小", "tech_sme"}, {"重点“小巨人”", "key_little_giant"}, {"重点小巨人", "key_little_giant"}, {"小巨人", "little_giant"},
		{"专精特新", "srdi"}, {"创新型中小", "innovative_sme"}, {"规上", "above_scale"}, {"规模以上", "above_scale"}, {"食品经营许可", "food_license"}},
}

var (
	noRecords   = []string{"无", "没有", "无记录", "0"}
	entryEnd    = regexp.MustCompile(`[;；\n\r]+`)
	entryPart   = regexp.MustCompile(`[|｜\t ]+`)
	writtenDay  = regexp.MustCompile(`^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?$`)
	documentNo  = regexp.MustCompile(`号$|[〔\[【(（]\d{4}[〕\]】)）]`)
	recordWords = map[string][2]string{ // what the first and the last day of an entry are
		"penalties": {"决定日期", "公示截止日期"}, "judgments": {"立案或发布日期", "结束日期"}, "socialArrears": {"欠缴开始日期", "缴清日期"},
		"qualification": {"取得日期", "有效期截止日期"}, "creditStanding": {"列入日期", "移出日期"},
	}
)

// maxRecords is how many entries of one kind a register may say of a company.
const maxRecords = 50

// kindOf is the code of a kind of entry that is named by its code, its name or a word of it.
func (f field) kindOf(typed string) string {
	for code, name := range f.values {
		if typed == code || typed == norm.NFKC.String(name) {
			return code
		}
	}
	for _, k := range recordKinds[f.name] {
		if _, known := f.values[k[1]]; known && strings.Contains(typed, k[0]) {
			return k[1]
		}
	}
	return ""
}

// readRecords reads what a register says in one cell; false when it says nothing.
func readRecords(f field, typed string, now time.Time) ([]Holding, bool, error) {
	typed = strings.TrimSpace(norm.NFKC.String(strings.NewReplacer("｜", "|", "；", ";").Replace(typed)))
	if typed == "" {
		return nil, false, nil
	}
	out := []Holding{}
	if slices.Contains(noRecords, typed) {
		return out, true, nil
	}
	for _, entry := range entryEnd.Split(typed, -1) {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		h, err := readRecord(f, strings.TrimSpace(entry), now)
		if err != nil {
			return nil, false, err
		}
		out = append(out, h)
	}
	if len(out) > maxRecords {
		return nil, false, fault.New(fault.Invalid, "RECORDS", fmt.Sprintf("%s最多填写 %d 条，请只保留最近的记录", f.label, maxRecords))
	}
	return out, true, nil
}

func readRecord(f field, entry string, now time.Time) (Holding, error) {
	bad := func(format string, args ...any) (Holding, error) {
		return Holding{}, fault.New(fault.Invalid, "RECORD", fmt.Sprintf(format, args...))
	}
	parts := entryPart.Split(entry, -1)
	h := Holding{Code: f.kindOf(parts[0])}
	if h.Code == "" && f.name == "qualification" {
		return bad("“%s”不在资质与称号目录中，请按目录中的全称填写，例如国家高新技术企业；没有资质的请填“无”", leading(parts[0], 20))
	}
	if h.Code == "" {
		return bad("%s中的“%s”不是可识别的种类，应为%s之一，没有记录的请填“无”", f.label, leading(parts[0], 20), strings.Join(slices.Sorted(maps.Values(f.values)), "、"))
	}
	days := recordWords[f.name]
	for _, part := range parts[1:] {
		day, isDay, err := readDay(part)
		switch {
		case err != nil:
			return bad("%s“%s”中的日期“%s”不存在，请核对", f.label, f.values[h.Code], part)
		case isDay && h.From == "":
			h.From = day
		case isDay && h.To == "":
			h.To = day
		case isDay:
			return bad("%s“%s”中的日期多于两个，请依次填写%s和%s", f.label, f.values[h.Code], days[0], days[1])
		case documentNo.MatchString(part) && h.No == "":
			h.No = leading(part, 60)
		case h.By == "":
			h.By = leading(part, 40)
		default:
			h.Text = leading(strings.TrimSpace(h.Text+" "+part), 200)
		}
	}
	switch {
	case h.From == "" && !f.undated():
		return bad("%s“%s”没有填写%s，请按“%s|2026-03-01|2027-03-01|文书号|机关”的格式填写", f.label, f.values[h.Code], days[0], f.values[h.Code])
	case h.From > now.In(clock.Beijing).Format(time.DateOnly):
		return bad("%s“%s”的%s晚于今天，请核对", f.label, f.values[h.Code], days[0])
	case h.To != "" && h.To < h.From:
		return bad("%s“%s”的%s早于%s，请核对是否颠倒", f.label, f.values[h.Code], days[1], days[0])
	}
	return h, nil
}

// readDay reads a day as registers write it: 2026-03-01, 2026/3/1, 2026年3月1日.
func readDay(s string) (day string, is bool, err error) {
	m := writtenDay.FindStringSubmatch(s)
	if m == nil {
		return "", false, nil
	}
	t, err := time.Parse("2006-1-2", m[1]+"-"+m[2]+"-"+m[3])
	return t.Format(time.DateOnly), true, err
}

// writeRecords writes entries as readRecords reads them.
func writeRecords(f field, list []Holding) string {
	if len(list) == 0 {
		return noRecords[0]
	}
	out := make([]string, 0, len(list))
	for _, h := range list {
		parts := []string{f.values[h.Code]}
		for _, s := range []string{h.From, h.To, h.No, h.By, h.Text} {
			if s != "" {
				parts = append(parts, s)
			}
		}
		out = append(out, strings.Join(parts, "|"))
	}
	return strings.Join(out, ";")
}

// withTitles are the titles that a source said of a company before, with those it says now in the place of the same: a list of
// one title says nothing of the others.
func withTitles(before string, now []Holding) []Holding {
	var held []Holding
	if len(now) == 0 || json.Unmarshal([]byte(before), &held) != nil {
		return now
	}
	for _, n := range now {
		same := func(h Holding) bool { return h.Code == n.Code }
		if i := slices.IndexFunc(held, same); i >= 0 {
			held[i] = n
		} else {
			held = append(held, n)
		}
	}
	return held
}

// leading leaves the first n characters.
func leading(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// readGrade reads a grade of tax credit: A, a级, Ａ 级.
func readGrade(typed string) (string, error) {
	typed = strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(typed)), ""))
	code := strings.TrimSuffix(typed, "级")
	if taxGrades[code] == "" {
		return "", fault.New(fault.Invalid, "TAX_GRADE", fmt.Sprintf("纳税信用等级“%s”不在 A、B、M、C、D 之内，未评价的请留空", leading(typed, 20)))
	}
	return code, nil
}

// unlikely reports whether numbers contradict each other: more patents for inventions than patents.
func unlikely(patents, inventions int64) bool { return inventions > patents }

const unlikelyText = "有效发明专利多于有效专利，请核对：发明专利是专利的一种"

// permitsOf parts the titles into permits and others.
func (t Terms) permitsOf(held []Holding) (permits, others []Holding) {
	permits, others = []Holding{}, []Holding{}
	for _, h := range held {
		if t.Permits[h.Code] {
			permits = append(permits, h)
		} else {
			others = append(others, h)
		}
	}
	return permits, others
}

// titlesText says the titles of a fact that are permits, or the others.
func (s *Service) titlesText(x Fact, permits bool) string {
	f, _ := fieldOf("qualification")
	list, others := s.terms.permitsOf(holdingsOf(x))
	if !permits {
		list = others
	}
	_, text, _ := f.holdings(list, s.terms)
	return text
}
