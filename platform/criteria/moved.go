package criteria

import (
	"encoding/json"
	"slices"
)

// moved writes a clause anew whose codes belong to another field now; nil when none does. What held a title asks for a
// category: the one that is known, whatever day or years the clause named. With codes that stayed, both sides stand together
// as the clause meant them: one of all for has, none of all for notOn.
func (s Schema) moved(o map[string]json.RawMessage) json.RawMessage {
	var name, op string
	var codes []string
	if json.Unmarshal(o["field"], &name) != nil || json.Unmarshal(o["op"], &op) != nil || Op(op) != Has && Op(op) != NotOn {
		return nil
	}
	f := s.fields[name]
	if f.Moved == nil {
		return nil
	}
	var one string
	if json.Unmarshal(o["value"], &one) == nil {
		codes = []string{one}
	} else if json.Unmarshal(o["value"], &codes) != nil {
		return nil
	}
	stay := slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return f.Moved[c].Field != "" })
	if len(stay) == len(codes) {
		return nil
	}
	there, to := []string{}, "" // all codes of a field move to the same one
	for _, c := range codes {
		if m := f.Moved[c]; m.Field != "" {
			to = m.Field
			there = append(there, m.Code)
		}
	}
	clause := func(field, op string, value []string, keep ...string) map[string]any {
		out := map[string]any{"field": field, "op": op, "value": value}
		for _, key := range append(keep, "quote", "label", "span") {
			if raw, ok := o[key]; ok {
				out[key] = raw
			}
		}
		return out
	}
	var asked any = clause(to, string(In), there)
	group := "any"
	if Op(op) == NotOn {
		asked, group = map[string]any{"not": asked}, "all"
	}
	if len(stay) > 0 {
		asked = map[string]any{group: []any{clause(name, op, stay, "on", "within"), asked}}
	}
	raw, err := json.Marshal(asked)
	if err != nil {
		return nil // of words and what was JSON before
	}
	return raw
}

// Modern writes a condition in the words of today: clauses whose codes belong to another field are asked there. It reports
// whether anything changed; what is no condition stays as it is.
func (s Schema) Modern(data []byte) ([]byte, bool) {
	o, err := object(data)
	if err != nil {
		return data, false
	}
	if moved := s.moved(o); moved != nil {
		return moved, true
	}
	changed := false
	for _, group := range []string{"all", "any", "of"} {
		var items []json.RawMessage
		if json.Unmarshal(o[group], &items) != nil {
			continue
		}
		for i := range items {
			modern, did := s.Modern(items[i])
			items[i], changed = modern, changed || did
		}
		if changed {
			o[group], _ = json.Marshal(items) // of what was JSON before
		}
	}
	for _, group := range []string{"not", "atLeast"} {
		if inner, ok := o[group]; ok {
			modern, did := s.Modern(inner)
			o[group], changed = modern, changed || did
		}
	}
	if !changed {
		return data, false
	}
	out, err := json.Marshal(o)
	if err != nil {
		return data, false
	}
	return out, true
}
