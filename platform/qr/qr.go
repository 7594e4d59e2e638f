// Package qr draws QR codes (ISO/IEC 18004) of short texts: bytes at error correction M, versions 1 to 10, which is up to 213
// bytes. A link of the site needs no more, and a code that is printed small should not have more.
package qr

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
)

// ErrLong is returned for a text that does not fit.
var ErrLong = errors.New("qr: the text is longer than 213 bytes")

// Quiet is how many light modules surround a code.
const Quiet = 4

// Code is a drawn code, without the light border.
type Code struct {
	size int
	dark []bool
}

// version is how a size of code is filled at level M: blocks of so many data bytes, each with check bytes of its own.
type version struct {
	check  int // bytes of error correction in each block
	blocks [2][2]int
	align  []int // centres of the alignment patterns
}

// versions are 1 to 10 at level M (ISO/IEC 18004:2015, tables 9 and E.1).
var versions = []version{
	{10, [2][2]int{{1, 16}}, nil},
	{16, [2][2]int{{1, 28}}, []int{6, 18}},
	{26, [2][2]int{{1, 44}}, []int{6, 22}},
	{18, [2][2]int{{2, 32}}, []int{6, 26}},
	{24, [2][2]int{{2, 43}}, []int{6, 30}},
	{16, [2][2]int{{4, 27}}, []int{6, 34}},
	{18, [2][2]int{{4, 31}}, []int{6, 22, 38}},
	{22, [2][2]int{{2, 38}, {2, 39}}, []int{6, 24, 42}},
	{22, [2][2]int{{3, 36}, {2, 37}}, []int{6, 26, 46}},
	{26, [2][2]int{{4, 43}, {1, 44}}, []int{6, 28, 50}},
}

func (v version) bytes() int { return v.blocks[0][0]*v.blocks[0][1] + v.blocks[1][0]*v.blocks[1][1] }

// Encode draws the text in the smallest version that holds it.
func Encode(text string) (*Code, error) {
	for i, v := range versions {
		number := i + 1
		count := 8 // bits of the length
		if number >= 10 {
			count = 16
		}
		if 4+count+8*len(text) <= 8*v.bytes() {
			return draw(number, v, interleave(v, payload(text, count, v.bytes()))), nil
		}
	}
	return nil, ErrLong
}

// payload is mode, length, text, terminator and padding.
func payload(text string, count, size int) []byte {
	var b bits
	b.put(4, 4) // byte mode
	b.put(len(text), count)
	for i := range len(text) {
		b.put(int(text[i]), 8)
	}
	b.put(0, min(4, 8*size-b.n))
	b.put(0, (8-b.n%8)%8)
	for pad := 0xEC; len(b.b) < size; pad ^= 0xEC ^ 0x11 {
		b.put(pad, 8)
	}
	return b.b
}

type bits struct {
	b []byte
	n int
}

func (b *bits) put(v, n int) {
	for i := n - 1; i >= 0; i-- {
		if b.n%8 == 0 {
			b.b = append(b.b, 0)
		}
		b.b[b.n/8] |= byte(v>>i&1) << (7 - b.n%8)
		b.n++
	}
}

// interleave cuts the data into blocks and lays them, then their check bytes, one byte of each in turn.
func interleave(v version, data []byte) []byte {
	var parts, checks [][]byte
	for _, group := range v.blocks {
		for range group[0] {
			parts = append(parts, data[:group[1]])
			checks = append(checks, remainder(data[:group[1]], v.check))
			data = data[group[1]:]
		}
	}
	var out []byte
	for _, list := range [][][]byte{parts, checks} {
		longest := len(list[len(list)-1])
		for i := range longest {
			for _, p := range list {
				if i < len(p) {
					out = append(out, p[i])
				}
			}
		}
	}
	return out
}

// times multiplies in GF(256) over x⁸+x⁴+x³+x²+1.
func times(a, b byte) byte {
	p := 0
	for i := 7; i >= 0; i-- {
		p = p<<1 ^ p>>7*0x11D
		p ^= int(b>>i&1) * int(a)
	}
	return byte(p)
}

// remainder is the Reed–Solomon check of the data.
func remainder(data []byte, n int) []byte {
	divisor := make([]byte, n)
	divisor[n-1] = 1
	root := byte(1)
	for range n {
		for j := range n {
			divisor[j] = times(divisor[j], root)
			if j+1 < n {
				divisor[j] ^= divisor[j+1]
			}
		}
		root = times(root, 2)
	}
	rest := make([]byte, n)
	for _, b := range data {
		factor := b ^ rest[0]
		copy(rest, rest[1:])
		rest[n-1] = 0
		for j := range rest {
			rest[j] ^= times(divisor[j], factor)
		}
	}
	return rest
}

// board is a code while it is drawn; fixed modules carry no data.
type board struct {
	Code
	fixed []bool
}

func (b *board) set(x, y int, dark bool) {
	b.dark[y*b.size+x], b.fixed[y*b.size+x] = dark, true
}

