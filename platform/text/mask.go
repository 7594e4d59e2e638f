package text

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/idcard"
)

// MaskName keeps the first character of a name: 张三丰 → 张**, 李四 → 李*. At most four stars show.
func MaskName(s string) string {
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	if n == 0 {
		return ""
	}
	if n == 1 {
		return "*"
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size] + strings.Repeat("*", min(n-1, 4))
}

// MaskPhone keeps three and four digits of a mobile: 138****8000. Of a fixed line it keeps the area code and the last two
// digits; anything else shows its last two characters at most.
func MaskPhone(s string) string {
	rs := []rune(strings.TrimSpace(s))
	n := len(rs)
	switch {
	case n == 0:
		return ""
	case n == 11 && rs[0] == '1':
		return string(rs[:3]) + "****" + string(rs[7:])
	case n < 6:
		return strings.Repeat("*", n)
	}
	if area, rest, ok := strings.Cut(string(rs), "-"); ok && len([]rune(rest)) > 4 {
		r := []rune(rest)
		return area + "-" + strings.Repeat("*", len(r)-2) + string(r[len(r)-2:])
	}
	return strings.Repeat("*", n-2) + string(rs[n-2:])
}

// MaskID keeps four and four characters of an identity number: 1101**********002X. Shorter text shows stars only.
func MaskID(s string) string {
	rs := []rune(strings.TrimSpace(s))
	if len(rs) < 15 {
		return strings.Repeat("*", len(rs))
	}
	return string(rs[:4]) + strings.Repeat("*", len(rs)-8) + string(rs[len(rs)-4:])
}

// MaskNumbers masks mobiles and citizen identity numbers inside free text and reports whether it found any. It reads
// full-width digits, +86 and the usual gaps (138 0013 8000, 138-0013-8000, 110105 19491231 002X). An identity number counts
// only with a real birth and a right check character; digits that are part of a longer number, such as order numbers,
// credit codes, bank cards and amounts, are left alone. Old fifteen-digit identity numbers and fixed lines are not masked.
func MaskNumbers(s string) (masked string, found bool) {
	rs := []rune(s)
	half := make([]rune, len(rs)) // rs with full-width digits and letters made half-width: same positions
	for i, r := range rs {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		half[i] = r
	}
	for i := 0; i < len(half); {
		if !alnum(half[i]) {
			i++
			continue
		}
		words := wordsFrom(half, i)
		n := match(half, words)
		for _, w := range words[:n] {
			found = true
			star(rs, half, words[0].from, words[n-1].to, w)
		}
		i = words[max(n, 1)-1].to
	}
	if !found {
		return s, false
	}
	return string(rs), true
}

// word is a run of ASCII letters and digits.
type word struct{ from, to int }

// wordsFrom returns up to five words from i on, each one space or hyphen after the last.
func wordsFrom(half []rune, i int) []word {
	var out []word
	for len(out) < 5 && i < len(half) && alnum(half[i]) {
		j := i
		for j < len(half) && alnum(half[j]) {
			j++
		}
		out = append(out, word{i, j})
		if j >= len(half) || half[j] != ' ' && half[j] != '-' && half[j] != '　' {
			break
		}
		i = j + 1
	}
	return out
}

// match returns how many of the leading words make one phone or identity number, 0 when none do.
func match(half []rune, words []word) int {
	if from := words[0].from; from > 1 && half[from-1] == '.' && digit(half[from-2]) {
		return 0 // the fraction of an amount
	}
	joined := ""
	for n, w := range words {
		joined += string(half[w.from:w.to])
		if len(joined) > 24 {
			return 0
		}
		if n+1 < len(words) && len(words) > n+1 && glued(half, words, n) {
			continue
		}
		if w.to+1 < len(half) && half[w.to] == '.' && digit(half[w.to+1]) {
			continue // an amount
		}
		if isPhone(joined, half, words[:n+1]) || isID(joined) {
			return n + 1
		}
	}
	return 0
}

// glued reports that the next word belongs to this one by a hyphen, as in order numbers, and both are digits too short to
// stand alone.
func glued(half []rune, words []word, n int) bool {
	next := words[n+1]
	return half[words[n].to] == '-' && next.to-next.from < 3
}

func isPhone(joined string, half []rune, words []word) bool {
	digits := joined
	if len(words) == 1 {
		// a label typed right before the number; other letters make it a number of another kind
		trimmed := strings.TrimLeft(joined, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
		switch strings.ToLower(joined[:len(joined)-len(trimmed)]) {
		case "", "tel", "phone", "mobile", "mob", "wx", "weixin", "wechat", "v", "vx", "sj", "dh":
			digits = trimmed
		}
	}
	for _, prefix := range []string{"0086", "86"} {
		if len(digits) == 11+len(prefix) {
			digits = strings.TrimPrefix(digits, prefix)
		}
	}
	if len(digits) != 11 || digits[0] != '1' || digits[1] < '3' || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	// groups must be those in which people say a mobile: 3-4-4 or 3-3-5 or 4-3-4 or whole, after an optional prefix
	var sizes []byte
	for i, w := range words {
		size := w.to - w.from
		if i == 0 && len(words) > 1 && (string(half[w.from:w.to]) == "86" || string(half[w.from:w.to]) == "0086") {
			continue
		}
		sizes = append(sizes, byte('0'+min(size, 60)))
	}
	if len(sizes) == 1 {
		return true
	}
	if string(half[words[0].from:words[0].to]) != "86" && len(sizes) == len(words) && len(joined) != 11 {
		sizes[0] -= byte(len(joined) - 11) // the prefix is glued to the first group: +86138 0013 8000
	}
	switch string(sizes) {
	case "344", "335", "434", "38", "74":
		return true
	}
	return false
}

func isID(joined string) bool {
	if len(joined) != 18 || joined[0] < '1' || joined[0] > '8' || joined[6:8] != "19" && joined[6:8] != "20" {
		return false
	}
	// any birth up to this far day is plausible: masking depends on the text alone, not on the day it is read
	_, err := idcard.Parse(joined, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	return err == nil
}

// star hides the middle of the number in half[from:to], within w: the first three and last four digits of a phone, the
// first four and last four of an identity number stay.
func star(rs, half []rune, from, to int, w word) {
	total := 0
	for i := from; i < to; i++ {
		if alnum(half[i]) {
			total++
		}
	}
	head, at := 4, 0
	if total != 18 {
		head = total - 8 // 3 of 11; a prefix or label before it stays too
	}
	for i := from; i < to; i++ {
		if !alnum(half[i]) {
			continue
		}
		if at >= head && at < total-4 && i >= w.from && i < w.to {
			rs[i] = '*'
		}
		at++
	}
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

func alnum(r rune) bool { return digit(r) || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
