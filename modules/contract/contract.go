// Package contract keeps the contracts that institutions and companies sign electronically on a case (requirement D7).
//
// # Words
//
// A contract (合同) belongs to a case of another module, an application today. The institution drafts it, from a template (模板, in
// editions, with placeholders that the case fills) or in its own words, with a PDF beside it if it likes, and sends it. From then on
// its content is frozen: the bytes that were digested are kept, and every signature is over their digest. The company signs first,
// then the institution; each confirms by a code on the phone of the account. Signatures are made by a Signer, which is the site's
// choice; docs/decisions/0161 says what the local one does.
//
// # States
//
//	draft ─send→ sent ─company signs→ half ─institution signs→ effective ─both→ voided
//	sent, half ─withdraw→ withdrawn   by the institution
//	sent ─reject→ rejected            by the company, with a reason
//	sent, half ─time→ expired
//
// While a signature is being made (Signing names the side) nothing else is done to the contract. The signature is asked for with a
// payload that was written before, so that a process that ends in between leaves one outcome: the task goes on where it stopped.
//
// # Tables
//
// contracts, contract_signatures, contract_templates, contract_numbers.
//
// # Announces
//
// Changed: see events.go.
package contract

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// The permissions of the module. Companies need none: their owners sign, and members with a mandate for it.
const (
	PermDraft     access.Permission = "contract.draft"     // for one's institution
	PermSign      access.Permission = "contract.sign"      // for one's institution
	PermView      access.Permission = "contract.view"      // of the whole district
	PermTemplates access.Permission = "contract.templates" // the district's own, or those of one's institution
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermDraft, Group: "电子合同", Label: "起草、发送、撤回本机构的合同"},
		{Name: PermSign, Group: "电子合同", Label: "代表本机构签署和作废合同"},
		{Name: PermView, Group: "电子合同", Label: "查看全区的合同"},
		{Name: PermTemplates, Group: "电子合同", Label: "编辑合同模板（平台通用或本机构）"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStep: the state does not allow it, or somebody was first.
	ErrStep = fault.New(fault.Conflict, "CONTRACT_STEP", "合同状态已变化，请刷新后查看最新状态")
	// ErrSigning: a signature is being made.
	ErrSigning = fault.New(fault.Conflict, "CONTRACT_SIGNING", "合同正在签署，请稍候刷新查看结果")
	// ErrOver: the days in which it could be signed are over.
	ErrOver = fault.New(fault.Conflict, "CONTRACT_OVER", "合同已超过签署期限，请联系机构重新发送")
	// ErrBlank: a placeholder has no value.
	ErrBlank = fault.New(fault.Invalid, "CONTRACT_BLANK", "合同正文还有未填写的内容，请填写后再发送").On("body")
	// ErrFile: not a PDF that was scanned.
	ErrFile = fault.New(fault.Invalid, "CONTRACT_FILE", "请上传 PDF 文件，并等待安全检查完成").On("fileId")
	// ErrEnded: the case takes no contract any more.
	ErrEnded = fault.New(fault.Conflict, "CONTRACT_ENDED", "申请未受理或已结束，不能起草合同")
)

// State is where a contract stands.
type State string

// The states.
const (
	Draft     State = "draft"
	Sent      State = "sent"
	Half      State = "half"
	Effective State = "effective"
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
	Voided    State = "voided"
)

var stateLabels = map[State]string{Draft: "草稿", Sent: "待企业签署", Half: "待机构签署", Effective: "已生效", Rejected: "企业已拒签", Withdrawn: "机构已撤回", Expired: "已过期", Voided: "已作废"}

// Label is the Chinese word of the state.
func (s State) Label() string { return stateLabels[s] }

// Side is one of the parties.
type Side string

// The sides, in the order in which they sign.
const (
	Company     Side = "company"
	Institution Side = "institution"
)

// Label is the Chinese word of the side.
func (s Side) Label() string {
	return map[Side]string{Company: "企业", Institution: "机构"}[s]
}

// turn is who signs in a state, "" for nobody.
func (s State) turn() Side {
	return map[State]Side{Sent: Company, Half: Institution}[s]
}

// Case is what a contract is made on.
type Case struct {
	Object          string
	ID              int64
	Number, Title   string
	InstitutionID   int64
	InstitutionName string
	EnterpriseID    int64
	EnterpriseName  string
	UserID          int64
	// Open: contracts may be drafted.
	Open bool
	// Values fill the placeholders; one that is empty is left for the person to fill.
	Values map[string]string
}

// Cases are the cases of one kind of object.
type Cases interface {
	// Case returns one that the actor may see, fault.ErrNotFound otherwise.
	Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (Case, error)
}

// Signed is what a Signer gives: everything that is needed to verify it, as JSON of its own.
type Signed struct {
	Provider string `json:"provider"`
	// Proof is the signature with its certificate.
	Proof string `json:"proof"`
}

// Signer is the hook of the service that signs. ID is the same when the same signature is asked for again: a provider makes one.
type Signer interface {
	Sign(ctx context.Context, id string, payload []byte) (Signed, error)
	// Verify returns nil when the proof is of the payload. It asks nobody outside.
	Verify(ctx context.Context, payload []byte, s Signed) error
}

// Confirmer sends codes to the phone of an account, and runs what one confirms.
type Confirmer interface {
	SendOwnCode(ctx context.Context, actor access.Actor) (sentTo string, err error)
	// WithOwnCode runs fn in the transaction in which the code is used up.
	WithOwnCode(ctx context.Context, actor access.Actor, code string, fn func(ctx context.Context, tx bun.Tx) error) error
}

