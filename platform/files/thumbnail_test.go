package files_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/huiqi/huiqi/platform/files"
)

// TestThumbnail takes the middle of pictures of every proportion, to the size that was asked for.
func TestThumbnail(t *testing.T) {
	t.Parallel()
	s, _, _ := mustStore(t)
	ctx := context.Background()
	red, green := color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 160, 0, 255}
	fill := func(img *image.NRGBA, r image.Rectangle, c color.Color) {
		draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	wide, tall := image.NewNRGBA(image.Rect(0, 0, 1200, 300)), image.NewNRGBA(image.Rect(0, 0, 90, 900))
	fill(wide, wide.Bounds(), red)
	fill(wide, image.Rect(400, 0, 800, 300), green) // the middle of 4 to 3
	fill(tall, tall.Bounds(), red)
	fill(tall, image.Rect(0, 400, 90, 500), green)
	clear := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	encoded := func(img image.Image, as string) []byte {
		t.Helper()
		var b bytes.Buffer
		err := png.Encode(&b, img)
		if as == "image/jpeg" {
			b.Reset()
			err = jpeg.Encode(&b, img, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	near := func(got color.Color, want color.NRGBA) bool {
		r, g, b, _ := got.RGBA()
		off := func(x uint32, y uint8) bool { d := int(x>>8) - int(y); return d > 12 || d < -12 }
		return !off(r, want.R) && !off(g, want.G) && !off(b, want.B)
	}
	for name, c := range map[string]struct {
		img  image.Image
		mime string
		want color.NRGBA
	}{
		"wide":        {wide, "image/png", green},
		"wide JPEG":   {wide, "image/jpeg", green},
		"tall":        {tall, "image/png", green},
		"transparent": {clear, "image/png", color.NRGBA{255, 255, 255, 255}},
	} {
		b, err := s.Thumbnail(ctx, bytes.NewReader(encoded(c.img, c.mime)), c.mime, 400, 300)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil || got.Bounds().Dx() != 400 || got.Bounds().Dy() != 300 {
			t.Errorf("%s: %v %v", name, got.Bounds(), err)
			continue
		}
		for _, at := range []image.Point{{200, 150}, {30, 150}, {370, 150}} {
			if !near(got.At(at.X, at.Y), c.want) {
				t.Errorf("%s at %v: %v, want %v", name, at, got.At(at.X, at.Y), c.want)
			}
		}
	}
	whole := encoded(wide, "image/png")
	for name, c := range map[string]struct {
		raw  []byte
		mime string
	}{"cut short": {whole[:len(whole)/2], "image/png"}, "another kind": {whole, "image/jpeg"}, "a text": {[]byte("price list"), "text/plain"}, "nothing": {nil, "image/png"}} {
		if b, err := s.Thumbnail(ctx, bytes.NewReader(c.raw), c.mime, 400, 300); !errors.Is(err, files.ErrImage) || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}
