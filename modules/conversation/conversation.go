// Package conversation is what a company and an institution say to each other about a case (requirement D7).
//
// # Words
//
// A thread (沟通) belongs to a case of another module, an application today, and has two sides: people who act for the company, and
// operators of the institution. What one person of a side has read counts as read by the side. A note is taken back within two
// minutes by who wrote it. A thread is written in while its case is open and some days after; then it is read only.
//
// An operator of the platform reads a thread for a reason, which the audit log keeps.
//
// # Reminders
//
// The first note after a silence tells the other side's people in their list of messages. When it is not read within the minutes of
// the rule, a text or WeChat message follows, once until the side has read, and never by night.
//
// # Tables
//
// conversation_threads, conversation_notes, conversation_files, conversation_rules.
//
// # Announces
//
// Sent, Read, Withdrawn, Unread: see events.go. They hold no words.
package conversation

import (
	"context"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/live"
)

// The permissions of the module.
const (
	PermTalk   access.Permission = "conversation.talk"   // for one's institution
	PermRead   access.Permission = "conversation.read"   // of others, with a reason
	PermManage access.Permission = "conversation.manage" // the rule
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermTalk, Group: "服务沟通", Label: "代表本机构与企业沟通"},
		{Name: PermRead, Group: "服务沟通", Label: "说明理由后查阅双方沟通记录（留痕）"},
		{Name: PermManage, Group: "服务沟通", Label: "设置未读提醒和关闭时间"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	ErrStale     = fault.New(fault.Conflict, "CHANGED", "设置已被他人更新，请刷新后再修改")
	// ErrClosed: the case ended some days ago.
	ErrClosed = fault.New(fault.Conflict, "CONVERSATION_CLOSED", "件已结束，沟通已关闭，只能查看")
	// ErrLate: two minutes are over.
	ErrLate = fault.New(fault.Conflict, "CONVERSATION_LATE", "发送超过 2 分钟，不能撤回")
	// ErrNumbers: what is written looks like a phone or identity number, and nobody said that it is meant.
	ErrNumbers = fault.New(fault.Invalid, "CONVERSATION_NUMBERS", "内容中有电话或身份证号，对方会看到完整号码。请删去，或确认后仍然发送")
)

// WithdrawWithin is how long a note can be taken back.
const WithdrawWithin = 2 * time.Minute

// Side is who writes.
type Side string

// The sides.
const (
	Institution Side = "institution"
	Enterprise  Side = "enterprise"
)

func (s Side) other() Side {
	if s == Institution {
		return Enterprise
	}
	return Institution
}

// Case is what a thread is about.
type Case struct {
	Object          string
	ID              int64
	Number, Title   string
	InstitutionID   int64
	InstitutionName string
	EnterpriseID    int64
	EnterpriseName  string
	UserID          int64 // of the company, who is reminded
	HandlerID       int64 // of the institution, 0 for none yet
	EndedAt         *time.Time
}

// Cases are those of one kind of object.
type Cases interface {
	// Case returns one that the actor may see, fault.ErrNotFound otherwise.
	Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (Case, error)
}

// FileView is an upload.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps uploads.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (FileView, error)
	// Known returns files by id for somebody who may see them.
	Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]FileView, error)
}

// Deps is what the module needs.
type Deps struct {
	DB    *database.DB
	Clock clock.Clock
	Cases map[string]Cases
	Files Files
	// Paths are where the companies' pages of the objects are on the portal: "application" → "/applications".
	Paths map[string]string
}

// Service keeps the threads.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || len(d.Cases) == 0 || d.Files == nil {
		panic("conversation: Deps is not complete")
	}
	return &Service{d}
}

// Object is the name of a thread in events and audit rows, ObjectNote that of a note in file links.
const (
	Object     = "conversation"
	ObjectNote = "conversation_note"
)

