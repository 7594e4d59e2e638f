package enterprise

import (
	"context"
	"errors"
	"fmt"
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

// A verified company that took another name asks for the change with its new licence (名称变更). The request is an attempt of
// the kind byRename: the registry is asked first, and where it does not agree the same attempt waits for a person. The company
// stays verified under its old name meanwhile.

// The faults of changing a name.
var (
	// ErrRenameUnverified: the name of a company nobody knows is part of its claim.
	ErrRenameUnverified = fault.New(fault.Conflict, "ENTERPRISE_UNVERIFIED", "企业通过认证后才需要办理名称变更，未认证的企业请直接按新名称认证")
	// ErrRenaming: one request at a time.
	ErrRenaming = fault.New(fault.Conflict, "ENTERPRISE_RENAMING", "已有一项名称变更正在办理，请等待结果后再提交")
	// ErrSameName: the company is called so already.
	ErrSameName = fault.InvalidField("name", "SAME_NAME", "新名称与现在的企业名称相同，请填写变更后的名称")
)

// WasRenamed is announced when a verified company has another name; Name is the new one.
type WasRenamed struct {
	Head
	OldName string `json:"oldName"`
}

// IsRenaming is announced when a change of name waits for a person; Name is the present one.
type IsRenaming struct {
	Head
	NewName   string `json:"newName"`
	AttemptID int64  `json:"attemptId"`
}

// WasNotRenamed is announced when a company keeps its name: the registry says it is closed, or a person sent the request back.
type WasNotRenamed struct {
	Head
	NewName string `json:"newName"`
	Reason  string `json:"reason"`
}

// Event names the fact.
func (f WasRenamed) Event() (string, string, int64) { return "enterprise.renamed", Object, f.ID }

// Event names the fact.
func (f IsRenaming) Event() (string, string, int64) { return "enterprise.rename_pending", Object, f.ID }

// Event names the fact.
func (f WasNotRenamed) Event() (string, string, int64) {
	return "enterprise.rename_refused", Object, f.ID
}

// Rename asks to change the name of the company the actor acts for.
type Rename struct {
	Key     string `json:"-"` // the same key is the same request
	Name    string
	Note    string
	FileIDs []int64
	// LicenceID is the new licence where the company keeps it already; 0 is none.
	LicenceID int64
}

// mayRename says why no change of name may begin.
func (e *Enterprise) mayRename() error {
	if e.Verification != Verified {
		return ErrRenameUnverified
	}
	return nil
}

// rename gives the company its new name.
func (e *Enterprise) rename(name string) error {
	if err := e.mayRename(); err != nil {
		return err
	}
	e.Name = name
	return nil
}

// sameName reports whether two names differ in width and form of their characters only.
func sameName(a, b string) bool { return norm.NFKC.String(a) == norm.NFKC.String(b) }

// Rename asks the registry about the new name and returns the attempt: agreed, the name holds at once; otherwise it waits for
// a person with the licence that was sent. It returns ErrOwner for members, ErrLicence without a licence, ErrSameName,
// ErrRenameUnverified, ErrRenaming while a request is open, and ErrAttempts beyond the day's limit.
func (s *Service) Rename(ctx context.Context, actor access.Actor, cmd Rename) (AttemptView, error) {
	name, err := line("name", "变更后的企业名称", cmd.Name, 2, 100)
	note, noteErr := text.Block("note", cmd.Note, 0, 500)
	if err := fault.Merge(err, noteErr, s.needLicence(cmd.FileIDs, cmd.LicenceID)); err != nil {
		return AttemptView{}, err
	}
	a := Attempt{Kind: byRename, Outcome: Asking, Note: note}
	id, err := s.begin(ctx, actor, "enterprise.rename", cmd.Key, Claim{Name: name}, a, func(ctx context.Context, tx bun.Tx, _ *Enterprise, a *Attempt) error {
		return s.handIn(ctx, tx, actor, a.ID, cmd.FileIDs, cmd.LicenceID)
	})
	if database.IsDuplicate(err) { // another request at this moment
		err = ErrRenaming.Wrap(err)
	}
	if err != nil {
		return AttemptView{}, fmt.Errorf("rename enterprise %d: %w", actor.EnterpriseID, err)
	}
	if err := s.ask(ctx, actor, id); err != nil {
		return AttemptView{}, fmt.Errorf("settle change of name %d: %w", id, err)
	}
	return s.Attempt(ctx, actor, id)
}

// draftRename fills in what a request says besides the name, or says why none may begin.
func draftRename(ctx context.Context, tx bun.Tx, e *Enterprise, a *Attempt) error {
	if err := e.mayRename(); err != nil {
		return err
	}
	if sameName(a.Name, e.Name) {
		return ErrSameName
	}
	open, err := tx.NewSelect().Model((*Attempt)(nil)).Where("v.enterprise_id = ? AND v.kind = ? AND v.outcome IN (?, ?)", e.ID, byRename, Asking, Waiting).Count(ctx)
	if err != nil {
		return err
	}
	if open > 0 {
		return ErrRenaming
	}
	a.CreditCode, a.LegalPerson, a.OldName = e.code(), e.LegalPerson, e.Name
	return nil
}

// settleRename does what the registry's answer asks for and returns the outcome of the attempt.
func (s *Service) settleRename(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, f finding, now time.Time) (Outcome, error) {
	switch f.outcome {
	case Agreed:
		name := a.Name
		if told := f.answer.Company.Name; told != "" && told != e.Name {
			name = told
		}
		return Agreed, s.renamed(ctx, tx, actor, e, a, name, byRegistry, "", now)
	case Closed:
		head := Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byRegistry}
		_, err := event.Append(ctx, tx, actor, now, WasNotRenamed{head, a.Name, renameLooks[Closed].title})
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
	_, err = event.Append(ctx, tx, actor, now, IsRenaming{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, a.Name, a.ID})
	return Waiting, err
}

// renamed writes the new name and keeps the old one.
func (s *Service) renamed(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, name, by, byName string, now time.Time) error {
	old := e.Name
	if err := keepNames(ctx, tx, e, name, by, byName, a.ID, now); err != nil {
		return err
	}
	if err := e.rename(name); err != nil {
		return err
	}
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, WasRenamed{Head{ID: e.ID, Name: name, UserID: a.UserID, By: by}, old})
	if err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.renamed", Object: Object, ObjectID: e.ID, Summary: "企业名称变更：" + old + " → " + name,
		Detail: map[string]any{"attempt": a.ID, "old": old, "new": name, "by": by}})
}

