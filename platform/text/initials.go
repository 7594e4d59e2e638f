package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// firsts are the first codes of each letter among the 3,755 common characters of GB 2312 level 1, which the standard orders by
// their reading. No reading begins with i, u or v.
var firsts = []struct {
	letter byte
	code   uint16
}{
	{'a', 0xB0A1}, {'b', 0xB0C5}, {'c', 0xB2C1}, {'d', 0xB4EE}, {'e', 0xB6EA}, {'f', 0xB7A2}, {'g', 0xB8C1}, {'h', 0xB9FE}, {'j', 0xBBF7}, {'k', 0xBFA6},
	{'l', 0xC0AC}, {'m', 0xC2E8}, {'n', 0xC4C3}, {'o', 0xC5B6}, {'p', 0xC5BE}, {'q', 0xC6DA}, {'r', 0xC8BB}, {'s', 0xC8F6}, {'t', 0xCBFA}, {'w', 0xCDDA},
	{'x', 0xCEF4}, {'y', 0xD1B9}, {'z', 0xD4D1},
}

const lastCommon = 0xD7F9

// Initials returns the first letters of the readings of the characters, in small letters, as people type them to find a word:
// "劳动用工" is "ldyg". Latin letters and digits stay. A character beyond the common ones has no letter, and one with several
// readings has one of them, so this finds and never decides.
func Initials(s string) string {
	var b strings.Builder
	encoder := simplifiedchinese.GBK.NewEncoder()
	for _, r := range s {
		if r < 0x80 {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				b.WriteRune(unicode.ToLower(r))
			}
			continue
		}
		code, err := encoder.String(string(r))
		if err != nil || len(code) != 2 {
			encoder.Reset()
			continue
		}
		at := uint16(code[0])<<8 | uint16(code[1])
		if at < firsts[0].code || at > lastCommon || code[1] < 0xA1 {
			continue
		}
		letter := byte('a')
		for _, f := range firsts {
			if at >= f.code {
				letter = f.letter
			}
		}
		b.WriteByte(letter)
	}
	return b.String()
}
