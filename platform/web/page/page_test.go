package page_test

import (
	"bytes"
	"errors"
	"flag"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/huiqi/huiqi/platform/web/page"
)

var (
	update     = flag.Bool("update", false, "write the golden files anew")
	styleguide = flag.String("styleguide", "", "folder to write the sample pages to, for looking at them in a browser")
)

// TestGolden renders every sample page. With -styleguide it also leaves them where a browser can open them.
func TestGolden(t *testing.T) {
	t.Parallel()
	r := mustRenderer(t)
	pages := map[string][]byte{}
	for _, s := range samples() {
		var b bytes.Buffer
		if err := r.Render(&b, s.name, s.view, s.data); err != nil {
			t.Fatal(err)
		}
		pages[s.file] = b.Bytes()
	}
	for file, status := range map[string]int{"error-401": 401, "error-404": 404, "error-500": 500} {
		var b bytes.Buffer
		if err := r.RenderError(&b, page.View{Path: "/policies/9"}, status, "", "a1b2c3"); err != nil {
			t.Fatal(err)
		}
		pages[file] = b.Bytes()
	}
	for file, got := range pages {
		if *styleguide != "" {
			mustWrite(t, filepath.Join(*styleguide, file+".html"), bytes.ReplaceAll(got, []byte("/assets/"+page.AssetHash()), []byte("assets")))
		}
		got = bytes.ReplaceAll(got, []byte(page.AssetHash()), []byte("HASH"))
		golden := filepath.Join("testdata", "golden", file+".html")
		if *update {
			mustWrite(t, golden, got)
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from its golden file; look at it and run with -update", file)
		}
	}
	if *styleguide != "" {
		copyAssets(t, filepath.Join(*styleguide, "assets"))
	}
}

func TestTemplatesEscapeWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	r := mustRenderer(t)
	const script, address = `<script>alert("x")</script>`, `javascript:alert(1)`
	view := page.View{
		Title: script, Description: script, Query: script, CSRF: `"><b>`, Path: "/" + script, User: &page.User{Name: script, Company: script, Verification: page.Tag{Text: script}},
		Breadcrumb: []page.Crumb{{Text: script, URL: address}}, Flash: page.Flash{Text: script}, Meta: page.Meta{ArticleTitle: script},
	}
	cards := []page.PolicyCard{{URL: address, Title: script, Query: "script", Summary: script, Labels: []string{script}, Status: page.Tag{Text: script, Icon: script}}}
	me := mePage{
		Title: script, Facts: page.Facts{Items: []page.Fact{{Label: script, Value: script}, {Label: "x", Value: script, URL: address}}},
		Timeline: page.Timeline{Steps: []page.Step{{Title: script, Text: script, State: page.StepState(script), Files: []page.File{{Name: script, URL: address}}}}},
		Messages: []page.ItemCard{{URL: address, Title: script, Query: "alert", Summary: script, Meta: []string{script}}}, Empty: page.Empty{Title: script, Action: page.Link{URL: address, Text: script}},
	}
	form := formPage{
		Title: page.Field{Name: script, Label: script, Value: script, Error: script, Hint: script, Unit: script, Placeholder: script}, Text: page.Field{Value: "</textarea>" + script},
		Kind: page.Field{Options: []page.Option{{Value: script, Text: script}}}, Captcha: page.Captcha{ImageURL: address, AudioURL: address, RefreshURL: address},
	}
	for name, data := range map[string]any{"sample/list": listPage{Policies: cards}, "sample/me": me, "sample/form": form} {
		var b bytes.Buffer
		if err := r.Render(&b, name, view, data); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script>", `="javascript:`, `"><b>`, "<textarea></textarea><script"} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
}

