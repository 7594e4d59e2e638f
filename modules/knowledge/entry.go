package knowledge

import (
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Audience is who may read an entry.
type Audience string

// The audiences.
const (
	Everybody Audience = "public" // companies too
	Staff     Audience = "staff"  // government and platform
	Concerned Audience = "units"  // the desk and the units concerned
)

var audiences = map[Audience]string{Everybody: "公开", Staff: "内部", Concerned: "仅相关单位"}

// Label is the Chinese word of the audience, empty for one that does not exist.
func (a Audience) Label() string { return audiences[a] }

// SourceKind is what sort of text an answer rests on.
type SourceKind string

// The kinds of sources.
const (
	Law      SourceKind = "law"      // laws and regulations
	Policy   SourceKind = "policy"   // documents of an authority
	Guide    SourceKind = "guide"    // how a service is done
	Practice SourceKind = "practice" // what the unit in charge told the desk
)

var sourceKinds = map[SourceKind]string{Law: "法律法规", Policy: "政策文件", Guide: "办事指南", Practice: "部门答复口径"}

// Label is the Chinese word of the kind, empty for one that does not exist.
func (k SourceKind) Label() string { return sourceKinds[k] }

// Status is what an entry waits for.
type Status string

// The states of an entry. Whether an edition is in force is told by Entry.Live.
const (
	Draft     Status = "draft"
	InReview  Status = "review"
	Published Status = "published"
	Withdrawn Status = "withdrawn"
)

var statuses = map[Status]string{Draft: "草稿", InReview: "待审核", Published: "已发布", Withdrawn: "已撤下"}

// Label is the Chinese word of the state, empty for one that does not exist.
func (s Status) Label() string { return statuses[s] }

// Action is a command on an entry.
type Action string

// The actions; each but the first is the last part of its address.
const (
	ToEdit     Action = "edit"
	ToSubmit   Action = "submit"
	ToPublish  Action = "publish"
	ToReturn   Action = "return"
	ToRevise   Action = "revise"
	ToDiscard  Action = "discard"
	ToConfirm  Action = "confirm"
	ToWithdraw Action = "withdraw"
)

// The permissions of the module.
const (
	PermView   access.Permission = "knowledge.view"
	PermEdit   access.Permission = "knowledge.edit"
	PermReview access.Permission = "knowledge.review"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "知识库", Label: "查阅知识库"},
		{Name: PermEdit, Group: "知识库", Label: "编写知识条目"},
		{Name: PermReview, Group: "知识库", Label: "审核知识条目"},
	}
}

// step is one legal change of state: who may take it and where it leads. Live steps need an edition in force.
type step struct {
	From   Status
	Action Action
	To     Status
	Live   bool
	Right  access.Permission
	Label  string
}

// lifecycle is every legal step. What is wrong must be gone quickly, so writers withdraw too, whatever is being written.
var lifecycle = []step{
	{Draft, ToEdit, Draft, false, PermEdit, "修改"},
	{Draft, ToSubmit, InReview, false, PermEdit, "提交审核"},
	{InReview, ToPublish, Published, false, PermReview, "审核发布"},
	{InReview, ToReturn, Draft, false, PermReview, "退回修改"},
	{Draft, ToDiscard, Published, true, PermEdit, "放弃修订"},
	{Published, ToRevise, Draft, true, PermEdit, "修订"},
	{Withdrawn, ToRevise, Draft, false, PermEdit, "修订"},
	{Published, ToConfirm, Published, true, PermReview, "复核确认"},
	{Published, ToWithdraw, Withdrawn, true, PermEdit, "撤下"},
	{Draft, ToWithdraw, Draft, true, PermEdit, "撤下"},
	{InReview, ToWithdraw, InReview, true, PermEdit, "撤下"},
}

