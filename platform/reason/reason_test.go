package reason_test

import (
	"fmt"
	"testing"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
)

var first = []reason.Reason{{Code: "unclear", Text: "照片不清晰，请重新拍摄", Sort: 10}, {Code: "differs", Text: "填写内容与执照不一致", Sort: 20},
	{Code: "missing", Text: "缺少材料，请写明缺什么", Words: true, Sort: 30}, {Code: reason.Other, Text: "其他原因", Words: true, Sort: 90}}

func TestCompose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen      []string
		own         string
		kept, words string
		at          string
	}{
		{[]string{"unclear"}, "", "[unclear]", "照片不清晰，请重新拍摄", ""},
		{[]string{"differs", "unclear"}, " 补充 ", "[unclear differs]", "照片不清晰，请重新拍摄\n填写内容与执照不一致\n补充", ""},
		{[]string{"other"}, "请更换为新版执照", "[other]", "请更换为新版执照", ""},
		{[]string{"missing"}, "缺少公章页", "[missing]", "缺少材料，请写明缺什么\n缺少公章页", ""},
		{[]string{"other"}, "", "", "", "text"},
		{[]string{"missing", "unclear"}, "短", "", "", "text"},
		{nil, "说明说明", "", "", "code"},
		{[]string{"unclear", "unclear"}, "", "", "", "code"},
		{[]string{"nothing"}, "", "", "", "code"},
	} {
		kept, words, err := reason.Compose(first, c.chosen, c.own)
		if c.at != "" {
			if f, ok := fault.As(err); !ok || len(f.Fields) == 0 || f.Fields[0].Name != c.at {
				t.Errorf("%v: %v", c.chosen, err)
			}
			continue
		}
		if err != nil || fmt.Sprint(kept) != c.kept || words != c.words {
			t.Errorf("%v: %v %q %v", c.chosen, kept, words, err)
		}
	}
}
