package criteria

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// scales gives each unit the number of base units (fen, permille) it holds.
var scales = map[Kind]map[string]int64{
	Money: {"分": 1, "元": 100, "万元": 1_000_000, "亿元": 10_000_000_000},
	Ratio: {"%": 10, "‰": 1},
}

var (
	errNotNumber = errors.New("应为数字")
	errTooFine   = errors.New("小数位过多")
	errTooBig    = errors.New("数值过大")
	errNegative  = errors.New("不能小于 0，请改正")
)

// scaled reads a plain decimal and returns it times scale, exactly.
func scaled(s string, scale int64) (int64, error) {
	body := strings.TrimPrefix(s, "-")
	whole, frac, dotted := strings.Cut(body, ".")
	if whole == "" || dotted && frac == "" || strings.Trim(whole+frac, "0123456789") != "" || len(body) > 30 {
		return 0, errNotNumber
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, errNotNumber
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	switch {
	case !r.IsInt():
		return 0, errTooFine
	case !r.Num().IsInt64() || r.Num().CmpAbs(big.NewInt(1<<60)) > 0:
		return 0, errTooBig
	}
	return r.Num().Int64(), nil
}

// show writes n base units in a unit of scale, without trailing zeros.
func show(n, scale int64) string {
	sign, abs, unit := "", uint64(n), uint64(scale) // #nosec G115 -- the lowest int64 has no positive counterpart but this
	if n < 0 {
		sign, abs = "-", -abs
	}
	out := sign + strconv.FormatUint(abs/unit, 10)
	if rest := abs % unit; rest != 0 {
		width := len(strconv.FormatInt(scale, 10)) - 1
		f := strconv.FormatUint(rest, 10)
		out += "." + strings.TrimRight(strings.Repeat("0", width-len(f))+f, "0")
	}
	return out
}

// money shows fen as the faces do, in the largest unit that loses nothing: 2,000 万元, 1.2 亿元, 12,345.67 元.
func money(fen int64) string {
	abs := fen
	if abs < 0 {
		abs = -abs
	}
	for _, unit := range []string{"亿元", "万元"} {
		if scale := scales[Money][unit]; abs >= scale && fen%(scale/100) == 0 {
			return grouped(show(fen, scale)) + " " + unit
		}
	}
	return grouped(show(fen, 100)) + " 元"
}

func count(n int64, unit string) string {
	return strings.TrimSpace(grouped(strconv.FormatInt(n, 10)) + " " + unit)
}

// grouped puts commas between the thousands of a plain decimal.
func grouped(s string) string {
	end := len(s)
	if dot := strings.IndexByte(s, '.'); dot >= 0 {
		end = dot
	}
	for i := end - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// ratioAtLeast reports a ÷ b ≥ permille ÷ 1000 for b > 0, without overflow.
func ratioAtLeast(a, b, permille int64) bool {
	left := new(big.Int).Mul(big.NewInt(a), big.NewInt(1000))
	right := new(big.Int).Mul(big.NewInt(b), big.NewInt(permille))
	return left.Cmp(right) >= 0
}

// ratioFloor returns a ÷ b in units of 0.01%, rounded towards minus infinity, for b > 0.
func ratioFloor(a, b int64) int64 {
	q := new(big.Int).Mul(big.NewInt(a), big.NewInt(10_000))
	q.Div(q, big.NewInt(b)) // Euclidean: towards minus infinity for b > 0
	if !q.IsInt64() {
		return 1 << 62
	}
	return q.Int64()
}
