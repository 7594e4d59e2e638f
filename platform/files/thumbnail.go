package files

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"

	"golang.org/x/image/draw"
)

// maxThumbnailed is how many bytes of a kept picture are read to make a small one: nothing larger is kept as a picture.
const maxThumbnailed = 64 * MB

// Thumbnail reads a kept picture of mime and returns a JPEG of exactly width by height pixels: its middle, scaled, on white
// where it is transparent. It returns ErrImage for what is no picture or one it cannot read.
func (s *Store) Thumbnail(ctx context.Context, r io.Reader, mime string, width, height int) ([]byte, error) {
	kind := JPEG
	switch mime {
	case mimes[JPEG]:
	case mimes[PNG]:
		kind = PNG
	case mimes[WebP]:
		kind = WebP
	default:
		return nil, ErrImage
	}
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	case <-ctx.Done():
		return nil, ErrBroken.Wrap(ctx.Err())
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxThumbnailed))
	if err != nil {
		return nil, err
	}
	img, err := decode(raw, kind)
	if err != nil {
		return nil, ErrImage.Wrap(err)
	}
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(to, to.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(to, to.Bounds(), img, middle(img.Bounds(), width, height), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: 82}); err != nil {
		return nil, err
	}
	return slices.Clip(out.Bytes()), nil
}

// middle is the largest part of b with the proportions of width and height, in its middle.
func middle(b image.Rectangle, width, height int) image.Rectangle {
	w, h := b.Dx(), b.Dy()
	if w*height > h*width {
		w = max(1, h*width/height)
	} else {
		h = max(1, w*height/width)
	}
	at := b.Min.Add(image.Pt((b.Dx()-w)/2, (b.Dy()-h)/2))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}
}
