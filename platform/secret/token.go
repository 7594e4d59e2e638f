package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
)

// Token returns 192 random bits as 32 URL-safe characters. Store only its HashToken.
func Token() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Digits returns a code of n decimal digits, each equally likely. It panics when n is below 1 or above 32.
func Digits(n int) string {
	if n < 1 || n > 32 {
		panic("secret: Digits wants 1 to 32")
	}
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	for len(out) < n {
		_, _ = rand.Read(buf)
		for _, c := range buf {
			if c < 250 && len(out) < n { // 250 is the largest multiple of ten: no digit is favoured
				out = append(out, '0'+c%10)
			}
		}
	}
	return string(out)
}

// Equal compares two texts in time that depends on their lengths only.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
