package content

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Kind is what an article is.
type Kind string

// The kinds.
const (
	News   Kind = "news"
	Notice Kind = "notice"
	Help   Kind = "help"
)

var kinds = map[Kind]string{News: "资讯", Notice: "通知公告", Help: "在线帮助"}

// Label is the Chinese word of the kind, empty for one that does not exist.
func (k Kind) Label() string { return kinds[k] }

// Column is where an article of a kind stands.
type Column struct {
	Kind Kind   `json:"kind"`
	Code string `json:"code"`
	Name string `json:"name"`
	// Type is what the rules for government sites call the sort of column.
	Type string `json:"-"`
}

// columns are fixed: the address of a list hangs on the code. Notices stand in none.
var columns = []Column{
	{News, "headline", "要闻", "工作动态"},
	{News, "reading", "政策解读", "政策解读"},
	{News, "trends", "惠企动态", "工作动态"},
	{News, "training", "活动培训", "工作动态"},
	{News, "story", "企业故事", "工作动态"},
	{Help, "account", "账号与登录", "办事指南"},
	{Help, "company", "企业认证与成员", "办事指南"},
	{Help, "product", "产品申请", "办事指南"},
	{Help, "policy", "政策查询与匹配", "办事指南"},
	{Help, "hotline", "诉求与热线", "办事指南"},
}

// Columns lists the columns of a kind in their order.
func Columns(k Kind) []Column {
	var out []Column
	for _, c := range columns {
		if c.Kind == k {
			out = append(out, c)
		}
	}
	return out
}

// columnOf finds a column of the kind; a notice has the one without a code.
func columnOf(k Kind, code string) (Column, bool) {
	if k == Notice {
		return Column{Kind: Notice, Name: Notice.Label(), Type: "通知公告"}, code == ""
	}
	for _, c := range columns {
		if c.Kind == k && c.Code == code {
			return c, true
		}
	}
	return Column{}, false
}

// Status is where an article stands.
type Status string

// The states of an article.
const (
	Draft     Status = "draft"
	InReview  Status = "review"
	Public    Status = "published"
	Withdrawn Status = "withdrawn"
)

var statuses = map[Status]string{Draft: "草稿", InReview: "待审核", Public: "已发布", Withdrawn: "已撤下"}

// Label is the Chinese word of the state, empty for one that does not exist.
func (s Status) Label() string { return statuses[s] }

// Action is a command on an article.
type Action string

// The actions; each but the first is the last part of its address.
const (
	ToEdit     Action = "edit"
	ToSubmit   Action = "submit"
	ToPublish  Action = "publish"
	ToReturn   Action = "return"
	ToWithdraw Action = "withdraw"
	ToRevise   Action = "revise"
)

// The permissions of the module.
const (
	PermEdit    access.Permission = "content.edit"
	PermPublish access.Permission = "content.publish"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermEdit, Group: "内容", Label: "编写内容"},
		{Name: PermPublish, Group: "内容", Label: "审核发布内容"},
	}
}

// step is one legal change of state: who may take it and where it leads.
type step struct {
	From   Status
	Action Action
	To     Status
	Rights []access.Permission // any one
	Label  string
}

// lifecycle is every legal step. Whoever may write or publish may also take an article down: what is wrong must be gone
// quickly.
var lifecycle = []step{
	{Draft, ToEdit, Draft, []access.Permission{PermEdit}, "修改"},
	{Draft, ToSubmit, InReview, []access.Permission{PermEdit}, "提交审核"},
	{InReview, ToPublish, Public, []access.Permission{PermPublish}, "审核发布"},
	{InReview, ToReturn, Draft, []access.Permission{PermPublish}, "退回修改"},
	{Public, ToWithdraw, Withdrawn, []access.Permission{PermEdit, PermPublish}, "撤下"},
	{Withdrawn, ToRevise, Draft, []access.Permission{PermEdit}, "重新编辑"},
}

