package content_test

import (
	"fmt"

	"github.com/huiqi/huiqi/modules/content"
)

func ExampleBlocks() {
	for _, b := range content.Blocks("# 怎样申请\n1. 打开[产品页](/products)\n2. 提交材料") {
		fmt.Println(b.Kind, b.Spans, b.Items)
	}
	// Output:
	// heading [{怎样申请 }] []
	// steps [] [[{打开 } {产品页 /products}] [{提交材料 }]]
}
