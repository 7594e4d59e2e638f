// Package phone normalises telephone numbers of the mainland, so that one phone is one text however it was typed: mobiles
// to eleven digits, fixed lines to area-number(-extension).
package phone

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
)

// ErrBad is the fault of every function here; it points at the field "phone".
var ErrBad = fault.New(fault.Invalid, "BAD_PHONE", "手机号有误，请填写 11 位手机号")

var (
	mobile    = regexp.MustCompile(`^1[3-9]\d{9}$`)
	mobileIDD = regexp.MustCompile(`^(?:\+|00)?86(1[3-9]\d{9})$`)
	fixed     = regexp.MustCompile(`^(?:(?:\+|00)?86)?(0?10|0?2[0-57-9]|0?[3-9]\d{2})([2-8]\d{6,7})$`)
	hotline   = regexp.MustCompile(`^([48]00)(\d{3})(\d{4})$`)
	short     = regexp.MustCompile(`^(1[12]\d|1[02]\d{3}|9[56]\d{3})$`)
	extension = regexp.MustCompile(`(?:转|分机|ext\.?|x|#|,)(\d{1,6})$`)
)

// Normalize returns the eleven digits of a mobile typed with or without +86, 0086 or 86, spaces, hyphens, brackets or
// full-width digits, or a fault BAD_PHONE that says what to do.
func Normalize(s string) (string, error) {
	c := squeeze(s)
	if mobile.MatchString(c) {
		return c, nil
	}
	if m := mobileIDD.FindStringSubmatch(c); m != nil {
		return m[1], nil
	}
	n := len([]rune(strings.TrimPrefix(c, "+")))
	digits := c != "" && strings.Trim(strings.TrimPrefix(c, "+"), "0123456789") == ""
	switch {
	case c == "":
		return "", bad("请填写手机号")
	case !digits:
		return "", bad("手机号只能由数字组成，请填写 11 位手机号")
	case strings.HasPrefix(c, "+") && !strings.HasPrefix(c, "+86"), strings.HasPrefix(c, "00") && !strings.HasPrefix(c, "0086"):
		return "", bad("目前只支持中国大陆手机号，请填写 11 位手机号")
	case fixed.MatchString(c) && c[0] == '0', hotline.MatchString(c):
		return "", bad("这是固定电话，请填写 11 位手机号")
	case n != 11 && !strings.HasPrefix(c, "+86"):
		return "", bad(fmt.Sprintf("手机号应为 11 位，您填写了 %d 位，请核对", n))
	}
	return "", bad("手机号应以 13 至 19 开头，共 11 位，请核对")
}

// Fixed returns a fixed line as 010-12345678, 0311-1234567-801 (extension), 400-123-4567, or a service number of three to
// five digits such as 12345; or a fault BAD_PHONE.
func Fixed(s string) (string, error) {
	t := strings.ToLower(norm.NFKC.String(strings.TrimSpace(s)))
	ext := ""
	if m := extension.FindStringSubmatch(t); m != nil {
		ext, t = m[1], strings.TrimSuffix(t, m[0])
	} else if i := strings.LastIndexByte(t, '-'); i > 0 && len(t)-i-1 < 7 && fixed.MatchString(squeeze(t[:i])) {
		ext, t = t[i+1:], t[:i] // 010-12345678-801
	}
	c := squeeze(t)
	out := ""
	switch {
	case hotline.MatchString(c):
		out = hotline.ReplaceAllString(c, "$1-$2-$3")
	case short.MatchString(c) && ext == "":
		return c, nil
	default:
		m := fixed.FindStringSubmatch(c)
		if m == nil || m[1][0] != '0' && !strings.Contains(c, "86") {
			return "", bad("固定电话有误，请填写区号和号码，例如 010-12345678")
		}
		out = "0" + strings.TrimPrefix(m[1], "0") + "-" + m[2]
	}
	if ext != "" {
		if strings.Trim(ext, "0123456789") != "" {
			return "", bad("分机号只能由数字组成")
		}
		out += "-" + ext
	}
	return out, nil
}

// Contact accepts either kind and returns its normal form.
func Contact(s string) (string, error) {
	if n, err := Normalize(s); err == nil {
		return n, nil
	}
	if n, err := Fixed(s); err == nil {
		return n, nil
	}
	return "", bad("请填写 11 位手机号，或带区号的固定电话，例如 010-12345678")
}

func bad(why string) error { return ErrBad.With("%s", why).On("phone") }

// squeeze makes digits half-width and drops what people put between them.
func squeeze(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Pd, r) || strings.ContainsRune("()·.−‐/", r) {
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
