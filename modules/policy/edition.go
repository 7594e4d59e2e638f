package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// EditionState is where one edition of a policy stands.
//
//	draft ─submit→ review ─release→ published ─(the next is released)→ replaced
//	review ─return, recall→ draft;   draft ─discard→ discarded
type EditionState string

// The states of an edition.
const (
	Drafting  EditionState = "draft"
	InReview  EditionState = "review"
	InForce   EditionState = "published"
	Replaced  EditionState = "replaced"
	Discarded EditionState = "discarded"
)

// Label is the state in Chinese.
func (s EditionState) Label() string {
	return map[EditionState]string{Drafting: "编辑中", InReview: "待审核", InForce: "已发布", Replaced: "已被替代", Discarded: "已放弃"}[s]
}

// The faults of editing.
var (
	// ErrEdited: somebody saved the draft after the actor saw it. The fields name what changed and who changed it.
	ErrEdited = fault.New(fault.Conflict, "POLICY_EDITED", "草稿已被他人修改，请对照后再保存，您填写的内容没有丢失")
	// ErrOwnEdit: who edited an edition last, or submitted it, does not publish it.
	ErrOwnEdit = fault.New(fault.Forbidden, "POLICY_OWN_EDIT", "本人最后编辑或提交的稿件须由另一人审核发布")
	// ErrEditionState: the state of the edition does not allow the action.
	ErrEditionState = fault.New(fault.Conflict, "POLICY_EDITION_STATE", "稿件当前状态不能进行此操作，请刷新后查看")
	// ErrBase: the policy was revised after the draft was begun.
	ErrBase = fault.New(fault.Conflict, "POLICY_BASE", "政策在起草期间已另行修订，请对照差异后以现行版为基础再提交")
	// ErrUnfit: the edition cannot be published as it is. The fields say why.
	ErrUnfit = fault.New(fault.Invalid, "POLICY_UNFIT", "稿件还不能发布，请按提示修改")
)

// edition is one edition of a policy. What it says is kept whole, typed halfway or not.
type edition struct {
	bun.BaseModel `bun:"table:policy_editions,alias:e"`

	ID            int64           `bun:"id,pk,autoincrement"`
	PolicyID      int64           `bun:"policy_id,notnull"`
	No            int64           `bun:"no,notnull"`   // 1, 2, 3 … of the policy
	Base          int64           `bun:"base,notnull"` // number of the edition it is to replace; 0 for none
	State         EditionState    `bun:"state,notnull"`
	Content       json.RawMessage `bun:"content,notnull,type:text"`
	Note          string          `bun:"note,notnull"`   // what the edition is about
	Reason        string          `bun:"reason,notnull"` // why it came back
	Version       int64           `bun:"version,notnull"`
	EditorID      int64           `bun:"editor_id,notnull"` // who saved it last
	EditorName    string          `bun:"editor_name,notnull"`
	SubmitterID   int64           `bun:"submitter_id,notnull"`
	SubmitterName string          `bun:"submitter_name,notnull"`
	PublisherName string          `bun:"publisher_name,notnull"`
	CreatedAt     time.Time       `bun:"created_at,notnull"`
	UpdatedAt     time.Time       `bun:"updated_at,notnull"`
	NotedAt       time.Time       `bun:"noted_at,notnull"` // when its saves were announced last
	PublishedAt   *time.Time      `bun:"published_at"`
}

// content reads what the edition says.
func (e *edition) content() (Content, error) {
	var c Content
	if err := json.Unmarshal(e.Content, &c); err != nil {
		return c, fmt.Errorf("edition %d of policy %d: %w", e.No, e.PolicyID, err)
	}
	return c.whole(), nil
}

func (e *edition) write(c Content) error {
	raw, err := json.Marshal(c.whole())
	e.Content = raw
	return err
}

// saved is one save of a draft: who changed which parts. It is what a stale editor is told.
type saved struct {
	bun.BaseModel `bun:"table:policy_saves"`

	EditionID  int64     `bun:"edition_id,pk"`
	Version    int64     `bun:"version,pk"`
	EditorID   int64     `bun:"editor_id,notnull"`
	EditorName string    `bun:"editor_name,notnull"`
	At         time.Time `bun:"at,notnull"`
	Fields     []string  `bun:"fields,notnull,type:text"`
}

