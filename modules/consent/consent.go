package consent

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights of the module.
const (
	PermView    access.Permission = "consent.view"
	PermEdit    access.Permission = "consent.edit"
	PermPublish access.Permission = "consent.publish"
)

// Permissions describes the rights for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "数据授权", Label: "查看企业数据授权和查阅记录"},
		{Name: PermEdit, Group: "数据授权", Label: "起草授权书"},
		{Name: PermPublish, Group: "数据授权", Label: "发布授权书、维护查阅依据"},
	}
}

// The purposes others ask for.
const (
	PolicyMatch      = "policy_match"      // 政策匹配
	PolicyPush       = "policy_push"       // 政策主动推送
	ShareInstitution = "share_institution" // 向服务机构提供
	Portrait         = "portrait"          // 企业画像
)

// Purpose is what data are used for.
type Purpose struct {
	Code string `json:"code"`
	Name string `json:"name"`
	What string `json:"what"` // what is done with the data
	// Without says what follows when the company does not agree, or no longer.
	Without string `json:"without"`
}

// Purposes are all purposes, in the order in which a company is asked.
func Purposes() []Purpose {
	return []Purpose{
		{PolicyMatch, "政策匹配", "工作人员为企业比对惠企政策的申报条件，或在政策发布时核算符合条件的企业",
			"工作人员不再使用本企业数据比对政策。企业自己在平台上查看匹配结果不受影响"},
		{PolicyPush, "政策主动推送", "有适合的政策发布或临近截止时，平台主动通知企业",
			"平台不再向本企业主动推送政策，企业可以自行查找、订阅"},
		{ShareInstitution, "向服务机构提供", "企业申请服务产品时，受理机构查看企业信息，减少重复填报",
			"服务机构不能再查看平台上的本企业信息，办理时可能要求企业另行提供材料。此前已经提供的信息不因撤回而收回"},
		{Portrait, "企业画像", "工作人员查看企业信息和经营情况，用于走访服务和分析研判",
			"工作人员不能再查看本企业的信息和经营情况，法定职责范围内的查阅除外"},
	}
}

// PurposeOf finds a purpose by its code.
func PurposeOf(code string) (Purpose, bool) {
	for _, p := range Purposes() {
		if p.Code == code {
			return p, true
		}
	}
	return Purpose{}, false
}

// Named is a thing with a code: a group of company fields, a role.
type Named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrPurpose: there is no such purpose.
	ErrPurpose = fault.InvalidField("purpose", "CONSENT_PURPOSE", "没有这种数据用途，请刷新后重新选择")
	// ErrRefused: neither a grant nor a basis lets the actor read.
	ErrRefused = fault.New(fault.Forbidden, "CONSENT_NEEDED", "企业没有授权，不能查看")
	// ErrText: the version the person read is not the one in force.
	ErrText = fault.New(fault.Conflict, "CONSENT_TEXT_CHANGED", "授权书已更新，请阅读新的内容后再授权")
	// ErrNoText: nothing has been published for the purpose.
	ErrNoText = fault.New(fault.Conflict, "CONSENT_NO_TEXT", "这项用途的授权书尚未发布，暂时不能授权")
	// ErrGranted: the version in force is granted already.
	ErrGranted = fault.New(fault.Conflict, "CONSENT_GRANTED", "本企业已按现行授权书授权，无需重复办理")
	// ErrEnded: the grant does not stand any more.
	ErrEnded = fault.New(fault.Conflict, "CONSENT_ENDED", "这项授权已经终止，请刷新后查看")
	// ErrOwnText: nobody publishes what they wrote.
	ErrOwnText = fault.New(fault.Forbidden, "CONSENT_OWN_TEXT", "起草或修改授权书的人不能发布，请由其他人员核对后发布")
	// ErrPublished: what companies have read does not change.
	ErrPublished = fault.New(fault.Conflict, "CONSENT_PUBLISHED", "授权书已发布，内容不能再改，请起草新版本")
	// ErrDraft: there is one draft for a purpose at a time.
	ErrDraft = fault.New(fault.Conflict, "CONSENT_DRAFT", "这项用途已有一份草稿，请在原草稿上修改")
)

// The states of a text.
const (
	Draft     = "draft"
	Published = "published"
	Discarded = "discarded"
)

// Text is one version of what companies are asked to agree to.
type Text struct {
	bun.BaseModel `bun:"table:consent_texts,alias:t"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Purpose   string     `bun:"purpose,notnull"`
	No        int        `bun:"no,notnull"` // 0 until published
	State     string     `bun:"state,notnull"`
	Title     string     `bun:"title,notnull"`
	Body      string     `bun:"body,notnull"`
	Groups    []string   `bun:"groups,notnull"` // codes of the groups of company fields it covers
	Days      int        `bun:"days,notnull"`   // how long a grant lasts; 0 is until it is revoked
	Material  bool       `bun:"material,notnull"`
	Document  string     `bun:"document,notnull"` // the exact words, from publishing on
	Digest    string     `bun:"digest,notnull"`   // SM3 over Document, hexadecimal
	From      *time.Time `bun:"in_force_from"`
	Version   int64      `bun:"version,notnull"`
	AuthorID  int64      `bun:"author_id,notnull"` // who wrote or changed it last
	Author    string     `bun:"author_name,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	// Writers are all who wrote or changed it: none of them publishes it.
	Writers     []int64    `bun:"writers,notnull"`
	PublisherID int64      `bun:"publisher_id,notnull"`
	Publisher   string     `bun:"publisher_name,notnull"`
	PublishedAt *time.Time `bun:"published_at"`
}

