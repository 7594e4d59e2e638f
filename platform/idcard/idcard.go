// Package idcard checks citizen identity numbers (公民身份号码), GB 11643-1999: six digits of division, eight of birth,
// three of sequence and a check character. Old fifteen-digit numbers are completed to eighteen.
package idcard

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// ErrBad is the fault of Parse. It points at the field "idNumber" and never repeats the number.
var ErrBad = fault.New(fault.Invalid, "BAD_ID_NUMBER", "身份证号有误，请核对身份证")

// Number is a number that passed Parse: eighteen characters.
type Number string

// Parse normalises s (full-width, spaces, lower-case x) and returns its number. The birth must be a real day between 1900
// and now. The division is not checked: people keep the number of a division that was abolished.
func Parse(s string, now time.Time) (Number, error) {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Pd, r) {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	c := b.String()
	if len(c) == 15 && digits(c) {
		c = c[:6] + "19" + c[6:]
		c += string(Check(c))
	}
	switch {
	case c == "":
		return "", bad("请填写身份证号")
	case len([]rune(c)) != 18:
		return "", bad(fmt.Sprintf("身份证号应为 18 位，您填写了 %d 位，请核对身份证", len([]rune(c))))
	case len(c) != 18 || !digits(c[:17]) || c[17] != 'X' && !digits(c[17:]):
		return "", bad("身份证号只能由数字组成，最后一位可以是 X，请核对身份证")
	}
	born, err := time.ParseInLocation("20060102", c[6:14], clock.Beijing)
	if err != nil || born.Year() < 1900 || born.After(now) {
		return "", bad("身份证号中的出生日期（第 7 至 14 位）不正确，请核对身份证")
	}
	if Check(c[:17]) != c[17] {
		return "", bad("身份证号校验不通过，可能有一位填错或两位颠倒，请核对身份证")
	}
	return Number(c), nil
}

func bad(why string) error { return ErrBad.With("%s", why).On("idNumber") }

// Check computes the check character of seventeen digits.
func Check(first17 string) byte {
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(first17[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// Birth returns the day of birth at midnight in Beijing.
func (n Number) Birth() time.Time {
	t, _ := time.ParseInLocation("20060102", string(n[6:14]), clock.Beijing) // Parse checked it
	return t
}

// Male reports what the odd or even sequence says.
func (n Number) Male() bool { return (n[16]-'0')%2 == 1 }

// Division returns the six digits of the division of first registration.
func (n Number) Division() string { return string(n[:6]) }

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
