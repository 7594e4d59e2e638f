// Package qr draws QR codes (ISO/IEC 18004) of short texts, as pictures and for print.
package qr

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	"rsc.io/qr"
)

// ErrLong is returned for a text that does not fit.
var ErrLong = errors.New("qr: the text is longer than 213 bytes")

// longest is what fits into version 10 at error correction M. A link of the site needs no more, and a code that is printed small
// should not have more.
const longest = 213

// Quiet is how many light modules surround a code.
const Quiet = 4

// Code is a drawn code, without the light border.
type Code struct{ code *qr.Code }

// Encode draws the text at error correction M in the smallest version that holds it.
func Encode(text string) (*Code, error) {
	if len(text) > longest {
		return nil, ErrLong
	}
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("qr: %w", err)
	}
	return &Code{c}, nil
}

// Size is how many modules the code is wide and high, without the border.
func (c *Code) Size() int { return c.code.Size }

// Dark reports whether a module is dark. Outside it is light.
func (c *Code) Dark(x, y int) bool { return c.code.Black(x, y) }

// PNG writes the code with its border as a picture of at least the width in pixels.
func (c *Code) PNG(w io.Writer, width int) error {
	full := c.Size() + 2*Quiet
	scale := max(1, (width+full-1)/full)
	img := image.NewPaletted(image.Rect(0, 0, full*scale, full*scale), color.Palette{color.White, color.Black})
	for y := range full * scale {
		for x := range full * scale {
			if c.Dark(x/scale-Quiet, y/scale-Quiet) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	return png.Encode(w, img)
}

// Path is the code as the path of an SVG whose unit is a module; its border begins at 0.
func (c *Code) Path() string {
	var b strings.Builder
	for y := range c.Size() {
		for x := 0; x < c.Size(); x++ {
			if !c.Dark(x, y) {
				continue
			}
			from := x
			for c.Dark(x, y) {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1H%dz", from+Quiet, y+Quiet, x-from, from+Quiet)
		}
	}
	return b.String()
}

// SVG is the code with its border as a picture of its own, sharp at any size.
func (c *Code) SVG() string {
	full := c.Size() + 2*Quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, full, full, full, full, c.Path())
}
