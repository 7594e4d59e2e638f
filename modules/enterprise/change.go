package enterprise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// A verified company whose name or legal person changed asks for it with its new licence (变更登记), alone or together. The
// request is an attempt of the kind byChange: the registry is asked first, and where it does not agree the same attempt waits for
// a person. The company stays verified as it was registered before meanwhile.

// The faults of a change.
var (
	// ErrChangeUnverified: what a company nobody knows is called is part of its claim.
	ErrChangeUnverified = fault.New(fault.Conflict, "ENTERPRISE_UNVERIFIED", "企业通过认证后才需要办理变更登记，未认证的企业请直接按新的营业执照认证")
	// ErrChanging: one request at a time.
	ErrChanging = fault.New(fault.Conflict, "ENTERPRISE_CHANGING", "已有一项变更登记正在办理，请等待结果后再提交")
	// ErrNoChange: neither a name nor a legal person was given.
	ErrNoChange = fault.InvalidField("name", "NO_CHANGE", "请填写变更后的企业名称或法定代表人，至少填写一项")
	// ErrSameName: the company is called so already.
	ErrSameName = fault.InvalidField("name", "SAME_NAME", "新名称与现在的企业名称相同，请填写变更后的名称")
	// ErrSamePerson: that person stands for the company already.
	ErrSamePerson = fault.InvalidField("legalPerson", "SAME_PERSON", "与现在的法定代表人相同，请填写变更后的法定代表人")
)

