package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/criteria"
)

// NextStep is what to tell next: the facts that together settle the most policies.
type NextStep struct {
	Fields   []string `json:"fields"`
	Labels   []string `json:"labels"`
	Policies int      `json:"policies"`
	Text     string   `json:"text"` // 再填 2 项（从业人员、上年营业收入），可确认 7 项政策
}

// mostAsked is how many facts a next step asks at most.
const mostAsked = 2

// nextStep finds the one or two facts that settle the most policies: those that lack nothing else. Of steps that settle as
// many, the shorter one counts.
func nextStep(possible []Judged) *NextStep {
	missing := map[string]criteria.Missing{}
	lacks := map[string]int{} // what policies lack, sorted and joined → how many
	for _, j := range possible {
		fields := make([]string, 0, len(j.Missing))
		for _, m := range j.Missing {
			missing[m.Key()] = m
			fields = append(fields, m.Key())
		}
		if slices.Sort(fields); len(fields) > 0 && len(fields) <= mostAsked {
			lacks[strings.Join(fields, " ")]++
		}
	}
	var best *NextStep
	for key := range lacks {
		fields := strings.Fields(key)
		n := 0
		for other, count := range lacks {
			inside := true
			for _, f := range strings.Fields(other) {
				inside = inside && slices.Contains(fields, f)
			}
			if inside {
				n += count
			}
		}
		step := &NextStep{Fields: fields, Policies: n}
		if best == nil || cmp.Or(cmp.Compare(step.Policies, best.Policies), cmp.Compare(len(best.Fields), len(step.Fields)), slices.Compare(best.Fields, step.Fields)) > 0 {
			best = step
		}
	}
	if best == nil {
		return nil
	}
	for i, key := range best.Fields {
		best.Fields[i] = missing[key].Field
		best.Labels = append(best.Labels, missing[key].Label)
	}
	best.Text = fmt.Sprintf("再填 %d 项（%s），可确认 %d 项政策", len(best.Fields), strings.Join(best.Labels, "、"), best.Policies)
	return best
}
