package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// The limits of a picture. Decoding takes about three bytes a pixel for JPEG, four or eight for the others.
const (
	maxSide   = 20_000
	maxPixels = 50_000_000 // JPEG: what telephones make
	maxOther  = 25_000_000
	keepSide  = 4096 // longer sides are scaled down to this
)

// decode reads a picture within the limits, upright.
func decode(raw []byte, kind Kind) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil { // a decoder that trips over hostile input must not end the process
			img, err = nil, fmt.Errorf("decoder: %v", p)
		}
	}()
	config, full, limit := jpeg.DecodeConfig, jpeg.Decode, maxPixels
	switch kind {
	case PNG:
		config, full, limit = png.DecodeConfig, png.Decode, maxOther
	case WebP:
		config, full, limit = webp.DecodeConfig, webp.Decode, maxOther
	}
	c, err := config(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > limit {
		return nil, fmt.Errorf("%d × %d pixels", c.Width, c.Height)
	}
	img, err = full(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if b := img.Bounds(); b.Dx() != c.Width || b.Dy() != c.Height {
		return nil, errors.New("size differs from header")
	}
	return upright(shrink(img), orientation(raw, kind)), nil
}

func shrink(img image.Image) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	if long <= keepSide {
		return img
	}
	// not NRGBA, for which the scaler makes garbage of every pixel
	to := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*keepSide/long), max(1, b.Dy()*keepSide/long)))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), img, b, draw.Src, nil)
	return to
}

// upright applies an EXIF orientation (1 to 8) to the pixels.
func upright(img image.Image, o int) image.Image {
	if o < 2 || o > 8 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	from := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(from, from.Bounds(), img, b.Min, draw.Src)
	tw, th := w, h
	if o >= 5 {
		tw, th = h, w
	}
	to := image.NewNRGBA(image.Rect(0, 0, tw, th))
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch o {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			copy(to.Pix[to.PixOffset(tx, ty):][:4], from.Pix[from.PixOffset(x, y):][:4])
		}
	}
	return to
}

// encode writes a picture without any metadata and returns the kind written: WebP becomes JPEG, or PNG when something in
// it is transparent.
func encode(w io.Writer, img image.Image, kind Kind) (Kind, error) {
	if kind == WebP {
		kind = PNG
		if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
			kind = JPEG
		}
	}
	if kind == PNG {
		return kind, (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(w, img)
	}
	return kind, jpeg.Encode(w, img, &jpeg.Options{Quality: 88})
}

// orientation finds the EXIF orientation, 1 when there is none.
func orientation(raw []byte, kind Kind) int {
	switch kind {
	case JPEG:
		for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
			marker, size := raw[at+1], int(binary.BigEndian.Uint16(raw[at+2:]))
			if marker == 0xda || size < 2 || at+2+size > len(raw) {
				return 1
			}
			if body := raw[at+4 : at+2+size]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
				return tiffOrientation(body[6:])
			}
			at += 2 + size
		}
	case WebP:
		for at := 12; at+8 <= len(raw); {
			size := int(binary.LittleEndian.Uint32(raw[at+4:]))
			if size < 0 || size > len(raw)-at-8 {
				return 1
			}
			if string(raw[at:at+4]) == "EXIF" {
				return tiffOrientation(bytes.TrimPrefix(raw[at+8:at+8+size], []byte("Exif\x00\x00")))
			}
			at += 8 + size + size&1
		}
	case PNG:
		for at := 8; at+12 <= len(raw); {
			size := int(binary.BigEndian.Uint32(raw[at:]))
			if size < 0 || size > len(raw)-at-12 {
				return 1
			}
			if string(raw[at+4:at+8]) == "eXIf" {
				return tiffOrientation(raw[at+8 : at+8+size])
			}
			at += 12 + size
		}
	}
	return 1
}

// tiffOrientation reads tag 0x0112 of the first directory.
func tiffOrientation(t []byte) int {
	if len(t) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(t[:2]) == "MM" {
		order = binary.BigEndian
	} else if string(t[:2]) != "II" {
		return 1
	}
	at := int64(order.Uint32(t[4:]))
	if at < 8 || at+2 > int64(len(t)) {
		return 1
	}
	n := int64(order.Uint16(t[at:]))
	for i := range n {
		e := at + 2 + i*12
		if e+12 > int64(len(t)) {
			return 1
		}
		if order.Uint16(t[e:]) == 0x0112 {
			if v := int(order.Uint16(t[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}
