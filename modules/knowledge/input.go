package knowledge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// The longest inputs, in characters.
const (
	maxTitle    = 100
	maxQuestion = 500
	maxAnswer   = 10_000
	maxKeyword  = 20
	maxKeywords = 20
	maxSource   = 200
	maxNumber   = 60
	maxChange   = 300
	maxReason   = 500
	maxUnits    = 20
)

// day is a moment's day in Beijing.
func day(at time.Time) string { return at.In(clock.Beijing).Format(time.DateOnly) }

// date checks a day as people write it; "" is none.
func date(field, value string) (string, error) {
	if strings.TrimSpace(value) == "" {
		return "", nil
	}
	at, err := text.Day(field, value, clock.Beijing)
	if err != nil {
		return "", err
	}
	return day(at), nil
}

// cleaned checks what was typed and names every wrong field at once. That the category and the units exist is checked where
// they are known.
func (t Text) cleaned() (Text, error) {
	var wrong []error
	line := func(field, label, value string, least, most int) string {
		v, err := text.Line(field, value, least, most)
		wrong = append(wrong, text.Named(err, label))
		return v
	}
	block := func(field, label, value string, most int) string {
		v, err := text.Block(field, value, 1, most)
		wrong = append(wrong, text.Named(err, label))
		return v
	}
	t.Title = line("title", "标题", t.Title, 2, maxTitle)
	t.Question = block("question", "问题", t.Question, maxQuestion)
	t.Answer = block("answer", "答复内容", t.Answer, maxAnswer)
	t.SourceTitle = line("sourceTitle", "依据名称", t.SourceTitle, 2, maxSource)
	t.SourceNumber = line("sourceNumber", "文号", t.SourceNumber, 0, maxNumber)
	t.Category = line("category", "事项", t.Category, 0, maxKeyword)
	if t.SourceKind.Label() == "" {
		wrong = append(wrong, fault.InvalidField("sourceKind", "KNOWLEDGE_SOURCE", "请选择依据类型"))
	} else if (t.SourceKind == Law || t.SourceKind == Policy) && t.SourceNumber == "" {
		wrong = append(wrong, fault.InvalidField("sourceNumber", "KNOWLEDGE_NUMBER", "法律法规和政策文件请填写文号或条款，例如“通政办发〔2025〕12号”"))
	}
	if t.Audience.Label() == "" {
		wrong = append(wrong, fault.InvalidField("audience", "KNOWLEDGE_AUDIENCE", "请选择可见范围"))
	}
	words := make([]string, 0, len(t.Keywords))
	for _, w := range t.Keywords {
		v, err := text.Line("keywords", w, 1, maxKeyword)
		if err != nil {
			wrong = append(wrong, text.Named(err, "关键词"))
			continue
		}
		if !slices.Contains(words, v) {
			words = append(words, v)
		}
	}
	if t.Keywords = words; len(words) > maxKeywords {
		wrong = append(wrong, fault.InvalidField("keywords", "TOO_MANY_KEYWORDS", fmt.Sprintf("关键词最多 %d 个，请删减", maxKeywords)))
	}
	ids := append([]int64{}, t.UnitIDs...)
	slices.Sort(ids)
	if t.UnitIDs = slices.Compact(ids); len(t.UnitIDs) > maxUnits {
		wrong = append(wrong, fault.InvalidField("unitIds", "TOO_MANY_UNITS", fmt.Sprintf("相关单位最多 %d 个，请删减", maxUnits)))
	}
	if t.Audience == Concerned && len(t.UnitIDs) == 0 {
		wrong = append(wrong, fault.InvalidField("unitIds", "KNOWLEDGE_UNITS", "可见范围为“仅相关单位”时，请选择相关单位"))
	}
	var err error
	t.From, err = date("validFrom", t.From)
	wrong = append(wrong, err)
	t.Until, err = date("validUntil", t.Until)
	wrong = append(wrong, err)
	if t.From != "" && t.Until != "" && t.Until < t.From {
		wrong = append(wrong, fault.InvalidField("validUntil", "KNOWLEDGE_DATES", "有效期的截止日期不能早于起始日期"))
	}
	return t, fault.Merge(wrong...)
}

// changeNote checks what a writer says is new.
func changeNote(value string) (string, error) {
	v, err := text.Block("change", value, 0, maxChange)
	return v, text.Named(err, "修订说明")
}

// reason checks why something is returned, withdrawn or said to be wrong.
func reason(value string) (string, error) {
	v, err := text.Block("reason", value, 2, maxReason)
	return v, text.Named(err, "原因")
}
