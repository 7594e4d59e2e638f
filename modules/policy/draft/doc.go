// Package draft reads the text of a policy and proposes its conditions as clauses a person can check: what is asked, of
// what, in which period, and the words that ask it. It is deterministic, needs no database and never decides anything: a
// draft is looked over by one person and published by another.
//
// # What counts
//
// A text is cut into sections by its headings and by sentences that open a list (应当符合下列条件：). When it has a part about
// conditions or objects, only that part counts, with sentences elsewhere that say themselves whom the policy is for or not
// for. Materials, procedures and contacts never count. Amounts of support and their limits are no conditions (给予最高 50
// 万元奖励, 每家不超过).
//
// 以上, 不低于 and 达到 include the bound (民法典 §1259), 超过 and 高于 exclude it; 以下 and 不超过 include, 低于, 不足 and 不满
// exclude it; （含） and （不含） overrule. A range gives two clauses. In a list of those who are refused the comparison is turned.
//
// What reads as a condition and no data can decide, and what was not understood, is returned as words: nothing is dropped
// in silence.
//
// # Values
//
// Amounts are in 万元 (or 万美元), shares in %; categories are the document's own words in their usual short form, since the
// codes are chosen when the draft is taken over. Numbers are decimal text throughout, never floating point.
package draft

import "encoding/json"

// Field is what a clause asks about.
type Field string

// The fields. Other is a measure or fact of none of the rest; Clause.Subject says of what.
const (
	Region          Field = "region"
	Industry        Field = "industry"
	SizeClass       Field = "size_class"
	Years           Field = "years_since_established"
	Revenue         Field = "annual_revenue"
	Growth          Field = "revenue_growth"
	Staff           Field = "staff_count"
	RDRatio         Field = "rd_ratio"
	RDExpense       Field = "rd_expense"
	Qualification   Field = "qualification"
	TaxCredit       Field = "tax_credit_level"
	Patents         Field = "patents"
	Loan            Field = "loan"
	SocialInsured   Field = "social_insurance_staff"
	NotOnList       Field = "not_on_list"
	Other           Field = "other"
	MaxQuote              = 150     // the most characters of a quote
	MaxText               = 1 << 20 // the most bytes of a text
	maxNotDecidable       = 500
)

// Clause is one condition found. Value is a decimal number, a text, a list of texts, true, or a day 2006-01-02.
type Clause struct {
	Quote      string      `json:"quote"` // exact words of the text, at most MaxQuote characters
	Field      Field       `json:"field"`
	Op         string      `json:"op"` // ge gt le lt eq in has not_on true
	Value      any         `json:"value"`
	Unit       string      `json:"unit"`       // 万元 万美元 % 人 年 月 件 分 级 日期, or empty
	Period     string      `json:"period"`     // as the text has it: 上年度, 近三年平均
	Subject    string      `json:"subject"`    // what is measured, as the text has it
	Confidence json.Number `json:"confidence"` // 0.05 to 0.99

	Start, End int  `json:"-"` // of Quote in the text, in bytes
	OneOf      bool `json:"-"` // one of several alternatives, of which not all need hold
}

// Draft is what a text proposes, in the order of the text.
type Draft struct {
	Clauses      []Clause `json:"clauses"`
	NotDecidable []string `json:"not_decidable"` // exact words of the text, at most MaxQuote characters each
	// AnyOf are the lists of which one item is enough (具备下列条件之一), each item with the quotes of all it says.
	AnyOf [][][]string `json:"any_of,omitempty"`
}

// Lexicon is what the installation knows by name. The zero Lexicon leaves the built-in names.
type Lexicon struct {
	Regions        []string // 北京市, 通州区, 临河里街道
	Industries     []string // 门类 and 大类 of GB/T 4754-2017
	Qualifications []string // titles
}

// Reader reads texts with a lexicon. It is safe for concurrent use.
type Reader struct{ words *words }

// New makes a reader.
func New(l Lexicon) *Reader { return &Reader{newWords(l)} }

// Read drafts the conditions of a text: bare, or a title line, a line 来源：… and the text after a line 正文：. It never fails;
// a text without conditions gives an empty draft.
func (r *Reader) Read(text string) Draft {
	t := open(text)
	x := extraction{words: r.words, text: t, home: r.words.home(t)}
	d := Draft{Clauses: []Clause{}, NotDecidable: []string{}}
	strict := t.structured()
	for _, s := range t.sentences {
		x.sentence(s, strict)
	}
	d.Clauses = append(d.Clauses, x.clauses...)
	d.NotDecidable = append(d.NotDecidable, x.open...)
	for _, list := range x.anyOf {
		if len(list) > 1 {
			d.AnyOf = append(d.AnyOf, list)
		}
	}
	return d
}
