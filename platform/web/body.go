package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// The times of an upload. A line may be slow; one that is silent is cut.
const (
	uploadTime  = 5 * time.Minute
	uploadStall = 20 * time.Second
	uploadParts = 10
	// What is still coming of an upload that was refused is read and thrown away: a browser that is cut while it sends never
	// sees the answer. That is for who said how much it is; an endless one is cut.
	lingerKnown   = 80 << 20
	lingerUnknown = 1 << 20
	lingerTime    = 3 * time.Second
)

var (
	errBadForm = fault.New(fault.BadRequest, "BAD_FORM", "没有收到文件，请重新选择后上传").On("file")
	errBroken  = fault.New(fault.BadRequest, "UPLOAD_BROKEN", "上传中断，请重试").On("file")
)

// body is what became of a request's body.
type body struct {
	read bool // to its end: the connection can be used again
}

// takeBody reads the body of every request but uploads, within the limit. Fiber's own limit counts for nothing where
// bodies are streamed.
func (s *Server) takeBody(c *fiber.Ctx) error {
	req := c.Request()
	r := requestOf(c.UserContext())
	if !req.IsBodyStream() {
		r.body.read = true
		if err := s.boundForm(c); err != nil {
			return err
		}
		return c.Next()
	}
	if s.uploads[c.Method()+" "+c.Path()] {
		return c.Next()
	}
	n := req.Header.ContentLength()
	if n > bodyLimit {
		return errBody
	}
	b, err := readAll(io.LimitReader(c.Context().RequestBodyStream(), bodyLimit+1), max(n, 0))
	switch {
	case isTimeout(err):
		return errTimeout.Wrap(err)
	case err != nil:
		return errHeader.Wrap(err)
	case len(b) > bodyLimit:
		return errBody
	}
	r.body.read = true
	req.SetBodyStream(bytes.NewReader(b), len(b))
	if err := s.boundForm(c); err != nil {
		return err
	}
	return c.Next()
}

func readAll(r io.Reader, size int) ([]byte, error) {
	var b bytes.Buffer
	if size <= bodyLimit {
		b.Grow(size + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// endBody closes the connection of a request whose body was not read to its end: what is left of it must not be taken for
// the next request.
func (r *request) endBody(c *fiber.Ctx) {
	if !r.body.read && c.Request().Header.ContentLength() != 0 {
		c.Context().SetConnectionClose()
	}
}

// Upload registers a route that takes one file of a form, as it arrives: h reads content while the browser sends it, and
// what h does not read is never taken. Fields are those that come before the file. The form must carry its CSRF token in
// the header. most is how many bytes of a form are taken, 0 for as many as of any other request.
func (s *Server) Upload(path string, rule access.Rule, most int64, h func(c *fiber.Ctx, ctx context.Context, u Uploaded) error) {
	s.uploads["POST "+path] = true
	s.Raw("POST", path, rule, func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), uploadTime)
		defer cancel()
		in := &incoming{c: c, r: c.Context().RequestBodyStream(), most: max(most, bodyLimit)}
		err := upload(c, ctx, in, h)
		in.linger()
		requestOf(c.UserContext()).body.read = in.ended
		return err
	})
}

// Uploaded is the file of a form on its way.
type Uploaded struct {
	Fields  map[string]string
	Name    string
	Content io.Reader
}

// Spool reads the file to its end into one that has no name and is gone once it is closed, for what must be read in any
// order. size is in bytes. What the disk refuses is an *fs.PathError.
func (u Uploaded) Spool() (f *os.File, size int64, err error) {
	if f, err = os.CreateTemp("", "huiqi-upload-*"); err != nil {
		return nil, 0, err
	}
	if err = os.Remove(f.Name()); err == nil {
		size, err = io.Copy(f, u.Content)
	}
	if err == nil {
		return f, size, nil
	}
	f.Close()
	if disk := (*fs.PathError)(nil); !errors.As(err, &disk) {
		err = errBadForm.Wrap(err)
	}
	return nil, 0, err
}

// formName undoes how browsers write what a header cannot hold.
var formName = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

func upload(c *fiber.Ctx, ctx context.Context, in *incoming, h func(*fiber.Ctx, context.Context, Uploaded) error) error {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" || !c.Request().IsBodyStream() {
		return errBadForm.Wrap(err)
	}
	if int64(c.Request().Header.ContentLength()) > in.most {
		return tooLarge(in.most).On("file")
	}
	form := multipart.NewReader(in, params["boundary"])
	u := Uploaded{Fields: map[string]string{}}
	for range uploadParts {
		part, err := form.NextPart()
		if err != nil {
			return in.fault(err)
		}
		if strings.HasPrefix(strings.ToLower(part.Header.Get("Content-Type")), "multipart/") {
			return errBadForm // a form within the form
		}
		if part.FormName() == "file" {
			if u.Name = part.FileName(); u.Name == "" {
				return errBadForm
			}
			u.Name, u.Content = formName.Replace(u.Name), part
			err := h(c, ctx, u)
			if err != nil && in.err != nil {
				return in.fault(err)
			}
			return err
		}
		value, err := io.ReadAll(io.LimitReader(part, 1025))
		if err != nil {
			return in.fault(err)
		}
		if part.FormName() == "" || part.FileName() != "" || len(value) > 1024 {
			return errBadForm
		}
		u.Fields[part.FormName()] = string(value)
	}
	return errBadForm
}

// tooLarge says that a request has more than most bytes.
func tooLarge(most int64) *fault.Fault {
	return fault.New(fault.TooLarge, "BODY_TOO_LARGE", fmt.Sprintf("提交的内容超过 %d MB，请压缩后重试", most>>20))
}

// incoming is the body of an upload: it waits for the sender, but not for ever, and knows how it ended.
type incoming struct {
	c     *fiber.Ctx
	r     io.Reader
	n     int64
	most  int64
	ended bool
	err   error // the line's, not the form's
}

// Read waits for the next bytes for as long as a slow line may take.
func (in *incoming) Read(p []byte) (int, error) {
	if in.r == nil {
		return 0, io.EOF
	}
	if in.n > in.most {
		in.err = tooLarge(in.most)
		return 0, in.err
	}
	_ = in.c.Context().Conn().SetReadDeadline(time.Now().Add(uploadStall))
	n, err := in.r.Read(p)
	in.n += int64(n)
	switch {
	case err == io.EOF:
		in.ended = true
	case err != nil:
		in.err = err
	}
	return n, err
}

// fault says of a failure whose it was: the line's, or the form's.
func (in *incoming) fault(err error) error {
	if f, ok := fault.As(in.err); ok {
		return f
	}
	if in.err != nil {
		return errBroken.Wrap(in.err)
	}
	if f, ok := fault.As(err); ok {
		return f
	}
	return errBadForm.Wrap(err)
}

// linger throws away what is still coming, within limits.
func (in *incoming) linger() {
	if in.ended || in.r == nil || in.err != nil && in.n <= in.most {
		return
	}
	limit := int64(lingerUnknown)
	if n := int64(in.c.Request().Header.ContentLength()); n >= 0 {
		limit = n - in.n + 1
	}
	if limit > lingerKnown {
		return
	}
	_ = in.c.Context().Conn().SetReadDeadline(time.Now().Add(lingerTime))
	if _, err := io.CopyN(io.Discard, in.r, limit); err == io.EOF {
		in.ended = true
	}
}
