package sheet

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// FieldKind says how the cells of a field are read.
type FieldKind string

// The kinds. Codes are numbers that are no quantities (credit codes, phones, accounts): full-width characters and blanks are
// put right, and one whose digits a spreadsheet lost is refused.
const (
	LineField FieldKind = "line"
	CodeField FieldKind = "code"
	DateField FieldKind = "date"
)

// TargetField is one field that a column may fill.
type TargetField struct {
	Key      string    `json:"key"`
	Title    string    `json:"title"`
	Aliases  []string  `json:"-"` // other heads that mean it
	Kind     FieldKind `json:"kind" enum:"line,code,date"`
	Required bool      `json:"required"`
	Help     string    `json:"help"`
	Example  string    `json:"example"`
}

// RowProblem is what is wrong with one row.
type RowProblem struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"` // what is wrong and how to mend it; no personal data
}

// Record is one row: its fields as they were read.
type Record struct {
	Row    int               `json:"row"`
	Values map[string]string `json:"values"`
}

// Duplicates says what happens to a record that is there already.
type Duplicates string

// The choices.
const (
	Skip   Duplicates = "skip"
	Update Duplicates = "update"
	Refuse Duplicates = "refuse"
)

// Change is what publishing a record did.
type Change string

// The changes.
const (
	Created Change = "created"
	Updated Change = "updated"
	Skipped Change = "skipped"
)

// Batch says where records come from.
type Batch struct {
	Import     int64  // the number of the import
	Source     string // whose word they are: "roll" for a file
	Duplicates Duplicates
	Anew       bool // these are the first rows, and what was heard of the import before counts no more
}

// Outcome is what publishing a record did, or why it did not.
type Outcome struct {
	Change   Change
	ObjectID int64
	Problem  *RowProblem
}

// Scored is a row as it was staged. Values are those of the file where the row is bad.
type Scored struct {
	Record

	Bad      bool
	Review   bool
	Problems []RowProblem
}

// ErrExists is returned by Publish for a record that is there already and must not be.
var ErrExists = fault.New(fault.Conflict, "RECORD_EXISTS", "系统中已有这条记录；如需更新，请重新导入并选择“更新已有记录”")

// Target is what a file is imported into. The module that owns the records makes it; every function checks the rights of
// the actor itself.
type Target struct {
	Name, Title string
	Permission  access.Permission
	Fields      []TargetField
	// Key is the field that tells records apart.
	Key string
	// Updates says that records which are there already may be updated.
	Updates bool
	// Note is shown above the form: what is imported and what follows from it.
	Note string
	// Rows is how many rows of one file it takes where that is more than the limit of the installation.
	Rows int
	// Check reads one record without writing anything: its values cleaned, and what is wrong with it.
	Check func(ctx context.Context, actor access.Actor, r Record) (Record, []RowProblem, error)
	// Existing tells which of the keys, cleaned, are there already.
	Existing func(ctx context.Context, actor access.Actor, keys []string) (map[string]bool, error)
	// Prepare does before the transaction what takes long; nil when nothing does. What it returns is given to Publish.
	Prepare func(ctx context.Context, actor access.Actor, r Record, origin string) (any, error)
	// Publish writes one record in tx, with its event and its audit entry. origin is the same whenever the same row is
	// published. A fault is a problem of the record, and undoes what it wrote.
	Publish func(ctx context.Context, tx bun.Tx, actor access.Actor, r Record, on Duplicates, origin string, prepared any) (Change, int64, error)
	// Flag looks at good records together and says of each what a person must decide before it is published; nil where
	// nobody needs to.
	Flag func(ctx context.Context, actor access.Actor, records []Record) ([][]RowProblem, error)
	// FlagTitles are what the codes of flags mean.
	FlagTitles map[string]string
	// Alike is a field by which records of one file are held against each other, "" for none: Similar gets two that agree in
	// it and not in their key, and says what a person must decide about the later, nil for nothing.
	Alike   string
	Similar func(earlier, later Record) *RowProblem
	// PublishMany is Publish for many records at once, in their order, for a target that is taken in by the hundred thousand;
	// nil where Publish is called for each. A problem of one record is its Outcome's and touches no other; an error undoes all.
	PublishMany func(ctx context.Context, tx bun.Tx, actor access.Actor, b Batch, records []Record) ([]Outcome, error)
	// Score hears, in the transaction that stages them, what was found in each row, for a score of the source's quality; nil
	// where nobody keeps one. Rows that are read anew begin with a Batch that says so.
	Score func(ctx context.Context, tx bun.Tx, b Batch, rows []Scored) error
	// Extra are columns that the owner of the import gets beside each published record, as first passwords; nil for none.
	// It returns nothing for a record that does not need them any more.
	ExtraTitles []string
	Extra       func(ctx context.Context, actor access.Actor, r Record, objectID int64, origin string) ([]string, error)
}

// Field returns the field of that key.
func (t Target) Field(key string) (TargetField, bool) {
	for _, f := range t.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return TargetField{}, false
}

// numberLost is the problem of a code, a phone or another number whose digits a spreadsheet lost.
const numberLost = "NUMBER_LOST"

var days = []string{"2006-01-02", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102", "2006-1-2"}

var blanks = regexp.MustCompile(`[\s\x{00a0}\x{200b}\x{feff}\x{3000}]+`)

// errorValue is what a spreadsheet writes into a CSV for a formula that came to nothing.
var errorValue = regexp.MustCompile(`^\s*#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)\s*$`)

// Read turns a cell into the field's value, or says why it cannot be one. An empty cell is an empty value.
func (f TargetField) Read(v Value) (string, *RowProblem) {
	problem := func(code, message string) (string, *RowProblem) {
		return strings.TrimSpace(v.Text), &RowProblem{Field: f.Key, Code: code, Message: message}
	}
	if v.Bad || strings.Contains(v.Text, "#") && errorValue.MatchString(v.Text) {
		return problem("CELL_ERROR", "单元格是错误值，或公式没有计算结果，请改为直接填写内容")
	}
	s := strings.TrimFunc(v.Text, func(r rune) bool { return blank(r) || r == '\t' || r == '\r' })
	if s == "" {
		if f.Required {
			return problem("REQUIRED", "“"+f.Title+"”为必填，请补充")
		}
		return "", nil
	}
	switch f.Kind {
	case CodeField:
		if v.Lost {
			return problem(numberLost, "“"+f.Title+"”被 Excel 转为科学计数法，数字已不完整，请将该列设为文本后重新填写")
		}
		return blanks.ReplaceAllString(norm.NFKC.String(s), ""), nil
	case DateField:
		plain := norm.NFKC.String(s)
		day, _, _ := strings.Cut(plain, " ")
		for _, layout := range days {
			if t, err := time.Parse(layout, day); err == nil && t.Year() >= 1800 && t.Year() <= 2200 {
				return t.Format(time.DateOnly), nil
			}
		}
		return problem("BAD_DATE", "“"+f.Title+"”不是有效的日期，请填写为 2026-11-22 的样式")
	}
	return s, nil
}