// EditionItem is an edition in the history of its policy.
type EditionItem struct {
	No            int64        `json:"no"`
	Base          int64        `json:"base"`
	State         EditionState `json:"state" enum:"draft,review,published,replaced,discarded"`
	StateName     string       `json:"stateName"`
	Note          string       `json:"note"`
	Reason        string       `json:"reason,omitempty" doc:"Why it came back."`
	Version       int64        `json:"version"`
	EditorName    string       `json:"editorName"`
	SubmitterName string       `json:"submitterName,omitempty"`
	PublisherName string       `json:"publisherName,omitempty"`
	UpdatedAt     time.Time    `json:"updatedAt"`
	PublishedAt   *time.Time   `json:"publishedAt,omitempty"`
}

func (e *edition) item() EditionItem {
	return EditionItem{
		No: e.No, Base: e.Base, State: e.State, StateName: e.State.Label(), Note: e.Note, Reason: e.Reason, Version: e.Version, EditorName: e.EditorName,
		SubmitterName: e.SubmitterName, PublisherName: e.PublisherName, UpdatedAt: e.UpdatedAt.UTC(), PublishedAt: e.PublishedAt,
	}
}

// EditionAction is what the actor may do with an edition now.
type EditionAction string

// The actions.
const (
	ActSave    EditionAction = "save"
	ActSubmit  EditionAction = "submit"
	ActRecall  EditionAction = "recall"
	ActReturn  EditionAction = "return"
	ActRelease EditionAction = "release"
	ActDiscard EditionAction = "discard"
)

// EditionView is an edition with what it says.
type EditionView struct {
	EditionItem
	PolicyID     int64           `json:"policyId"`
	PolicyStatus Status          `json:"policyStatus" enum:"draft,published,expired"`
	Current      int64           `json:"current" doc:"Number of the edition in force; 0 for none."`
	Content      Content         `json:"content"`
	Actions      []EditionAction `json:"actions" nullable:"false"`
	Open         []fault.Field   `json:"open" nullable:"false" doc:"What stands in the way of publishing."`
	Files        []FileView      `json:"files" nullable:"false"`
}

// mayPublish says whether the actor may publish the edition, and why not.
func (e *edition) mayPublish(actor access.Actor) error {
	if err := actor.Need(PermPublish); err != nil {
		return err
	}
	if actor.UserID != 0 && (actor.UserID == e.EditorID || actor.UserID == e.SubmitterID) {
		return ErrOwnEdit
	}
	return nil
}

func (e *edition) actions(actor access.Actor) []EditionAction {
	out := []EditionAction{}
	if e.State == Drafting && actor.Can(PermEdit) {
		out = append(out, ActSave, ActSubmit, ActDiscard)
	}
	if e.State == InReview {
		if actor.Can(PermEdit) {
			out = append(out, ActRecall)
		}
		if actor.Can(PermPublish) {
			out = append(out, ActReturn)
		}
		if e.mayPublish(actor) == nil {
			out = append(out, ActRelease)
		}
	}
	return out
}

// library reports whether the actor works in the library's back office, ErrForbidden when not.
func library(actor access.Actor, right access.Permission) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	if actor.Party == access.System {
		return nil
	}
	if actor.Party != access.Platform && actor.Party != access.Government {
		return fault.ErrForbidden
	}
	return actor.Need(right)
}

// findEdition reads one edition of a policy.
func findEdition(ctx context.Context, db bun.IDB, policy, no int64) (*edition, error) {
	e := new(edition)
	err := db.NewSelect().Model(e).Where("e.policy_id = ? AND e.no = ?", policy, no).Scan(ctx)
	return e, database.Found(err)
}

// openEdition returns the edition of a policy that is being worked on, ErrNotFound when there is none.
func openEdition(ctx context.Context, db bun.IDB, policy int64) (*edition, error) {
	e := new(edition)
	err := db.NewSelect().Model(e).Where("e.policy_id = ? AND e.state IN (?, ?)", policy, Drafting, InReview).Limit(1).Scan(ctx)
	return e, database.Found(err)
}

// lastNo is the highest number an edition of the policy has.
func lastNo(ctx context.Context, db bun.IDB, policy int64) (int64, error) {
	var n int64
	err := db.NewSelect().Model((*edition)(nil)).ColumnExpr("COALESCE(MAX(no), 0)").Where("e.policy_id = ?", policy).Scan(ctx, &n)
	return n, err
}

