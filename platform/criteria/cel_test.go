package criteria_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/huiqi/huiqi/platform/criteria"
)

// The fields of the part of the language that CEL can say: no coarse or several codes, no spans, no humans. Validity of
// titles is a list of what is valid on the day; a share of two amounts is a multiplication; what single years have are variables
// of their own.
func celSchema(t *testing.T) (criteria.Schema, *cel.Env) {
	t.Helper()
	s, err := criteria.NewSchema(
		criteria.Field{Name: "tier", Label: "行业", Kind: criteria.Category},
		criteria.Field{Name: "employees", Label: "人员", Kind: criteria.Count, Unit: "人"},
		criteria.Field{Name: "revenue", Label: "收入", Kind: criteria.Money},
		criteria.Field{Name: "rd", Label: "研发", Kind: criteria.Money},
		criteria.Field{Name: "established", Label: "成立", Kind: criteria.Date},
		criteria.Field{Name: "title", Label: "资质", Kind: criteria.Holdings},
		criteria.Field{Name: "exporter", Label: "出口", Kind: criteria.Flag},
		criteria.Field{Name: "profit", Label: "利润", Kind: criteria.Money, Yearly: "利润", Booked: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	env, err := cel.NewEnv(cel.Variable("tier", cel.StringType), cel.Variable("employees", cel.IntType), cel.Variable("revenue", cel.IntType), cel.Variable("rd", cel.IntType),
		cel.Variable("established", cel.StringType), cel.Variable("title", cel.ListType(cel.StringType)), cel.Variable("exporter", cel.BoolType),
		cel.Variable("profit2025", cel.IntType), cel.Variable("profit2024", cel.IntType), cel.Variable("profit2023", cel.IntType))
	if err != nil {
		t.Fatal(err)
	}
	return s, env
}

// celLeaf draws a clause in both languages.
func celLeaf(r *rand.Rand) (ours object, theirs string) {
	sign := map[criteria.Op]string{criteria.Eq: "==", criteria.Ne: "!=", criteria.Gt: ">", criteria.Gte: ">=", criteria.Lt: "<", criteria.Lte: "<="}
	ops := []criteria.Op{criteria.Eq, criteria.Ne, criteria.Gt, criteria.Gte, criteria.Lt, criteria.Lte}
	op := ops[r.IntN(len(ops))]
	code := func() string { return fmt.Sprintf("%04d", r.IntN(6)*1000+r.IntN(2)*100) }
	title := titles[r.IntN(len(titles))]
	n := r.Int64N(12)
	switch r.IntN(11) {
	case 8, 9:
		years := 1 + r.IntN(3)
		return celYears(r, op, sign[op], n, years)
	case 0:
		ops = ops[:2]
		op = ops[r.IntN(2)]
		c := code()
		return object{"field": "tier", "op": op, "value": c}, fmt.Sprintf("tier %s %q", sign[op], c)
	case 1:
		a, b := code(), code()
		return object{"field": "tier", "op": "in", "value": []string{a, b}}, fmt.Sprintf("tier in [%q, %q]", a, b)
	case 2:
		c := code()[:1+r.IntN(2)]
		return object{"field": "tier", "op": "under", "value": c}, fmt.Sprintf("tier.startsWith(%q)", c)
	case 3:
		return object{"field": "title", "op": "has", "value": title}, fmt.Sprintf("%q in title", title)
	case 4:
		return object{"field": "title", "op": "notOn", "value": title}, fmt.Sprintf("!(%q in title)", title)
	case 5:
		b := r.IntN(2) == 0
		return object{"field": "exporter", "op": "eq", "value": b}, fmt.Sprintf("exporter == %t", b)
	case 6:
		day := someDays[r.IntN(len(someDays))]
		return object{"field": "established", "op": op, "value": day}, fmt.Sprintf("established %s %q", sign[op], day) // ISO days compare as text
	case 7:
		return object{"field": "rd", "of": "revenue", "op": "ratio_gte", "value": n, "unit": "%"}, fmt.Sprintf("rd * 1000 >= revenue * %d", n*10)
	}
	if r.IntN(3) == 0 {
		return object{"field": "employees", "op": "between", "value": []int64{n, n + 3}}, fmt.Sprintf("(%d <= employees && employees <= %d)", n, n+3)
	}
	return object{"field": "employees", "op": op, "value": n}, fmt.Sprintf("employees %s %d", sign[op], n)
}

// celYears draws a clause about the last years in both languages.
func celYears(r *rand.Rand, op criteria.Op, sign string, n int64, years int) (ours object, theirs string) {
	over := []string{"each", "any", "mean", "total"}[r.IntN(4)]
	ours = object{"field": "profit", "op": op, "value": n, "unit": "分", "years": years, "over": over}
	var vars, texts []string
	for y := range years {
		v := fmt.Sprintf("profit%d", 2025-y)
		vars, texts = append(vars, v), append(texts, fmt.Sprintf("%s %s %d", v, sign, n))
	}
	switch over {
	case "each":
		return ours, "(" + strings.Join(texts, " && ") + ")"
	case "any":
		return ours, "(" + strings.Join(texts, " || ") + ")"
	case "mean":
		return ours, fmt.Sprintf("(%s) %s %d", strings.Join(vars, " + "), sign, n*int64(years))
	}
	return ours, fmt.Sprintf("(%s) %s %d", strings.Join(vars, " + "), sign, n)
}

// celTree draws a condition in both languages. k of n is the any of all its choices of k.
func celTree(r *rand.Rand, depth int) (ours object, theirs string) {
	kind := []string{"leaf", "all", "any", "not", "atLeast"}[r.IntN(5)]
	if depth == 0 || kind == "leaf" {
		return celLeaf(r)
	}
	if kind == "not" {
		a, b := celTree(r, depth-1)
		return object{"not": a}, "!(" + b + ")"
	}
	items, texts := []object{}, []string{}
	for range 2 + r.IntN(3) {
		a, b := celTree(r, depth-1)
		items, texts = append(items, a), append(texts, "("+b+")")
	}
	switch kind {
	case "all":
		return object{"all": items}, strings.Join(texts, " && ")
	case "any":
		return object{"any": items}, strings.Join(texts, " || ")
	}
	k := 1 + r.IntN(len(items))
	var choices []string
	for set := range 1 << len(items) {
		var chosen []string
		for i, text := range texts {
			if set>>i&1 == 1 {
				chosen = append(chosen, text)
			}
		}
		if len(chosen) == k {
			choices = append(choices, "("+strings.Join(chosen, " && ")+")")
		}
	}
	return object{"atLeast": object{"k": k, "of": items}}, strings.Join(choices, " || ")
}

// celCompany draws a company in both languages: facts, and what CEL knows and does not.
func celCompany(r *rand.Rand) (criteria.Facts, cel.PartialActivation, error) {
	facts, knows := criteria.Facts{}, map[string]any{}
	var lacks []*cel.AttributePatternType
	put := func(name string, v criteria.Value, theirs any) {
		if r.IntN(4) == 0 {
			lacks = append(lacks, cel.AttributePattern(name))
			if r.IntN(2) == 0 {
				facts[name] = criteria.Fact{Value: v, Unknown: criteria.Conflicting}
			}
			return
		}
		facts[name], knows[name] = known(v), theirs
	}
	n := r.Int64N(12)
	put("employees", criteria.Number(n), n)
	code := fmt.Sprintf("%04d", r.IntN(6)*1000+r.IntN(2)*100)
	put("tier", criteria.Code(code), code)
	n = 1 + r.Int64N(1000)
	put("revenue", criteria.Fen(n), n)
	var profit criteria.Fact
	for year := 2023; year <= 2025; year++ {
		n := r.Int64N(12)
		switch r.IntN(6) {
		case 0:
			lacks = append(lacks, cel.AttributePattern(fmt.Sprintf("profit%d", year)))
		default:
			profit.Years = append(profit.Years, criteria.Year{Year: year, N: n})
			knows[fmt.Sprintf("profit%d", year)] = n
		}
	}
	facts["profit"] = profit
	n = r.Int64N(100)
	put("rd", criteria.Fen(n), n)
	day := someDays[r.IntN(len(someDays))]
	put("established", criteria.Day(date(day)), day)
	yes := r.IntN(2) == 0
	put("exporter", criteria.Yes(yes), yes)
	var held []criteria.Holding
	valid := []string{}
	for _, code := range titles {
		switch r.IntN(4) {
		case 0:
			held, valid = append(held, criteria.Holding{Code: code, From: date("2020-02-29"), To: date("2026-11-22")}), append(valid, code)
		case 1:
			held = append(held, criteria.Holding{Code: code, To: date("2026-11-21")})
		}
	}
	put("title", criteria.Holds(held...), valid)
	vars, err := cel.PartialVars(knows, lacks...)
	return facts, vars, err
}

// An engine of others that knows unknowns decides 100,000 pairs of company and policy as rows and columns do.
func TestOracle(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(20261129, 13)) // #nosec G404 -- a test that repeats
	s, env := celSchema(t)
	const companies, policies = 400, 250
	cols := criteria.NewColumns(s)
	var all [companies]criteria.Facts
	var theirs [companies]cel.PartialActivation
	for i := range all {
		var err error
		if all[i], theirs[i], err = celCompany(r); err != nil {
			t.Fatal(err)
		}
		cols.Put(int64(i), all[i])
	}
	counts := map[criteria.Verdict]int{}
	for range policies {
		ours, text := celTree(r, 3)
		raw, err := json.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		c, err := criteria.Parse(raw, s)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		ast, iss := env.Compile(text)
		if iss.Err() != nil {
			t.Fatalf("%s: %v", text, iss.Err())
		}
		program, err := env.Program(ast, cel.EvalOptions(cel.OptPartialEval))
		if err != nil {
			t.Fatal(err)
		}
		sets := cols.Evaluate(c, today)
		for i := range all {
			val, _, err := program.Eval(theirs[i])
			want := criteria.Unknown
			switch {
			case err != nil:
				t.Fatalf("%s: %v", text, err)
			case types.IsUnknown(val):
			case val == types.True:
				want = criteria.True
			default:
				want = criteria.False
			}
			counts[want]++
			if got := c.Evaluate(all[i], today).Tree.Verdict; got != want {
				t.Fatalf("%s is %s, %s is %s\n%+v", raw, got, text, want, all[i])
			}
			d, _ := sets.Decision(int64(i))
			got := map[criteria.Decision]criteria.Verdict{criteria.Eligible: criteria.True, criteria.Near: criteria.False, criteria.NotEligible: criteria.False, criteria.Undecided: criteria.Unknown}[d]
			if got != want {
				t.Fatalf("columns say %s of %s, %s is %s", d, raw, text, want)
			}
		}
	}
	for _, v := range []criteria.Verdict{criteria.True, criteria.False, criteria.Unknown} {
		if counts[v] < companies*policies/20 {
			t.Errorf("only %d answers are %s", counts[v], v)
		}
	}
}
