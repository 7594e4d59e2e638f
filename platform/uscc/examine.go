package uscc

import (
	"cmp"
	"fmt"
	"slices"
)

// Examination is what can be told of a code somebody typed.
type Examination struct {
	Code        string       `json:"code"` // normalised
	Valid       bool         `json:"valid"`
	Reason      string       `json:"reason,omitempty"`       // why not, and what to do
	Check       *Failed      `json:"check,omitempty"`        // position 18, GB 32100
	InnerCheck  *Failed      `json:"inner_check,omitempty"`  // position 17, GB 11714; alone no reason to refuse
	Corrections []Correction `json:"corrections,omitempty"`  // single changes that make both checks right, likeliest first
	Authority   string       `json:"authority,omitempty"`    // 登记管理部门
	Category    string       `json:"category,omitempty"`     // 机构类别
	Division    string       `json:"division,omitempty"`     // 登记管理机关行政区划码
	Organ       string       `json:"organisation,omitempty"` // 主体标识码（组织机构代码）
	CheckChar   string       `json:"check_character,omitempty"`
	Demo        bool         `json:"demo,omitempty"` // of the block that no real company has
}

// Failed is a check character that does not agree with those before it.
type Failed struct {
	Position int    `json:"position"` // from 1
	Has      string `json:"has"`
	Wants    string `json:"wants"` // if all the others are right
}

// Correction is one change that makes a code right.
type Correction struct {
	Code   string `json:"code"`
	Change string `json:"change"` // 第 3 位「1」改为「7」
}

// maxCorrections is how many an examination tells: more than a few help nobody.
const maxCorrections = 8

// Examine says all that can be told of a typed code without looking it up. The demo block counts as valid and says so.
func Examine(s string) Examination {
	e := Examination{Code: Normalize(s)}
	e.Reason = wrong(e.Code)
	e.Valid = e.Reason == ""
	if len(e.Code) != 18 {
		return e
	}
	if wrongCharacters(e.Code) != "" {
		e.Corrections = corrections(e.Code)
		return e
	}
	if want := check(e.Code[:17]); want != e.Code[17] {
		e.Check = &Failed{Position: 18, Has: e.Code[17:], Wants: string(want)}
		e.Corrections = corrections(e.Code)
	}
	c := Code(e.Code)
	if !c.OrganisationOK() {
		e.InnerCheck = &Failed{Position: 17, Has: e.Code[16:17], Wants: string(organisationCheck(e.Code[8:16]))}
	}
	if e.Valid {
		e.Authority, e.Category, e.Division, e.Organ, e.CheckChar, e.Demo = c.Authority(), c.Category(), c.Division(), c.Organisation(), e.Code[17:], c.Demo()
	}
	return e
}

// corrections are the plausible codes one replacement or one swap of neighbours away: a swap first, then a letter taken for
// the digit that looks like it, then the rest by place.
func corrections(c string) []Correction {
	type ranked struct {
		Correction
		rank, at int
	}
	var all []ranked
	seen := map[string]bool{}
	try := func(s string, rank, at int) {
		if s == c || seen[s] || wrong(s) != "" || !plausible(s) {
			return
		}
		seen[s] = true
		all = append(all, ranked{Correction{s, difference(c, s)}, rank, at})
	}
	for i := range 17 {
		s := []byte(c)
		s[i], s[i+1] = s[i+1], s[i]
		try(string(s), 0, i)
	}
	for i := range 18 {
		for _, r := range alphabet {
			rank := 2
			if lookalike[rune(c[i])] == r || similar(c[i], byte(r)) {
				rank = 1
			}
			try(fmt.Sprintf("%s%c%s", c[:i], r, c[i+1:]), rank, i)
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Or(a.rank-b.rank, a.at-b.at) })
	var out []Correction
	for _, r := range all[:min(len(all), maxCorrections)] {
		out = append(out, r.Correction)
	}
	return out
}

// similar reports characters that are taken for each other in handwriting and print.
func similar(a, b byte) bool {
	for _, pair := range []string{"8B", "0D", "0Q", "1L", "17", "5S", "2Z", "6G", "38", "UV", "MN", "4A", "09", "56", "CG", "EF", "PR", "XY", "0U"} {
		if a == pair[0] && b == pair[1] || a == pair[1] && b == pair[0] {
			return true
		}
	}
	return false
}
