package criteria_test

import (
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/criteria"
)

// TestCheck: every mistake of a condition is told, each at its place, and a condition without mistakes has none.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := mustSchema(t)
	cases := []struct {
		condition string
		want      []string // path, then what the message holds
	}{
		{`{"all":[{"field":"employees","op":"gte","value":2},{"op":"human","label":"领先"}]}`, nil},
		{`{"all":[{"field":"staff","op":"gte","value":2},{"field":"employees","op":"gte","value":20,"unit":"万元"},{"any":[]},
			{"field":"revenue","op":"between","value":[5,1],"unit":"万元"},
			{"atLeast":{"k":3,"of":[{"field":"employees","op":"gte"},{"op":"human","label":"甲"}]}},
			{"not":{"field":"employees","op":"under","value":"C"}}]}`, []string{
			"condition.all[0]", "没有名为「staff」的字段", "condition.all[1]", "单位应为「人」，不能是「万元」", "condition.all[2]", "至少要有一条条件",
			"condition.all[3]", "下限大于上限", "condition.all[4].atLeast.of[0]", "请填写", "condition.all[4]", "应为 1 到 2 的整数", "condition.all[5].not", "不能使用「under」比较"}},
		{`{"all":`, []string{"condition", "不是有效的 JSON"}},
		{`{"any":[]}`, []string{"condition", "至少要有一条条件"}},
	}
	for _, c := range cases {
		got := criteria.Check([]byte(c.condition), s)
		if len(got) != len(c.want)/2 {
			t.Errorf("%s: %+v", c.condition, got)
			continue
		}
		for i, p := range got {
			if p.Path != c.want[2*i] || !strings.Contains(p.Message, c.want[2*i+1]) || strings.Contains(p.Message, "第 ") {
				t.Errorf("%s: problem %d is %+v, want %q", c.condition, i, p, c.want[2*i:2*i+2])
			}
		}
	}
}
