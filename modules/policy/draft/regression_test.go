package draft_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/seed/reference"
)

// floors are what the reader reaches on the regression set, in percent, precision and recall. They are raised when it gets
// better and never lowered without a word in the change.
var floors = map[string][2]int{"threshold": {100, 100}, "category": {98, 100}, "standing": {98, 100}, "open": {100, 100}, "aside": {95, 100}}

// TestRegressionSet keeps the reader from getting worse on sentences written for it. It is no measure of quality.
func TestRegressionSet(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/regression.txt")
	if err != nil {
		t.Fatal(err)
	}
	type tally struct{ sentences, right, found, wanted int }
	tallies := map[string]*tally{}
	sort := ""
	r := reader(t)
	for _, line := range strings.Split(string(raw), "\n") {
		if s, ok := strings.CutPrefix(line, "= "); ok {
			sort = s
			tallies[sort] = &tally{}
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		text := parts[0] + "。\n"
		if sort != "aside" {
			text = "一、申报条件\n" + text
		}
		d := r.Read(text)
		n := tallies[sort]
		n.sentences++
		if sort == "open" { // what no data decides is to be kept in words, and no more
			n.wanted++
			n.found += len(d.Clauses)
			if len(d.NotDecidable) > 0 {
				n.found++
				n.right++
			}
			if len(d.NotDecidable) == 0 || len(d.Clauses) > 0 {
				t.Logf("%s: %q gives %v", sort, parts[0], shown(d))
			}
			continue
		}
		got, want := shown(d), parts[1:]
		right := 0
		left := slices.Clone(want)
		for _, g := range got {
			if i := slices.Index(left, g); i >= 0 {
				right++
				left = slices.Delete(left, i, i+1)
			}
		}
		n.right, n.found, n.wanted = n.right+right, n.found+len(got), n.wanted+len(want)
		if right != len(got) || right != len(want) {
			t.Logf("%s: %q\n  wants %v\n  gives %v", sort, parts[0], want, got)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(tallies)) {
		n := tallies[s]
		precision, recall := share(n.right, n.found), share(n.right, n.wanted)
		if s == "aside" { // nothing is to be found: the share of sentences that gave nothing
			precision, recall = share(n.sentences-n.found, n.sentences), 100
		}
		t.Logf("%s: %d sentences, precision %d%%, recall %d%% (%d right of %d found, %d wanted)", s, n.sentences, precision, recall, n.right, n.found, n.wanted)
		if f, ok := floors[s]; !ok || precision < f[0] || recall < f[1] {
			t.Errorf("%s: precision %d%% and recall %d%% fall below %v", s, precision, recall, f)
		}
		if n.sentences < 60 {
			t.Errorf("%s has %d sentences, want at least 60", s, n.sentences)
		}
	}
}

// reader reads with the reference lists, as the program does.
func reader(t testing.TB) *draft.Reader {
	t.Helper()
	var l draft.Lexicon
	divisions, err := reference.Divisions()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range divisions {
		l.Regions = append(l.Regions, d.Name)
	}
	industries, err := reference.Industries()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range industries {
		if i.Level <= 2 {
			l.Industries = append(l.Industries, i.Name)
		}
	}
	qualifications, err := reference.Qualifications()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range qualifications {
		l.Qualifications = append(l.Qualifications, q.Name)
	}
	return draft.New(l)
}

func share(a, b int) int {
	if b == 0 {
		return 100
	}
	return a * 100 / b
}

// shown writes clauses as the regression set does.
func shown(d draft.Draft) []string {
	var out []string
	for _, c := range d.Clauses {
		value := fmt.Sprint(c.Value)
		if list, ok := c.Value.([]string); ok {
			value = strings.Join(list, "+")
		}
		if n, ok := c.Value.(json.Number); ok {
			value = n.String()
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Field, c.Op, value, c.Unit)))
	}
	return out
}