// thread is what is said about a case.
type thread struct {
	bun.BaseModel `bun:"table:conversation_threads,alias:t"`

	ID              int64  `bun:"id,pk,autoincrement"`
	CaseObject      string `bun:"object,notnull"`
	CaseID          int64  `bun:"object_id,notnull"`
	Number          string `bun:"number,notnull"`
	Title           string `bun:"title,notnull"`
	InstitutionID   int64  `bun:"institution_id,notnull"`
	InstitutionName string `bun:"institution_name,notnull"`
	EnterpriseID    int64  `bun:"enterprise_id,notnull"`
	EnterpriseName  string `bun:"enterprise_name,notnull"`
	UserID          int64  `bun:"user_id,notnull"`
	HandlerID       int64  `bun:"handler_id,notnull"`

	Notes  int       `bun:"notes,notnull"`
	LastAt time.Time `bun:"last_at,notnull"`

	// Of each side: how many notes it has not read, since when, the last one it has read, and whether it was reminded since.
	EnterpriseUnread    int        `bun:"enterprise_unread,notnull"`
	EnterpriseSince     *time.Time `bun:"enterprise_since"`
	EnterpriseRead      int64      `bun:"enterprise_read,notnull"`
	EnterpriseReminded  bool       `bun:"enterprise_reminded,notnull"`
	InstitutionUnread   int        `bun:"institution_unread,notnull"`
	InstitutionSince    *time.Time `bun:"institution_since"`
	InstitutionRead     int64      `bun:"institution_read,notnull"`
	InstitutionReminded bool       `bun:"institution_reminded,notnull"`
}

// note is one thing that was said.
type note struct {
	bun.BaseModel `bun:"table:conversation_notes,alias:n"`

	ID          int64      `bun:"id,pk,autoincrement"`
	ThreadID    int64      `bun:"thread_id,notnull"`
	Side        Side       `bun:"side,notnull"`
	ByID        int64      `bun:"by_id,notnull"`
	By          string     `bun:"made_by,notnull"`
	Words       string     `bun:"words,notnull"`
	At          time.Time  `bun:"made_at,notnull"`
	WithdrawnAt *time.Time `bun:"withdrawn_at"`
}

type noteFile struct {
	bun.BaseModel `bun:"table:conversation_files,alias:nf"`

	NoteID int64 `bun:"note_id,pk"`
	FileID int64 `bun:"file_id,pk"`
}

func (s *Service) caseOf(ctx context.Context, db bun.IDB, actor access.Actor, object string, id int64) (Case, error) {
	of, ok := s.Cases[object]
	if !ok {
		return Case{}, ErrNotFound
	}
	return of.Case(ctx, db, actor, id)
}

// sideOf says for which side of a case the actor speaks, "" for neither.
func sideOf(a access.Actor, institutionID, enterpriseID int64) Side {
	switch {
	case a.Party == access.Institution && a.InstitutionID != 0 && a.InstitutionID == institutionID && a.Can(PermTalk):
		return Institution
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0 && a.EnterpriseID == enterpriseID:
		return Enterprise
	}
	return ""
}

func threadOf(ctx context.Context, db bun.IDB, object string, id int64) (*thread, error) {
	t := new(thread)
	err := database.Found(db.NewSelect().Model(t).Where("t.object = ? AND t.object_id = ?", object, id).Scan(ctx))
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Sees returns nil when the actor may see the note, ErrNotFound when they may not: the word on who may read its files.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	db := s.DB.Read()
	n, t := new(note), new(thread)
	if err := database.Found(db.NewSelect().Model(n).Where("n.id = ?", id).Scan(ctx)); err != nil {
		return err
	}
	if err := database.Found(db.NewSelect().Model(t).Where("t.id = ?", n.ThreadID).Scan(ctx)); err != nil {
		return err
	}
	if sideOf(actor, t.InstitutionID, t.EnterpriseID) != "" && n.WithdrawnAt == nil || peeks(actor) {
		return nil
	}
	return ErrNotFound
}

// peeks reports whether the actor may read threads of others with a reason.
func peeks(a access.Actor) bool {
	return a.Party == access.Platform && a.Scope == access.ScopeDistrict && a.Can(PermRead)
}

// Audience reads who is told at once of what is said: the two sides.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []*thread
	err := db.NewSelect().Model(&rows).Column("id", "institution_id", "enterprise_id").Where("t.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]live.Sees, len(rows))
	for _, t := range rows {
		institution, company := t.InstitutionID, t.EnterpriseID
		out[t.ID] = func(a access.Actor) bool { return sideOf(a, institution, company) != "" }
	}
	return out, nil
}
