package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// leaf is one condition of a policy as it stands in the tree that platform/criteria reads. Amounts carry their unit,
// rdRatio is permille of revenue. notOn of penalties and judgments may carry within how many years. under, in and notOn carry a list of codes, has carries one qualification code. A human
// leaf has no field: no data decides it. The label is left to the field unless the policy says it better.
type leaf struct {
	Field string `json:"field,omitempty"`
	Op    string `json:"op"`
	Value any    `json:"value,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Quote string `json:"quote"`
	Label string `json:"label,omitempty"`
	// Within asks a list of the last so many years.
	Within int    `json:"within,omitempty"`
	Years  int    `json:"years,omitempty"` // of the last so many years, taken together as Over says
	Over   string `json:"over,omitempty"`
}

// conditionTree turns the short form of the policy files into the JSON tree that matching reads. Every quote must stand in
// the text of the policy, so that a reader can check it.
func conditionTree(list []any, text string) (json.RawMessage, error) {
	if len(list) == 0 {
		return nil, nil
	}
	all, err := conditionNodes(list, text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"all": all})
}

func conditionNodes(list []any, text string) ([]any, error) {
	var out []any
	for _, item := range list {
		n, err := conditionNode(item, text)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func conditionNode(item any, text string) (any, error) {
	switch v := item.(type) {
	case string:
		return conditionLeaf(v, text)
	case map[string]any:
		if k, ok := v["atLeast"].(int); ok {
			of, _ := v["of"].([]any)
			nodes, err := conditionNodes(of, text)
			if err != nil {
				return nil, err
			}
			return map[string]any{"atLeast": map[string]any{"k": k, "of": nodes}}, nil
		}
		for key, below := range v {
			children, ok := below.([]any)
			if !ok || len(v) != 1 {
				break
			}
			nodes, err := conditionNodes(children, text)
			if err != nil {
				return nil, err
			}
			switch {
			case key == "all" || key == "any":
				return map[string]any{key: nodes}, nil
			case key == "not" && len(nodes) == 1:
				return map[string]any{"not": nodes[0]}, nil
			}
		}
	}
	return nil, fmt.Errorf("condition %v is neither a sentence nor one of all, any, not, atLeast", item)
}

// sizeCodes are the codes of the size classes, which policies name by their words.
var sizeCodes = map[string]string{"大型": "large", "中型": "medium", "小型": "small", "微型": "micro"}

func conditionLeaf(s, text string) (leaf, error) {
	rule, quote, ok := strings.Cut(s, " | ")
	quote, label, _ := strings.Cut(quote, " | ")
	if !ok || !strings.Contains(text, quote) {
		return leaf{}, fmt.Errorf("condition %q quotes nothing of the text", s)
	}
	l := leaf{Quote: quote, Label: label}
	words := strings.Fields(rule)
	if len(words) == 1 && words[0] == "human" {
		l.Op = "human"
		return l, nil
	}
	if len(words) < 3 {
		return leaf{}, fmt.Errorf("condition %q: want field, op, value and unit", s)
	}
	l.Field, l.Op = words[0], words[1]
	switch l.Field {
	case "industry", "creditStanding", "taxGrade":
		l.Value = strings.Split(words[2], ",")
	case "penalties", "judgments", "socialArrears":
		l.Value = strings.Split(words[2], ",")
		if len(words) > 3 {
			n, err := strconv.Atoi(words[3])
			if err != nil {
				return leaf{}, fmt.Errorf("condition %q: want how many years", s)
			}
			l.Within = n
		}
	case "region":
		l.Value = strings.Split(words[2], ",")
		if l.Label == "" {
			l.Label = "注册地" // known down to the street, asked of the district
		}
	case "sizeClass":
		codes := strings.Split(words[2], ",")
		for i, c := range codes {
			if codes[i], ok = sizeCodes[c]; !ok {
				return leaf{}, fmt.Errorf("condition %q: unknown size", s)
			}
		}
		l.Value = codes
	case "qualification":
		l.Value = words[2]
	case "revenue", "assets", "employees", "established", "rdRatio", "revenueGrowth", "debtRatio", "liabilities", "loans", "insured", "patents", "inventions", "copyrights", "trademarks":
		n, err := strconv.ParseInt(words[2], 10, 64)
		if len(words) == 6 {
			l.Over = words[5]
			if l.Years, err = strconv.Atoi(words[4]); err != nil {
				return leaf{}, fmt.Errorf("condition %q: want how many years", s)
			}
		}
		if err != nil || len(words) != 4 && len(words) != 6 {
			return leaf{}, fmt.Errorf("condition %q: want a number and its unit", s)
		}
		l.Value, l.Unit = n, words[3]
	default:
		return leaf{}, fmt.Errorf("condition %q: unknown field", s)
	}
	return l, nil
}