// Editions lists the editions of a policy, newest first. It needs policy.view.
func (s *Service) Editions(ctx context.Context, actor access.Actor, policy int64) ([]EditionItem, error) {
	if err := library(actor, PermView); err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, s.db.Read(), actor, policy); err != nil {
		return nil, err
	}
	var rows []edition
	if err := s.db.Read().NewSelect().Model(&rows).ExcludeColumn("content").Where("e.policy_id = ?", policy).OrderExpr("e.no DESC").Limit(500).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]EditionItem, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].item())
	}
	return out, nil
}

// Edition returns one edition with what it says, what the actor may do with it and what stands in the way of publishing. It
// needs policy.view. Number 0 is the one being worked on.
func (s *Service) Edition(ctx context.Context, actor access.Actor, policy, no int64) (EditionView, error) {
	if err := library(actor, PermView); err != nil {
		return EditionView{}, err
	}
	db := s.db.Read()
	p, err := s.find(ctx, db, actor, policy)
	if err != nil {
		return EditionView{}, err
	}
	var e *edition
	if no == 0 {
		e, err = openEdition(ctx, db, policy)
	} else {
		e, err = findEdition(ctx, db, policy, no)
	}
	if err != nil {
		return EditionView{}, err
	}
	return s.editionView(ctx, db, actor, p, e)
}

func (s *Service) editionView(ctx context.Context, db bun.IDB, actor access.Actor, p *Policy, e *edition) (EditionView, error) {
	c, err := e.content()
	if err != nil {
		return EditionView{}, err
	}
	v := EditionView{EditionItem: e.item(), PolicyID: p.ID, PolicyStatus: p.Status, Current: p.Edition, Content: c, Actions: e.actions(actor), Open: []fault.Field{}, Files: []FileView{}}
	if e.State == Drafting || e.State == InReview {
		if _, v.Open, err = s.unfit(ctx, db, p, e, c); err != nil {
			return v, err
		}
	}
	v.Files, err = s.filesOf(ctx, db, p.ID, c.FileIDs)
	return v, err
}

// unfit lists what stands in the way of publishing an edition: what is not filled in or wrong, sentences that are gone,
// example companies that come out otherwise. The content returned is what would be published.
func (s *Service) unfit(ctx context.Context, db bun.IDB, p *Policy, e *edition, c Content) (Content, []fault.Field, error) {
	fields := []fault.Field{}
	checked, err := c.check(s.schema)
	if f, ok := fault.As(err); ok {
		fields = append(fields, f.Fields...)
	} else if err != nil {
		return c, nil, err
	}
	if e.Base != p.Edition {
		fields = append(fields, fault.Field{Name: "base", Message: fmt.Sprintf("起草以第 %d 版为基础，现行为第 %d 版，请对照差异后确认", e.Base, p.Edition)})
	}
	for _, q := range quotesOf(c.Conditions) {
		if _, state := q.locate(c.Text); state == QuoteGone {
			fields = append(fields, fault.Field{Name: "conditions", Message: fmt.Sprintf("条件所引原文“%s”已不在正文中，请重新选取", short(q.Quote))})
		}
	}
	if !slices.ContainsFunc(fields, func(f fault.Field) bool { return strings.HasPrefix(f.Name, "conditions") }) {
		tried, err := s.tryExamples(ctx, db, p.ID, c.Conditions)
		if err != nil {
			return c, nil, err
		}
		for _, t := range tried {
			if !t.Holds {
				fields = append(fields, fault.Field{Name: "examples", Message: fmt.Sprintf("示例企业“%s”应为“%s”，按此条件为“%s”", t.Name, t.ExpectedName, t.GotName)})
			}
		}
	}
	return checked, fields, nil
}

func short(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return s
}

