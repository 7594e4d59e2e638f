package files

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest shown name in characters; 80 Hanzi and an extension stay below 255 bytes.
const maxName = 80

// CleanName makes a name safe to show and to save under: the last part of any path, without control, invisible and
// direction characters or those Windows forbids, no leading dot, at most 80 characters with the extension kept. An empty
// rest becomes 未命名. It is never used as a path here.
func CleanName(s string) string {
	s = strings.ToValidUTF8(s, "")
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = norm.NFC.String(s)
	s = strings.TrimRight(strings.TrimLeft(s, ". "), ". ")
	ext := path.Ext(s)
	base := strings.TrimRight(strings.TrimSuffix(s, ext), ". ")
	if utf8.RuneCountInString(ext) > 10 { // no extension, only a dot in a long name
		base, ext = s, ""
	}
	if rs := []rune(base); len(rs) > maxName-utf8.RuneCountInString(ext) {
		base = strings.TrimRight(string(rs[:maxName-utf8.RuneCountInString(ext)]), ". ")
	}
	if base == "" {
		base = "未命名"
	}
	if reserved[strings.ToUpper(strings.SplitN(base, ".", 2)[0])] {
		base = "_" + base
	}
	return base + ext
}

// reserved are the device names of Windows.
var reserved = map[string]bool{
	"CON": true, "PRN": true, "AUX": true, "NUL": true,
	"COM1": true, "COM2": true, "COM3": true, "COM4": true, "COM5": true, "COM6": true, "COM7": true, "COM8": true, "COM9": true,
	"LPT1": true, "LPT2": true, "LPT3": true, "LPT4": true, "LPT5": true, "LPT6": true, "LPT7": true, "LPT8": true, "LPT9": true,
}

// ContentDisposition returns the header for a file (RFC 6266, RFC 8187): the cleaned name in UTF-8, with a plain fallback.
// Send X-Content-Type-Options: nosniff beside it, and take inline from Inline.
func ContentDisposition(name string, inline bool) string {
	name = CleanName(name)
	kind := "attachment"
	if inline {
		kind = "inline"
	}
	var plain, extended strings.Builder
	ascii := true
	for _, r := range name {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' || r == '%' || r == ';' {
			ascii = false
			plain.WriteByte('_')
		} else {
			plain.WriteRune(r)
		}
	}
	out := kind + `; filename="` + plain.String() + `"`
	if ascii {
		return out
	}
	const hexDigits = "0123456789ABCDEF"
	for _, c := range []byte(name) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			extended.WriteByte(c)
		} else {
			extended.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return out + "; filename*=UTF-8''" + extended.String()
}
