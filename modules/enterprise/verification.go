package enterprise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/uscc"
)

// Claim is what a company says of itself.
type Claim struct {
	Name        string `json:"name"`
	CreditCode  string `json:"creditCode"`
	LegalPerson string `json:"legalPerson"`
}

// clean returns the claim as it is kept, or one fault with a field for each wrong input.
func (c Claim) clean(demo bool) (Claim, error) {
	var errs []error
	keep := func(v string, err error) string {
		if err != nil {
			errs = append(errs, err)
		}
		return v
	}
	out := Claim{
		Name:        keep(line("name", "企业名称", c.Name, 2, 100)),
		LegalPerson: keep(line("legalPerson", "法定代表人", c.LegalPerson, 2, 50)),
	}
	code, err := uscc.Parse(c.CreditCode, uscc.Options{AllowDemo: demo})
	if err != nil {
		errs = append(errs, err)
	}
	out.CreditCode = string(code)
	return out, fault.Merge(errs...)
}

// line is text.Line with the name of what is missing.
func line(field, label, value string, least, most int) (string, error) {
	v, err := text.Line(field, value, least, most)
	if errors.Is(err, text.ErrRequired) {
		return "", text.ErrRequired.With("请填写%s", label).On(field)
	}
	return v, err
}

// Answer is what the registry says about a claim. Company is set when everything matches.
type Answer struct {
	Found         bool
	NameMatches   bool
	PersonMatches bool
	Status        string // 存续, 注销, 吊销 …
	Company       Company
}

// Company is the registry's record.
type Company struct {
	Name        string
	LegalPerson string
	Established time.Time // zero when the registry does not tell
	Capital     int64     // fen
	Industry    string    // GB/T 4754
	Address     string
	Region      string // division code
	Status      string
}

// Registry is the company registry.
type Registry interface {
	// Check holds a claim against the registry. It returns ErrUnavailable when no usable answer came and ErrRefused when
	// the registry does not accept us.
	Check(ctx context.Context, c Claim) (Answer, error)
}

// The failures of a Registry. In both nothing is known about the company.
var (
	ErrUnavailable = errors.New("registry unavailable")
	ErrRefused     = errors.New("registry refused the request")
)

// Outcome is how an attempt stands or ended.
type Outcome string

// The outcomes.
const (
	Asking        Outcome = "asking"         // the registry has been asked and nothing is written down yet
	Interrupted   Outcome = "interrupted"    // asked, and never settled
	Agreed        Outcome = "verified"       // the registry agrees
	NotRegistered Outcome = "not_found"      // no such code
	NameDiffers   Outcome = "name_differs"   //
	PersonDiffers Outcome = "person_differs" //
	Closed        Outcome = "closed"         // 注销, 吊销
	NoAnswer      Outcome = "unavailable"    // down, slow, or does not accept us
	NoRegistry    Outcome = "no_registry"    // the installation has none
	Held          Outcome = "held"           // another company of the platform holds the code: a request to join was made
	AlreadyMember Outcome = "member"         // the person is a member of that company
	Waiting       Outcome = "waiting"        // a licence waits for a person
	Approved      Outcome = "approved"
	SentBack      Outcome = "returned"
)

// look is how an outcome reads to the person who claimed.
type look struct {
	title, text string
	review      bool // a person may decide instead
}

var looks = map[Outcome]look{
	Asking:        {"正在核验", "正在向登记系统核验，请稍候查看结果", false},
	Interrupted:   {"核验没有完成", "上次核验中途中断，没有得到结果，请重新核验", true},
	Agreed:        {"认证通过", "企业名称、统一社会信用代码和法定代表人与登记信息一致", false},
	NotRegistered: {"登记系统中没有查到这家企业", "请对照营业执照核对统一社会信用代码。新设立的企业可能次日才能查到，也可以上传营业执照提交人工审核", true},
	NameDiffers:   {"企业名称与登记信息不一致", "请按营业执照上的全称填写。刚办理名称变更的，可以上传营业执照提交人工审核", true},
	PersonDiffers: {"法定代表人与登记信息不一致", "请按营业执照填写法定代表人姓名。刚办理变更的，可以上传营业执照提交人工审核", true},
	Closed:        {"企业登记状态异常，不能认证", "", false},
	NoAnswer:      {"登记系统暂时无法核验", "登记系统没有给出结果，与您填写的内容无关。可以稍后重新核验，也可以上传营业执照提交人工审核", true},
	NoRegistry:    {"需要人工审核", "本平台尚未接入企业登记系统，请上传营业执照提交人工审核", true},
	Held:          {"该企业已在平台认证", "已向企业负责人发送加入申请，对方同意后您即可代表该企业办理业务", false},
	AlreadyMember: {"您已是该企业的成员", "已为您切换到该企业，无需重复认证", false},
	Waiting:       {"等待人工审核", "工作人员核对营业执照后，审核结果会显示在本页", false},
	Approved:      {"人工审核通过", "企业已通过认证", false},
	SentBack:      {"人工审核退回", "", true},
}

// Label is the outcome in a few words, "" for one that does not exist.
func (o Outcome) Label() string { return looks[o].title }

// refusal reports whether the registry disagreed.
func (o Outcome) refusal() bool {
	return o == NotRegistered || o == NameDiffers || o == PersonDiffers || o == Closed
}

