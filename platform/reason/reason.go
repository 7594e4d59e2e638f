// Package reason is what a ready reason for sending something back is: a sentence that is chosen, some of which the reviewer
// completes with words of their own.
package reason

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Other is the reason that says nothing by itself: the reviewer's own words stand alone.
const Other = "other"

// Reason is one ready reason.
type Reason struct {
	Code string `json:"code" maxLength:"31"`
	Text string `json:"text" maxLength:"600"`
	// Words says that the reviewer has to add words of their own.
	Words   bool `json:"words"`
	Sort    int  `json:"sort"`
	Retired bool `json:"retired"`
}

// The faults of reasons.
var (
	// ErrOther: the code is what the program knows it by.
	ErrOther = fault.InvalidField("words", "REASON_OTHER", "“其他原因”必须由审核人员写明说明")
	// ErrChoose: a decision names no reason, or one that is not offered.
	ErrChoose = fault.InvalidField("code", "RETURN_REASON", "请选择退回原因")
)

var codes = regexp.MustCompile(`^[a-z][a-z0-9_]{1,30}$`)

// Check tidies the reason and says what is wrong with it, each at its input.
func (r *Reason) Check() error {
	var errs []error
	r.Code = strings.TrimSpace(r.Code)
	if !codes.MatchString(r.Code) {
		errs = append(errs, fault.InvalidField("code", "REASON_CODE", "编码为 2 至 31 位小写字母、数字或下划线，以字母开头"))
	}
	words, err := text.Line("text", r.Text, 4, 100)
	if errors.Is(err, text.ErrRequired) {
		err = text.ErrRequired.With("请填写退回原因，申请人会看到").On("text")
	}
	errs = append(errs, err)
	if r.Sort < 0 || r.Sort > 9999 {
		errs = append(errs, fault.InvalidField("sort", "REASON_SORT", "顺序应为 0 至 9999 的整数"))
	}
	if r.Code == Other && !r.Words {
		errs = append(errs, ErrOther)
	}
	r.Text = words
	return fault.Merge(errs...)
}

// Compose joins the chosen reasons of those offered, in their order, and the reviewer's own words: what the applicant reads.
// It returns the codes in the same order. Nothing chosen, or something that is not offered, is ErrChoose; words that are
// needed and missing are a fault at "text".
func Compose(offered []Reason, chosen []string, own string) (kept []string, words string, err error) {
	least := 0
	var lines []string
	for _, r := range Ordered(offered) {
		if r.Retired || !slices.Contains(chosen, r.Code) {
			continue
		}
		kept = append(kept, r.Code)
		if r.Words {
			least = 5
		}
		if r.Code != Other {
			lines = append(lines, r.Text)
		}
	}
	if len(kept) == 0 || len(kept) != len(chosen) {
		return nil, "", ErrChoose
	}
	own, err = text.Block("text", own, least, 500)
	if errors.Is(err, text.ErrRequired) {
		err = text.ErrRequired.With("请写明退回原因，申请人会看到").On("text")
	}
	if err != nil {
		return nil, "", err
	}
	if own != "" {
		lines = append(lines, own)
	}
	return kept, strings.Join(lines, "\n"), nil
}

// Ordered sorts reasons as they are offered.
func Ordered(list []Reason) []Reason {
	return slices.SortedStableFunc(slices.Values(list), func(a, b Reason) int { return cmp.Or(a.Sort-b.Sort, strings.Compare(a.Code, b.Code)) })
}
