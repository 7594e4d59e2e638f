package content

import (
	"fmt"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/text"
)

// The longest inputs, in characters.
const (
	maxTitle   = 100
	maxSummary = 200
	maxSource  = 60
	maxBody    = 20_000
	maxReason  = 500
	maxFiles   = 9
)

// Text is what an article says.
type Text struct {
	Kind      Kind
	Column    string
	Title     string
	Summary   string // empty: the beginning of the body
	Body      string // the notation of platform/notation
	Source    string
	Top       bool
	PublishAt *time.Time // empty: as soon as it is approved
	ExpiresAt *time.Time // notices have one
	FileIDs   []int64
}

// cleaned checks what was typed and names every wrong field at once.
func (t Text) cleaned() (Text, error) {
	var wrong []error
	line := func(field, label, value string, least, most int) string {
		v, err := text.Line(field, value, least, most)
		wrong = append(wrong, text.Named(err, label))
		return v
	}
	t.Title = line("title", "标题", t.Title, 2, maxTitle)
	t.Summary = line("summary", "摘要", t.Summary, 0, maxSummary)
	t.Source = line("source", "来源", t.Source, 2, maxSource)
	body, err := text.Block("body", t.Body, 1, maxBody)
	t.Body = body
	wrong = append(wrong, text.Named(err, "正文"))
	if t.Kind.Label() == "" {
		wrong = append(wrong, fault.InvalidField("kind", "ARTICLE_KIND", "请选择内容类型"))
	} else if _, ok := columnOf(t.Kind, t.Column); !ok {
		wrong = append(wrong, fault.InvalidField("column", "ARTICLE_COLUMN", "请选择栏目"))
	}
	if t.Kind == Notice && t.ExpiresAt == nil {
		wrong = append(wrong, fault.InvalidField("expiresAt", "ARTICLE_EXPIRY", "请填写有效期，到期后通知自动从门户消失"))
	}
	if t.Kind == Help {
		t.ExpiresAt = nil
	}
	if t.PublishAt != nil && t.ExpiresAt != nil && !t.ExpiresAt.After(*t.PublishAt) {
		wrong = append(wrong, ErrPast)
	}
	t.PublishAt, t.ExpiresAt = utc(t.PublishAt), utc(t.ExpiresAt)
	if len(t.FileIDs) > maxFiles {
		wrong = append(wrong, fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减", maxFiles)))
	}
	return t, fault.Merge(wrong...)
}

// reason checks why something is returned or taken down.
func reason(value string) (string, error) {
	v, err := text.Block("reason", value, 2, maxReason)
	return v, text.Named(err, "原因")
}

// summary is what a list shows: what the editor wrote, or the beginning of the text.
func (a *Article) summary() string {
	if a.Summary != "" {
		return a.Summary
	}
	return text.Truncate(strings.ReplaceAll(notation.Plain(a.Body), "\n", " "), 110)
}
