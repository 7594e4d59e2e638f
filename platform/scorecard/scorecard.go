// Package scorecard is how work is scored by a card: items with points that add up to a hundred, and faults that cost all of them. Modules
// keep their cards in versions of their own.
package scorecard

import (
	"fmt"
	"slices"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Full is the score of faultless work: the points of a scorecard add up to it.
const Full = 100

// Line is a line of a scorecard.
type Line struct {
	Name   string `json:"name"`
	Points int    `json:"points" doc:"When nothing is wrong."`
	Hint   string `json:"hint" doc:"What loses points, for the person who scores."`
}

// Card is what a scorecard says.
type Card struct {
	Items []Line   `json:"items"`
	Fatal []string `json:"fatal" doc:"Faults that cost all points."`
}

// Check tidies the card and returns a fault that says what is wrong with it.
func (c *Card) Check() error {
	if len(c.Items) == 0 || len(c.Items) > 30 || len(c.Fatal) > 20 {
		return fault.InvalidField("items", "QUALITY_CARD", "评分表须有 1 至 30 个评分项，一票否决项不超过 20 个")
	}
	var errs []error
	sum := 0
	names := map[string]bool{}
	name := func(field, s string) string {
		tidy, err := text.Line(field, s, 2, 30)
		if err != nil {
			errs = append(errs, text.Named(err, "评分项名称"))
		} else if names[tidy] {
			errs = append(errs, fault.InvalidField(field, "QUALITY_CARD_TWICE", "“"+tidy+"”重复出现，请只保留一项"))
		}
		names[tidy] = true
		return tidy
	}
	for i := range c.Items {
		it, field := &c.Items[i], fmt.Sprintf("items[%d]", i)
		it.Name = name(field+".name", it.Name)
		var err error
		if it.Hint, err = text.Line(field+".hint", it.Hint, 0, 200); err != nil {
			errs = append(errs, text.Named(err, "扣分说明"))
		}
		if it.Points < 1 || it.Points > Full {
			errs = append(errs, fault.InvalidField(field+".points", "QUALITY_POINTS", "“"+it.Name+"”的分值须为 1 至 100 的整数"))
		}
		sum += it.Points
	}
	for i := range c.Fatal {
		c.Fatal[i] = name(fmt.Sprintf("fatal[%d]", i), c.Fatal[i])
	}
	if sum != Full {
		errs = append(errs, fault.InvalidField("items", "QUALITY_SUM", fmt.Sprintf("各评分项分值之和须为 100 分，现为 %d 分", sum)))
	}
	return fault.Merge(errs...)
}

// Mark is what a work got for an item.
type Mark struct {
	Item   string `json:"item"`
	Points int    `json:"points"`
	Note   string `json:"note" doc:"What was wrong, where points are lost."`
}

// Marks is how a work was scored.
type Marks struct {
	Marks   []Mark   `json:"marks"`
	Fatal   []string `json:"fatal" doc:"Those of the scorecard's fatal faults that were found."`
	Comment string   `json:"comment"`
}

// Score tidies the marks and adds them up: 0 with a fatal fault. Each item has a mark, in the order of the card.
func (c Card) Score(m *Marks) (int, error) {
	if len(m.Marks) != len(c.Items) {
		return 0, fault.InvalidField("marks", "QUALITY_MARKS", "请为每个评分项打分；评分表可能已更新，请刷新后重试")
	}
	m.Marks = slices.Clone(m.Marks) // the request stays as it came
	var errs []error
	sum := 0
	for i, it := range c.Items {
		k, field := &m.Marks[i], fmt.Sprintf("marks[%d]", i)
		if k.Item != it.Name {
			return 0, fault.InvalidField(field, "QUALITY_MARKS", "评分项与评分表不一致，请刷新后重试")
		}
		least := 0
		if k.Points < 0 || k.Points > it.Points {
			errs = append(errs, fault.InvalidField(field+".points", "QUALITY_POINTS", fmt.Sprintf("“%s”请填 0 至 %d 的整数", it.Name, it.Points)))
		} else if k.Points < it.Points {
			least = 2
		}
		var err error
		if k.Note, err = text.Line(field+".note", k.Note, least, 200); err != nil {
			errs = append(errs, text.Named(err, "“"+it.Name+"”的扣分原因"))
		}
		sum += k.Points
	}
	for i, f := range m.Fatal {
		if !slices.Contains(c.Fatal, f) || slices.Contains(m.Fatal[:i], f) {
			errs = append(errs, fault.InvalidField("fatal", "QUALITY_FATAL", "一票否决项与评分表不一致，请刷新后重试"))
		}
	}
	least := 0
	if len(m.Fatal) > 0 {
		sum, least = 0, 5
	}
	var err error
	if m.Comment, err = text.Block("comment", m.Comment, least, 1000); err != nil {
		errs = append(errs, text.Named(err, "总体评语"))
	}
	return sum, fault.Merge(errs...)
}
