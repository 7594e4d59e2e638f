package qr_test

import (
	"bytes"
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

// TestCodes: a link fits into a small code, and what does not fit is told.
func TestCodes(t *testing.T) {
	t.Parallel()
	for n, size := range map[int]int{1: 21, 34: 29, 213: 57} {
		c, err := qr.Encode(strings.Repeat(text, 10)[:n])
		if err != nil || c.Size() != size {
			t.Fatalf("%d bytes: %+v %v", n, c, err)
		}
		for _, at := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} { // the three finders
			if !c.Dark(at[0], at[1]) || !c.Dark(at[0]+6, at[1]+6) || c.Dark(at[0]+1, at[1]+1) || !c.Dark(at[0]+3, at[1]+3) {
				t.Errorf("%d bytes: no finder at %v", n, at)
			}
		}
		if c.Dark(-1, 0) || c.Dark(size, 0) || c.Dark(0, size) {
			t.Errorf("%d bytes: the border is dark", n)
		}
	}
	if _, err := qr.Encode(strings.Repeat("a", 214)); !errors.Is(err, qr.ErrLong) {
		t.Errorf("214 bytes: %v", err)
	}
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
