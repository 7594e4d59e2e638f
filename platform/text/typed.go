package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/fault"
)

// Typed trims a text and refuses what cannot be kept: too long, empty where needed, broken or with control characters.
// Label is the word a person knows the field by; a fault points at field.
// Everything else stays as typed: rare Hanzi, emoji and markup are text, escaped where they are shown.
func Typed(field, label, value string, longest int, needed bool) (string, error) {
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
	value = Visible(value)
	if needed && strings.TrimSpace(value) == "" {
		return "", fault.InvalidField(field, "REQUIRED", "请填写"+label)
	}
	return value, nil
}
