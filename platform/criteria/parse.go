package criteria

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/fault"
)

// The limits of one condition.
const (
	MaxBytes  = 256 << 10
	MaxDepth  = 12
	MaxNodes  = 500
	MaxValues = 500
	maxText   = 2000
)

// ErrBad is the fault of Parse: its message and field say where in the tree the mistake is ("condition.all[1].any[0]").
var ErrBad = fault.New(fault.Invalid, "BAD_CONDITION", "申报条件有误")

// Op is the operator of a clause.
type Op string

// The operators.
const (
	Eq            Op = "eq"
	Ne            Op = "ne"
	In            Op = "in"
	Under         Op = "under"
	Gt            Op = "gt"
	Gte           Op = "gte"
	Lt            Op = "lt"
	Lte           Op = "lte"
	Between       Op = "between"
	Has           Op = "has"
	NotOn         Op = "notOn"
	YearsSinceGte Op = "years_since_gte"
	YearsSinceLte Op = "years_since_lte"
	YearsSinceLt  Op = "years_since_lt"
	RatioGte      Op = "ratio_gte"
	Human         Op = "human"
)

// opsOf lists what each kind of field can be asked.
var opsOf = map[Kind][]Op{
	Count:    {Eq, Ne, Gt, Gte, Lt, Lte, Between, RatioGte, Human},
	Money:    {Eq, Ne, Gt, Gte, Lt, Lte, Between, RatioGte, Human},
	Ratio:    {Eq, Ne, Gt, Gte, Lt, Lte, Between, RatioGte, Human},
	Date:     {Eq, Ne, Gt, Gte, Lt, Lte, Between, YearsSinceGte, YearsSinceLte, YearsSinceLt, Human},
	Category: {Eq, Ne, In, Under, Human},
	Flag:     {Eq, Ne, Human},
	Holdings: {Has, NotOn, Human},
}

// OpsOf returns the operators a field of kind k can be asked, for editors.
func OpsOf(k Kind) []Op { return slices.Clone(opsOf[k]) }

// Condition is a tree that passed Parse. The zero Condition holds for everybody. It is safe for concurrent use.
type Condition struct {
	root   *node
	source json.RawMessage
}

type node struct {
	kind  string // all any not atLeast clause
	k     int
	items []*node
	leaf  *leaf
	path  string
}

type leaf struct {
	field, of    Field
	hasField     bool
	op           Op
	label, quote string
	unit         string
	scale        int64
	lo, hi       int64 // numbers, permille, years; days as Unix seconds; of an open end the first value inside
	openLo       bool
	openHi       bool
	on           int64 // has, notOn: the day of validity as Unix seconds; 0 is the day of judging
	within       int   // has, notOn: within the last so many years; 0 is on the day
	years        int   // of the last so many full years; 0 is what is known now
	over         over  // how the years are taken together
	flag         bool
	codes        []string
}

// MarshalJSON returns the condition as it was given, compacted; null for the zero Condition.
func (c Condition) MarshalJSON() ([]byte, error) {
	if c.root == nil {
		return []byte("null"), nil
	}
	return c.source, nil
}