// wordOf tells who may take an action and its word.
func wordOf(a Action) step {
	i := slices.IndexFunc(lifecycle, func(s step) bool { return s.Action == a })
	return lifecycle[i]
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the entry does not allow the action.
	ErrState = fault.New(fault.Conflict, "KNOWLEDGE_STATE", "知识条目当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the entry after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "知识条目已被他人更新，请刷新后再操作")
	// ErrOwnWork: publishing and confirming take a second person.
	ErrOwnWork = fault.New(fault.Forbidden, "KNOWLEDGE_OWN_WORK", "您参与了这个版本的编写，须由另一位审核人员办理")
	// ErrPast: the time of an edition would be over before anybody finds it.
	ErrPast = fault.InvalidField("validUntil", "KNOWLEDGE_EXPIRED", "有效期须晚于今天，请改为更晚的日期")
	// ErrSame: an edition that says nothing new needs no review.
	ErrSame = fault.New(fault.Conflict, "KNOWLEDGE_SAME", "与现行版本没有差别，请修改后再提交；内容无需变动的，请放弃修订并办理复核确认")
	// ErrSettled: a report is answered once.
	ErrSettled = fault.New(fault.Conflict, "KNOWLEDGE_SETTLED", "这条反馈已经处理，请刷新后查看")
)

// Text is what an edition says.
type Text struct {
	Title    string   `bun:"title,notnull"`
	Question string   `bun:"question,notnull,type:text"`
	Answer   string   `bun:"answer,notnull,type:text"` // in platform/notation
	Category string   `bun:"category,notnull"`         // code of a ticket type or of a group of them; "" for none
	Keywords []string `bun:"keywords,notnull,type:text"`
	Audience Audience `bun:"audience,notnull"`
	UnitIDs  []int64  `bun:"unit_ids,notnull,type:text"` // the units concerned
	// From and Until are days in Beijing as "2026-11-22"; From "" is at once, Until "" is without end.
	From         string     `bun:"valid_from,notnull"`
	Until        string     `bun:"valid_until,notnull"`
	SourceKind   SourceKind `bun:"source_kind,notnull"`
	SourceTitle  string     `bun:"source_title,notnull"`
	SourceNumber string     `bun:"source_number,notnull"`
}

// same reports whether two texts say the same.
func (t Text) same(o Text) bool {
	return t.Title == o.Title && t.Question == o.Question && t.Answer == o.Answer && t.Category == o.Category && slices.Equal(t.Keywords, o.Keywords) &&
		t.Audience == o.Audience && slices.Equal(t.UnitIDs, o.UnitIDs) && t.From == o.From && t.Until == o.Until && t.SourceKind == o.SourceKind &&
		t.SourceTitle == o.SourceTitle && t.SourceNumber == o.SourceNumber
}

// Entry is one question with its answer. Its Text is the edition in force, or the one being written where none is.
type Entry struct {
	bun.BaseModel `bun:"table:knowledge_entries,alias:k"`
	Text

	ID        int64  `bun:"id,pk,autoincrement"`
	Status    Status `bun:"status,notnull"`
	Version   int64  `bun:"version,notnull"`
	Live      int    `bun:"live_no,notnull"` // number of the edition in force; 0 when none is
	Work      int    `bun:"work_no,notnull"` // number of the edition being written; 0 when none is
	Last      int    `bun:"last_no,notnull"` // number of the newest edition
	OwnerID   int64  `bun:"owner_id,notnull"`
	OwnerName string `bun:"owner_name,notnull"`
	// The unit that answers for the entry, 0 for the platform, and its ancestors down to itself.
	UnitID      int64      `bun:"unit_id,notnull"`
	UnitName    string     `bun:"unit_name,notnull"`
	UnitL1      int64      `bun:"unit_l1,notnull"`
	UnitL2      int64      `bun:"unit_l2,notnull"`
	UnitL3      int64      `bun:"unit_l3,notnull"`
	UnitL4      int64      `bun:"unit_l4,notnull"`
	Uses        int64      `bun:"uses,notnull"`
	Useful      int64      `bun:"useful,notnull"`
	OpenReports int64      `bun:"open_reports,notnull"`
	Reason      string     `bun:"reason,notnull,type:text"` // why it was returned or withdrawn
	PublishedAt *time.Time `bun:"published_at"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	UpdatedAt   time.Time  `bun:"updated_at,notnull"`
}

// EditionState is where an edition stands.
type EditionState string

// The states of an edition. All but the first two are for good.
const (
	EditionDraft     EditionState = "draft"
	EditionReview    EditionState = "review"
	EditionLive      EditionState = "live"
	EditionReplaced  EditionState = "replaced"
	EditionDiscarded EditionState = "discarded"
	EditionWithdrawn EditionState = "withdrawn"
)

// Edition is what an entry said or will say.
type Edition struct {
	bun.BaseModel `bun:"table:knowledge_editions,alias:d"`
	Text

	EntryID      int64        `bun:"entry_id,pk"`
	No           int          `bun:"no,pk"`
	State        EditionState `bun:"state,notnull"`
	Change       string       `bun:"change_note,notnull,type:text"` // what is new, in the writer's words
	AuthorID     int64        `bun:"author_id,notnull"`
	AuthorName   string       `bun:"author_name,notnull"`
	EditorID     int64        `bun:"editor_id,notnull"`
	SubmitterID  int64        `bun:"submitter_id,notnull"`
	ReviewerID   int64        `bun:"reviewer_id,notnull"`
	ReviewerName string       `bun:"reviewer_name,notnull"`
	CreatedAt    time.Time    `bun:"created_at,notnull"`
	PublishedAt  *time.Time   `bun:"published_at"`
	EndedAt      *time.Time   `bun:"ended_at"` // no longer in force, or given up
}

// Worked reports whether the person took part in writing the edition.
func (d *Edition) Worked(user int64) bool {
	return user != 0 && (user == d.AuthorID || user == d.EditorID || user == d.SubmitterID)
}

// take finds the step or says why the state does not allow it.
func (k *Entry) take(a Action) (step, error) {
	for _, s := range lifecycle {
		if s.Action == a && s.From == k.Status && (!s.Live || k.Live > 0) {
			return s, nil
		}
	}
	return step{}, ErrState.With("知识条目当前为“%s”，不能%s，请刷新后查看", k.Status.Label(), wordOf(a).Label)
}

// move takes the step.
func (k *Entry) move(a Action) error {
	s, err := k.take(a)
	if err == nil {
		k.Status = s.To
	}
	return err
}

// mirror makes the text of the edition the one that lists and the full text show, unless another is in force.
func (k *Entry) mirror(d *Edition) {
	if k.Live == 0 || k.Live == d.No {
		k.Text = d.Text
	}
}

// Edit replaces what the edition being written says.
func (k *Entry) Edit(d *Edition, editor int64, t Text, change string) error {
	if err := k.move(ToEdit); err != nil {
		return err
	}
	d.Text, d.Change, d.EditorID = t, change, editor
	k.mirror(d)
	return nil
}

// Submit asks for the review of the edition being written; live is the one in force, nil when none is.
func (k *Entry) Submit(d, live *Edition, submitter int64) error {
	if err := k.move(ToSubmit); err != nil {
		return err
	}
	if live != nil && live.same(d.Text) {
		k.Status = Draft
		return ErrSame
	}
	d.State, d.SubmitterID, k.Reason = EditionReview, submitter, ""
	return nil
}

// Publish puts the edition in force. The reviewer is a second person. live is the edition it replaces, nil when none is.
func (k *Entry) Publish(d, live *Edition, now time.Time, reviewer int64, name string) error {
	before := k.Status
	if err := k.move(ToPublish); err != nil {
		return err
	}
	if d.Worked(reviewer) {
		k.Status = before
		return ErrOwnWork
	}
	if d.Until != "" && d.Until < day(now) {
		k.Status = before
		return ErrPast
	}
	if live != nil {
		live.State, live.EndedAt = EditionReplaced, &now
	}
	d.State, d.ReviewerID, d.ReviewerName, d.PublishedAt = EditionLive, reviewer, name, &now
	k.Live, k.Work, k.PublishedAt = d.No, 0, &now
	k.mirror(d)
	return nil
}

// Return sends the edition in review back to whoever wrote it.
func (k *Entry) Return(d *Edition, reason string) error {
	if err := k.move(ToReturn); err != nil {
		return err
	}
	d.State, k.Reason = EditionDraft, reason
	return nil
}

// Revise begins a new edition from the newest one.
func (k *Entry) Revise(from *Edition, now time.Time, author int64, name string) (*Edition, error) {
	if err := k.move(ToRevise); err != nil {
		return nil, err
	}
	k.Last++
	k.Work, k.Reason = k.Last, ""
	return &Edition{Text: from.Text, EntryID: k.ID, No: k.Work, State: EditionDraft, AuthorID: author, AuthorName: name, EditorID: author, CreatedAt: now}, nil
}

// Discard gives the new edition up; the one in force stays.
func (k *Entry) Discard(d *Edition, now time.Time) error {
	if err := k.move(ToDiscard); err != nil {
		return err
	}
	d.State, d.EndedAt, k.Work, k.Reason = EditionDiscarded, &now, 0, ""
	return nil
}

// Confirm says that the edition in force is right until a new day, "" without end. Whoever wrote it may not say so.
func (k *Entry) Confirm(live *Edition, now time.Time, until string, reviewer int64) error {
	if err := k.move(ToConfirm); err != nil {
		return err
	}
	if live.Worked(reviewer) {
		return ErrOwnWork
	}
	if until != "" && until < day(now) {
		return ErrPast
	}
	live.Until = until
	k.mirror(live)
	return nil
}

// Withdraw takes what is in force away; what is being written stays.
func (k *Entry) Withdraw(live *Edition, now time.Time, reason string) error {
	if err := k.move(ToWithdraw); err != nil {
		return err
	}
	live.State, live.EndedAt, k.Live, k.Reason = EditionWithdrawn, &now, 0, reason
	return nil
}

// Over reports whether the time of what is in force has passed: it waits to be checked again.
func (k *Entry) Over(today string) bool { return k.Live > 0 && k.Until != "" && k.Until < today }

// Coming reports whether the time of what is in force has not come.
func (k *Entry) Coming(today string) bool { return k.Live > 0 && k.From > today }