func draw(number int, v version, data []byte) *Code {
	size := 17 + 4*number
	b := &board{Code: Code{size, make([]bool, size*size)}, fixed: make([]bool, size*size)}
	for i := range size {
		b.set(6, i, i%2 == 0)
		b.set(i, 6, i%2 == 0)
	}
	b.finder(3, 3)
	b.finder(size-4, 3)
	b.finder(3, size-4)
	last := len(v.align) - 1
	for i, x := range v.align {
		for j, y := range v.align {
			if i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue // a finder is there
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					b.set(x+dx, y+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
	b.format(0)
	if number >= 7 {
		rest := number
		for range 12 {
			rest = rest<<1 ^ rest>>11*0x1F25
		}
		word := number<<12 | rest
		for i := range 18 {
			x, y := size-11+i%3, i/3
			b.set(x, y, word>>i&1 == 1)
			b.set(y, x, word>>i&1 == 1)
		}
	}
	b.fill(data)
	best, least := 0, -1
	for mask := range 8 {
		b.mask(mask)
		b.format(mask)
		if p := b.penalty(); least < 0 || p < least {
			best, least = mask, p
		}
		b.mask(mask) // the same again takes it off
	}
	b.mask(best)
	b.format(best)
	return &b.Code
}

func abs(n int) int { return max(n, -n) }

func (b *board) finder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			if px, py := x+dx, y+dy; px >= 0 && px < b.size && py >= 0 && py < b.size {
				far := max(abs(dx), abs(dy))
				b.set(px, py, far != 2 && far != 4)
			}
		}
	}
}

// format writes level M and the mask, twice.
func (b *board) format(mask int) {
	rest := mask // level M is 00
	for range 10 {
		rest = rest<<1 ^ rest>>9*0x537
	}
	word := (mask<<10 | rest) ^ 0x5412
	bit := func(i int) bool { return word>>i&1 == 1 }
	for i := range 6 {
		b.set(8, i, bit(i))
	}
	b.set(8, 7, bit(6))
	b.set(8, 8, bit(7))
	b.set(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		b.set(14-i, 8, bit(i))
	}
	for i := range 8 {
		b.set(b.size-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		b.set(8, b.size-15+i, bit(i))
	}
	b.set(8, b.size-8, true)
}

// fill lays the data in columns of two, up and down from the right.
func (b *board) fill(data []byte) {
	i := 0
	for right := b.size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for n := range b.size {
			for j := range 2 {
				x, y := right-j, n
				if (right+1)&2 == 0 {
					y = b.size - 1 - n
				}
				if !b.fixed[y*b.size+x] && i < 8*len(data) {
					b.dark[y*b.size+x] = data[i/8]>>(7-i%8)&1 == 1
					i++
				}
			}
		}
	}
}

func (b *board) mask(mask int) {
	for y := range b.size {
		for x := range b.size {
			var turn bool
			switch mask {
			case 0:
				turn = (x+y)%2 == 0
			case 1:
				turn = y%2 == 0
			case 2:
				turn = x%3 == 0
			case 3:
				turn = (x+y)%3 == 0
			case 4:
				turn = (x/3+y/2)%2 == 0
			case 5:
				turn = x*y%2+x*y%3 == 0
			case 6:
				turn = (x*y%2+x*y%3)%2 == 0
			case 7:
				turn = ((x+y)%2+x*y%3)%2 == 0
			}
			if at := y*b.size + x; turn && !b.fixed[at] {
				b.dark[at] = !b.dark[at]
			}
		}
	}
}

// penalty is how hard the code is to read: long runs, blocks, false finders, an uneven share of dark.
func (b *board) penalty() int {
	sum, dark := 0, 0
	for _, across := range []bool{true, false} {
		at := func(i, j int) bool {
			if across {
				return b.Dark(j, i)
			}
			return b.Dark(i, j)
		}
		for i := range b.size {
			run := 0
			for j := range b.size {
				if j > 0 && at(i, j) == at(i, j-1) {
					run++
				} else {
					run = 1
				}
				if run == 5 {
					sum += 3
				} else if run > 5 {
					sum++
				}
				if j+11 <= b.size && (looks(at, i, j, "10111010000") || looks(at, i, j, "00001011101")) {
					sum += 40
				}
			}
		}
	}
	for y := range b.size {
		for x := range b.size {
			c := b.Dark(x, y)
			if c {
				dark++
			}
			if x+1 < b.size && y+1 < b.size && c == b.Dark(x+1, y) && c == b.Dark(x, y+1) && c == b.Dark(x+1, y+1) {
				sum += 3
			}
		}
	}
	total := b.size * b.size
	return sum + abs(dark*20-total*10)/total*10
}

func looks(at func(i, j int) bool, i, j int, pattern string) bool {
	for k := range len(pattern) {
		if at(i, j+k) != (pattern[k] == '1') {
			return false
		}
	}
	return true
}

// Size is how many modules the code is wide and high, without the border.
func (c *Code) Size() int { return c.size }

// Dark reports whether a module is dark. Outside it is light.
func (c *Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.size && y < c.size && c.dark[y*c.size+x]
}

// PNG writes the code with its border as a picture of at least the width in pixels.
func (c *Code) PNG(w io.Writer, width int) error {
	full := c.size + 2*Quiet
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
	for y := range c.size {
		for x := 0; x < c.size; x++ {
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
	full := c.size + 2*Quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, full, full, full, full, c.Path())
}