// Mandates says who signs for a company.
type Mandates interface {
	// MaySign returns nil for the owner and for members who were mandated.
	MaySign(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error
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
	// Get returns a file of the actor's own, or of an object they see.
	Get(ctx context.Context, actor access.Actor, id int64) (FileView, error)
	// Digest is the SM3 of a file's content, in hex.
	Digest(ctx context.Context, actor access.Actor, id int64) (string, error)
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]FileView, error)
}

// Deps is what the module needs.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Cases     map[string]Cases
	Signer    Signer
	Confirmer Confirmer
	Mandates  Mandates
	Files     Files
	// Paths are where the companies' pages of the objects are on the portal: "application" → "/applications".
	Paths map[string]string
}

// Service keeps the contracts.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || len(d.Cases) == 0 || d.Signer == nil || d.Confirmer == nil || d.Mandates == nil || d.Files == nil {
		panic("contract: Deps is not complete")
	}
	return &Service{d}
}

// Object is the name of a contract in events, audit rows and file links.
const Object = "contract"

// row is one contract.
type row struct {
	bun.BaseModel `bun:"table:contracts,alias:c"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Version         int64      `bun:"version,notnull"`
	Number          string     `bun:"number,notnull"`
	State           State      `bun:"state,notnull"`
	CaseObject      string     `bun:"object,notnull"`
	CaseID          int64      `bun:"object_id,notnull"`
	CaseNumber      string     `bun:"case_number,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	UserID          int64      `bun:"user_id,notnull"` // of the company, who is told
	TemplateID      int64      `bun:"template_id,notnull"`
	Title           string     `bun:"title,notnull"`
	Body            string     `bun:"body,notnull"`
	FileID          int64      `bun:"file_id,notnull"`
	FileDigest      string     `bun:"file_digest,notnull"`
	Days            int        `bun:"days,notnull"`    // to sign, after sending
	Content         string     `bun:"content,notnull"` // the bytes that were digested; "" before sending
	Digest          string     `bun:"digest,notnull"`
	By              string     `bun:"made_by,notnull"`
	At              time.Time  `bun:"made_at,notnull"`
	SentAt          *time.Time `bun:"sent_at"`
	ExpiresAt       *time.Time `bun:"expires_at"`
	EffectiveAt     *time.Time `bun:"effective_at"`
	EndedAt         *time.Time `bun:"ended_at"`
	Signing         Side       `bun:"signing,notnull"` // whose signature is being made
	Reason          string     `bun:"reason,notnull"`
	VoidSide        Side       `bun:"void_side,notnull"` // who asks to void it
	VoidReason      string     `bun:"void_reason,notnull"`
}

// signature is that of one side.
type signature struct {
	bun.BaseModel `bun:"table:contract_signatures,alias:g"`

	ContractID int64     `bun:"contract_id,pk"`
	Side       Side      `bun:"side,pk"`
	UserID     int64     `bun:"user_id,notnull"`
	Name       string    `bun:"name,notnull"`
	Payload    string    `bun:"payload,notnull"`
	Provider   string    `bun:"provider,notnull"` // "" while it is being made
	Proof      string    `bun:"proof,notnull"`
	At         time.Time `bun:"made_at,notnull"`
}

// visible is the one predicate that narrows every query of contracts. A company sees nothing of a draft.
func visible(a access.Actor) (where string, args []any) {
	switch {
	case a.Party == access.System, (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView):
		return "1 = 1", nil
	case a.Party == access.Institution && a.InstitutionID != 0 && (a.Can(PermDraft) || a.Can(PermSign)):
		return "c.institution_id = ?", []any{a.InstitutionID}
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
		return "c.enterprise_id = ? AND c.state <> 'draft'", []any{a.EnterpriseID}
	}
	return "1 = 0", nil
}

func find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*row, error) {
	r := new(row)
	where, args := visible(actor)
	if err := database.Found(db.NewSelect().Model(r).Where("c.id = ?", id).Where(where, args...).Scan(ctx)); err != nil {
		return nil, err
	}
	return r, nil
}

// Sees returns nil when the actor may see the contract, ErrNotFound when they may not: the word on who may read its files.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.DB.Read(), actor, id)
	return err
}

// side is for whom the actor acts on a contract, "" for nobody.
func (r *row) side(a access.Actor) Side {
	switch {
	case a.Party == access.Enterprise && a.EnterpriseID == r.EnterpriseID && a.UserID != 0:
		return Company
	case a.Party == access.Institution && a.InstitutionID == r.InstitutionID:
		return Institution
	}
	return ""
}

// DigestOf is the SM3 of a content, in hex: what is frozen, and what a file is found by.
func DigestOf(content []byte) string { return digest(content) }

func digest(content []byte) string {
	sum := sm3.Sum(content)
	return hex.EncodeToString(sum[:])
}

// checkCode is what is typed beside the number to verify a contract: the beginning of its digest in groups.
func checkCode(digest string) string {
	if len(digest) < 16 {
		return ""
	}
	up := strings.ToUpper(digest[:16])
	return up[:4] + "-" + up[4:8] + "-" + up[8:12] + "-" + up[12:]
}

func sameCode(digest, typed string) bool {
	tidy := func(s string) string { return strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(s)) }
	return digest != "" && subtle.ConstantTimeCompare([]byte(tidy(checkCode(digest))), []byte(tidy(typed))) == 1
}
