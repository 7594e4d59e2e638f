// Package uscc checks unified social credit codes (统一社会信用代码), GB 32100-2015: eighteen characters, of which one is
// the registering authority, one the category, six the division, nine the organisation code and the last a check
// character. A code that is wrong is refused with what is wrong and, where it can be told, what was probably meant; it is
// never changed silently.
package uscc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
)

// alphabet gives each character its value; I, O, S, V and Z are left out by the standard.
const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// demoBlock is category 91 with a division segment that GB/T 2260 does not have, so no real company can hold such a code.
const demoBlock = "9199"

var weights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// ErrBad is the fault of Parse, with a message that says what is wrong. It points at the field "creditCode".
var ErrBad = fault.New(fault.Invalid, "BAD_USCC", "统一社会信用代码有误，请核对营业执照")

// Options changes what Parse accepts.
type Options struct {
	AllowDemo bool // accept the block 9199… of demo data
}

// Code is a code that passed Parse: eighteen upper-case characters with a right check character.
type Code string

// Normalize prepares typed text: full-width to half-width (NFKC), upper case, without spaces, hyphens and invisible
// characters. It repairs nothing else.
func Normalize(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Pd, r) || r == '_' {
			continue
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// Parse normalises s and returns its code, or a fault BAD_USCC. It does not look the code up anywhere, and does not check
// the inner organisation code, which a few old codes fail; see Code.OrganisationOK.
func Parse(s string, o Options) (Code, error) {
	c := Normalize(s)
	if why := wrong(c); why != "" {
		return "", bad(why)
	}
	if strings.HasPrefix(c, demoBlock) && !o.AllowDemo {
		return "", bad("这是演示用的统一社会信用代码，正式环境不能使用")
	}
	return Code(c), nil
}

func bad(why string) error { return ErrBad.With("%s", why).On("creditCode") }

// wrong says what is wrong with a normalised code, "" when nothing is.
func wrong(c string) string {
	n := utf8.RuneCountInString(c)
	digits := strings.Trim(c, "0123456789") == ""
	switch {
	case n == 0:
		return "请填写统一社会信用代码"
	case n == 15 && digits:
		return "这是 15 位的旧工商注册号，请填写营业执照上 18 位的统一社会信用代码"
	case n == 9 && organisationOK(c):
		return "这是 9 位的组织机构代码，请填写营业执照上 18 位的统一社会信用代码"
	case n != 18:
		return fmt.Sprintf("统一社会信用代码应为 18 位，您填写了 %d 位，请核对营业执照", n)
	}
	if why := wrongCharacters(c); why != "" {
		return why
	}
	if check(c[:17]) == c[17] {
		return ""
	}
	if fix := repair(c); fix != "" {
		return fmt.Sprintf("统一社会信用代码校验不通过，是否应为 %s（%s）？请核对营业执照", fix, difference(c, fix))
	}
	return "统一社会信用代码校验不通过，可能有一位填错或两位颠倒，请核对营业执照"
}

// lookalike is what people mean by the letters the standard left out.
var lookalike = map[rune]rune{'O': '0', 'I': '1', 'Z': '2', 'S': '5'}

func wrongCharacters(c string) string {
	var hints, fixed strings.Builder
	sure := true
	for i, r := range []rune(c) {
		digitOnly := i >= 2 && i < 8
		ok := strings.ContainsRune(alphabet, r) && (!digitOnly || r >= '0' && r <= '9')
		if ok {
			fixed.WriteRune(r)
			continue
		}
		if hints.Len() > 0 {
			hints.WriteString("，")
		}
		fmt.Fprintf(&hints, "第 %d 位的「%c」", i+1, r)
		if to, known := lookalike[r]; known {
			fmt.Fprintf(&hints, "是否应为数字「%c」", to)
			fixed.WriteRune(to)
			continue
		}
		sure = false
		if digitOnly && strings.ContainsRune(alphabet, r) {
			hints.WriteString("应为数字")
		} else {
			hints.WriteString("不会出现在统一社会信用代码中")
		}
	}
	if hints.Len() == 0 {
		return ""
	}
	if f := fixed.String(); sure && check(f[:17]) == f[17] {
		return fmt.Sprintf("%s？完整代码可能是 %s，请核对营业执照", hints.String(), f)
	}
	if i, fix := replaced(c); fix != "" { // the digit it looks like does not fit, another character does
		return fmt.Sprintf("第 %d 位的「%c」不会出现在这一位，按其余各位应为「%c」？完整代码可能是 %s，请核对营业执照", i+1, c[i], fix[i], fix)
	}
	return hints.String() + "，请核对营业执照"
}

// replaced gives the one plausible code that another character in place of the only wrong one makes, and its place.
func replaced(c string) (int, string) {
	at, found := -1, ""
	for i := range len(c) {
		if strings.IndexByte(alphabet, c[i]) >= 0 && (i < 2 || i >= 8 || c[i] <= '9') {
			continue
		}
		if at >= 0 || c[i] >= utf8.RuneSelf {
			return 0, ""
		}
		at = i
	}
	if at < 0 || len(c) != 18 || at >= 2 && at < 8 { // which division is meant nobody can tell
		return 0, ""
	}
	for _, r := range alphabet {
		s := c[:at] + string(r) + c[at+1:]
		if check(s[:17]) != s[17] || !plausible(s) {
			continue
		}
		if found != "" {
			return 0, ""
		}
		found = s
	}
	return at, found
}

// repair returns the one plausible code that a single replacement or a swap of neighbours makes of c, "" when there is
// none or more than one. The check character alone fits eighteen replacements; the organisation code, the known
// authorities and the provinces rule most of them out.
func repair(c string) string {
	found := map[string]bool{}
	try := func(s string) {
		if s != c && check(s[:17]) == s[17] && plausible(s) {
			found[s] = true
		}
	}
	for i := range 18 {
		for _, r := range alphabet {
			if i < 2 || i > 7 || r <= '9' {
				try(c[:i] + string(r) + c[i+1:])
			}
		}
		if i < 17 {
			s := []byte(c)
			s[i], s[i+1] = s[i+1], s[i]
			if wrongCharacters(string(s)) == "" {
				try(string(s))
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	for s := range found {
		return s
	}
	return ""
}

func plausible(s string) bool {
	k := Code(s)
	return k.Category() != "" && organisationOK(s[8:17]) && (provinces[s[2:4]] || strings.HasPrefix(s, demoBlock))
}

func difference(c, fix string) string {
	for i := range 18 {
		if c[i] == fix[i] {
			continue
		}
		if i < 17 && c[i] == fix[i+1] && c[i+1] == fix[i] {
			return fmt.Sprintf("第 %d、%d 位颠倒", i+1, i+2)
		}
		return fmt.Sprintf("第 %d 位「%c」改为「%c」", i+1, c[i], fix[i])
	}
	return ""
}

// check computes the check character of seventeen characters of the alphabet. The standard prints 31−MOD, where 31 must
// read as 0.
func check(first17 string) byte {
	sum := 0
	for i := range 17 {
		sum += strings.IndexByte(alphabet, first17[i]) * weights[i]
	}
	return alphabet[(31-sum%31)%31]
}

// Complete appends the check character to the first seventeen, for tests and demo data. It returns "" when first17 is not
// seventeen characters a code may have.
func Complete(first17 string) string {
	if len(first17) != 17 || wrongCharacters(first17+"0") != "" {
		return ""
	}
	return first17 + string(check(first17))
}

// Demo returns the n-th code of the demo block, right in both checks. It panics when n is not within 0 to 999,999.
func Demo(n int) Code {
	if n < 0 || n > 999_999 {
		panic("uscc: Demo wants 0 to 999999")
	}
	org := fmt.Sprintf("DM%06d", n)
	return Code(Complete(demoBlock + "0000" + org + string(organisationCheck(org))))
}

// Authority returns the kind of registering authority in Chinese, "" when the table of 2015 does not have it.
func (c Code) Authority() string {
	if len(c) != 18 {
		return ""
	}
	return authorities[c[0]].name
}

// Category returns the kind of organisation in Chinese, "" when the table of 2015 does not have it.
func (c Code) Category() string {
	if len(c) != 18 {
		return ""
	}
	return authorities[c[0]].categories[c[1]]
}

// Division returns the six digits of the registering authority's division (GB/T 2260). A company may since have moved.
func (c Code) Division() string { return string(c[2:8]) }

// Organisation returns the nine characters of the organisation code (GB 11714).
func (c Code) Organisation() string { return string(c[8:17]) }

// OrganisationOK reports whether the inner organisation code passes its own check (GB 11714-1997). A failure is a reason
// to look twice, not to refuse.
func (c Code) OrganisationOK() bool { return organisationOK(c.Organisation()) }

// Demo reports whether the code belongs to the demo block.
func (c Code) Demo() bool { return strings.HasPrefix(string(c), demoBlock) }

// organisationOK checks a nine-character organisation code by GB 11714.
func organisationOK(s string) bool {
	if len(s) != 9 {
		return false
	}
	for i := range 8 {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return organisationCheck(s[:8]) == s[8]
}

func organisationCheck(first8 string) byte {
	sum := 0
	for i, w := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		v := int(first8[i] - '0')
		if first8[i] >= 'A' {
			v = int(first8[i]-'A') + 10
		}
		sum += v * w
	}
	return "0123456789X0"[11-sum%11]
}
