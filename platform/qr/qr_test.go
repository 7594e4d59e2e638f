package qr_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image/png"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/qr"
)

const text = "https://hq.example.gov.cn/c/ABC234"

func picture(c *qr.Code) string {
	var b strings.Builder
	for y := range c.Size() {
		for x := range c.Size() {
			if c.Dark(x, y) {
				b.WriteByte('#')
			} else {
				b.WriteByte('.')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestCodes holds the smallest and the longest text of each version against codes that another program (jsQR 1.4.0) read back
// as what was put in.
func TestCodes(t *testing.T) {
	t.Parallel()
	for i, want := range known {
		long := strings.Repeat(text, 10)[:lengths[i]]
		c, err := qr.Encode(long)
		if err != nil {
			t.Fatal(err)
		}
		if c.Size() != 21+4*(i/2) {
			t.Errorf("%d bytes: %d modules", len(long), c.Size())
		}
		sum := sha256.Sum256([]byte(picture(c)))
		if got := hex.EncodeToString(sum[:6]); got != want {
			t.Errorf("%d bytes: %s, want %s", len(long), got, want)
		}
	}
	if _, err := qr.Encode(strings.Repeat("a", 214)); !errors.Is(err, qr.ErrLong) {
		t.Errorf("214 bytes: %v", err)
	}
}

var lengths = []int{1, 14, 15, 26, 27, 42, 43, 62, 63, 84, 85, 106, 107, 122, 123, 152, 153, 180, 181, 213}

var known = []string{
	"1a3b589e154b", "416112a14e67", "3efc39079105", "a7561180e669", "e3ce41880b70", "b310244f1398", "d7d394532094", "7f3343bd47f4", "4cccf05edb04", "4e53d7b85cd4", "9cb8671fb637", "4725e06c19b5", "e2ad931e7428", "3fdb7f183e83", "e05528a5d826", "431d337e8bc2", "f8644136e506", "b4ff311514e0", "63da18d1833e", "7a0e13aac5b9",
}

func TestPictures(t *testing.T) {
	t.Parallel()
	c, err := qr.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.PNG(&b, 600); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil || img.Bounds().Dx() < 600 || img.Bounds().Dx() != img.Bounds().Dy() {
		t.Fatal(img.Bounds(), err)
	}
	scale := img.Bounds().Dx() / (c.Size() + 2*qr.Quiet)
	for y := range c.Size() {
		for x := range c.Size() {
			r, _, _, _ := img.At((x+qr.Quiet)*scale, (y+qr.Quiet)*scale).RGBA()
			if (r == 0) != c.Dark(x, y) {
				t.Fatalf("module %d %d", x, y)
			}
		}
	}
	if r, _, _, _ := img.At(qr.Quiet*scale-1, qr.Quiet*scale).RGBA(); r == 0 {
		t.Error("the border is dark")
	}
	// Every dark module is in the path once: the lengths of its runs add up.
	sum, dark := 0, strings.Count(picture(c), "#")
	for _, run := range strings.Split(c.Path(), "h")[1:] {
		n := 0
		for _, d := range run[:strings.IndexByte(run, 'v')] {
			n = 10*n + int(d-'0')
		}
		sum += n
	}
	if sum != dark || !strings.Contains(c.SVG(), c.Path()) {
		t.Errorf("%d modules in the path, %d dark", sum, dark)
	}
}
