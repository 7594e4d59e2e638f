package ticket

import (
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
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

// clean is how this module reads what was typed.
func clean(field, label, value string, longest int, needed bool) (string, error) {
	return text.Typed(field, label, value, longest, needed)
}

// telephone brings a mobile or landline number to its digits, however it was written: +86, spaces, full width.
func telephone(field, value string) (string, error) {
	d, ok := phone.Digits(value)
	if !ok {
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