// Difference is one thing that another value takes the place of.
type Difference struct {
	What  string `json:"what" enum:"name,legalPerson"`
	Label string `json:"label"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// WasChanged is announced when a verified company is registered otherwise; Name is the new one.
type WasChanged struct {
	Head
	Changes []Difference `json:"changes"`
}

// IsChanging is announced when a change waits for a person; Name is the present one.
type IsChanging struct {
	Head
	Changes   []Difference `json:"changes"`
	AttemptID int64        `json:"attemptId"`
}

// WasNotChanged is announced when a company stays as it was: the registry says it is closed, or a person sent the request back.
type WasNotChanged struct {
	Head
	Changes []Difference `json:"changes"`
	Reason  string       `json:"reason"`
}

// Event names the fact.
func (f WasChanged) Event() (string, string, int64) { return "enterprise.changed", Object, f.ID }

// Event names the fact.
func (f IsChanging) Event() (string, string, int64) {
	return "enterprise.change_pending", Object, f.ID
}

// Event names the fact.
func (f WasNotChanged) Event() (string, string, int64) {
	return "enterprise.change_refused", Object, f.ID
}

// ChangeRegistered asks to change what the company the actor acts for is registered as. An empty name or legal person stays.
type ChangeRegistered struct {
	Key         string `json:"-"` // the same key is the same request
	Name        string
	LegalPerson string
	Note        string
	FileIDs     []int64
	// LicenceID is the new licence where the company keeps it already; 0 is none.
	LicenceID int64
}

// clean returns what is to hold afterwards, an empty text where nothing changes, or one fault with a field for each wrong input.
func (c ChangeRegistered) clean() (name, person string, err error) {
	var errs []error
	read := func(field, label, typed string, most int) string {
		if strings.TrimSpace(typed) == "" {
			return ""
		}
		v, err := line(field, label, typed, 2, most)
		errs = append(errs, err)
		return v
	}
	name, person = read("name", "变更后的企业名称", c.Name, 100), read("legalPerson", "变更后的法定代表人", c.LegalPerson, 50)
	if len(errs) == 0 {
		errs = append(errs, ErrNoChange)
	}
	return name, person, fault.Merge(errs...)
}

// mayChange says why no change may begin.
func (e *Enterprise) mayChange() error {
	if e.Verification != Verified {
		return ErrChangeUnverified
	}
	return nil
}

// change registers the company otherwise.
func (e *Enterprise) change(list []Difference) error {
	if err := e.mayChange(); err != nil {
		return err
	}
	for _, c := range list {
		if c.What == whatName {
			e.Name = c.To
		} else {
			e.LegalPerson = c.To
		}
	}
	return nil
}

// same reports whether two names differ in width and form of their characters only.
func same(a, b string) bool { return norm.NFKC.String(a) == norm.NFKC.String(b) }

// changes are what an attempt of the kind byChange asks for.
func (a *Attempt) changes() []Difference {
	var list []Difference
	if !same(a.OldName, a.Name) {
		list = append(list, Difference{whatName, whatLabels[whatName], a.OldName, a.Name})
	}
	if !same(a.OldPerson, a.LegalPerson) {
		list = append(list, Difference{whatPerson, whatLabels[whatPerson], a.OldPerson, a.LegalPerson})
	}
	return list
}

// WordsOf says changes in a line: 企业名称由“甲”变更为“乙”.
func WordsOf(list []Difference) string {
	words := make([]string, 0, len(list))
	for _, c := range list {
		if c.From == "" {
			words = append(words, c.Label+"登记为“"+c.To+"”")
			continue
		}
		words = append(words, c.Label+"由“"+c.From+"”变更为“"+c.To+"”")
	}
	return strings.Join(words, "，")
}

// Change asks the registry about what is new and returns the attempt: agreed, it holds at once; otherwise it waits for a person
// with the licence that was sent. It returns ErrOwner for members, ErrLicence without a licence, ErrNoChange, ErrSameName and
// ErrSamePerson where nothing would change, ErrChangeUnverified, ErrChanging while a request is open, and ErrAttempts beyond the
// day's limit.
func (s *Service) Change(ctx context.Context, actor access.Actor, cmd ChangeRegistered) (AttemptView, error) {
	name, person, err := cmd.clean()
	note, noteErr := text.Block("note", cmd.Note, 0, 500)
	if err := fault.Merge(err, noteErr, s.needLicence(cmd.FileIDs, cmd.LicenceID)); err != nil {
		return AttemptView{}, err
	}
	a := Attempt{Kind: byChange, Outcome: Asking, Note: note}
	id, err := s.begin(ctx, actor, "enterprise.change", cmd.Key, Claim{Name: name, LegalPerson: person}, a, func(ctx context.Context, tx bun.Tx, _ *Enterprise, a *Attempt) error {
		return s.handIn(ctx, tx, actor, a.ID, cmd.FileIDs, cmd.LicenceID)
	})
	if database.IsDuplicate(err) { // another request at this moment
		err = ErrChanging.Wrap(err)
	}
	if err != nil {
		return AttemptView{}, fmt.Errorf("change enterprise %d: %w", actor.EnterpriseID, err)
	}
	if err := s.ask(ctx, actor, id); err != nil {
		return AttemptView{}, fmt.Errorf("settle change %d: %w", id, err)
	}
	return s.Attempt(ctx, actor, id)
}

// draftChange fills in what a request leaves as it is, or says why none may begin.
func draftChange(ctx context.Context, tx bun.Tx, e *Enterprise, a *Attempt) error {
	if err := e.mayChange(); err != nil {
		return err
	}
	sameName, samePerson := a.Name != "" && same(a.Name, e.Name), a.LegalPerson != "" && same(a.LegalPerson, e.LegalPerson)
	switch {
	case sameName && (samePerson || a.LegalPerson == ""):
		return ErrSameName
	case samePerson && a.Name == "":
		return ErrSamePerson
	}
	open, err := tx.NewSelect().Model((*Attempt)(nil)).Where("v.enterprise_id = ? AND v.kind = ? AND v.outcome IN (?, ?)", e.ID, byChange, Asking, Waiting).Count(ctx)
	if err != nil {
		return err
	}
	if open > 0 {
		return ErrChanging
	}
	a.CreditCode, a.OldName, a.OldPerson = e.code(), e.Name, e.LegalPerson
	if a.Name == "" || sameName {
		a.Name = e.Name
	}
	if a.LegalPerson == "" || samePerson {
		a.LegalPerson = e.LegalPerson
	}
	return nil
}

// settleChange does what the registry's answer asks for and returns the outcome of the attempt.
func (s *Service) settleChange(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, f finding, now time.Time) (Outcome, error) {
	list := a.changes()
	switch f.outcome {
	case Agreed:
		// the registry's own writing of what changed
		for i := range list {
			told := f.answer.Company.Name
			if list[i].What == whatPerson {
				told = f.answer.Company.LegalPerson
			}
			if told != "" && told != list[i].From {
				list[i].To = told
			}
		}
		return Agreed, s.changed(ctx, tx, actor, e, a, list, byRegistry, "", now)
	case Closed:
		head := Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byRegistry}
		_, err := event.Append(ctx, tx, actor, now, WasNotChanged{head, list, changeLooks[Closed].title})
		return Closed, err
	}
	due, err := s.desk.ReviewDue(ctx, tx, now)
	if err != nil {
		return "", fmt.Errorf("time limit of the review: %w", err)
	}
	a.DueAt = &due
	if _, err := tx.NewUpdate().Model(a).Column("due_at").WherePK().Exec(ctx); err != nil {
		return "", err
	}
	_, err = event.Append(ctx, tx, actor, now, IsChanging{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, list, a.ID})
	return Waiting, err
}

// changed writes what is new and keeps what was before.
func (s *Service) changed(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, list []Difference, by, byName string, now time.Time) error {
	for _, c := range list {
		if err := keepHeld(ctx, tx, e, held{What: c.What, Name: c.To, StartedAt: now, By: by, ByName: byName, AttemptID: a.ID}); err != nil {
			return err
		}
	}
	if err := e.change(list); err != nil {
		return err
	}
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, WasChanged{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: by}, list})
	if err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.changed", Object: Object, ObjectID: e.ID, Summary: "企业变更登记：" + WordsOf(list),
		Detail: map[string]any{"attempt": a.ID, "changes": list, "by": by}})
}

// approveChange finds the new licence right.
func (s *Service) approveChange(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, now time.Time) error {
	return s.changed(ctx, tx, actor, e, a, a.changes(), byReview, a.ReviewerName, now)
}

// returnChange sends the request back; the company stays as it was.
func (s *Service) returnChange(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, now time.Time) error {
	_, err := event.Append(ctx, tx, actor, now, WasNotChanged{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, a.changes(), masked(a.Reason)})
	return err
}

// changeLooks are the outcomes of a change in words; the verification is not in question.
var changeLooks = map[Outcome]look{
	Asking:      {"正在核验变更内容", "正在向登记系统核验，请稍候查看结果", false},
	Interrupted: {"核验没有完成", "上次核验中途中断，没有得到结果，请重新提交", false},
	Agreed:      {"变更已生效", "变更内容与登记信息一致，已经生效", false},
	Closed:      {"企业登记状态异常，不能办理变更登记", "", false},
	Waiting:     {"变更登记等待人工审核", "工作人员核对新的营业执照后，审核结果会显示在本页。审核期间仍使用原来的登记内容", false},
	Approved:    {"变更登记审核通过", "变更内容已经生效", false},
	SentBack:    {"变更登记被退回", "", false},
}

// afterPerson is what the owner has to look after when another person stands for the company.
const afterPerson = "。平台上的企业负责人账号和经办授权不随法定代表人自动变更，请核对企业成员"

// toPerson says to the company why its request went to a person.
func toPerson(codes string) string {
	o := outcomeOfCodes(codes)
	if o == NoRegistry {
		return "本平台尚未接入企业登记系统。" + changeLooks[Waiting].text
	}
	return o.Label() + "，已转人工审核。" + changeLooks[Waiting].text
}

// outcomeOfCodes is what the registry said, of the codes as they are logged.
func outcomeOfCodes(codes string) Outcome {
	switch codes {
	case "none":
		return NoRegistry
	case "refused", "timeout", "unavailable":
		return NoAnswer
	}
	return judge(answerOf(codes))
}

// lastOf returns the newest attempt of a company that is a change, or that is none; nil where there is none.
func lastOf(ctx context.Context, db bun.IDB, enterpriseID int64, change bool) (*Attempt, error) {
	a, compare := new(Attempt), "v.kind <> ?"
	if change {
		compare = "v.kind = ?"
	}
	err := database.Found(db.NewSelect().Model(a).Where("v.enterprise_id = ?", enterpriseID).Where(compare, byChange).OrderExpr("v.id DESC").Limit(1).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return nil, nil
	}
	return a, err
}