func TestParseAndLinkRefuseWhatWouldFailLater(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"syntax":            `{{define "content"}}{{if}}{{end}}`,
		"unknown component": `{{define "content"}}{{template "nowhere" .}}{{end}}`,
		"unknown function":  `{{define "content"}}{{nowhere .}}{{end}}`,
		"no content":        `{{define "title"}}x{{end}}`,
		"replaces a tag":    `{{define "content"}}x{{end}}{{define "tag"}}y{{end}}`,
		"unclosed tag":      `{{define "content"}}<p class="{{end}}`,
	} {
		r := mustRenderer(t)
		if err := errors.Join(r.Parse("broken", fstest.MapFS{"page.html": {Data: []byte(text)}}), r.Link()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	r := mustRenderer(t)
	good := fstest.MapFS{"page.html": {Data: []byte(`{{define "content"}}{{template "part" .}}{{end}}`)}, "_part.html": {Data: []byte(`{{define "part"}}<p>{{shout "x"}}</p>{{end}}`)}}
	shout := template.FuncMap{"shout": strings.ToUpper}
	if err := errors.Join(r.Parse("good", good, shout), r.Link()); err != nil {
		t.Fatal(err)
	}
	if !r.Has("good/page") || r.Has("good/_part") {
		t.Error("the page is missing, or the partial became one")
	}
	if err := r.Parse("good", good, shout); err == nil {
		t.Error("the same page twice: accepted")
	}
	if err := r.Parse("other", good, template.FuncMap{"shout": strings.ToUpper, "money": strings.ToUpper}); err == nil {
		t.Error("replacing a shared function: accepted")
	}
	if err := r.Parse("empty", fstest.MapFS{}); err == nil {
		t.Error("a module without templates: accepted")
	}
}

func TestRenderWritesNothingWhenItFails(t *testing.T) {
	t.Parallel()
	r := mustRenderer(t)
	var b bytes.Buffer
	if err := r.Render(&b, "sample/list", page.View{}, struct{ Wrong int }{1}); err == nil {
		t.Error("a struct without the page's fields: no error")
	}
	if err := r.Render(&b, "sample/nowhere", page.View{}, nil); err == nil {
		t.Error("an unknown page: no error")
	}
	if b.Len() != 0 {
		t.Errorf("wrote %d bytes", b.Len())
	}
}

func TestRenderErrorAlwaysAnswers(t *testing.T) {
	t.Parallel()
	r := mustRenderer(t)
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 503} {
		var b bytes.Buffer
		if err := r.RenderError(&b, page.View{}, status, "请联系<管理员>", "t-1"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"请联系&lt;管理员&gt;", "t-1", "<h1>", "返回首页", "noindex"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%d lacks %q", status, want)
			}
		}
	}
	// A renderer without any template stands for a layout that cannot be rendered.
	var b bytes.Buffer
	if err := new(page.Renderer).RenderError(&b, page.View{}, 500, "<坏了>", "t-2"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "&lt;坏了&gt;") || !strings.Contains(got, "t-2") || !strings.Contains(got, "</html>") {
		t.Errorf("plain page: %s", got)
	}
}

func TestLayoutShowsOnlyWhatIsRegistered(t *testing.T) {
	t.Parallel()
	r, err := page.New(page.Options{District: "滨江", Site: page.SiteInfo{Name: "惠企台"}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.RenderError(&b, page.View{}, 404, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{`href=""`, `action=""`, "登录", "长者模式", `class="nav"`, "演示环境", "备案", "网站找错", "<script>"} {
		if strings.Contains(b.String(), absent) {
			t.Errorf("shows %q", absent)
		}
	}
}

func TestElderModeAndSignInReturn(t *testing.T) {
	t.Parallel()
	r := mustRenderer(t)
	var b bytes.Buffer
	if err := r.RenderError(&b, page.View{Path: "/policies?a=1&b=2", ElderMode: true}, 401, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="zh-CN" class="elder">`, `/elder?on=0&amp;return=%2Fpolicies%3Fa%3D1%26b%3D2`, `/login?return=%2Fpolicies%3Fa%3D1%26b%3D2`, "退出长者模式"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestPager(t *testing.T) {
	t.Parallel()
	show := func(p page.Pager) string {
		var s []string
		for _, l := range p.Pages {
			switch {
			case l.Gap:
				s = append(s, "…")
			case l.Current:
				s = append(s, "["+l.URL+"]")
			default:
				s = append(s, l.URL)
			}
		}
		return p.Prev + "<" + strings.Join(s, " ") + ">" + p.Next
	}
	for _, c := range []struct {
		page, last int
		want       string
	}{
		{1, 0, "<>"},
		{1, 1, "<>"},
		{1, 3, "<[1] 2 3>2"},
		{7, 101, "6<1 … 5 6 [7] 8 9 … 50>8"},
		{60, 101, "49<1 … 48 49 [50]>"},
		{-3, 2, "<[1] 2>2"},
	} {
		if got := show(page.NewPager(c.page, c.last, page.Number)); got != c.want {
			t.Errorf("page %d of %d: %s, want %s", c.page, c.last, got, c.want)
		}
	}
}

func mustWrite(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, b, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func copyAssets(t *testing.T, dir string) {
	t.Helper()
	err := fs.WalkDir(page.Assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(page.Assets, name)
		mustWrite(t, filepath.Join(dir, name), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
