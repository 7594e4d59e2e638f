package sheet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Filter narrows a list that leaves, by the names and words of the list's own address.
type Filter map[string]string

// Source is a list that can leave as a spreadsheet. The module that owns the list makes it (see List); who leaves with what
// is decided here and in its functions, by the rights the viewer has when the rows are read.
type Source struct {
	Name, Title string // "tickets", 工单
	// Permission is the right to take the list out, beside the right to see it.
	Permission access.Permission
	Columns    []SourceColumn
	// Describe checks the filter and says in Chinese what it keeps, "" for everything.
	Describe func(f Filter) (string, error)
	// Count returns how many rows there are, at most most; it may count too many where rows are seen twice. Nil where
	// nobody counts: progress then has no end to show.
	Count func(ctx context.Context, actor access.Actor, f Filter, most int) (int, error)
	// Now returns the source with the columns of this moment; nil where they are always the same.
	Now func(ctx context.Context) (Source, error)
	// Page returns the rows after a position, "" for the first page, and the position of the next, "" after the last.
	Page func(ctx context.Context, actor access.Actor, q Query) (rows [][]Cell, next string, err error)
}

// SourceColumn is one column that may leave.
type SourceColumn struct {
	Key, Title string
	Width      float64
	// Permission is the right this column needs beside the source's; "" needs none.
	Permission access.Permission
	// Off leaves the column out unless it is chosen.
	Off bool
	// Gone is a column that is no longer offered; the files that have it stay their owners'.
	Gone bool
}

// Query asks for a page.
type Query struct {
	Filter  Filter
	Columns []string // keys, in the order of the cells
	After   string
	Limit   int
}

// Allowed are the columns the actor may take out, ErrForbidden when the list is not theirs to take at all.
func (s Source) Allowed(actor access.Actor) ([]SourceColumn, error) {
	if err := actor.Need(s.Permission); err != nil {
		return nil, err
	}
	var out []SourceColumn
	for _, c := range s.Columns {
		if c.Permission == "" || actor.Can(c.Permission) {
			out = append(out, c)
		}
	}
	return out, nil
}

// ErrColumns is returned for columns that are not there or not the actor's to take.
var ErrColumns = fault.InvalidField("columns", "EXPORT_COLUMNS", "所选的列中有您无权导出或不存在的列，请刷新页面后重新选择")

// Choose returns the chosen columns in the list's own order, those that are not Off when none is chosen. One that is not
// the actor's is ErrColumns.
func (s Source) Choose(actor access.Actor, keys []string) ([]SourceColumn, error) {
	allowed, err := s.Allowed(actor)
	if err != nil {
		return nil, err
	}
	var out []SourceColumn
	for _, c := range allowed {
		if len(keys) == 0 && !c.Off || slices.Contains(keys, c.Key) {
			out = append(out, c)
		}
	}
	if len(out) == 0 || len(keys) > 0 && len(out) != len(keys) {
		return nil, ErrColumns
	}
	return out, nil
}

// Field is a column of rows of type T. Cell is never called for a row without the column being chosen.
type Field[T any] struct {
	SourceColumn
	Cell func(ctx context.Context, row *T) (Cell, error)
}

// Of makes a field whose cell cannot fail.
func Of[T any](key, title string, width float64, cell func(row *T) Cell) Field[T] {
	return Field[T]{SourceColumn{Key: key, Title: title, Width: width}, func(_ context.Context, row *T) (Cell, error) { return cell(row), nil }}
}

// Behind returns the field for those who hold the right only, left out unless chosen.
func (f Field[T]) Behind(p access.Permission) Field[T] {
	f.Permission, f.Off = p, true
	return f
}

// List is a Source with rows of type T.
type List[T any] struct {
	Name, Title string
	Permission  access.Permission
	Fields      []Field[T]
	Describe    func(f Filter) (string, error)
	Count       func(ctx context.Context, actor access.Actor, f Filter, most int) (int, error)
	Page        func(ctx context.Context, actor access.Actor, f Filter, after string, limit int) ([]T, string, error)
}

// Source makes the list a Source. The right to the list and to each column is checked for every page.
func (l List[T]) Source() Source {
	s := Source{Name: l.Name, Title: l.Title, Permission: l.Permission, Describe: l.Describe}
	if l.Count != nil {
		s.Count = func(ctx context.Context, actor access.Actor, f Filter, most int) (int, error) {
			if err := actor.Need(l.Permission); err != nil {
				return 0, err
			}
			return l.Count(ctx, actor, f, most)
		}
	}
	for _, f := range l.Fields {
		s.Columns = append(s.Columns, f.SourceColumn)
	}
	s.Page = func(ctx context.Context, actor access.Actor, q Query) ([][]Cell, string, error) {
		chosen, err := s.Choose(actor, q.Columns)
		if err != nil {
			return nil, "", err
		}
		fields := make([]Field[T], 0, len(chosen))
		for _, c := range chosen {
			i := slices.IndexFunc(l.Fields, func(f Field[T]) bool { return f.Key == c.Key })
			fields = append(fields, l.Fields[i])
		}
		rows, next, err := l.Page(ctx, actor, q.Filter, q.After, q.Limit)
		if err != nil {
			return nil, "", err
		}
		cells := make([]Cell, len(rows)*len(fields))
		out := make([][]Cell, 0, len(rows))
		for i := range rows {
			line := cells[i*len(fields) : (i+1)*len(fields) : (i+1)*len(fields)]
			for n, f := range fields {
				if line[n], err = f.Cell(ctx, &rows[i]); err != nil {
					return nil, "", fmt.Errorf("export %s, column %s: %w", l.Name, f.Key, err)
				}
			}
			out = append(out, line)
		}
		return out, next, nil
	}
	return s
}

// ErrFilter is returned for a filter the list does not know.
var ErrFilter = fault.InvalidField("filters", "EXPORT_FILTER", "筛选条件无法识别，请回到列表重新筛选后再导出")

// Only returns ErrFilter when f holds anything but the named filters.
func (f Filter) Only(names ...string) error {
	for k, v := range f {
		if v != "" && !slices.Contains(names, k) {
			return ErrFilter
		}
	}
	return nil
}

// Words splits a filter that takes several values.
func (f Filter) Words(name string) []string {
	return strings.FieldsFunc(f[name], func(r rune) bool { return r == ',' })
}
