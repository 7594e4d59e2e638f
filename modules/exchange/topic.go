package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/text"
)

// Topic is a kind of event partners may subscribe to.
type Topic struct {
	Type  string `json:"type"`  // the event's type: "ticket.closed"
	Label string `json:"label"` // "工单办结"
	Group string `json:"group"` // "工单"
}

// FieldKind says how a field is made safe.
type FieldKind string

// The kinds. Numbers of phones and identity cards are masked in every text, whatever the kind.
const (
	Plain FieldKind = "plain"
	Name  FieldKind = "name" // of a person: masked unless the partner may see names
)

// Field is one field of the facts that may go to a partner.
type Field struct {
	Object string    `json:"object"` // "ticket"
	Key    string    `json:"key"`    // as in the facts: "title"; "actor" is who did it
	Label  string    `json:"label"`  // "标题"
	Kind   FieldKind `json:"kind"`
	// Standard fields are chosen for a new partner; the others, such as internal notes, only on purpose.
	Standard bool `json:"standard"`
}

// Name of the field as partners keep it: "ticket.title".
func (f Field) Name() string { return f.Object + "." + f.Key }

// always goes with every event: without them it could not be told apart.
var always = []string{"number", "status"}

// actorKey is the field that is read from the event itself.
const actorKey = "actor"

// Envelope is an event as it leaves the house.
type Envelope struct {
	ID       string
	Source   string
	Type     string
	Subject  string
	At       time.Time
	Sequence int64
	Data     map[string]any
}

// catalogue is what can be subscribed to and sent.
type catalogue struct {
	topics []Topic
	fields []Field
	types  map[string]Topic
	named  map[string]Field
}

func newCatalogue(topics []Topic, fields []Field) catalogue {
	c := catalogue{topics: topics, fields: fields, types: map[string]Topic{}, named: map[string]Field{}}
	for _, t := range topics {
		if t.Type == "" || t.Label == "" || t.Group == "" {
			panic(fmt.Sprintf("exchange: topic %+v is not complete", t))
		}
		c.types[t.Type] = t
	}
	for _, f := range fields {
		if f.Object == "" || f.Key == "" || f.Label == "" || f.Kind == "" {
			panic(fmt.Sprintf("exchange: field %+v is not complete", f))
		}
		c.named[f.Name()] = f
	}
	return c
}

// standard are the fields of a new partner.
func (c catalogue) standard() []string {
	var out []string
	for _, f := range c.fields {
		if f.Standard {
			out = append(out, f.Name())
		}
	}
	return out
}

// tell makes the subject and the data of an event for one partner: the fields that were chosen, made safe.
func (c catalogue) tell(p *Partner, e event.Event) (subject string, data map[string]any, err error) {
	var facts map[string]any
	d := json.NewDecoder(bytes.NewReader(e.Facts))
	d.UseNumber()
	if err := d.Decode(&facts); err != nil {
		return "", nil, fmt.Errorf("read the facts of event %d: %w", e.ID, err)
	}
	data = map[string]any{}
	for _, key := range always {
		if v, ok := facts[key]; ok {
			data[key] = safe(v)
		}
	}
	for _, name := range p.Fields {
		f, ok := c.named[name]
		if !ok || f.Object != e.Object {
			continue
		}
		v, ok := facts[f.Key]
		if f.Key == actorKey {
			v, ok = e.ActorName, e.ActorName != ""
		}
		if !ok {
			continue
		}
		if s, isText := v.(string); isText && f.Kind == Name && !p.ShowNames {
			data[f.Key] = text.MaskName(s)
			continue
		}
		data[f.Key] = safe(v)
	}
	return subjectOf(facts, e), data, nil
}

// subjectOf is how the object is called between the systems: its number, a company's credit code, else its id.
func subjectOf(facts map[string]any, e event.Event) string {
	for _, key := range []string{"number", "creditCode"} {
		if s, _ := facts[key].(string); s != "" {
			return s
		}
	}
	return fmt.Sprintf("%s-%d", e.Object, e.ObjectID)
}

// safe masks phones and identity numbers in every text of a value.
func safe(v any) any {
	switch v := v.(type) {
	case string:
		masked, _ := text.MaskNumbers(v)
		return masked
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = safe(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = safe(v[k])
		}
		return out
	}
	return v
}

// known keeps what is in the catalogue, each once and in its order, and tells what is not.
func known(chosen []string, inOrder func(yield func(string) bool)) (kept, unknown []string) {
	left := slices.Clone(chosen)
	inOrder(func(name string) bool {
		if slices.Contains(left, name) {
			kept = append(kept, name)
			left = slices.DeleteFunc(left, func(s string) bool { return s == name })
		}
		return true
	})
	return kept, left
}

func (c catalogue) topicNames(yield func(string) bool) {
	for _, t := range c.topics {
		if !yield(t.Type) {
			return
		}
	}
}

func (c catalogue) fieldNames(yield func(string) bool) {
	for _, f := range c.fields {
		if !yield(f.Name()) {
			return
		}
	}
}

// messageID is the id a partner knows an event by; it never changes.
func messageID(eventID int64, partner string) string {
	return fmt.Sprintf("evt_%d_%s", eventID, partner)
}

// topicLabel names a type, also one that is no longer offered.
func (c catalogue) topicLabel(typ string) string {
	if t, ok := c.types[typ]; ok {
		return t.Label
	}
	return strings.ReplaceAll(typ, "_", " ")
}
