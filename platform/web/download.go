package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
)

// Download is a file on its way to a browser.
type Download struct {
	Mime        string
	Disposition string // files.ContentDisposition
	Size        int64
	Tag         string // a strong entity tag without quotes: other bytes, other tag
	Written     time.Time
	// Keep lets the browser keep the file and ask each time whether it may still be shown; otherwise nothing is kept.
	Keep    bool
	Content interface {
		io.ReadSeekCloser
		io.ReaderAt
	}
}

// maxRanges is how many parts one answer gives; who asks for more gets the whole file.
const maxRanges = 8

// filePolicy shuts a file up whatever is in it: nothing it names is loaded, no script runs, and it is of no origin. The
// browser's own viewer of PDFs does not start in a sandbox, so an inline PDF goes without that word.
const (
	filePolicy = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
	pdfPolicy  = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// Download registers a route that answers GET and HEAD with the file that open finds.
func (s *Server) Download(path string, rule access.Rule, open func(c *fiber.Ctx) (Download, error)) {
	for _, method := range []string{fiber.MethodGet, fiber.MethodHead} {
		s.Raw(method, path, rule, func(c *fiber.Ctx) error {
			d, err := open(c)
			if err != nil {
				return err
			}
			return send(c, d)
		})
	}
}

// send answers with a file or the parts of it that were asked for (RFC 9110 §14). It closes Content.
func send(c *fiber.Ctx, d Download) error {
	tag := `"` + d.Tag + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderLastModified, d.Written.UTC().Format(time.RFC1123[:len(time.RFC1123)-3]+"GMT"))
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	if d.Keep {
		c.Set(fiber.HeaderCacheControl, "private, no-cache")
	}
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	policy := filePolicy
	if d.Mime == "application/pdf" && strings.HasPrefix(d.Disposition, "inline") {
		policy = pdfPolicy
	}
	c.Set("Content-Security-Policy", policy)
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		_ = d.Content.Close()
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, d.Mime)
	c.Set(fiber.HeaderContentDisposition, d.Disposition)
	ranges, ok := parseRanges(c.Get(fiber.HeaderRange), d.Size)
	if r := c.Get("If-Range"); r != "" && r != tag || c.Method() == fiber.MethodHead {
		ranges, ok = nil, true // what the browser has is of another file; of a head there are no parts
	}
	switch {
	case !ok:
		_ = d.Content.Close()
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes */%d", d.Size))
		return errRange
	case len(ranges) == 0:
		return c.SendStream(d.Content, int(d.Size)) // closes it
	case len(ranges) == 1:
		r := ranges[0]
		if _, err := d.Content.Seek(r.from, io.SeekStart); err != nil {
			_ = d.Content.Close()
			return err
		}
		c.Status(fiber.StatusPartialContent)
		c.Set(fiber.HeaderContentRange, r.header(d.Size))
		return c.SendStream(closing{io.LimitReader(d.Content, r.size()), d.Content}, int(r.size()))
	}
	return sendParts(c, d, ranges)
}

// sendParts answers several ranges as multipart/byteranges.
func sendParts(c *fiber.Ctx, d Download, ranges []byteRange) error {
	var readers []io.Reader
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	size := int64(0)
	text := func() {
		readers = append(readers, bytes.NewReader(bytes.Clone(head.Bytes())))
		size += int64(head.Len())
		head.Reset()
	}
	for _, r := range ranges {
		if _, err := form.CreatePart(textproto.MIMEHeader{"Content-Type": {d.Mime}, "Content-Range": {r.header(d.Size)}}); err != nil {
			_ = d.Content.Close()
			return err
		}
		text()
		readers = append(readers, io.NewSectionReader(d.Content, r.from, r.size()))
		size += r.size()
	}
	if err := form.Close(); err != nil {
		_ = d.Content.Close()
		return err
	}
	text()
	c.Status(fiber.StatusPartialContent)
	c.Set(fiber.HeaderContentType, "multipart/byteranges; boundary="+form.Boundary())
	return c.SendStream(closing{io.MultiReader(readers...), d.Content}, int(size))
}

type closing struct {
	io.Reader
	io.Closer
}

// matches reports whether If-None-Match names the tag. Weak comparison is right for it.
func matches(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for _, t := range strings.Split(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(t), "W/") == tag {
			return true
		}
	}
	return false
}

// byteRange is from first to last, both part of it.
type byteRange struct{ from, to int64 }

func (r byteRange) size() int64 { return r.to - r.from + 1 }

func (r byteRange) header(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.from, r.to, size)
}

// parseRanges reads a Range header. None and true means the whole file: no header, one that makes no sense, or one that
// asks for more than the file in many pieces. False means that nothing of the file lies in what was asked for.
func parseRanges(header string, size int64) ([]byteRange, bool) {
	list, ok := strings.CutPrefix(header, "bytes=")
	if !ok || len(list) > 1024 {
		return nil, true
	}
	var out []byteRange
	var sum int64
	for _, spec := range strings.Split(list, ",") {
		first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
		if !ok {
			return nil, true
		}
		r := byteRange{0, size - 1}
		switch {
		case first == "":
			n, ok := digits(last)
			if !ok {
				return nil, true
			}
			if n == 0 {
				continue // the last no bytes
			}
			r.from = max(0, size-n)
		default:
			if r.from, ok = digits(first); !ok {
				return nil, true
			}
			if last != "" {
				to, ok := digits(last)
				if !ok || to < r.from {
					return nil, true
				}
				r.to = min(to, size-1)
			}
		}
		if r.from >= size {
			continue
		}
		out = append(out, r)
		sum += r.size()
	}
	if len(out) == 0 {
		return nil, false
	}
	if len(out) > maxRanges || len(out) > 1 && sum > size {
		return nil, true
	}
	return out, true
}

// digits reads a number without a sign; one too large to count is very large.
func digits(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 63)
	if err != nil {
		return 1<<62 - 1, true
	}
	return n, true
}
