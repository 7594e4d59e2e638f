package demo

import "strings"

// CreditCode returns the nth unified social credit code of the demo block 91990000. Both check digits, of the organisation
// code (GB 11714) and of the whole (GB 32100), are right.
func CreditCode(n int) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	org := []byte("MADM0000")
	for i := 7; i >= 4; i-- {
		org[i] = byte('0' + n%10)
		n /= 10
	}
	sum := 0
	for i, w := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * strings.IndexByte(letters, org[i])
	}
	check := "0123456789X0"[11-sum%11]
	body := "91990000" + string(org) + string(check)

	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	sum = 0
	weight := 1
	for i := range len(body) {
		sum += weight * strings.IndexByte(alphabet, body[i])
		weight = weight * 3 % 31
	}
	return body + string(alphabet[(31-sum%31)%31])
}