// staleEdition tells who changed what since the version the actor saw.
func staleEdition(ctx context.Context, db bun.IDB, e *edition, saw int64) error {
	var rows []saved
	if err := db.NewSelect().Model(&rows).Where("edition_id = ? AND version > ?", e.ID, saw).OrderExpr("version DESC").Limit(200).Scan(ctx); err != nil {
		return err
	}
	f := *ErrEdited.With("草稿已由%s于%s修改，请对照后再保存，您填写的内容没有丢失", e.EditorName, clock.Show(e.UpdatedAt))
	seen := map[string]bool{}
	var words []string
	for _, r := range rows {
		for _, name := range r.Fields {
			if seen[name] {
				continue
			}
			seen[name] = true
			words = append(words, "“"+labelOf(name)+"”")
			f.Fields = append(f.Fields, fault.Field{Name: name, Message: fmt.Sprintf("%s于%s修改了“%s”", r.EditorName, clock.Show(r.At), labelOf(name))})
		}
	}
	if len(words) > 0 {
		f = *f.With("草稿已由%s于%s修改（%s），请对照后再保存，您填写的内容没有丢失", e.EditorName, clock.Show(e.UpdatedAt), strings.Join(words, "、"))
	}
	return &f
}

// keep writes an edition of what the system put in force or entered itself, beside the policy's own row.
func (s *Service) keep(ctx context.Context, tx bun.Tx, actor access.Actor, p *Policy) error {
	now := s.clock.Now()
	if p.Status == Draft {
		e, err := openEdition(ctx, tx, p.ID)
		if errors.Is(err, fault.ErrNotFound) {
			return s.insertEdition(ctx, tx, actor, p, Drafting)
		} else if err != nil {
			return err
		}
		if err := e.write(p.content()); err != nil {
			return err
		}
		e.State = Drafting
		return saveEdition(ctx, tx, actor, e, now)
	}
	if e, err := openEdition(ctx, tx, p.ID); err == nil && p.Edition == 0 {
		if err := e.write(p.content()); err != nil {
			return err
		}
		return s.force(ctx, tx, actor, p, e)
	} else if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	return s.insertEdition(ctx, tx, actor, p, InForce)
}

// insertEdition writes the next edition of a policy, with what the policy says.
func (s *Service) insertEdition(ctx context.Context, tx bun.Tx, actor access.Actor, p *Policy, state EditionState) error {
	no, err := lastNo(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	e := &edition{
		PolicyID: p.ID, No: no + 1, Base: p.Edition, State: Drafting, Version: 1, EditorID: actor.UserID, EditorName: nameOf(actor), CreatedAt: now, UpdatedAt: now, NotedAt: now,
	}
	if err := e.write(p.content()); err != nil {
		return err
	}
	if state == InForce {
		e.State, e.PublisherName, e.PublishedAt = InForce, nameOf(actor), &now
	}
	if _, err := tx.NewInsert().Model(e).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return fmt.Errorf("insert edition of policy %d: %w", p.ID, err)
	}
	if state != InForce {
		return nil
	}
	return s.supersede(ctx, tx, p, e)
}

// force puts an edition in force.
func (s *Service) force(ctx context.Context, tx bun.Tx, actor access.Actor, p *Policy, e *edition) error {
	now := s.clock.Now()
	e.State, e.PublisherName, e.PublishedAt = InForce, nameOf(actor), &now
	read := e.Version
	e.Version, e.UpdatedAt = read+1, now
	if err := database.Changed(tx.NewUpdate().Model(e).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", e.ID, read).Exec(ctx)); err != nil {
		return err
	}
	return s.supersede(ctx, tx, p, e)
}

// supersede makes e the edition in force and the one before it replaced.
func (s *Service) supersede(ctx context.Context, tx bun.Tx, p *Policy, e *edition) error {
	if _, err := tx.NewUpdate().Model((*edition)(nil)).Set("state = ?", Replaced).Where("policy_id = ? AND state = ? AND id <> ?", p.ID, InForce, e.ID).Exec(ctx); err != nil {
		return err
	}
	p.Edition = e.No
	_, err := tx.NewUpdate().Model((*Policy)(nil)).Set("edition = ?", e.No).Where("id = ?", p.ID).Exec(ctx)
	return err
}

// saveEdition writes the next version of a draft.
func saveEdition(ctx context.Context, tx bun.Tx, actor access.Actor, e *edition, now time.Time) error {
	read := e.Version
	e.Version, e.UpdatedAt, e.EditorID, e.EditorName = read+1, now, actor.UserID, nameOf(actor)
	return database.Changed(tx.NewUpdate().Model(e).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", e.ID, read).Exec(ctx))
}

func nameOf(actor access.Actor) string {
	if actor.UserID == 0 {
		return "系统"
	}
	return actor.Name
}