// problems says at which inputs the outcome lies.
func (o Outcome) problems(a Answer) []fault.Field {
	list := []fault.Field{}
	switch o {
	case NotRegistered:
		list = append(list, fault.Field{Name: "creditCode", Message: "登记系统中没有这个统一社会信用代码，请核对营业执照"})
	case NameDiffers, PersonDiffers:
		if !a.NameMatches {
			list = append(list, fault.Field{Name: "name", Message: "与登记的企业名称不一致，请按营业执照填写全称"})
		}
		if !a.PersonMatches {
			list = append(list, fault.Field{Name: "legalPerson", Message: "与登记的法定代表人不一致，请按营业执照填写"})
		}
	}
	return list
}

// judge turns the registry's answer into the outcome. What differs comes before the status: a stranger does not learn how
// a company stands by its code alone.
func judge(a Answer) Outcome {
	switch {
	case !a.Found:
		return NotRegistered
	case !a.NameMatches:
		return NameDiffers
	case !a.PersonMatches:
		return PersonDiffers
	case strings.Contains(a.Status, "注销"), strings.Contains(a.Status, "吊销"), strings.Contains(a.Status, "撤销"):
		return Closed
	}
	return Agreed
}

// finding is what came of asking: the outcome and the answer's codes as they are logged.
type finding struct {
	outcome Outcome
	answer  Answer
	codes   string
}

// find asks the registry, never longer than the module's patience.
func (s *Service) find(ctx context.Context, c Claim) finding {
	if s.registry == nil {
		return finding{outcome: NoRegistry, codes: "none"}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	a, err := s.registry.Check(ctx, c)
	switch {
	case errors.Is(err, ErrRefused):
		return finding{outcome: NoAnswer, codes: "refused"}
	case errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil:
		return finding{outcome: NoAnswer, codes: "timeout"}
	case err != nil:
		return finding{outcome: NoAnswer, codes: "unavailable"}
	}
	return finding{judge(a), a, fmt.Sprintf("found=%t name=%t person=%t status=%s", a.Found, a.NameMatches, a.PersonMatches, text.Truncate(a.Status, 20))}
}

// answerOf reads back what problems needs of the logged codes.
func answerOf(codes string) Answer {
	return Answer{
		Found: strings.Contains(codes, "found=true"), NameMatches: strings.Contains(codes, "name=true"),
		PersonMatches: strings.Contains(codes, "person=true"), Status: after(codes, "status="),
	}
}

func after(s, mark string) string {
	_, rest, _ := strings.Cut(s, mark)
	return rest
}

// The kinds of attempt.
const (
	byRegistry = "registry"
	byReview   = "review"
	byFetch    = "facts"  // a verified company asks for the registry's facts
	byChange   = "change" // a verified company has another name or legal person
)

// Attempt is one try to be verified.
type Attempt struct {
	bun.BaseModel `bun:"table:enterprise_verifications,alias:v"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	UserName     string     `bun:"user_name,notnull"`
	Kind         string     `bun:"kind,notnull"`
	Name         string     `bun:"name,notnull"`
	OldName      string     `bun:"old_name,notnull"` // of a change: what the company was called
	CreditCode   string     `bun:"credit_code,notnull"`
	LegalPerson  string     `bun:"legal_person,notnull"`
	OldPerson    string     `bun:"old_person,notnull"` // of a change: who stood for the company
	Note         string     `bun:"note,notnull"`       // the claimant's word to the reviewer
	Outcome      Outcome    `bun:"outcome,notnull"`
	Answer       string     `bun:"answer,notnull"` // the registry's codes
	Reason       string     `bun:"reason,notnull"` // why a person sent it back
	Version      int64      `bun:"version,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	SettledAt    *time.Time `bun:"settled_at"`
	ReviewerID   int64      `bun:"reviewer_id,nullzero"`
	ReviewerName string     `bun:"reviewer_name,notnull"`
	// DueAt is until when a person is to decide, RemindedAt when the reviewers were told that it is past.
	DueAt      *time.Time `bun:"due_at"`
	RemindedAt *time.Time `bun:"reminded_at"`
}

func (a *Attempt) claim() Claim { return Claim{a.Name, a.CreditCode, a.LegalPerson} }

// settle ends the attempt.
func (a *Attempt) settle(now time.Time, o Outcome, codes string) {
	a.Outcome, a.Answer, a.SettledAt = o, codes, &now
}

// hold hands the attempt to a person, with what the registry said.
func (a *Attempt) hold(codes string) { a.Outcome, a.Answer = Waiting, codes }

// label is the outcome in a few words.
func (a *Attempt) label() string {
	if l, ok := changeLooks[a.Outcome]; ok && a.Kind == byChange {
		return l.title
	}
	return a.Outcome.Label()
}

// reviewed reports whether a person decides or decided the attempt, or may have to.
func (a *Attempt) reviewed() bool { return a.Kind == byReview || a.Kind == byChange }

// decide ends a review. A reason is given exactly when it is sent back.
func (a *Attempt) decide(now time.Time, reviewerID int64, reviewerName string, o Outcome, reason string) error {
	if a.Outcome != Waiting {
		return fault.ErrChanged.With("该申请已处理（%s），请刷新后查看", a.label())
	}
	a.Outcome, a.Reason, a.SettledAt = o, reason, &now
	a.ReviewerID, a.ReviewerName = reviewerID, reviewerName
	return nil
}
