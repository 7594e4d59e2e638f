package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// settingKind is a kind of settings that a file carries. Each is a kindOf.
type settingKind interface {
	// keyword is what the document calls it.
	keyword() string
	// words is what a person calls it.
	words() string
	// keeps are the tables that hold nothing else.
	keeps() []string
	// export returns what the installation has, nil when that is nothing.
	export(ctx context.Context, actor access.Actor) (*yaml.Node, error)
	// plan compares part of a document with the installation; it changes nothing.
	plan(ctx context.Context, actor access.Actor, p *plan, w *world, part yaml.Node) error
}

// world is what an installation has when a file is imported, or will have: kinds refer to each other.
type world struct {
	types map[string]bool // codes of ticket types
	units map[string]bool // codes of departments
	board directory.Board
	// retimed are the types whose hours the import changes, and with them a budget.
	retimed map[string]bool
}

func (w *world) typed(code string) error {
	if code != "" && !w.types[code] {
		return fault.InvalidField("type", "TICKET_TYPE", "没有编码为 "+code+" 的诉求类型")
	}
	return nil
}

// kindOf is a kind whose settings are written as M: what JSON makes of M is what the document shows.
type kindOf[M any] struct {
	key, title string
	tables     []string
	// single says that there is one setting and not a list.
	single bool
	// id returns what tells settings apart, and what a person calls one.
	id func(m M) (id, name string)
	// list returns what the installation has.
	list func(ctx context.Context, actor access.Actor) ([]M, error)
	// check tidies m and returns what its module would refuse.
	check func(w *world, m *M) error
	// again says that a setting that is the same must be set nevertheless, after what the import changes before; nil is never.
	again func(w *world, m M) bool
	// set gives the module the setting, in place of the one of the same id.
	set func(ctx context.Context, actor access.Actor, m M) error
}

func (k kindOf[M]) keyword() string { return k.key }
func (k kindOf[M]) words() string   { return k.title }
func (k kindOf[M]) keeps() []string { return k.tables }

func (k kindOf[M]) named(m M) (id, name string) {
	if k.single {
		return "", k.title
	}
	return k.id(m)
}

func (k kindOf[M]) export(ctx context.Context, actor access.Actor) (*yaml.Node, error) {
	list, err := k.list(ctx, actor)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if k.single {
		return asYAML(list[0])
	}
	return asYAML(list)
}

func (k kindOf[M]) read(part yaml.Node) ([]M, error) {
	var plain any
	if err := part.Decode(&plain); err != nil {
		return nil, k.unreadable(err)
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return nil, k.unreadable(err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if k.single {
		one := make([]M, 1)
		return one, k.unreadable(dec.Decode(&one[0]))
	}
	var list []M
	return list, k.unreadable(dec.Decode(&list))
}

func (k kindOf[M]) unreadable(err error) error {
	if err == nil {
		return nil
	}
	var typed *json.UnmarshalTypeError
	text := err.Error()
	if errors.As(err, &typed) {
		if text = typed.Field + " 的写法不对"; typed.Value == "number" && typed.Type.Kind() == reflect.String {
			text = typed.Field + " 应为文字，数字编码请加引号"
		}
	} else if name, unknown := strings.CutPrefix(text, "json: unknown field "); unknown {
		text = "没有 " + name + " 这一项"
	}
	return configErrorf("配置文件中的 %s（%s）无法识别：%s", k.key, k.title, strings.Join(strings.Fields(text), " "))
}

func (k kindOf[M]) plan(ctx context.Context, actor access.Actor, p *plan, w *world, part yaml.Node) error {
	list, err := k.read(part)
	if err != nil {
		return err
	}
	now, err := k.list(ctx, actor)
	if err != nil {
		return err
	}
	have := map[string]M{}
	for _, m := range now {
		id, _ := k.named(m)
		have[id] = m
	}
	for _, m := range list {
		id, name := k.named(m)
		if !p.once(k.title, id, name) {
			continue
		}
		if err := k.check(w, &m); err != nil {
			p.refuse(k.title, name, err)
			continue
		}
		is, exists := have[id]
		c := change{kind: k.title, name: name, fresh: !exists, apply: func(ctx context.Context) (string, error) { return "", k.set(ctx, actor, m) }}
		if exists {
			if c.lines, err = otherwise(is, m); err != nil {
				return err
			}
			switch {
			case len(c.lines) > 0:
			case k.again != nil && k.again(w, m):
				c.lines = []string{"随诉求类型重新设置"}
			default:
				p.same++
				continue
			}
		}
		p.add(c)
	}
	return nil
}

// asYAML writes v as JSON would, in the order of its fields.
func asYAML(v any) (*yaml.Node, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil || len(doc.Content) != 1 {
		return nil, errors.Join(err, fmt.Errorf("settings cannot be written: %d documents", len(doc.Content)))
	}
	plainStyle(doc.Content[0])
	return doc.Content[0], nil
}

// plainStyle takes the braces and quotes of JSON away; what needs quotes gets them again.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plainStyle(c)
	}
}

// otherwise names the fields in which two settings of one kind differ. A list that is not there is as good as an empty one.
func otherwise[M any](is, will M) ([]string, error) {
	a, err := fieldsOf(is)
	if err != nil {
		return nil, err
	}
	b, err := fieldsOf(will)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, name := range fieldNames(reflect.TypeFor[M]()) {
		x, y := a[name], b[name]
		if reflect.DeepEqual(x, y) {
			continue
		}
		if !scalar(x) || !scalar(y) {
			lines = append(lines, fmt.Sprintf("%s：内容不同（%d 项 → %d 项）", name, sizeOf(x), sizeOf(y)))
			continue
		}
		lines = append(lines, name+"："+difference(shown(x), shown(y)))
	}
	return lines, nil
}

func fieldsOf(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	return bare(out).(map[string]any), nil
}

// bare drops what is null or empty.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if x = bare(x); x == nil || sizeOf(x) == 0 && !scalar(x) {
				delete(v, name)
			} else {
				v[name] = x
			}
		}
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}

// fieldNames lists what JSON calls the fields, those of embedded structs among them.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			names = append(names, fieldNames(f.Type)...)
		case name != "-":
			names = append(names, name)
		}
	}
	return slices.Compact(names)
}

func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func sizeOf(v any) int {
	switch v := v.(type) {
	case map[string]any:
		return len(v)
	case []any:
		return len(v)
	}
	return 0
}

func shown(v any) any {
	switch v {
	case nil:
		return "无"
	case true:
		return "是"
	case false:
		return "否"
	}
	return v
}
