package ticket

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// The longest inputs, in characters.
const (
	maxTitle = 100
	maxBody  = 2000
	// maxBrought is for what another system brought: the 4,000 characters Open311 allows, and what is written below them.
	maxBrought = 6000
	maxNote    = 1000
	maxName    = 50
	maxFirm    = 120
	maxFiles   = 9
	// maxEvidence is how many files a reply may have with its evidence.
	maxEvidence = 60
)

// clean trims a text and refuses what cannot be kept: too long, empty where needed, broken or with control characters.
// Everything else stays as typed: rare Hanzi, emoji and markup are text, escaped where they are shown.
func clean(field, label, value string, longest int, needed bool) (string, error) {
	value = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "\n"))
	if !utf8.ValidString(value) {
		return "", fault.InvalidField(field, "BAD_TEXT", label+"含有无法识别的字符，请重新输入")
	}
	if value == "" && needed {
		return "", fault.InvalidField(field, "REQUIRED", "请填写"+label)
	}
	if n := utf8.RuneCountInString(value); n > longest {
		return "", fault.InvalidField(field, "TOO_LONG", fmt.Sprintf("%s最多 %d 个字，现有 %d 个字，请精简后提交", label, longest, n))
	}
	for _, r := range value {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return "", fault.InvalidField(field, "BAD_TEXT", label+"含有不可见的控制字符，请删除后重新输入")
		}
	}
	value = text.Visible(value)
	if needed && strings.TrimSpace(value) == "" {
		return "", fault.InvalidField(field, "REQUIRED", "请填写"+label)
	}
	return value, nil
}

// telephone brings a mobile or landline number to its digits, however it was written: +86, spaces, full width.
func telephone(field, value string) (string, error) {
	var b strings.Builder
	for _, r := range strings.TrimSpace(value) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case r == '+' || r == '＋' || r == '-' || r == '－' || r == '—' || r == '(' || r == ')' || r == '（' || r == '）' || unicode.IsSpace(r):
		default:
			return "", badPhone(field)
		}
	}
	d := b.String()
	d = strings.TrimPrefix(d, "00")
	if len(d) > 11 {
		d = strings.TrimPrefix(d, "86")
	}
	mobile := len(d) == 11 && d[0] == '1' && d[1] >= '3'
	land := (len(d) == 11 || len(d) == 12) && d[0] == '0'
	if !mobile && !land {
		return "", badPhone(field)
	}
	return d, nil
}

func badPhone(field string) error {
	return fault.InvalidField(field, "BAD_PHONE", "联系电话格式不正确，请填写 11 位手机号或带区号的固定电话")
}

// mask hides the middle of a number.
func mask(phone string) string {
	if phone == "" { // a ticket that a channel brought may have none
		return ""
	}
	if len(phone) < 8 {
		return "****"
	}
	return phone[:3] + strings.Repeat("*", len(phone)-7) + phone[len(phone)-4:]
}
