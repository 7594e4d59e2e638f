package page_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing/fstest"

	"github.com/huiqi/huiqi/platform/web/page"
)

// A module embeds its templates, adds them once at start, and renders them with a named struct.
func ExampleRenderer_Render() {
	templates := fstest.MapFS{"list.html": {Data: []byte(
		`{{define "content"}}<div class="wrap">{{range .Data.Items}}{{template "tag" .}} {{end}}</div>{{end}}`)}}
	type listPage struct{ Items []page.Tag }

	r, err := page.New(page.Options{District: "滨江示范区", Site: page.SiteInfo{Name: "惠企台"}})
	if err != nil {
		panic(err)
	}
	if err := r.Parse("ticket", templates); err != nil {
		panic(err)
	}
	var b strings.Builder
	err = r.Render(&b, "ticket/list", page.View{Title: "我的诉求"}, listPage{Items: []page.Tag{{Text: "已办结", Tone: page.Success}}})
	fmt.Println(err, regexp.MustCompile(`<title>.*</title>`).FindString(b.String()), strings.Contains(b.String(), "已办结</span>"))
	// Output: <nil> <title>我的诉求 - 滨江示范区惠企台</title> true
}