// document is what a company reads, word for word.
func (t *Text) document(groups []Named) string {
	var covered []string
	for _, g := range groups {
		if slices.Contains(t.Groups, g.Code) {
			covered = append(covered, g.Name)
		}
	}
	p, _ := PurposeOf(t.Purpose)
	lasting := "自授权之日起至撤回时止"
	if t.Days > 0 {
		lasting = fmt.Sprintf("自授权之日起 %d 天，期满自动终止；可以随时撤回", t.Days)
	}
	return fmt.Sprintf("%s\n\n用途：%s。%s。\n数据范围：%s。\n授权期限：%s。\n\n%s\n", t.Title, p.Name, p.What, strings.Join(covered, "、"), lasting, t.Body)
}

// Digest is the SM3 digest of a document in hexadecimal.
func Digest(document string) string {
	sum := sm3.Sum([]byte(document))
	return hex.EncodeToString(sum[:])
}

// publish fixes the words.
func (t *Text) publish(a access.Actor, now, from time.Time, no int, groups []Named) error {
	if t.State != Draft {
		return ErrPublished
	}
	if slices.Contains(t.Writers, a.UserID) && a.UserID != 0 {
		return ErrOwnText
	}
	t.State, t.No, t.From, t.PublishedAt = Published, no, &from, &now
	t.PublisherID, t.Publisher = a.UserID, a.Name
	t.Document = t.document(groups)
	t.Digest = Digest(t.Document)
	return nil
}

// How a grant ended.
const (
	ByRevoking = "revoked"
	ByRenewing = "renewed"
)

// The channels by which a grant is given or revoked.
const (
	OnH5     = "h5"
	OnPortal = "portal"
	AtStart  = "load" // taken over from before
)

var channels = map[string]string{OnH5: "手机端", OnPortal: "门户网站", AtStart: "历史数据"}

// Grant is a company's yes to one version.
type Grant struct {
	bun.BaseModel `bun:"table:consent_grants,alias:g"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Purpose      string     `bun:"purpose,notnull"`
	TextID       int64      `bun:"text_id,notnull"`
	TextNo       int        `bun:"text_no,notnull"`
	Digest       string     `bun:"digest,notnull"`
	GrantedAt    time.Time  `bun:"granted_at,notnull"`
	GrantedBy    int64      `bun:"granted_by,notnull"`
	GrantedName  string     `bun:"granted_name,notnull"`
	Channel      string     `bun:"channel,notnull"`
	IP           string     `bun:"ip,notnull"`
	Until        *time.Time `bun:"until"`
	EndedAt      *time.Time `bun:"ended_at"`
	Ended        string     `bun:"ended,notnull"` // "", revoked, renewed
	EndedBy      int64      `bun:"ended_by,notnull"`
	EndedName    string     `bun:"ended_name,notnull"`
	EndedChannel string     `bun:"ended_channel,notnull"`
	EndedIP      string     `bun:"ended_ip,notnull"`
	Reason       string     `bun:"reason,notnull"`
}

// stands reports whether the grant holds at a moment, when versions below floor do not.
func (g *Grant) stands(at time.Time, floor int) bool {
	return floor > 0 && g.TextNo >= floor && !g.GrantedAt.After(at) && (g.EndedAt == nil || g.EndedAt.After(at)) && (g.Until == nil || g.Until.After(at))
}

// Basis lets readers with a role read without consent.
type Basis struct {
	bun.BaseModel `bun:"table:consent_bases,alias:b"`

	Code     string    `bun:"code,pk"`
	Name     string    `bun:"name,notnull"`
	Law      string    `bun:"law,notnull"` // the rule it rests on
	Roles    []string  `bun:"roles,notnull"`
	Purposes []string  `bun:"purposes,notnull"`
	Groups   []string  `bun:"groups,notnull"`
	Active   bool      `bun:"active,notnull"`
	Version  int64     `bun:"version,notnull"`
	ByID     int64     `bun:"changed_by,notnull"`
	ByName   string    `bun:"changed_name,notnull"`
	At       time.Time `bun:"changed_at,notnull"`
}

// covers reports whether a reader with one of the roles may read for the purpose.
func (b *Basis) covers(roles []Named, purpose string) bool {
	return b.Active && slices.Contains(b.Purposes, purpose) && slices.ContainsFunc(roles, func(r Named) bool { return slices.Contains(b.Roles, r.Code) })
}

// Access is one reading of a company's data, allowed or refused.
type Access struct {
	bun.BaseModel `bun:"table:consent_accesses,alias:a"`

	ID           int64     `bun:"id,pk,autoincrement"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	At           time.Time `bun:"at,notnull"`
	Purpose      string    `bun:"purpose,notnull"`
	What         string    `bun:"what,notnull"` // where it was read, in words
	Groups       []string  `bun:"groups,notnull"`
	Allowed      bool      `bun:"allowed,notnull"`
	GrantID      int64     `bun:"grant_id,notnull"` // 0 without one
	Basis        string    `bun:"basis,notnull"`    // code of the basis it rests on, "" is consent
	BasisName    string    `bun:"basis_name,notnull"`
	Why          string    `bun:"why,notnull"` // why it was refused
	ReaderID     int64     `bun:"reader_id,notnull"`
	ReaderName   string    `bun:"reader_name,notnull"`
	Party        string    `bun:"reader_party,notnull"`
	Unit         string    `bun:"reader_unit,notnull"`
	Roles        string    `bun:"reader_roles,notnull"` // in words
	IP           string    `bun:"ip,notnull"`
}
