package canned

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Object is the name of a phrase in audit rows.
const Object = "canned_reply"

// PermShare is the right to write the phrases of one's unit or of the desk.
const PermShare access.Permission = "canned.share"

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{{Name: PermShare, Group: "知识库", Label: "维护共享常用语"}}
}

// Holder is whose a phrase is.
type Holder string

// The holders.
const (
	Personal Holder = "personal"
	Unit     Holder = "unit"
	Desk     Holder = "desk"
)

var holders = map[Holder]string{Personal: "个人", Unit: "本单位", Desk: "平台"}

// Label is the Chinese word of the holder, empty for one that does not exist.
func (h Holder) Label() string { return holders[h] }

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStale: somebody changed the phrase after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "常用语已被他人更新，请刷新后再操作")
	// ErrCode: two phrases of one holder would be typed alike.
	ErrCode = fault.New(fault.Conflict, "CANNED_CODE", "已有常用语使用这个快捷码，请换一个").On("code")
	// ErrHolder: the actor cannot write phrases of that holder.
	ErrHolder = fault.New(fault.Forbidden, "CANNED_HOLDER", "您没有维护共享常用语的权限，可以保存为个人常用语").On("holder")
)

// The words that a ticket fills in.
const (
	Contact = "联系人"
	Number  = "工单号"
	InUnit  = "承办单位"
	Today   = "今天"
)

// Placeholders are the words that may stand in double braces.
func Placeholders() []string { return []string{Contact, Number, InUnit, Today} }

// unknown is what stands for a placeholder that the ticket cannot fill.
var unknown = map[string]string{Contact: "您", Number: "（工单号）", InUnit: "承办单位"}

var braces = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// Ticket is what a ticket tells the placeholders; what it does not know is empty.
type Ticket struct{ Contact, Number, Unit string }

// Fill writes what the ticket tells in place of the placeholders, the day in Beijing in place of 今天. missing are those that
// nothing was known for; a word that reads well stands for them.
func Fill(body string, t Ticket, now time.Time) (filled string, missing []string) {
	known := map[string]string{Contact: t.Contact, Number: t.Number, InUnit: t.Unit, Today: now.In(clock.Beijing).Format("2006年1月2日")}
	filled = braces.ReplaceAllStringFunc(body, func(m string) string {
		name := braces.FindStringSubmatch(m)[1]
		value, ok := known[name]
		switch {
		case !ok:
			return m
		case value != "":
			return value
		}
		if !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		return unknown[name]
	})
	return filled, missing
}

// phrase is one canned reply.
type phrase struct {
	bun.BaseModel `bun:"table:canned_replies,alias:c"`

	ID       int64  `bun:"id,pk,autoincrement"`
	Holder   Holder `bun:"holder,notnull"`
	UserID   int64  `bun:"user_id,notnull"` // of a personal one; 0 otherwise
	UnitID   int64  `bun:"unit_id,notnull"` // of a unit's; 0 otherwise
	UnitName string `bun:"unit_name,notnull"`
	Code     string `bun:"code,notnull"` // lower case; "" for none
	Title    string `bun:"title,notnull"`
	Body     string `bun:"body,notnull,type:text"`
	Category string `bun:"category,notnull"`
	Version  int64  `bun:"version,notnull"`
	Uses     int64  `bun:"uses,notnull"`
	// Removed phrases stay for the audit log, unseen.
	Removed   bool      `bun:"removed,notnull"`
	EditorID  int64     `bun:"editor_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

// used counts how often a person used a phrase.
type used struct {
	bun.BaseModel `bun:"table:canned_uses,alias:n"`

	PhraseID int64     `bun:"phrase_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	Uses     int64     `bun:"uses,notnull"`
	LastAt   time.Time `bun:"last_at,notnull"`
}

// The longest inputs, in characters.
const (
	maxTitle    = 60
	maxBody     = 2000
	maxCategory = 20
	maxCode     = 20
)

var codeShape = regexp.MustCompile(`^[a-z0-9\p{Han}]{1,20}$`)

