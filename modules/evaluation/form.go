package evaluation

import (
	"fmt"
	"slices"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Level is what is asked of somebody who chose a level.
type Level struct {
	Level  int      `json:"level" minimum:"1" maximum:"5"`
	Label  string   `json:"label" doc:"What the level is called."`
	Prompt string   `json:"prompt" doc:"Asked of whoever chose the level."`
	Tags   []string `json:"tags" doc:"Opinions to choose from."`
	Words  bool     `json:"words" doc:"Words are needed."`
}

// Form is what is asked about a service.
type Form struct {
	During string  `json:"during" doc:"The question while the service is given."`
	After  string  `json:"after" doc:"The question when it has ended."`
	Levels []Level `json:"levels" doc:"From 5, the best, to 1."`
}

// Levels is how many levels a form has.
const Levels = 5

const (
	maxTags   = 12
	maxChosen = 6
	maxWords  = 500
)

// Standard is the form an installation begins with.
func Standard() Form {
	return Form{
		During: "到目前为止，您对机构的服务满意吗？", After: "服务已结束，您对机构的服务满意吗？",
		Levels: []Level{
			{5, "非常满意", "哪些方面让您满意？", []string{"响应快", "态度好", "专业", "收费透明", "材料要求清楚", "结果符合预期"}, false},
			{4, "满意", "哪些方面让您满意？还可以怎样改进？", []string{"响应快", "态度好", "专业", "收费透明", "流程可再简化"}, false},
			{3, "一般", "哪些方面需要改进？", []string{"响应慢", "沟通不够", "流程复杂", "材料要求反复", "收费说明不清"}, false},
			{2, "不满意", "请说明不满意的地方，机构会看到并回复", []string{"响应慢", "态度差", "不专业", "材料要求反复", "收费与承诺不符", "没有达到效果"}, true},
			{1, "非常不满意", "请说明不满意的地方，平台会关注处理", []string{"无人联系", "态度差", "不专业", "收费与承诺不符", "承诺没有兑现", "存在不当行为"}, true},
		},
	}
}

// KindOfTickets is the kind by whose form the replies to tickets are judged. A judgement of a reply is part of the ticket's
// call-back and is kept with the ticket; what is asked, and what may be answered, is the same for both.
const KindOfTickets = "ticket"

// StandardOfTickets is the form of tickets that an installation begins with.
func StandardOfTickets() Form {
	good := []string{"办理及时", "态度好", "问题解决", "答复清楚", "主动联系"}
	bad := []string{"办理慢", "没有联系", "答复不清楚", "问题没解决", "态度差", "推诿"}
	return Form{
		During: "到目前为止，您对办理情况满意吗？", After: "您对办理结果满意吗？",
		Levels: []Level{
			{5, "非常满意", "哪些方面让您满意？", good, false},
			{4, "满意", "哪些方面让您满意？还可以怎样改进？", good, false},
			{3, "基本满意", "哪些方面需要改进？", bad, false},
			{2, "不满意", "请选择不满意的地方，平台会交承办单位重新办理", bad, false},
			{1, "非常不满意", "请选择不满意的地方，平台会交承办单位重新办理", bad, false},
		},
	}
}

// Check tidies the form and returns a fault that says what is wrong with it.
func (f *Form) Check() error {
	var errs []error
	line := func(field, label string, s *string, least, most int) {
		tidy, err := text.Line(field, *s, least, most)
		if err != nil {
			errs = append(errs, text.Named(err, label))
		}
		*s = tidy
	}
	line("during", "服务中的提问", &f.During, 4, 60)
	line("after", "服务后的提问", &f.After, 4, 60)
	if len(f.Levels) != Levels {
		return fault.InvalidField("levels", "EVALUATION_LEVELS", "评价表须有 5 个档次")
	}
	for i := range f.Levels {
		l, field := &f.Levels[i], fmt.Sprintf("levels[%d]", i)
		if l.Level != Levels-i {
			return fault.InvalidField(field, "EVALUATION_LEVELS", "档次须从 5 到 1 依次排列")
		}
		line(field+".label", "档次名称", &l.Label, 2, 10)
		line(field+".prompt", "“"+l.Label+"”的提示语", &l.Prompt, 4, 60)
		if len(l.Tags) > maxTags {
			errs = append(errs, fault.InvalidField(field+".tags", "EVALUATION_TAGS", fmt.Sprintf("“%s”的意见标签不超过 %d 个", l.Label, maxTags)))
		}
		for k := range l.Tags {
			line(fmt.Sprintf("%s.tags[%d]", field, k), "意见标签", &l.Tags[k], 2, 12)
			if slices.Contains(l.Tags[:k], l.Tags[k]) {
				errs = append(errs, fault.InvalidField(field+".tags", "EVALUATION_TAGS", "“"+l.Label+"”的意见标签“"+l.Tags[k]+"”重复"))
			}
		}
		if l.Tags == nil {
			l.Tags = []string{}
		}
	}
	return fault.Merge(errs...)
}

// level returns what is asked at a level.
func (f Form) level(n int) (Level, bool) {
	if n < 1 || n > len(f.Levels) {
		return Level{}, false
	}
	return f.Levels[Levels-n], true
}

// Answer is what somebody says of a service.
type Answer struct {
	FormID int64    `json:"formId" doc:"The version of the form that was answered."`
	Level  int      `json:"level"`
	Tags   []string `json:"tags,omitempty" maxItems:"6"`
	Words  string   `json:"words,omitempty"`
}

// answer tidies what was said and holds it against the form.
func (f Form) answer(a *Answer) (Level, error) {
	l, ok := f.level(a.Level)
	if !ok {
		return l, fault.InvalidField("level", "EVALUATION_LEVEL", "请选择满意程度")
	}
	var errs []error
	if len(a.Tags) > maxChosen {
		errs = append(errs, fault.InvalidField("tags", "EVALUATION_TAGS", fmt.Sprintf("意见标签最多选 %d 个", maxChosen)))
	}
	kept := []string{}
	for _, t := range l.Tags { // in the order of the form
		if slices.Contains(a.Tags, t) {
			kept = append(kept, t)
		}
	}
	for _, t := range a.Tags {
		if !slices.Contains(l.Tags, t) {
			errs = append(errs, fault.InvalidField("tags", "EVALUATION_TAGS", "所选意见标签与“"+l.Label+"”不对应，请重新选择"))
			break
		}
	}
	a.Tags = kept
	least := 0
	if l.Words {
		least = 5
	}
	var err error
	if a.Words, err = text.Block("words", a.Words, least, maxWords); err != nil {
		errs = append(errs, text.Named(err, "评价内容"))
	}
	return l, fault.Merge(errs...)
}
