package phone

import (
	"strings"
	"unicode"
)

// Digits returns the digits of a mobile or of a fixed line with its area number, however they were typed: with +86, spaces,
// brackets or full-width digits; false when it is neither.
func Digits(s string) (string, bool) {
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case strings.ContainsRune("+＋-－—()（）", r) || unicode.IsSpace(r):
		default:
			return "", false
		}
	}
	d := strings.TrimPrefix(b.String(), "00")
	if len(d) > 11 {
		d = strings.TrimPrefix(d, "86")
	}
	mobile := len(d) == 11 && d[0] == '1' && d[1] >= '3'
	land := (len(d) == 11 || len(d) == 12) && d[0] == '0'
	return d, mobile || land
}
