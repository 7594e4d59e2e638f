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

// bits are written from the lowest on, as VP8L has them.
type bits struct {
	out []byte
	n   int
}

func (b *bits) put(value uint32, n int) {
	for i := range n {
		if b.n%8 == 0 {
			b.out = append(b.out, 0)
		}
		b.out[b.n/8] |= byte(value>>i&1) << (b.n % 8)
		b.n++
	}
}

// tree is one of n symbols, one or two, of eight bits.
func (b *bits) tree(symbols ...uint32) {
	b.put(1, 1)
	b.put(uint32(len(symbols)-1), 1) //nolint:gosec // small
	b.put(1, 1)
	for _, s := range symbols {
		b.put(s, 8)
	}
}

// vp8lHead begins a lossless WebP of w × h that is neither transformed nor cached.
func vp8lHead(w, h uint32) *bits {
	b := &bits{out: []byte{0x2f}, n: 8}
	b.put(w-1, 14)
	b.put(h-1, 14)
	b.put(0, 1+3+1+1) // no alpha, the version, no transform, no cache
	return b
}

// vp8lGroups is a lossless WebP of one tile, for which the last of 65,536 groups of trees counts.
func vp8lGroups(w, h uint32) []byte {
	b := vp8lHead(w, h)
	b.put(1, 1) // tiles have groups of their own
	b.put(7, 3) // and are as large as can be
	b.put(0, 1) // their picture has no cache
	for _, symbol := range []uint32{0xff, 0xff, 0, 0, 0} {
		b.tree(symbol)
	}
	return riff("VP8L", append(b.out, make([]byte, 2000)...))
}

// vp8lShort is a lossless WebP that has a bit for each of its pixels, and ends after a few.
func vp8lShort(w, h uint32) []byte {
	b := vp8lHead(w, h)
	b.put(0, 1) // one group for all
	b.tree(1, 2)
	for range 4 {
		b.tree(0)
	}
	return riff("VP8L", append(b.out, make([]byte, 2000)...))
}

// vp8lPlain is a lossless WebP in one colour.
func vp8lPlain(w, h uint32) []byte {
	b := vp8lHead(w, h)
	b.put(0, 1)
	for range 5 {
		b.tree(0)
	}
	return riff("VP8L", append(b.out, 0, 0))
}

// moving is a PNG with n pictures behind its own.
func moving(t testing.TB, n int) []byte {
	raw := pngFile(t)
	chunk := func(kind string, body []byte) []byte {
		out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind...) //nolint:gosec // small
		out = append(out, body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	begin, end := 8+25, len(raw)-12                                                                              // behind the header, before the end
	out := append(bytes.Clone(raw[:begin]), chunk("acTL", binary.BigEndian.AppendUint64(nil, uint64(n)<<32))...) //nolint:gosec // small
	out = append(out, raw[begin:end]...)
	frame := append(chunk("fcTL", make([]byte, 26)), chunk("fdAT", []byte("\x00\x00\x00\x01frame"))...)
	return append(append(out, bytes.Repeat(frame, n)...), raw[end:]...)
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

// crowded makes a document with n entries more in its directory, all at the same place of it.
func crowded(n int) func(t testing.TB) []byte {
	return func(t testing.TB) []byte { return crowd(docx(t), n) }
}

func crowd(b []byte, n int) []byte {
	at, end := bytes.Index(b, []byte("PK\x01\x02")), bytes.LastIndex(b, []byte("PK\x05\x06"))
	one := make([]byte, 46, 47)
	copy(one, "PK\x01\x02\x14\x00\x14\x00")
	one[28] = 1 // byte of a name
	out := append(bytes.Clone(b[:end]), bytes.Repeat(append(one, 'w'), n)...)
	return ended(out, uint64(at), uint64(n+2)) //nolint:gosec // small
}

// boastful is a document with two entries that says it has n.
func boastful(t testing.TB, n uint64) []byte {
	b := docx(t)
	at, end := bytes.Index(b, []byte("PK\x01\x02")), bytes.LastIndex(b, []byte("PK\x05\x06"))
	return ended(b[:end], uint64(at), n) //nolint:gosec // small
}

// ended puts the end behind a zip whose directory begins at at and has n entries, as one of more than 65,535 has it.
func ended(b []byte, at, n uint64) []byte {
	size, here := uint64(len(b))-at, uint64(len(b))
	le := binary.LittleEndian
	out := append(bytes.Clone(b), "PK\x06\x06"...)
	out = le.AppendUint64(out, 44)
	out = append(out, make([]byte, 12)...)
	for _, v := range []uint64{n, n, size, at} {
		out = le.AppendUint64(out, v)
	}
	out = le.AppendUint32(append(out, "PK\x06\x07"...), 0)
	out = le.AppendUint32(le.AppendUint64(out, here), 1)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff"...)
	return append(out, "\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...)
}

// modest makes a crowded document say that its directory is short and near its end.
func modest(n int) func(t testing.TB) []byte {
	return func(t testing.TB) []byte { return belittle(crowd(docx(t), n)) }
}

func belittle(b []byte) []byte {
	at, end := bytes.Index(b, []byte("PK\x01\x02")), bytes.LastIndex(b, []byte("PK\x06\x06"))
	n := bytes.Count(b[at:end], []byte("PK\x01\x02"))
	le := binary.LittleEndian
	out := append(bytes.Clone(b[:end]), "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(le.AppendUint16(out, uint16(n)), uint16(n)) //nolint:gosec // the rest of the number, which is what is compared
	out = le.AppendUint32(out, uint32(end-at))                        //nolint:gosec // small
	return append(le.AppendUint32(out, uint32(end-100)), 0, 0)        //nolint:gosec // small
}

// fortyTwo are the first two floors of 42.zip: sixteen archives of sixteen each.
func fortyTwo(t testing.TB) []entry {
	var inner, outer []entry
	for i := range 16 {
		inner = append(inner, entry{name: fmt.Sprintf("page%d.zip", i), data: zipFile(t, entry{name: "0.dll", data: make([]byte, 1<<20)})})
	}
	for i := range 16 {
		outer = append(outer, entry{name: fmt.Sprintf("word/lib%d.zip", i), data: zipFile(t, inner...)})
	}
	return outer
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