// rightsOf tells who may take an action and its word.
func rightsOf(a Action) step {
	for _, s := range lifecycle {
		if s.Action == a {
			return s
		}
	}
	return step{}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the article does not allow the action.
	ErrState = fault.New(fault.Conflict, "ARTICLE_STATE", "文章当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the article after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "文章已被他人更新，请刷新后再操作")
	// ErrOwnWork: publishing takes a second person.
	ErrOwnWork = fault.New(fault.Forbidden, "ARTICLE_OWN_WORK", "您参与了这篇文章的编写，须由另一位审核人员发布")
	// ErrPast: a notice would be over before anybody sees it.
	ErrPast = fault.InvalidField("expiresAt", "ARTICLE_EXPIRED", "有效期须晚于发布时间，请改为更晚的日期")
)

// Article is one text that is published. Only its methods change Status.
type Article struct {
	bun.BaseModel `bun:"table:articles,alias:a"`

	ID            int64      `bun:"id,pk,autoincrement"`
	Kind          Kind       `bun:"kind,notnull"`
	Column        string     `bun:"column_code,notnull"`
	Title         string     `bun:"title,notnull"`
	Summary       string     `bun:"summary,notnull"`
	Body          string     `bun:"body,notnull"`
	Source        string     `bun:"source,notnull"` // who says so: 区经济和信息化局
	Top           bool       `bun:"top,notnull"`
	Status        Status     `bun:"status,notnull"`
	Version       int64      `bun:"version,notnull"`
	AuthorID      int64      `bun:"author_id,notnull"`
	AuthorName    string     `bun:"author_name,notnull"`
	EditorID      int64      `bun:"editor_id,notnull"`    // who changed it last
	SubmitterID   int64      `bun:"submitter_id,notnull"` // who asked for the review
	PublisherID   int64      `bun:"publisher_id,notnull"`
	PublisherName string     `bun:"publisher_name,notnull"`
	Reason        string     `bun:"reason,notnull"` // why it was returned or withdrawn
	PublishAt     *time.Time `bun:"publish_at"`     // from when it is seen; of a draft, the wish
	ExpiresAt     *time.Time `bun:"expires_at"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
}

// move takes the step or says why the state does not allow it.
func (a *Article) move(to Action) error {
	for _, s := range lifecycle {
		if s.Action == to && s.From == a.Status {
			a.Status = s.To
			return nil
		}
	}
	return ErrState.With("文章当前为“%s”，不能%s，请刷新后查看", a.Status.Label(), rightsOf(to).Label)
}

// Edit replaces what the article says.
func (a *Article) Edit(editor int64, t Text) error {
	if err := a.move(ToEdit); err != nil {
		return err
	}
	a.write(t)
	a.EditorID = editor
	return nil
}

func (a *Article) write(t Text) {
	a.Kind, a.Column, a.Title, a.Summary, a.Body, a.Source = t.Kind, t.Column, t.Title, t.Summary, t.Body, t.Source
	a.Top, a.PublishAt, a.ExpiresAt = t.Top, t.PublishAt, t.ExpiresAt
}

// Submit asks for the review.
func (a *Article) Submit(submitter int64) error {
	if err := a.move(ToSubmit); err != nil {
		return err
	}
	a.SubmitterID, a.Reason = submitter, ""
	return nil
}

// Worked reports whether the person took part in writing the article.
func (a *Article) Worked(user int64) bool {
	return user != 0 && (user == a.AuthorID || user == a.EditorID || user == a.SubmitterID)
}

// Publish makes the article visible now, or at its wished time when that lies ahead. The publisher is a second person.
func (a *Article) Publish(now time.Time, publisher int64, name string) error {
	if err := a.move(ToPublish); err != nil {
		return err
	}
	if a.Worked(publisher) {
		return ErrOwnWork
	}
	if a.PublishAt == nil || a.PublishAt.Before(now) {
		a.PublishAt = &now
	}
	if a.ExpiresAt != nil && !a.ExpiresAt.After(*a.PublishAt) {
		return ErrPast
	}
	a.PublisherID, a.PublisherName = publisher, name
	return nil
}

// Return sends the article back to whoever wrote it.
func (a *Article) Return(reason string) error {
	if err := a.move(ToReturn); err != nil {
		return err
	}
	a.Reason = reason
	return nil
}

// Withdraw takes a published article down.
func (a *Article) Withdraw(reason string) error {
	if err := a.move(ToWithdraw); err != nil {
		return err
	}
	a.Reason = reason
	return nil
}

// Revise makes a withdrawn article a draft again. Its time of publishing is forgotten: it will be seen from the next one.
func (a *Article) Revise(editor int64) error {
	if err := a.move(ToRevise); err != nil {
		return err
	}
	a.PublishAt, a.EditorID = nil, editor
	return nil
}

// Scheduled reports whether the article is published and its time has not come.
func (a *Article) Scheduled(now time.Time) bool {
	return a.Status == Public && a.PublishAt != nil && a.PublishAt.After(now)
}

// Over reports whether the article's time has passed.
func (a *Article) Over(now time.Time) bool {
	return a.Status == Public && a.ExpiresAt != nil && !a.ExpiresAt.After(now)
}