// approveRename finds the new licence right.
func (s *Service) approveRename(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, now time.Time) error {
	return s.renamed(ctx, tx, actor, e, a, a.Name, byReview, a.ReviewerName, now)
}

// returnRename sends the request back; the company keeps its name.
func (s *Service) returnRename(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, now time.Time) error {
	_, err := event.Append(ctx, tx, actor, now, WasNotRenamed{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, a.Name, masked(a.Reason)})
	return err
}

// renameLooks are the outcomes of a change of name in words; the verification is not in question.
var renameLooks = map[Outcome]look{
	Asking:      {"正在核验新名称", "正在向登记系统核验，请稍候查看结果", false},
	Interrupted: {"核验没有完成", "上次核验中途中断，没有得到结果，请重新提交", false},
	Agreed:      {"名称已变更", "新名称与登记信息一致，已经生效", false},
	Closed:      {"企业登记状态异常，不能办理名称变更", "", false},
	Waiting:     {"名称变更等待人工审核", "工作人员核对新的营业执照后，审核结果会显示在本页。审核期间使用原名称", false},
	Approved:    {"名称变更审核通过", "新名称已经生效", false},
	SentBack:    {"名称变更被退回", "", false},
}

// toPerson says to the company why its request went to a person.
func toPerson(codes string) string {
	o := outcomeOfCodes(codes)
	if o == NoRegistry {
		return "本平台尚未接入企业登记系统。" + renameLooks[Waiting].text
	}
	return o.Label() + "，已转人工审核。" + renameLooks[Waiting].text
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

// lastOf returns the newest attempt of a company that is a change of name, or that is none; nil where there is none.
func lastOf(ctx context.Context, db bun.IDB, enterpriseID int64, rename bool) (*Attempt, error) {
	a, compare := new(Attempt), "v.kind <> ?"
	if rename {
		compare = "v.kind = ?"
	}
	err := database.Found(db.NewSelect().Model(a).Where("v.enterprise_id = ?", enterpriseID).Where(compare, byRename).OrderExpr("v.id DESC").Limit(1).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return nil, nil
	}
	return a, err
}
