package server

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"strings"
	"testing"
)

// The makers of files that people should not send.

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func somePicture() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = byte(i*7) | 0x80
	}
	return img
}

func pngFile(t testing.TB) []byte {
	var b bytes.Buffer
	must(0, png.Encode(&b, somePicture()))(t)
	return b.Bytes()
}

func jpegFile(t testing.TB) []byte {
	var b bytes.Buffer
	must(0, jpeg.Encode(&b, somePicture(), nil))(t)
	return b.Bytes()
}

// resizedPNG promises other dimensions than it has.
func resizedPNG(t testing.TB, w, h uint32) []byte {
	b := pngFile(t)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func resizedJPEG(t testing.TB, w, h uint16) []byte {
	b := jpegFile(t)
	at := bytes.Index(b, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(b[at+5:], h)
	binary.BigEndian.PutUint16(b[at+7:], w)
	return b
}

// photo is a JPEG with a place in its EXIF.
func photo(t testing.TB) []byte {
	raw := jpegFile(t)
	body := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x00"), "GPSLatitude 39.9N 116.6E"...)
	seg := append([]byte{0xff, 0xe1, 0, byte(len(body) + 2)}, body...)
	return append(append(append([]byte{}, raw[:2]...), seg...), raw[2:]...)
}

// frames is an animation of n pictures.
func frames(t testing.TB, n int) []byte {
	p := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White})
	var one bytes.Buffer
	must(0, gif.EncodeAll(&one, &gif.GIF{Image: []*image.Paletted{p}, Delay: []int{1}}))(t)
	b := one.Bytes()
	frame := b[13+6 : len(b)-1]
	return append(append(b[:13+6:13+6], bytes.Repeat(frame, n)...), b[len(b)-1])
}

// vp8l is a lossless WebP that promises w × h and holds noise.
func vp8l(w, h uint32) []byte {
	bits := (w - 1) | (h-1)<<14
	body := append([]byte{0x2f}, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	for i := range 2000 {
		body = append(body, byte(i*131>>2))
	}
	return riff("VP8L", body)
}

func riff(kind string, body []byte) []byte {
	if len(body)%2 == 1 {
		body = append(body, 0)
	}
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+12)) //nolint:gosec // small
	out = append(out, "WEBP"+kind...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(body))), body...) //nolint:gosec // small
}

type entry struct {
	name string
	data []byte
	mode fs.FileMode
}

func zipFile(t testing.TB, list ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range list {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if len(e.data) == 0 {
			h.Method = zip.Store
		}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w := must(z.CreateHeader(h))(t)
		must(w.Write(e.data))(t)
	}
	must(0, z.Close())(t)
	return b.Bytes()
}

// docx is a document with more in it.
func docx(t testing.TB, more ...entry) []byte {
	return zipFile(t, append([]entry{{name: "[Content_Types].xml", data: []byte("<Types/>")}, {name: "word/document.xml", data: []byte("<w:document/>")}}, more...)...)
}

func xlsx(t testing.TB, more ...entry) []byte {
	return zipFile(t, append([]entry{{name: "[Content_Types].xml", data: []byte("<Types/>")}, {name: "xl/workbook.xml", data: []byte("<workbook/>")}}, more...)...)
}

// overlapping makes the last entry share the bytes of the first.
func overlapping(t testing.TB) []byte {
	b := docx(t, entry{name: "word/media/a", data: bytes.Repeat([]byte("a"), 5000)})
	last := bytes.LastIndex(b, []byte("PK\x01\x02"))
	first := bytes.Index(b, []byte("PK\x01\x02"))
	copy(b[last+42:last+46], b[first+42:first+46])
	copy(b[last+16:last+28], b[first+16:first+28])
	return b
}

// locked sets the bit that says an entry is encrypted.
func locked(b []byte) []byte {
	b = bytes.Clone(b)
	b[6] |= 1
	b[bytes.Index(b, []byte("PK\x01\x02"))+8] |= 1
	return b
}

// lockedOffice is how office programs keep a document with a password.
func lockedOffice() []byte {
	b := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4096)...)
	for i, c := range []byte("EncryptedPackage") {
		b[1024+2*i] = c
	}
	return b
}

// lying says its only large entry is small.
func lying(t testing.TB) []byte {
	b := docx(t, entry{name: "word/media/a", data: make([]byte, 2<<20)})
	last := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[last+24:], 100)
	return b
}

func pdfFile(body string) []byte {
	return []byte("%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n" + body + "\ntrailer<</Root 1 0 R>>\n%%EOF\n")
}

// hiddenScript puts a script into a compressed object stream.
func hiddenScript(t testing.TB) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	must(z.Write([]byte("7 0 8 20 <</S/JavaScript/JS(app.alert(1))>> <</Type/Page>>")))(t)
	must(0, z.Close())(t)
	return pdfFile(fmt.Sprintf("9 0 obj\n<</Type/ObjStm/N 2/First 9/Filter/FlateDecode/Length %d>>stream\n%s\nendstream\nendobj", b.Len(), b.String()))
}

const eicarFile = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

var webpFile = must(base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"))

func repeat(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func bigText(n int) []byte {
	return []byte(strings.Repeat("通州区惠企台\n", n/19+1))[:n/19*19+19]
}