// Text is what a phrase says.
type Text struct {
	Holder   Holder `json:"holder" enum:"personal,unit,desk"`
	Title    string `json:"title"`
	Body     string `json:"body" doc:"May hold {{联系人}}, {{工单号}}, {{承办单位}}, {{今天}}."`
	Category string `json:"category,omitempty"`
	Code     string `json:"code,omitempty" doc:"Typed as /code; letters, digits and Chinese."`
}

// Check returns the faults of the text.
func (t Text) Check() error {
	_, err := t.cleaned()
	return err
}

func (t Text) cleaned() (Text, error) {
	var wrong []error
	if t.Holder.Label() == "" {
		wrong = append(wrong, fault.InvalidField("holder", "CANNED_HOLDER_UNKNOWN", "请选择使用范围"))
	}
	line := func(field, label, value string, least, most int) string {
		v, err := text.Line(field, value, least, most)
		wrong = append(wrong, text.Named(err, label))
		return v
	}
	t.Title = line("title", "名称", t.Title, 1, maxTitle)
	t.Category = line("category", "分类", t.Category, 0, maxCategory)
	t.Code = strings.ToLower(line("code", "快捷码", strings.TrimPrefix(strings.TrimSpace(t.Code), "/"), 0, maxCode))
	if t.Code != "" && !codeShape.MatchString(t.Code) {
		wrong = append(wrong, fault.InvalidField("code", "CANNED_CODE_SHAPE", "快捷码由字母、数字或汉字组成，不含空格和标点，最多 20 个字"))
	}
	body, err := text.Block("body", t.Body, 1, maxBody)
	wrong = append(wrong, text.Named(err, "内容"))
	t.Body = body
	for _, m := range braces.FindAllStringSubmatch(body, -1) {
		if !slices.Contains(Placeholders(), m[1]) {
			wrong = append(wrong, fault.InvalidField("body", "CANNED_PLACEHOLDER",
				"内容中的“{{"+text.Truncate(m[1], 20)+"}}”无法识别，可以使用 {{"+strings.Join(Placeholders(), "}}、{{")+"}}"))
			break
		}
	}
	return t, fault.Merge(wrong...)
}

// place says whose phrase the actor writes with a holder, ErrHolder when it is not theirs to write.
func (p *phrase) place(a access.Actor, h Holder) error {
	p.Holder, p.UserID, p.UnitID, p.UnitName = h, 0, 0, ""
	switch {
	case h == Personal && a.UserID != 0:
		p.UserID = a.UserID
		return nil
	case !a.Can(PermShare):
		return ErrHolder
	case h == Unit && a.DepartmentID != 0:
		p.UnitID, p.UnitName = a.DepartmentID, a.DepartmentName
		return nil
	case h == Desk && (a.Party == access.Platform || a.Party == access.System):
		return nil
	}
	return ErrHolder
}

// writes reports whether the phrase is the actor's to change.
func (p *phrase) writes(a access.Actor) bool {
	switch p.Holder {
	case Personal:
		return p.UserID == a.UserID
	case Unit:
		return a.Can(PermShare) && p.UnitID != 0 && p.UnitID == a.DepartmentID
	case Desk:
		return a.Can(PermShare) && (a.Party == access.Platform || a.Party == access.System)
	}
	return false
}

// visible is the one predicate that narrows every query of a phrase: one's own, those of one's unit and the units above it,
// and, for the platform's people, those of the desk.
func visible(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	return q.Where("NOT c.removed").WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.WhereOr("c.holder = ? AND c.user_id = ?", Personal, a.UserID)
		if a.DepartmentID != 0 {
			q = q.WhereOr("c.holder = ? AND c.unit_id <> 0 AND c.unit_id IN (?, ?, ?, ?)", Unit, a.DepartmentPath[0], a.DepartmentPath[1], a.DepartmentPath[2], a.DepartmentPath[3])
		}
		if a.Party == access.Platform || a.Party == access.System {
			q = q.WhereOr("c.holder = ?", Desk)
		}
		return q
	})
}
