package sheet

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// cell is one cell while it is read.
type cell struct {
	column  int
	typ     string
	style   int
	formula bool
	text    []byte
}

func (a *archive) value(c cell) (Value, error) {
	s := string(c.text)
	if c.formula && s == "" {
		return Value{Bad: true}, nil
	}
	switch c.typ {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return Value{}, err
		}
		shared, ok := a.strings.get(n)
		if !ok {
			return Value{}, fmt.Errorf("no shared text %d", n)
		}
		return typed(unescape(shared)), nil
	case "inlineStr", "str":
		return typed(unescape(s)), nil
	case "b":
		if s == "1" || s == "true" {
			return Value{Text: "是"}, nil
		}
		return Value{Text: "否"}, nil
	case "e":
		return Value{Text: s, Bad: true}, nil
	case "d":
		return Value{Text: strings.Replace(strings.TrimSuffix(s, "T00:00:00"), "T", " ", 1)}, nil
	}
	if s == "" {
		return Value{}, nil
	}
	if c.style < len(a.dates) && a.dates[c.style] {
		return day(s, a.base), nil
	}
	return numeric(s), nil
}

// typed is text in a cell; one that shows a floating number lost its digits before it became text.
func typed(s string) Value { return Value{Text: s, Lost: floating.MatchString(s)} }

func (a *archive) rows(sheet int, fn func(Row) error) ([]Merge, error) {
	merges, err := a.read(a.paths[sheet], fn)
	return merges, bad(err)
}

func (a *archive) read(name string, fn func(Row) error) ([]Merge, error) {
	d, in, err := a.part(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var (
		merges  []Merge
		row     Row
		last    int
		c       cell
		inside  bool // of a cell
		reading bool // of text in it
		ended   bool
		hushed  int // inside phonetic text
	)
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			if !ended {
				return nil, io.ErrUnexpectedEOF
			}
			return merges, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "row":
				n := last + 1
				if s := attr(e, "r"); s != "" {
					if n, err = strconv.Atoi(s); err != nil {
						return nil, err
					}
				}
				if n <= last || n > MaxRows {
					return nil, fmt.Errorf("row %d after %d", n, last)
				}
				last, row = n, Row{Number: n}
				c.column = -1
			case "c":
				at := c.column + 1
				if ref := attr(e, "r"); ref != "" {
					var r int
					if at, r, err = reference(ref); err != nil || r != row.Number {
						return nil, fmt.Errorf("cell %q in row %d", ref, row.Number)
					}
				}
				if at <= c.column && len(row.Cells) > 0 {
					return nil, fmt.Errorf("column %d twice in row %d", at, row.Number)
				}
				style, _ := strconv.Atoi(attr(e, "s"))
				c, inside = cell{column: at, typ: attr(e, "t"), style: max(style, 0), text: c.text[:0]}, true
			case "f":
				c.formula = inside
			case "v", "t":
				reading = inside
			case "rPh":
				hushed++
			case "mergeCell":
				m, err := merge(attr(e, "ref"))
				if err != nil {
					return nil, err
				}
				if m.FromRow <= 50 && len(merges) < 1000 {
					merges = append(merges, m)
				}
			}
		case xml.CharData:
			if reading && hushed == 0 {
				if c.text = append(c.text, e...); len(c.text) > 4*MaxCell {
					return nil, fmt.Errorf("a cell of row %d is too long", row.Number)
				}
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "t":
				reading = false
			case "rPh":
				hushed--
			case "c":
				inside = false
				v, err := a.value(c)
				if err != nil {
					return nil, err
				}
				if v.Text == "" && !v.Bad {
					break
				}
				if c.column >= maxWide {
					return nil, ErrBad.With("第 %d 行的数据超过 %d 列，请删除右侧多余的列后再上传", row.Number, maxWide).On("file")
				}
				for len(row.Cells) <= c.column {
					row.Cells = append(row.Cells, Value{})
				}
				row.Cells[c.column] = v
			case "row":
				if !row.blank() {
					if err := fn(row); err != nil {
						return nil, err
					}
				}
			case "worksheet":
				ended = true
			}
		}
	}
}

// reference reads B12: column from 0, row from 1.
func reference(ref string) (column, row int, err error) {
	i := 0
	for ; i < len(ref) && i < 4 && (ref[i] >= 'A' && ref[i] <= 'Z' || ref[i] >= 'a' && ref[i] <= 'z'); i++ {
		column = column*26 + int(ref[i]&^0x20-'A') + 1
	}
	row, err = strconv.Atoi(ref[i:])
	if err != nil || i == 0 || column > MaxColumns || row < 1 || row > MaxRows {
		return 0, 0, fmt.Errorf("reference %q", ref)
	}
	return column - 1, row, nil
}

func merge(ref string) (Merge, error) {
	from, to, found := strings.Cut(ref, ":")
	if !found {
		to = from
	}
	c1, r1, err1 := reference(from)
	c2, r2, err2 := reference(to)
	return Merge{r1, r2, c1, c2}, errors.Join(err1, err2)
}

// Spread puts the text of merged cells into each of them, for a head that is written over several columns or rows.
func Spread(rows []Row, merges []Merge) []Row {
	out := slices.Clone(rows)
	for _, m := range merges {
		text := ""
		for _, r := range rows {
			if r.Number == m.FromRow && m.FromColumn < len(r.Cells) {
				text = r.Cells[m.FromColumn].Text
			}
		}
		if text == "" {
			continue
		}
		for i, r := range out {
			if r.Number < m.FromRow || r.Number > m.ToRow {
				continue
			}
			cells := slices.Clone(r.Cells)
			for c := m.FromColumn; c <= min(m.ToColumn, maxWide-1); c++ {
				for len(cells) <= c {
					cells = append(cells, Value{})
				}
				if cells[c].Text == "" {
					cells[c].Text = text
				}
			}
			out[i].Cells = cells
		}
	}
	return out
}
