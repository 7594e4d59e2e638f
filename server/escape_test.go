package server_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What makes a text markup without escaping it: the types of html/template in Go, and their like in the browser. Vue's v-html is
// refused by the linters of both front-ends.
var (
	unescapedGo = regexp.MustCompile(`template\.(HTML|HTMLAttr|JS|JSStr|CSS|URL|Srcset)\b`)
	unescapedTS = regexp.MustCompile(`v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc`)
)

// TestNothingPassesTheEscaper: whatever people write is escaped where it is shown, for only package page, whose own texts
// those are, and no front-end may say that a text is markup. Which payloads were tried in a browser is in injection.spec.ts.
func TestNothingPassesTheEscaper(t *testing.T) {
	t.Parallel()
	own, looked := 0, 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			// The pages of the stand-ins exchange their lists for what html/template wrote anew.
			if name == "node_modules" || name == "dist" || name == "e2e" || name == "sandbox" || strings.HasPrefix(name, ".") && name != ".." {
				return filepath.SkipDir
			}
			return nil
		}
		made := unescapedTS
		switch filepath.Ext(name) {
		case ".go":
			made = unescapedGo
		case ".ts", ".vue", ".js", ".html":
		default:
			return nil
		}
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".spec.ts") || name == "eslint.config.js" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		for _, found := range made.FindAllString(string(text), -1) {
			if strings.Contains(filepath.ToSlash(path), "platform/web/page/") && made == unescapedGo {
				own++
				continue
			}
			t.Errorf("%s: %s", path, found)
		}
		return nil
	})
	if err != nil || looked < 1000 || own == 0 {
		t.Fatalf("%d files, %d places in package page, %v", looked, own, err)
	}
}
