package evidence

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// The permissions of the module. Evidence is read by whoever sees its case.
const (
	PermAdd    access.Permission = "evidence.add"    // for one's institution
	PermAssess access.Permission = "evidence.assess" // for the government
	PermView   access.Permission = "evidence.view"   // the assessments of all cases
	PermManage access.Permission = "evidence.manage" // checklists and cards
	PermExport access.Permission = "evidence.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermAdd, Group: "服务佐证", Label: "为本机构的服务上传佐证"},
		{Name: PermAssess, Group: "服务佐证", Label: "评估机构和平台运营（政府评估）"},
		{Name: PermView, Group: "服务佐证", Label: "查看政府评估"},
		{Name: PermManage, Group: "服务佐证", Label: "设置佐证清单和评估表"},
		{Name: PermExport, Group: "服务佐证", Label: "导出政府评估"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	ErrStale     = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")
	// ErrEnded: the days after the end are over.
	ErrEnded = fault.New(fault.Conflict, "EVIDENCE_ENDED", "件已结束超过 30 天，佐证不再变动")
	// ErrEarly: nothing was done yet.
	ErrEarly = fault.New(fault.Conflict, "EVIDENCE_EARLY", "机构受理后才能上传服务佐证")
)

// AfterDays is how long evidence is added and taken away after the end of a case.
const AfterDays = 30

// Side is who gives evidence.
type Side string

// The sides.
const (
	Institution Side = "institution"
	Enterprise  Side = "enterprise"
)

// Label is the Chinese word of the side.
func (s Side) Label() string {
	if s == Institution {
		return "机构"
	}
	return "企业"
}

// Case is a piece of service.
type Case struct {
	Object          string
	ID              int64
	Number, Title   string
	Kind, KindName  string
	InstitutionID   int64
	InstitutionName string
	EnterpriseID    int64
	EnterpriseName  string
	UserID          int64 // of the enterprise
	Begun           bool  // the institution took it on
	EndedAt         *time.Time
	// Over says why nothing of it changes any more, whatever the days: it was withdrawn.
	Over string
	// Side is for whom the asker gives evidence where the party does not tell: an operator who recorded a service in the institution's place.
	Side Side
}

// Cases are the pieces of service of one kind of object.
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

// Kind is a kind of service that may have a checklist of its own.
type Kind struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Place is where a company sees the cases of an object on the portal.
type Place struct {
	Path   string // of the list: "/applications"
	List   string // what the list is called
	Active string // the entry of the menu
	Single bool   // a case has a page of its own below Path
	Back   string // the words of the way back
}

// case of the id, or the list where a case has no page.
func (p Place) of(id int64) string {
	if p.Single {
		return p.Path + "/" + strconv.FormatInt(id, 10)
	}
	return p.Path
}

// Deps is what the module needs.
type Deps struct {
	DB    *database.DB
	Clock clock.Clock
	Cases map[string]Cases
	Files Files
	Kinds []Kind
	// Places are where the companies' pages of the objects are on the portal.
	Places map[string]Place
	// Operator is the name of who runs the platform, as it stands in assessments.
	Operator string
	// Record are the parts of a printed record before and behind the evidence; nil ones are left out.
	Before, Behind []Recorder
}

// Service keeps the evidence.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || len(d.Cases) == 0 || d.Files == nil {
		panic("evidence: Deps is not complete")
	}
	return &Service{d}
}

// Object is the name of a piece of evidence in events, audit rows and file links.
const Object = "evidence"

// piece is a file that one side gave.
type piece struct {
	bun.BaseModel `bun:"table:evidence_pieces,alias:p"`

	ID            int64      `bun:"id,pk,autoincrement"`
	CaseObject    string     `bun:"object,notnull"`
	CaseID        int64      `bun:"object_id,notnull"`
	InstitutionID int64      `bun:"institution_id,notnull"`
	EnterpriseID  int64      `bun:"enterprise_id,notnull"`
	Side          Side       `bun:"side,notnull"`
	Item          string     `bun:"item_code,notnull"` // "" for none of the checklist
	ItemName      string     `bun:"item_name,notnull"`
	FileID        int64      `bun:"file_id,notnull"`
	Note          string     `bun:"note,notnull"`
	Shared        bool       `bun:"shared,notnull"` // the other side sees it too
	ByID          int64      `bun:"by_id,notnull"`
	By            string     `bun:"made_by,notnull"`
	At            time.Time  `bun:"made_at,notnull"`
	RemovedAt     *time.Time `bun:"removed_at"`
	RemovedBy     string     `bun:"removed_by,notnull"`
}

// sideOf says for which side of a case the actor acts, "" for neither.
func sideOf(a access.Actor, institutionID, enterpriseID int64) Side {
	switch {
	case a.Party == access.Institution && a.InstitutionID != 0 && a.InstitutionID == institutionID:
		return Institution
	case a.Party == access.Enterprise && a.EnterpriseID != 0 && a.EnterpriseID == enterpriseID:
		return Enterprise
	}
	return ""
}

// side says for which side of the case the actor acts, and whether it may give evidence for it.
func (c Case) side(a access.Actor) (side Side, gives bool) {
	if side = sideOf(a, c.InstitutionID, c.EnterpriseID); side != "" {
		return side, side == Enterprise || a.Can(PermAdd)
	}
	return c.Side, c.Side != ""
}

// shows reports whether the actor, who sees the case, sees the piece: the government and the operators see all of it.
func (p *piece) shows(a access.Actor) bool {
	if p.RemovedAt != nil {
		return false
	}
	if side := sideOf(a, p.InstitutionID, p.EnterpriseID); side != "" {
		return p.Shared || side == p.Side
	}
	return a.Party == access.Platform || a.Party == access.Government || a.Party == access.System
}

func (s *Service) caseOf(ctx context.Context, db bun.IDB, actor access.Actor, object string, id int64) (Case, error) {
	of, ok := s.Cases[object]
	if !ok {
		return Case{}, ErrNotFound
	}
	return of.Case(ctx, db, actor, id)
}

// Sees returns nil when the actor may see the piece of evidence, ErrNotFound when they may not: the word on who may read its file.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	p := new(piece)
	db := s.DB.Read()
	if err := database.Found(db.NewSelect().Model(p).Where("p.id = ?", id).Scan(ctx)); err != nil {
		return err
	}
	if _, err := s.caseOf(ctx, db, actor, p.CaseObject, p.CaseID); err != nil {
		return err
	}
	if !p.shows(actor) {
		return ErrNotFound
	}
	return nil
}

// open says why evidence of a case does not change.
func (c Case) open(now time.Time) error {
	if c.Over != "" {
		return ErrEnded.With("%s", c.Over)
	}
	if !c.Begun {
		return ErrEarly
	}
	if c.EndedAt != nil && now.After(c.EndedAt.AddDate(0, 0, AfterDays)) {
		return ErrEnded
	}
	return nil
}
