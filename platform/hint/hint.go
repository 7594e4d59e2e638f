// Package hint is what administrators have people read at a step of a procedure: a text, a link, a picture, or several of them.
// A module that has steps keeps them in a table of its own, with Row embedded, and says who reads which.
//
// The picture is kept with the row in base64, not among the files: who reads it may have no account, and settings carry it along.
package hint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of pictures that are taken
	_ "image/png"
	"net/url"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web"
)

// What a picture may be.
const (
	maxPicture     = 300 << 10
	maxPictureSide = 2000
)

// Row is the columns of a hint beside its place.
type Row struct {
	Text     string     `bun:"text,notnull"`
	LinkText string     `bun:"link_text,notnull"`
	LinkURL  string     `bun:"link_url,notnull"`
	Picture  string     `bun:"picture,notnull"` // base64
	Digest   string     `bun:"picture_digest,notnull"`
	Alt      string     `bun:"alt,notnull"`
	Version  int64      `bun:"version,notnull"`
	SetAt    *time.Time `bun:"set_at"`
	SetBy    string     `bun:"set_by,notnull"`
}

// Empty reports whether there is nothing to read: the hint was taken away.
func (r Row) Empty() bool { return r.Text == "" && r.LinkURL == "" && r.Digest == "" }

// Said is a hint as it is read.
type Said struct {
	Text       string `json:"text,omitempty"`
	LinkText   string `json:"linkText,omitempty"`
	LinkURL    string `json:"linkUrl,omitempty"`
	PictureURL string `json:"pictureUrl,omitempty" doc:"Where the picture is read; another picture has another address."`
	Alt        string `json:"alt,omitempty" doc:"What the picture shows, for those who do not see it."`
}

// Said is the row as it is read, at its address.
func (r Row) Said(hint string) Said {
	return Said{Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, PictureURL: r.PictureURL(hint), Alt: r.Alt}
}

// PictureURL is the address of the picture below that of the hint, "" without one; another picture has another address.
func (r Row) PictureURL(hint string) string {
	if r.Digest == "" {
		return ""
	}
	return hint + "/picture?v=" + r.Digest[:12]
}

// Set is what a hint is to be: all of it as given, nothing takes it away.
type Set struct {
	Text     string `json:"text"`
	LinkText string `json:"linkText"`
	LinkURL  string `json:"linkUrl"`
	// Picture is a PNG or JPEG in base64, "" for none; nil keeps the one that is there.
	Picture *string `json:"picture"`
	Alt     string  `json:"alt"`
	Version int64   `json:"version"` // 0 where there was none
}

// Check tidies the hint and returns the faults of its fields. A picture that is kept is not looked at.
func (c *Set) Check() error {
	var errs []error
	var err error
	c.Text, err = text.Typed("text", "提示文字", c.Text, 300, false)
	errs = append(errs, err)
	c.LinkText, err = text.Typed("linkText", "链接文字", c.LinkText, 30, false)
	errs = append(errs, err)
	c.LinkURL = strings.TrimSpace(c.LinkURL)
	switch {
	case c.LinkURL == "" && c.LinkText != "":
		errs = append(errs, fault.InvalidField("linkUrl", "REQUIRED", "请填写链接地址，或删去链接文字"))
	case c.LinkURL != "" && c.LinkText == "":
		errs = append(errs, fault.InvalidField("linkText", "REQUIRED", "请填写链接文字，说明点开后看到什么"))
	case c.LinkURL != "" && !safeLink(c.LinkURL):
		errs = append(errs, fault.InvalidField("linkUrl", "HINT_LINK", "链接须以 https:// 开头，或是本站以 / 开头的地址"))
	}
	pictured := c.Picture != nil && *c.Picture != ""
	c.Alt, err = text.Typed("alt", "图片说明", c.Alt, 60, pictured)
	errs = append(errs, err)
	if pictured {
		if _, _, err := PictureOf(*c.Picture); err != nil {
			errs = append(errs, err)
		}
	}
	return fault.Merge(errs...)
}

// Logged is the hint as the audit log keeps it: its picture by its digest.
func (c Set) Logged() Set {
	if c.Picture != nil {
		digest := digestOf(*c.Picture)
		c.Picture = &digest
	}
	return c
}

// Row is the hint as it is written.
func (c Set) Row(now time.Time, by string) Row {
	r := Row{Text: c.Text, LinkText: c.LinkText, LinkURL: c.LinkURL, Alt: c.Alt, Version: c.Version + 1, SetAt: &now, SetBy: by}
	if c.Picture != nil {
		r.Picture, r.Digest = *c.Picture, digestOf(*c.Picture)
	}
	if c.Picture == nil && c.Version == 0 || c.Picture != nil && *c.Picture == "" {
		r.Alt = ""
	}
	return r
}

// Put writes model, a row that embeds what Row made of c, where the condition names its place. A version that is not the
// present one is a conflict.
func Put(ctx context.Context, tx bun.Tx, model any, c Set, where string, args ...any) error {
	var err error
	if c.Version == 0 {
		err = database.Changed(tx.NewInsert().Model(model).On("CONFLICT DO NOTHING").Exec(ctx))
	} else {
		columns := []string{"text", "link_text", "link_url", "alt", "version", "set_at", "set_by"}
		if c.Picture != nil {
			columns = append(columns, "picture", "picture_digest")
		}
		err = database.Changed(tx.NewUpdate().Model(model).Column(columns...).Where(where, args...).Where("version = ?", c.Version).Exec(ctx))
	}
	if errors.Is(err, fault.ErrChanged) {
		err = fault.New(fault.Conflict, "CHANGED", "该步骤的提示已被他人修改，请刷新后再改").Wrap(err)
	}
	return err
}

// safeLink reports whether a person may be sent there: a page of this site, or one that is reached safely.
func safeLink(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 300 || strings.ContainsAny(address, "\\ \t\r\n") || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
}

// PictureOf decodes a picture; what is no whole PNG or JPEG of a bearable size is a fault at "picture".
func PictureOf(encoded string) (content []byte, format string, err error) {
	bad := func(message string) error { return fault.InvalidField("picture", "HINT_PICTURE", message) }
	if len(encoded) > base64.StdEncoding.EncodedLen(maxPicture) {
		return nil, "", bad("图片不能超过 300 KB，请压缩后上传")
	}
	if content, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		return nil, "", bad("图片没有完整上传，请重新选择")
	}
	head, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, "", bad("图片须为 PNG 或 JPG 格式，请更换后上传")
	}
	if head.Width > maxPictureSide || head.Height > maxPictureSide {
		return nil, "", bad(fmt.Sprintf("图片的宽和高不能超过 %d 像素，现为 %d×%d，请缩小后上传", maxPictureSide, head.Width, head.Height))
	}
	if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
		return nil, "", bad("图片已损坏，请更换后上传")
	}
	return content, format, nil
}

// digestOf tells pictures apart; "" for none.
func digestOf(encoded string) string {
	if encoded == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(encoded))
	return hex.EncodeToString(sum[:])
}

// Download gives the picture of a row out.
func Download(r Row) (web.Download, error) {
	content, format, err := PictureOf(r.Picture)
	if err != nil {
		return web.Download{}, err
	}
	return web.Download{Mime: "image/" + format, Disposition: "inline", Size: int64(len(content)), Tag: r.Digest, Written: time.Unix(0, 0), Keep: true,
		Content: open{bytes.NewReader(content)}}, nil
}

// open is content that there is nothing to close of.
type open struct{ *bytes.Reader }

// Close does nothing.
func (open) Close() error { return nil }
