package server_test

import (
	"os/exec"
	"strings"
	"testing"
)

const root = "github.com/huiqi/huiqi/"

// The rules of the house: who may not import whom, and why.
var rules = []struct{ from, to, why string }{
	{"platform/", "modules/", "the ground floor carries the modules"},
	{"platform/", "integrations/", "the ground floor knows no outside system"},
	{"platform/", "server", "imports point down"},
	{"platform/", "seed", "imports point down"},
	{"integrations/", "modules/", "a client speaks a protocol, not a business"},
	{"integrations/", "server", "imports point down"},
	{"modules/", "integrations/", "server joins a module to an outside system through the module's own interface"},
	{"modules/", "server", "imports point down"},
	{"modules/", "seed", "a module works without its demo data"},
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}:{{join .Imports \",\"}}", root+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		path, imports, _ := strings.Cut(line, ":")
		from := strings.TrimPrefix(path, root)
		seen++
		for _, imp := range strings.Split(imports, ",") {
			to, ours := strings.CutPrefix(imp, root)
			if !ours {
				continue
			}
			for _, r := range rules {
				if strings.HasPrefix(from, r.from) && strings.HasPrefix(to, r.to) {
					t.Errorf("%s imports %s: %s", from, to, r.why)
				}
			}
			if m := module(from); m != "" && module(to) != "" && module(to) != m {
				t.Errorf("%s imports %s: modules never import each other", from, to)
			}
			if strings.HasPrefix(to, "github.com/riverqueue") && from != "platform/jobs" {
				t.Errorf("%s imports River: only platform/jobs does", from)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

func module(path string) string {
	rest, ok := strings.CutPrefix(path, "modules/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
