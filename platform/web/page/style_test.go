package page_test

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/web/page"
)

// TestContrast computes WCAG contrast for each pair of text and ground the style sheet sets, and that it still uses them.
func TestContrast(t *testing.T) {
	t.Parallel()
	css := mustAsset(t, "portal.css")
	for _, p := range []struct{ text, ground, what string }{
		{"#1f2329", "#ffffff", "ink on card"}, {"#1f2329", "#f5f7fa", "ink on page"}, {"#51565d", "#ffffff", "secondary on card"},
		{"#51565d", "#f5f7fa", "secondary on page"}, {"#51565d", "#eef0f3", "neutral tag"}, {"#6b7178", "#ffffff", "faint on card"},
		{"#6b7178", "#f5f7fa", "faint on page"}, {"#14489c", "#ffffff", "link on card"}, {"#14489c", "#f5f7fa", "link on page"},
		{"#14489c", "#e8f0fc", "primary on its light"}, {"#1a5bc4", "#ffffff", "link under the pointer"}, {"#1a5bc4", "#f5f7fa", "the same on the page"},
		{"#ffffff", "#14489c", "button, navigation"}, {"#ffffff", "#1a5bc4", "the same under the pointer"}, {"#e8f0fc", "#14489c", "figures"},
		{"#ffffff", "#c8161d", "badge, urgent"}, {"#c8161d", "#ffffff", "error"}, {"#c8161d", "#f5f7fa", "strong fact"},
		{"#1a6e36", "#e6f4ea", "success"}, {"#8a4700", "#fdf1e0", "warning"}, {"#b3121a", "#fdebeb", "danger"}, {"#a05400", "#ffffff", "deadline"},
		{"#a05400", "#fdf1e0", "icon of a kind"}, {"#1c7c3c", "#ffffff", "done"}, {"#6b3a00", "#fff4dc", "demo banner"}, {"#d3dae4", "#243449", "footer"},
		{"#ffffff", "#0f3a80", "current navigation"}, {"#0b3478", "#ffffff", "link in 长者模式"}, {"#1f2329", "#fff1c2", "marked word"},
	} {
		if got := contrast(t, p.text, p.ground); got < 4.5 {
			t.Errorf("%s: %s on %s is %.2f, want 4.5", p.what, p.text, p.ground, got)
		}
		for _, c := range []string{p.text, p.ground} {
			if !strings.Contains(css, c) {
				t.Errorf("%s: %s is no longer in the style sheet", p.what, c)
			}
		}
	}
	// Edges of inputs and the ring of the focus carry meaning too.
	if got := contrast(t, "#828a95", "#ffffff"); got < 3 {
		t.Errorf("edge of inputs: %.2f, want 3", got)
	}
}

func TestStyleSheetSuitsOldBrowsers(t *testing.T) {
	t.Parallel()
	css := mustAsset(t, "portal.css")
	for _, token := range []string{"var(", "--", "display: grid", "display:grid", "gap:", "@import", "inset:", ":is(", ":where(", ":has(", "aspect-ratio", "clamp("} {
		if strings.Contains(regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(css, ""), token) {
			t.Errorf("%q is unknown to old browsers and has no fallback here", token)
		}
	}
	if strings.Count(css, "{") != strings.Count(css, "}") {
		t.Error("braces do not match")
	}
}

// TestScriptIsES5 looks for what a browser of 2012 cannot parse. Strings and comments are taken out first.
func TestScriptIsES5(t *testing.T) {
	t.Parallel()
	js := mustAsset(t, "portal.js")
	js = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(js, "")
	js = regexp.MustCompile(`'[^'\n]*'`).ReplaceAllString(js, "''")
	for _, bad := range []string{
		"=>", "`", `\blet\b`, `\bconst\b`, `\bclass\b`, `\basync\b`, `\bawait\b`, `\bimport\b`, `\bexport\b`, `\.\.\.`, `\?\.`, `\?\?`, `\*\*`,
		`\bfor\s*\([^;)]*\bof\b`, `\bPromise\b`, `\bfetch\(`, `\.classList\b`, `,\s*[)\]}]`, `catch\s*\{`,
	} {
		if m := regexp.MustCompile(bad).FindString(js); m != "" {
			t.Errorf("contains %q", m)
		}
	}
}

func TestAssetsAreSafeAndComplete(t *testing.T) {
	t.Parallel()
	n := 0
	err := fs.WalkDir(page.Assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".svg") {
			return err
		}
		n++
		svg := mustAsset(t, name)
		for _, bad := range []string{"<script", "onload", "href=", "<text", "<image"} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s contains %s", name, bad)
			}
		}
		return nil
	})
	if err != nil || n < 30 {
		t.Errorf("%d drawings, %v", n, err)
	}
	for _, kind := range []string{"finance", "law", "tax", "people", "ip", "certificate", "science", "digital", "document", "info", "success", "warning", "danger", "urgent", "dot"} {
		mustAsset(t, "icons/"+kind+".svg")
	}
	if got, want := page.AssetPath("portal.css"), "/assets/"+page.AssetHash()+"/portal.css"; got != want || len(page.AssetHash()) != 12 {
		t.Errorf("address %s, want %s", got, want)
	}
}

// TestIconsInTemplatesExist guards against a misspelt name, which would show a sheet of paper.
func TestIconsInTemplatesExist(t *testing.T) {
	t.Parallel()
	for _, f := range []string{"layout", "components", "form", "home"} {
		for _, m := range regexp.MustCompile(`\{\{icon "([a-z]+)"\}\}`).FindAllStringSubmatch(mustFile(t, "templates/"+f+".html"), -1) {
			mustAsset(t, "icons/"+m[1]+".svg")
		}
	}
}

func mustAsset(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(page.Assets, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	l := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		c := float64(v>>(16-8*i)&255) / 255
		if c <= .03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
