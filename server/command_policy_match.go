package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
)

// policyFile is a policy at the command line: its conditions, or a draft that becomes them.
type policyFile struct {
	Title        string          `json:"title"`
	Conditions   json.RawMessage `json:"conditions"`
	Clauses      []draft.Clause  `json:"clauses"`
	NotDecidable []string        `json:"not_decidable"`
	AnyOf        [][][]string    `json:"any_of"`
}

func (p *policyCommands) match(out io.Writer) error {
	at := time.Now()
	if p.Match.On != "" {
		day, err := time.ParseInLocation(time.DateOnly, p.Match.On, clock.Beijing)
		if err != nil {
			return configErrorf("--on：%q 不是日期，例如 2026-11-29", p.Match.On)
		}
		at = day
	}
	t := terms()
	schema := enterprise.Schema(t)
	var pol policyFile
	if err := readJSON(p.Match.Policy, &pol); err != nil {
		return err
	}
	tree := pol.Conditions
	var preferences []string
	if len(tree) == 0 {
		tree = draftedConditions(pol, t)
		for _, q := range pol.NotDecidable {
			if draft.Preferred(q) {
				preferences = append(preferences, q)
			}
		}
	}
	if len(tree) == 0 {
		return configErrorf("%s 中没有申报条件，请给出 conditions 或 clauses", p.Match.Policy)
	}
	c, err := criteria.Parse(tree, schema)
	if err != nil {
		return configErrorf("%s：%s", p.Match.Policy, plain(err))
	}
	company, facts, err := readCompany(p.Match.Company, t, at)
	if err != nil {
		return err
	}
	o := c.Evaluate(facts, at)
	if p.Match.JSON {
		return printJSON(out, struct {
			Policy  string           `json:"policy"`
			Company string           `json:"company"`
			Outcome criteria.Outcome `json:"outcome"`
			// Preferences put companies before others and decide nothing.
			Preferences []string `json:"preferences,omitempty"`
		}{pol.Title, company, o, preferences})
	}
	printOutcome(out, pol.Title, company, o)
	if len(preferences) > 0 {
		fmt.Fprintln(out, "优先情形（不是条件，不影响结论）：")
		for _, p := range preferences {
			fmt.Fprintf(out, "  %s\n", p)
		}
	}
	return nil
}

// readJSON decodes a file strictly: a misspelt name is a mistake, not silence.
func readJSON(file string, into any) error {
	text, err := readText(file, nil)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return configErrorf("%s 不是所要求的 JSON：%v，格式见 docs/policy-commands.md", file, err)
	}
	if d.More() {
		return configErrorf("%s 中有多余的内容，应只有一个 JSON 对象", file)
	}
	return nil
}

var verdictWords = map[criteria.Verdict]string{criteria.True: "符合", criteria.False: "不符合", criteria.Unknown: "待确认", criteria.HumanVerdict: "需人工判定"}

func printOutcome(out io.Writer, title, company string, o criteria.Outcome) {
	if title != "" {
		fmt.Fprintf(out, "政策：%s\n", title)
	}
	if company != "" {
		fmt.Fprintf(out, "企业：%s\n", company)
	}
	fmt.Fprintf(out, "结论：%s（%s）\n%s\n", o.Text, o.On, o.Summary)
	printGroup(out, o.Tree, o.Clauses, "")
	if len(o.Missing) > 0 {
		fmt.Fprintln(out, "尚缺的信息：")
		for _, m := range o.Missing {
			fmt.Fprintf(out, "  %s：%s%s\n", m.Label, m.Why, prefixed("，", m.Ask))
		}
	}
}

// printGroup prints the tree as it combines, each clause with what it asks, what the company has and the gap.
func printGroup(out io.Writer, g *criteria.Group, clauses []criteria.Clause, indent string) {
	if g == nil {
		return
	}
	if g.Clause < 0 {
		fmt.Fprintf(out, "%s%s：%s\n", indent, g.Text, verdictWords[g.Verdict])
		for _, i := range g.Items {
			printGroup(out, i, clauses, indent+"  ")
		}
		return
	}
	c := clauses[g.Clause]
	fmt.Fprintf(out, "%s[%s] %s\n", indent, verdictWords[c.Verdict], c.Label)
	for _, l := range [][2]string{{"要求", c.Required}, {"现有", c.Actual}, {"差距", c.Gap}, {"原因", c.Why}, {"来源", c.Source}, {"原文", c.Quote}} {
		if l[1] != "" {
			fmt.Fprintf(out, "%s    %s：%s\n", indent, l[0], l[1])
		}
	}
}

func prefixed(mark, s string) string {
	if s == "" {
		return ""
	}
	return mark + s
}