// Fields returns the names of the fields the condition reads, in order: a changed fact concerns only conditions that name it.
func (c Condition) Fields() []string {
	seen := map[string]bool{}
	c.root.walk(func(n *node) {
		if n.leaf == nil || n.leaf.op == Human {
			return
		}
		seen[n.leaf.field.Name] = true
		if n.leaf.of.Name != "" {
			seen[n.leaf.of.Name] = true
		}
	})
	out := make([]string, 0, len(seen))
	for f := range seen {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

func (n *node) walk(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	for _, i := range n.items {
		i.walk(f)
	}
}

// Parse reads a condition. It refuses unknown keys, fields, operators and units, values of the wrong kind, empty groups,
// and trees beyond the limits, with a fault BAD_CONDITION that names the place in Chinese.
func Parse(data []byte, s Schema) (Condition, error) {
	if len(data) > MaxBytes {
		return Condition{}, ErrBad.With("申报条件过长，最多 %d KB", MaxBytes>>10).On("condition")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || !utf8.Valid(data) {
		return Condition{}, ErrBad.With("申报条件不是有效的 JSON").Wrap(err).On("condition")
	}
	p := parser{schema: s}
	root, err := p.node(compact.Bytes(), place{path: "condition"}, 1)
	if err != nil {
		return Condition{}, err
	}
	return Condition{root: root, source: compact.Bytes()}, nil
}

type parser struct {
	schema Schema
	nodes  int
	// found collects the mistakes of items, so that those after them are read too; nil stops at the first.
	found *[]error
}

// place is where the parser stands, for people and for machines.
type place struct{ text, path string }

func (p place) in(group string, key string, i int) place {
	t := fmt.Sprintf("%s第 %d 条", group, i+1)
	if p.text != "" {
		t = p.text + " › " + t
	}
	return place{t, fmt.Sprintf("%s.%s[%d]", p.path, key, i)}
}

func (p place) wrong(format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	if p.text != "" {
		msg = p.text + "：" + msg
	}
	return ErrBad.With("%s", msg).On(p.path)
}

// object decodes raw as an object and refuses repeated keys, of which encoding/json would silently take the last.
func object(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("应为一个对象")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("「%s」重复", key)
		}
		out[key] = v
	}
	return out, nil
}

func (p *parser) node(raw []byte, at place, depth int) (*node, error) {
	p.nodes++
	if p.nodes > MaxNodes {
		return nil, at.wrong("条件过多，最多 %d 条", MaxNodes)
	}
	if depth > MaxDepth {
		return nil, at.wrong("条件嵌套过深，最多 %d 层", MaxDepth)
	}
	o, err := object(raw)
	if err != nil {
		return nil, at.wrong("%v", err)
	}
	for _, group := range []string{"all", "any", "not", "atLeast"} {
		inner, ok := o[group]
		if !ok {
			continue
		}
		if len(o) != 1 {
			return nil, at.wrong("「%s」不能与其他内容写在一起", group)
		}
		switch group {
		case "not":
			child, err := p.node(inner, place{strings.TrimPrefix(at.text+" › 不满足", " › "), at.path + ".not"}, depth+1)
			if err != nil {
				return nil, err
			}
			return &node{kind: "not", items: []*node{child}, path: at.path}, nil
		case "atLeast":
			return p.atLeast(inner, at, depth)
		}
		text := map[string]string{"all": "「全部满足」", "any": "「任一满足」"}[group]
		items, err := p.list(inner, at, text, group, depth)
		if err != nil {
			return nil, err
		}
		return &node{kind: group, items: items, path: at.path}, nil
	}
	if moved := p.schema.moved(o); moved != nil {
		return p.node(moved, at, depth)
	}
	l, err := p.leaf(o, at)
	if err != nil {
		return nil, err
	}
	return &node{kind: "clause", leaf: l, path: at.path}, nil
}

func (p *parser) atLeast(raw []byte, at place, depth int) (*node, error) {
	o, err := object(raw)
	if err != nil {
		return nil, at.wrong("%v", err)
	}
	for key := range o {
		if key != "k" && key != "of" {
			return nil, at.wrong("「atLeast」中不认识「%s」", key)
		}
	}
	items, err := p.list(o["of"], at, "「至少满足若干条」", "atLeast.of", depth)
	if err != nil {
		return nil, err
	}
	var k int
	if err := json.Unmarshal(o["k"], &k); err != nil || k < 1 || k > len(items) {
		return nil, at.wrong("「至少满足」的条数应为 1 到 %d 的整数：下面共有 %d 条条件，请改小条数或增加条件", len(items), len(items))
	}
	return &node{kind: "atLeast", k: k, items: items, path: at.path}, nil
}

func (p *parser) list(raw []byte, at place, text, key string, depth int) ([]*node, error) {
	var rs []json.RawMessage
	if err := json.Unmarshal(raw, &rs); err != nil || len(rs) == 0 {
		return nil, at.wrong("%s中至少要有一条条件", text)
	}
	items := make([]*node, 0, len(rs))
	for i, r := range rs {
		n, err := p.node(r, at.in(text, key, i), depth+1)
		if err != nil && p.found != nil && p.nodes <= MaxNodes {
			*p.found = append(*p.found, err)
			n, err = &node{kind: "clause", leaf: &leaf{op: Human}}, nil
		}
		if err != nil {
			return nil, err
		}
		items = append(items, n)
	}
	return items, nil
}

func (p *parser) leaf(o map[string]json.RawMessage, at place) (*leaf, error) {
	l := &leaf{scale: 1}
	var field, of, op string
	extra := map[string]json.RawMessage{}
	for key, raw := range o {
		if slices.Contains(refining, key) {
			extra[key] = raw
			continue
		}
		into := map[string]*string{"field": &field, "op": &op, "of": &of, "unit": &l.unit, "label": &l.label, "quote": &l.quote}[key]
		if into == nil {
			if key != "value" {
				return nil, at.wrong("不认识「%s」", key)
			}
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, at.wrong("「%s」应为文字", key)
		}
		if utf8.RuneCountInString(*into) > maxText {
			return nil, at.wrong("「%s」过长，最多 %d 字", key, maxText)
		}
	}
	l.op = Op(op)
	if field != "" {
		if l.field, l.hasField = p.schema.Field(field); !l.hasField {
			return nil, at.wrong("没有名为「%s」的字段，请从字段列表中选择", field)
		}
	}
	if err := l.extras(extra, at); err != nil {
		return nil, err
	}
	if l.op == Human {
		return p.human(l, o, at)
	}
	if !l.hasField {
		return nil, at.wrong("请指明字段")
	}
	if l.label == "" {
		l.label = l.field.Label
	}
	if l.years > 0 && l.label == l.field.Label {
		l.label = l.field.Yearly
	}
	if !slices.Contains(opsOf[l.field.Kind], l.op) {
		return nil, at.wrong("字段「%s」不能使用「%s」比较", l.field.Label, op)
	}
	if err := p.base(l, of, at); err != nil {
		return nil, err
	}
	if err := l.several(at); err != nil {
		return nil, err
	}
	return l, p.value(l, o["value"], at)
}

func (p *parser) human(l *leaf, o map[string]json.RawMessage, at place) (*leaf, error) {
	for _, key := range []string{"value", "unit", "of", "years", "over"} {
		if _, ok := o[key]; ok {
			return nil, at.wrong("需人工判定的条件不能有「%s」", key)
		}
	}
	if l.label == "" && l.quote == "" && !l.hasField {
		return nil, at.wrong("需人工判定的条件要写明内容")
	}
	if l.label == "" {
		l.label = l.field.Label
	}
	if l.label == "" {
		l.label = l.quote
	}
	return l, nil
}

// base checks "of", the field a ratio_gte divides by.
func (p *parser) base(l *leaf, of string, at place) error {
	if of == "" {
		if l.op == RatioGte && l.field.Kind != Ratio {
			return at.wrong("字段「%s」的比值须用「of」指明分母", l.field.Label)
		}
		return nil
	}
	if l.op != RatioGte {
		return at.wrong("只有 ratio_gte 可以有「of」")
	}
	var ok bool
	if l.of, ok = p.schema.Field(of); !ok {
		return at.wrong("没有名为「%s」的字段，请从字段列表中选择", of)
	}
	if l.of.Kind != l.field.Kind || l.field.Kind == Ratio || l.of.Unit != l.field.Unit {
		return at.wrong("「%s」与「%s」单位不同，不能相比", l.field.Label, l.of.Label)
	}
	return nil
}

func (p *parser) value(l *leaf, raw json.RawMessage, at place) error {
	if raw == nil || string(raw) == "null" {
		return at.wrong("请填写「%s」的要求", l.label)
	}
	kind := l.field.Kind
	switch {
	case l.op == RatioGte:
		kind = Ratio
	case l.op == YearsSinceGte || l.op == YearsSinceLte || l.op == YearsSinceLt:
		n, err := number(raw, 1)
		if err != nil || n < 0 || n > 200 || l.unit != "" && l.unit != "年" {
			return at.wrong("「%s」应为 0 到 200 的整年数，单位为年", l.label)
		}
		l.lo, l.unit = n, "年"
		return nil
	}
	switch kind {
	case Flag:
		if err := json.Unmarshal(raw, &l.flag); err != nil || l.unit != "" {
			return at.wrong("「%s」应为 true 或 false", l.label)
		}
		return nil
	case Category, Holdings:
		return p.codes(l, raw, at)
	case Count:
		if l.unit != "" && l.unit != l.field.Unit {
			return at.wrong("「%s」的单位应为「%s」，不能是「%s」，请改正单位或换一个字段", l.label, l.field.Unit, l.unit)
		}
		l.unit = l.field.Unit
	case Date:
		if l.unit != "" {
			return at.wrong("日期「%s」不能有单位", l.label)
		}
	default:
		scale, ok := scales[kind][l.unit]
		if !ok {
			return at.wrong("请写明「%s」的单位（%s）", l.label, map[Kind]string{Money: "元、万元或亿元", Ratio: "%或‰"}[kind])
		}
		l.scale = scale
	}
	read := func(r json.RawMessage) (int64, error) {
		if kind == Date {
			return day(r)
		}
		n, err := number(r, l.scale)
		if err == nil && kind == Count && n < 0 {
			err = errNegative
		}
		return n, err
	}
	if l.op != Between {
		n, err := read(raw)
		if err != nil {
			return at.wrong("「%s」的要求%v", l.label, err)
		}
		l.lo = n
		return nil
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
		return at.wrong("「%s」的范围应为两个值", l.label)
	}
	lo, err := read(pair[0])
	if err != nil {
		return at.wrong("「%s」的下限%v", l.label, err)
	}
	hi, err := read(pair[1])
	if err != nil {
		return at.wrong("「%s」的上限%v", l.label, err)
	}
	if lo > hi {
		return at.wrong("「%s」的下限大于上限，请对调或改正", l.label)
	}
	if l.openLo {
		lo += l.step()
	}
	if l.openHi {
		hi -= l.step()
	}
	if lo > hi {
		return at.wrong("「%s」的范围不含界限，里面没有任何值", l.label)
	}
	l.lo, l.hi = lo, hi
	return nil
}

func (p *parser) codes(l *leaf, raw json.RawMessage, at place) error {
	if l.unit != "" {
		return at.wrong("「%s」不能有单位", l.label)
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		l.codes = []string{one}
	} else if err := json.Unmarshal(raw, &l.codes); err != nil || len(l.codes) == 0 {
		return at.wrong("「%s」的要求应为代码或代码列表", l.label)
	}
	if len(l.codes) > MaxValues {
		return at.wrong("「%s」列出的代码过多，最多 %d 个", l.label, MaxValues)
	}
	if (l.op == Eq || l.op == Ne) && len(l.codes) != 1 {
		return at.wrong("「%s」只能与一个代码相比，多个请用 in", l.label)
	}
	for _, c := range l.codes {
		if strings.TrimSpace(c) == "" || utf8.RuneCountInString(c) > 100 {
			return at.wrong("「%s」的代码不能为空，也不能超过 100 字", l.label)
		}
		if _, ok := l.field.Values[c]; !ok && l.field.Closed {
			return at.wrong("「%s」没有「%s」这个选项", l.label, c)
		}
	}
	return nil
}

// number reads a JSON number or a string holding one; exponents are refused, so that what was typed is what counts.
func number(raw json.RawMessage, scale int64) (int64, error) {
	s := string(raw)
	if len(s) > 1 && s[0] == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			return 0, errNotNumber
		}
	}
	n, err := scaled(strings.TrimSpace(s), scale)
	if err == errTooFine && scale == 1 {
		return 0, errors.New("应为整数")
	}
	return n, err
}

func day(raw json.RawMessage) (int64, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, errors.New("应为日期，例如 2026-01-31")
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, errors.New("应为日期，例如 2026-01-31")
	}
	return t.Unix(), nil
}
