package criteria

import (
	"encoding/json"
	"fmt"
	"time"
)

// kept is how a value is written. A written value reads back as the same value.
type kept struct {
	Kind     Kind          `json:"kind"`
	N        int64         `json:"n,omitempty"`
	Day      string        `json:"day,omitempty"`
	Last     string        `json:"last,omitempty"` // of a span of days
	Flag     bool          `json:"flag,omitempty"`
	Codes    []string      `json:"codes,omitempty"`
	Holdings []keptHolding `json:"holdings,omitempty"`
}

type keptHolding struct {
	Code string `json:"code"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// MarshalJSON writes the value so that it can be kept; an unknown one is null.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Known() {
		return []byte("null"), nil
	}
	k := kept{Kind: v.kind, N: v.n, Flag: v.flag, Codes: v.codes}
	if v.kind == Date {
		k.Day, k.Last = v.day.Format(time.DateOnly), v.last.Format(time.DateOnly)
	}
	for _, h := range v.holdings {
		k.Holdings = append(k.Holdings, keptHolding{h.Code, keptDay(h.From), keptDay(h.To)})
	}
	return json.Marshal(k)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(raw []byte) error {
	*v = Value{}
	if string(raw) == "null" {
		return nil
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	switch k.Kind {
	case Count, Money, Ratio, Flag:
		*v = Value{kind: k.Kind, n: k.N, flag: k.Flag}
	case Category:
		*v = OneOf(k.Codes...)
	case Date:
		from, err1 := readDay(k.Day)
		to, err2 := readDay(k.Last)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("criteria: %q to %q is no span of days", k.Day, k.Last)
		}
		*v = Value{kind: Date, day: from, last: to}
	case Holdings:
		list := make([]Holding, 0, len(k.Holdings))
		for _, h := range k.Holdings {
			from, err1 := readDay(h.From)
			to, err2 := readDay(h.To)
			if err1 != nil || err2 != nil {
				return fmt.Errorf("criteria: %q to %q is no span of days", h.From, h.To)
			}
			list = append(list, Holding{Code: h.Code, From: from, To: to})
		}
		*v = Value{kind: Holdings, holdings: list}
	default:
		return fmt.Errorf("criteria: %q is no kind of value", k.Kind)
	}
	return nil
}

func keptDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return dayOf(t).Format(time.DateOnly)
}

// readDay reads a midnight as dayOf returns it; an empty text is the zero time.
func readDay(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}
