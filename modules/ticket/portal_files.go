package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Uploads keeps what comes with a form of the portal, which has no script to send files before it.
type Uploads interface {
	// Save keeps an upload of the actor after the checks that every upload passes.
	Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (FileView, error)
}

// acceptFiles is what the file inputs of the portal offer.
const acceptFiles = ".jpg,.jpeg,.png,.pdf,.docx,.xlsx"

// filesField is the input for files. A browser forgets what was chosen when the form is shown again, so that is said.
func filesField(c *fiber.Ctx, wrong string) page.Field {
	f := page.Field{Name: "files", Label: "附件", Hint: fmt.Sprintf("选填，支持 jpg、png、pdf、docx、xlsx，可多选，最多 %d 个，合计不超过 20 MB", maxFiles), Accept: acceptFiles, Multiple: true, Error: wrong}
	if f.Error == "" && len(chosen(c)) > 0 {
		f.Hint = "请重新选择附件。" + f.Hint
	}
	return f
}

// chosen are the files that came with the posted form.
func chosen(c *fiber.Ctx) []*multipart.FileHeader {
	form, err := c.MultipartForm()
	if err != nil {
		return nil // a form without files
	}
	var list []*multipart.FileHeader
	for _, h := range form.File["files"] {
		if h.Filename != "" { // otherwise no file was chosen
			list = append(list, h)
		}
	}
	return list
}

// sent keeps the files of the posted form. Its mark is the same for the same files: each upload gets an id of its own, by which a
// repeat of the form could not be known. Nothing is told to be kept when one of them cannot be; what was is swept.
func (s *Service) sent(c *fiber.Ctx) (ids []int64, mark string, err error) {
	list := chosen(c)
	if len(list) == 0 {
		return nil, "", nil
	}
	if s.uploads == nil {
		return nil, "", fault.InvalidField("files", "NO_FILES", "这里不能上传附件，请在手机端上传")
	}
	if len(list) > maxFiles {
		return nil, "", fault.InvalidField("files", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减后提交", maxFiles))
	}
	ctx, digest := c.UserContext(), sha256.New()
	for _, h := range list {
		content, err := h.Open()
		if err != nil {
			return nil, "", err
		}
		fmt.Fprintf(digest, "%q %d ", h.Filename, h.Size)
		v, err := s.uploads.Save(ctx, access.From(ctx), h.Filename, io.TeeReader(content, digest))
		_ = content.Close()
		if f, ok := fault.As(err); ok {
			return nil, "", fault.InvalidField("files", f.Code, "“"+h.Filename+"”没有上传："+f.Message)
		} else if err != nil {
			return nil, "", err
		}
		ids = append(ids, v.ID)
	}
	return ids, hex.EncodeToString(digest.Sum(nil)), nil
}

// formValues are the values of the posted form, by their names.
func formValues(c *fiber.Ctx) map[string][]string {
	if form, err := c.MultipartForm(); err == nil {
		return form.Value
	}
	out := map[string][]string{}
	for key, value := range c.Request().PostArgs().All() {
		out[string(key)] = append(out[string(key)], string(value))
	}
	return out
}
