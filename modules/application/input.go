package application

import (
	"math/big"
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// The longest and largest inputs: characters, months, fen, basis points.
const (
	maxPurpose    = 1000
	maxCollateral = 300
	maxNote       = 1000
	maxName       = 50
	maxFiles      = 9
	maxTerm       = 360
	maxAmount     = 10_000_000_000 * 100
	maxRate       = 3600
	maxTyped      = 4000 // of one field of a draft
)

// block cleans a text of several lines and names the field in what it finds wrong.
func block(field, label, value string, longest int, needed bool) (string, error) {
	least := 0
	if needed {
		least = 1
	}
	v, err := text.Block(field, value, least, longest)
	return v, named(field, label, err)
}

// line is block for one line.
func line(field, label, value string, longest int, needed bool) (string, error) {
	least := 0
	if needed {
		least = 1
	}
	v, err := text.Line(field, value, least, longest)
	return v, named(field, label, err)
}

func named(field, label string, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	if f.Code == text.ErrRequired.Code {
		return fault.InvalidField(field, f.Code, "请填写"+label)
	}
	return fault.InvalidField(field, f.Code, label+"："+f.Message)
}

// telephone brings a mobile or landline number to its normal form.
func telephone(value string) (string, error) {
	n, err := phone.Contact(value)
	if f, ok := fault.As(err); ok {
		return "", fault.InvalidField("phone", f.Code, f.Message)
	}
	return n, err
}

// parseWan reads an amount typed in units of ten thousand yuan, as "50" or "12.5", and returns fen. It takes what people
// type: full-width digits, thousands separators, the unit itself.
func parseWan(typed string) (int64, bool) {
	t := strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '．' || r == '。':
			return '.'
		case r == ',' || r == '，' || r == ' ' || r == '　':
			return -1
		}
		return r
	}, strings.TrimSpace(typed))
	t = strings.TrimSuffix(strings.TrimSuffix(t, "元"), "万")
	if t == "" || strings.Trim(t, "0123456789.") != "" || len(t) > 20 {
		return 0, false
	}
	n, ok := new(big.Rat).SetString(t)
	if !ok {
		return 0, false
	}
	fen := n.Mul(n, big.NewRat(1_000_000, 1))
	if !fen.IsInt() || !fen.Num().IsInt64() || fen.Num().Int64() > maxAmount {
		return 0, false
	}
	return fen.Num().Int64(), true
}
