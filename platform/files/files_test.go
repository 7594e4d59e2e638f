package files_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

func mustStore(t testing.TB) (*files.Store, *files.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return files.New(f, files.Purposes()), f, dir
}

// kept counts the regular files under dir, drafts included.
func kept(t testing.TB, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func picture(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for y := range h / 2 { // the upper left quarter is red
		for x := range w / 2 {
			img.Set(x, y, color.NRGBA{R: 200, A: 255})
		}
	}
	return img
}

func mustJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mustPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts an APP1 segment with an orientation and a GPS mark behind the JPEG's first marker.
func withEXIF(raw []byte, orientation byte) []byte {
	body := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0)
	body = append(body, "GPSLatitude 39.9"...)
	seg := append([]byte{0xff, 0xe1, 0, byte(len(body) + 2)}, body...)
	return append(append(append([]byte{}, raw[:2]...), seg...), raw[2:]...)
}

func mustZip(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("<x/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mustBase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const webp1x1 = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

func read(t testing.TB, s *files.Store, key string) []byte {
	t.Helper()
	o, err := s.Open(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil || int64(len(b)) != o.Size() {
		t.Fatalf("read %d of %d: %v", len(b), o.Size(), err)
	}
	return b
}

func TestPutKeeps(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte("企业名称,信用代码\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, purpose string
		data          []byte
		wantName      string
		wantMIME      string
		inline, same  bool
	}{
		{"营业执照.JPEG", "licence", mustJPEG(t, picture(40, 20)), "营业执照.JPEG", "image/jpeg", true, false},
		{"a.php.jpg", "image", mustJPEG(t, picture(4, 4)), "a.php.jpg", "image/jpeg", true, false},
		{"logo.png", "image", append(mustPNG(t, picture(40, 20)), "<script>behind the picture"...), "logo.png", "image/png", true, false},
		{"a.webp", "image", mustBase64(t, webp1x1), "a.jpg", "image/jpeg", true, false},
		{"说明.pdf", "attachment", []byte("%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF\n"), "说明.pdf", "application/pdf", true, true},
		{"表.docx", "attachment", mustZip(t, "[Content_Types].xml", "word/document.xml"), "表.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false, true},
		{"表.xlsx", "import", mustZip(t, "[Content_Types].xml", "xl/workbook.xml"), "表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false, true},
		{"名单.csv", "import", []byte("\xef\xbb\xbf企业名称,代码\r\n"), "名单.csv", "text/csv", false, true},
		{"名单.csv", "import", gbk, "名单.csv", "text/csv", false, true},
		{"../../x.txt", "attachment", []byte("你好"), "x.txt", "text/plain", false, true},
	} {
		s, _, dir := mustStore(t)
		got, err := s.Put(context.Background(), iotest.OneByteReader(bytes.NewReader(c.data)), c.name, c.purpose)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		back := read(t, s, got.Key)
		sum := sha256.Sum256(back)
		if got.Name != c.wantName || got.MIME != c.wantMIME || got.Inline() != c.inline || len(got.Key) != 32 ||
			got.Size != int64(len(back)) || got.SHA256 != hex.EncodeToString(sum[:]) || bytes.Equal(back, c.data) != c.same || kept(t, dir) != 1 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	jpg := mustJPEG(t, picture(64, 64))
	// a PNG whose header promises 60,000 × 60,000
	huge := mustPNG(t, picture(2, 2))
	copy(huge[16:24], []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60})
	sum := crc32.ChecksumIEEE(huge[12:29])
	copy(huge[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	for _, n := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/sharedStrings.xml"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if n == "xl/sharedStrings.xml" {
			zero := make([]byte, 1<<20)
			for range 301 {
				if _, err := w.Write(zero); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, name, purpose string
		data                []byte
		want                *fault.Fault
		says                string
	}{
		{"0 bytes", "a.jpg", "image", nil, files.ErrEmpty, "空的"},
		{"exe renamed", "a.jpg", "image", []byte("MZ\x90\x00\x03\x00\x00\x00"), files.ErrMismatch, "扩展名不符"},
		{"html as png", "a.png", "image", []byte("<html><script>alert(1)</script>"), files.ErrMismatch, ""},
		{"jpg as png", "a.png", "image", jpg, files.ErrMismatch, ""},
		{"gif with script", "a.jpg", "image", []byte("GIF89a/*<script>*/"), files.ErrMismatch, ""},
		{"svg", "a.svg", "attachment", []byte("<svg onload=alert(1)>"), files.ErrNotAllowed, "jpg、pdf"},
		{"html", "a.html", "attachment", []byte("<html>"), files.ErrNotAllowed, ""},
		{"exe", "a.jpg.exe", "attachment", []byte("MZ"), files.ErrNotAllowed, ""},
		{"no extension", "jpg", "image", jpg, files.ErrNotAllowed, ""},
		{"pdf for a picture", "a.pdf", "image", []byte("%PDF-1.7"), files.ErrNotAllowed, "请上传 jpg、png、webp"},
		{"html as txt", "a.txt", "attachment", []byte("  <!DOCTYPE html><p>"), files.ErrMismatch, ""},
		{"binary as csv", "a.csv", "import", []byte("a,b\n\x00\x01"), files.ErrMismatch, ""},
		{"binary late in csv", "a.csv", "import", append(bytes.Repeat([]byte("a,b\n"), 500), 0), files.ErrMismatch, ""},
		{"no known encoding", "a.txt", "attachment", []byte("abc\xff\xff\xff"), files.ErrMismatch, "UTF-8"},
		{"zip as docx", "a.docx", "attachment", mustZip(t, "x.txt"), files.ErrMismatch, ""},
		{"xlsx as docx", "a.docx", "attachment", mustZip(t, "[Content_Types].xml", "xl/workbook.xml"), files.ErrMismatch, ""},
		{"cut zip", "a.xlsx", "import", mustZip(t, "[Content_Types].xml", "xl/workbook.xml")[:60], files.ErrMismatch, ""},
		{"macros", "a.docx", "attachment", mustZip(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), files.ErrNotAllowed, "宏"},
		{"zip bomb", "a.xlsx", "import", bomb.Bytes(), files.ErrArchive, ""},
		{"cut pdf", "a.pdf", "attachment", []byte("%PDF-1.7\n1 0 obj"), files.ErrMismatch, "不完整"},
		{"cut jpeg", "a.jpg", "image", jpg[:len(jpg)/2], files.ErrImage, ""},
		{"huge header", "a.png", "image", huge, files.ErrImage, ""},
		{"magic only", "a.png", "image", []byte("\x89PNG\r\n\x1a\n"), files.ErrImage, ""},
		{"purpose", "a.jpg", "nonsense", jpg, files.ErrPurpose, ""},
	} {
		s, _, dir := mustStore(t)
		got, err := s.Put(context.Background(), bytes.NewReader(c.data), c.name, c.purpose)
		f, ok := fault.As(err)
		if !ok || !errors.Is(err, c.want) || !strings.Contains(f.Message, c.says) || len(f.Fields) != 1 || f.Fields[0].Name != "file" || got.Key != "" {
			t.Errorf("%s: %+v, %v", c.what, got, err)
		}
		if n := kept(t, dir); n != 0 {
			t.Errorf("%s: %d files left", c.what, n)
		}
	}
}

type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestPutStopsEarly(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{"a.txt": "", "a.jpg": "\xff\xd8\xff"} {
		s, _, dir := mustStore(t)
		e := &endless{}
		_, err := s.Put(context.Background(), io.MultiReader(strings.NewReader(head), e), name, "attachment")
		f, _ := fault.As(err)
		if !errors.Is(err, files.ErrTooLarge) || f.Kind != fault.TooLarge || !strings.Contains(f.Message, " MB") || e.read > 11*files.MB || kept(t, dir) != 0 {
			t.Errorf("%s: %v after %d bytes, %d files left", name, err, e.read, kept(t, dir))
		}
	}
	// exactly the limit is fine
	s, _, _ := mustStore(t)
	if got, err := s.Put(context.Background(), io.LimitReader(&endless{}, 2*files.MB), "a.txt", "attachment"); err != nil || got.Size != 2*files.MB {
		t.Errorf("at the limit: %+v, %v", got, err)
	}
	if _, err := s.Put(context.Background(), io.LimitReader(&endless{}, 2*files.MB+1), "a.txt", "attachment"); !errors.Is(err, files.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestPutBroken(t *testing.T) {
	t.Parallel()
	s, _, dir := mustStore(t)
	r := io.MultiReader(strings.NewReader(strings.Repeat("a", 5000)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := s.Put(context.Background(), r, "a.txt", "attachment"); !errors.Is(err, files.ErrBroken) || kept(t, dir) != 0 {
		t.Errorf("%v, %d files left", err, kept(t, dir))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Put(ctx, strings.NewReader("a"), "a.txt", "attachment"); !errors.Is(err, files.ErrBroken) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Every orientation ends with the red quarter where the eye saw it, and nothing of the EXIF is left.
func TestOrientation(t *testing.T) {
	t.Parallel()
	raw := mustJPEG(t, picture(64, 32))
	for o, want := range map[byte]struct{ w, h, x, y int }{
		0: {64, 32, 4, 4}, 1: {64, 32, 4, 4}, 2: {64, 32, 60, 4}, 3: {64, 32, 60, 28}, 4: {64, 32, 4, 28},
		5: {32, 64, 4, 4}, 6: {32, 64, 28, 4}, 7: {32, 64, 28, 60}, 8: {32, 64, 4, 60}, 9: {64, 32, 4, 4},
	} {
		s, _, _ := mustStore(t)
		got, err := s.Put(context.Background(), bytes.NewReader(withEXIF(raw, o)), "a.jpg", "image")
		if err != nil {
			t.Fatal(err)
		}
		back := read(t, s, got.Key)
		if bytes.Contains(back, []byte("GPS")) || bytes.Contains(back, []byte("Exif")) {
			t.Errorf("orientation %d: EXIF kept", o)
		}
		img, err := jpeg.Decode(bytes.NewReader(back))
		if err != nil {
			t.Fatal(err)
		}
		r, g, _, _ := img.At(want.x, want.y).RGBA()
		if b := img.Bounds(); b.Dx() != want.w || b.Dy() != want.h || got.Width != want.w || got.Height != want.h || r>>8 < 150 || g>>8 > 80 {
			t.Errorf("orientation %d: %v, at %d,%d r %d g %d", o, b, want.x, want.y, r>>8, g>>8)
		}
	}
}

func TestLargePicturesShrink(t *testing.T) {
	t.Parallel()
	s, _, _ := mustStore(t)
	got, err := s.Put(context.Background(), bytes.NewReader(mustPNG(t, picture(5000, 10))), "a.png", "image")
	if err != nil || got.Width != 4096 || got.Height != 8 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestActivePDF(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		"<</Type/Catalog/OpenAction[3 0 R/FitH null]>>":                     false,
		"<</S/JavaScript/JS(app.alert\\(1\\))>>":                            true,
		"<</S/Java#53cript>>":                                               true,
		"<</S/Launch/F(cmd.exe)>>":                                          true,
		"<</Names<</EmbeddedFiles 5 0 R>>>>":                                true,
		strings.Repeat("x", 256<<10-4) + "/JavaScript" + " (across blocks)": true,
	} {
		s, _, _ := mustStore(t)
		got, err := s.Put(context.Background(), strings.NewReader("%PDF-1.7\n"+body+"\n%%EOF"), "a.pdf", "attachment")
		if err != nil || got.Active != want || got.Inline() == want {
			t.Errorf("%.60s: %+v, %v", body, got, err)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	s, f, dir := mustStore(t)
	ctx := context.Background()
	got, err := s.Put(ctx, strings.NewReader("0123456789"), "a.txt", "attachment")
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(ctx, got.Key)
	if err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 3)
	if _, err := o.ReadAt(part, 4); err != nil || string(part) != "456" {
		t.Errorf("range: %q, %v", part, err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"", "../../../etc/passwd", strings.Repeat("a", 32), strings.Repeat("A", 32), got.Key + "0"} {
		if _, err := s.Open(ctx, key); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("Open(%q): %v", key, err)
		}
	}
	// a link out of the folder is not followed
	link := strings.Repeat("b", 32)
	if err := os.MkdirAll(filepath.Join(dir, "bb", "bb"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "bb", "bb", link)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(ctx, link); err == nil {
		t.Error("a link out of the folder was followed")
	}
	if err := s.Delete(ctx, link); err != nil {
		t.Error(err)
	}

	d, err := f.Draft(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("left by a killed process")); err != nil {
		t.Fatal(err)
	}
	var keys []string
	if err := f.Each(ctx, func(i files.Info) error { keys = append(keys, i.Key); return nil }); err != nil || len(keys) != 1 || keys[0] != got.Key {
		t.Errorf("Each = %v, %v", keys, err)
	}
	if n, err := f.Sweep(ctx, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d young drafts, %v", n, err)
	}
	if n, err := f.Sweep(ctx, time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	info, err := os.Stat(filepath.Join(dir, got.Key[:2], got.Key[2:4], got.Key))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for range 2 {
		if err := s.Delete(ctx, got.Key); err != nil {
			t.Error(err)
		}
	}
	if kept(t, dir) != 0 {
		t.Error("delete left files")
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"../../x": "x", `C:\x`: "x", "/etc/passwd": "passwd", "a\x00b.pdf": "ab.pdf", "..%2f..%2fx.txt": "%2f..%2fx.txt",
		"营业执照.pdf": "营业执照.pdf", "\u202egpj.exe": "gpj.exe", "CON": "_CON", "con.txt": "_con.txt", ".htaccess": "htaccess",
		"": "未命名", "...": "未命名", "a<b>:\"|?*.txt": "a_b______.txt", " a \t b .pdf ": "a  b.pdf", "\xff\xfe.png": "png",
		"😀𠮷.png": "😀𠮷.png", strings.Repeat("长", 300) + ".docx": strings.Repeat("长", 75) + ".docx",
		"a." + strings.Repeat("b", 300): "a." + strings.Repeat("b", 78), "x\r\nSet-Cookie: a=b.txt": "xSet-Cookie_ a=b.txt",
	} {
		if got := files.CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "in")
		got := files.CleanName(in)
		if got == "" || got[0] == '.' || strings.ContainsAny(got, "/\\\x00\r\n\u202e\"") || !utf8.ValidString(got) || len(got) > 400 {
			t.Fatalf("CleanName(%q) = %q", in, got)
		}
		if again := files.CleanName(got); again != got {
			t.Fatalf("%q → %q → %q", in, got, again)
		}
	})
}

func TestContentDisposition(t *testing.T) {
	t.Parallel()
	if got := files.ContentDisposition("report 1.pdf", true); got != `inline; filename="report 1.pdf"` {
		t.Errorf("%s", got)
	}
	if got := files.ContentDisposition("执照 1.pdf", false); got != `attachment; filename="__ 1.pdf"; filename*=UTF-8''%E6%89%A7%E7%85%A7%201.pdf` {
		t.Errorf("%s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		h := files.ContentDisposition(name, false)
		kind, params, err := mime.ParseMediaType(h)
		if err != nil || kind != "attachment" || strings.ContainsAny(h, "\r\n") {
			t.Fatalf("%q: %v", h, err)
		}
		if got := params["filename"]; got != files.CleanName(name) {
			t.Fatalf("%q reads back as %q", h, got)
		}
	})
}

func FuzzPut(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x08Exif\x00\x00"), "a.jpg")
	f.Add(withEXIF(mustJPEG(f, picture(8, 8)), 6), "a.jpg")
	f.Add(mustPNG(f, picture(8, 8)), "a.png")
	f.Add(mustBase64(f, webp1x1), "a.webp")
	f.Add(mustZip(f, "[Content_Types].xml", "xl/workbook.xml"), "a.xlsx")
	f.Add([]byte("%PDF-1.4 #4 #ZZ %%EOF"), "a.pdf")
	s, _, _ := mustStore(f)
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		got, err := s.Put(context.Background(), bytes.NewReader(data), name, "attachment")
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge {
				t.Fatal(err)
			}
			return
		}
		if got.Size == 0 || got.MIME == "" {
			t.Fatalf("%+v", got)
		}
		if err := s.Delete(context.Background(), got.Key); err != nil {
			t.Fatal(err)
		}
	})
}
