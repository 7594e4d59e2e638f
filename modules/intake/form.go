package intake

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/fault"
)

// form is what was posted, whatever the encoding.
type form struct {
	values url.Values
	media  []Upload
}

func (f form) get(name string) string { return f.values.Get(name) }

const (
	mostFields = 200
	mostMedia  = 9
)

var errForm = fault.New(fault.BadRequest, "OPEN311_FORM", "请求体须为 application/x-www-form-urlencoded 或 multipart/form-data，且不能残缺（unreadable form）")

// readForm reads the body, which the edge has bounded.
func readForm(c *fiber.Ctx) (form, error) {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil {
		return form{}, errForm.Wrap(err)
	}
	switch kind {
	case fiber.MIMEApplicationForm:
		values, err := url.ParseQuery(string(c.Body()))
		if err != nil || len(values) > mostFields {
			return form{}, errForm.Wrap(err)
		}
		return form{values: values}, nil
	case fiber.MIMEMultipartForm:
		return readParts(multipart.NewReader(bytes.NewReader(c.Body()), params["boundary"]))
	}
	return form{}, errForm
}

func readParts(r *multipart.Reader) (form, error) {
	f := form{values: url.Values{}}
	for n := 0; ; n++ {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil || n > mostFields {
			return f, errForm.Wrap(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return f, errForm.Wrap(err)
		}
		name := part.FormName()
		switch {
		case part.FileName() == "":
			f.values.Add(name, string(content))
		case name != "media" && name != "media[]":
			return f, invalid("media", "文件须放在 media 字段")
		case len(f.media) == mostMedia:
			return f, invalid("media", "一件诉求最多 %d 个文件", mostMedia)
		default:
			f.media = append(f.media, Upload{part.FileName(), content})
		}
	}
}
