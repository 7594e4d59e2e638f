package policy

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/notation"
)

// PermView is the right to see the whole library with drafts and what has expired, and how the conditions are written.
const PermView access.Permission = "policy.view"

// The rights of those who keep the library. Nobody publishes what they edited last.
const (
	PermEdit    access.Permission = "policy.edit"
	PermPublish access.Permission = "policy.publish"
)

// Permissions are the rights of the module.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "政策", Label: "查看政策库"},
		{Name: PermEdit, Group: "政策", Label: "录入、修订政策和申报条件"},
		{Name: PermPublish, Group: "政策", Label: "审核发布、撤回、废止政策（不能发布本人最后编辑的稿件）"},
	}
}

// Level is who issued a policy.
type Level string

// The levels.
const (
	National Level = "national"
	City     Level = "city"
	District Level = "district"
)

// Levels are the levels from the top down.
var Levels = []Level{National, City, District}

// Label is the level in Chinese.
func (l Level) Label() string {
	return map[Level]string{National: "国家级", City: "市级", District: "区级"}[l]
}

// Topic is what a policy is about.
type Topic string

// The topics.
const (
	Funding    Topic = "funding"
	Innovation Topic = "innovation"
	Financing  Topic = "financing"
	Talent     Topic = "talent"
	Premises   Topic = "premises"
	Market     Topic = "market"
	Green      Topic = "green"
	Relief     Topic = "relief"
)

// Topics are the topics in the order in which they are offered.
var Topics = []Topic{Funding, Innovation, Financing, Talent, Premises, Market, Green, Relief}

// Label is the topic in Chinese.
func (t Topic) Label() string {
	return map[Topic]string{
		Funding: "资金支持", Innovation: "科技创新", Financing: "融资服务", Talent: "用工人才", Premises: "场地要素", Market: "市场开拓",
		Green: "绿色发展", Relief: "减负降费",
	}[t]
}

// Kind is how a policy supports a company; a policy may do so in several ways.
type Kind string

// The kinds.
const (
	Reward    Kind = "reward"
	Discount  Kind = "interest"
	Guarantee Kind = "guarantee"
	Tax       Kind = "tax"
	Title     Kind = "title"
	Space     Kind = "space"
	People    Kind = "people"
	Pilot     Kind = "pilot"
	Help      Kind = "help"
)

// Kinds are the kinds in the order in which they are offered.
var Kinds = []Kind{Reward, Discount, Guarantee, Tax, Title, Space, People, Pilot, Help}

// Label is the kind in Chinese.
func (k Kind) Label() string {
	return map[Kind]string{
		Reward: "奖励补助", Discount: "贷款贴息", Guarantee: "融资担保", Tax: "税费减免", Title: "资质认定", Space: "场地支持", People: "用工人才", Pilot: "试点示范",
		Help: "公共服务",
	}[k]
}

// Status is where a policy stands.
type Status string

// The states.
const (
	Draft  Status = "draft"
	Live   Status = "published"
	Lapsed Status = "expired"
)

// Label is the state in Chinese.
func (s Status) Label() string {
	return map[Status]string{Draft: "未发布", Live: "现行有效", Lapsed: "已失效"}[s]
}

// Window is how the time for applications stands on a day.
type Window string

// The windows.
const (
	Always   Window = "always"
	Open     Window = "open"
	Upcoming Window = "upcoming"
	Closed   Window = "closed"
)

// Windows are the windows in the order in which they are offered.
var Windows = []Window{Open, Upcoming, Always, Closed}

// Label is the window in Chinese.
func (w Window) Label() string {
	return map[Window]string{Open: "正在申报", Upcoming: "即将开始", Always: "常年受理", Closed: "申报已截止"}[w]
}

// The faults of the module.
var (
	ErrNotFound = fault.ErrNotFound
	// ErrState: the state of the policy does not allow the action.
	ErrState = fault.New(fault.Conflict, "POLICY_STATE", "政策当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the policy after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "政策已被他人更新，请刷新后再操作")
	// ErrNoCompany: the person acts for no company, so nothing can be matched.
	ErrNoCompany = fault.New(fault.Conflict, "NO_COMPANY", "当前账号还没有关联企业，请先登记企业，或填写几项条件快速匹配")
)

// Question is one question with its answer.
type Question struct {
	Q string `json:"q"`
	A string `json:"a"`
}

// never stands in deadline for a window that does not close; it sorts behind every day.
const never = "9999-12-31"

// Policy is one document. Days are written 2006-01-02 and are Beijing's; an empty one is open.
type Policy struct {
	bun.BaseModel `bun:"table:policies,alias:p"`

	ID             int64           `bun:"id,pk,autoincrement"`
	Title          string          `bun:"title,notnull"`
	DocNumber      string          `bun:"doc_number,notnull"`
	Issuer         string          `bun:"issuer,notnull"`
	Level          Level           `bun:"level,notnull"`
	Topic          Topic           `bun:"topic,notnull"`
	Kinds          []Kind          `bun:"kinds,notnull,type:text"`
	Region         string          `bun:"region,notnull"`
	PublishedOn    string          `bun:"published_on,notnull"`
	EffectiveOn    string          `bun:"effective_on,notnull"`
	OpensOn        string          `bun:"opens_on,notnull"`
	ClosesOn       string          `bun:"closes_on,notnull"`
	Deadline       string          `bun:"deadline,notnull"` // ClosesOn, or never
	ExpiresOn      string          `bun:"expires_on,notnull"`
	Text           string          `bun:"body,notnull"` // numbered clauses, one a line
	Interpretation string          `bun:"interpretation,notnull"`
	FAQ            []Question      `bun:"faq,notnull,type:text"`
	Materials      []string        `bun:"materials,notnull,type:text"`
	Benefit        string          `bun:"benefit,notnull"`
	Benefits       []Amount        `bun:"benefits,notnull,type:text"`
	CapFen         int64           `bun:"cap_fen,notnull"` // most one company can receive; 0: no money
	FileIDs        []int64         `bun:"file_ids,notnull,type:text"`
	Edition        int64           `bun:"edition,notnull"` // number of the edition in force; 0 before the first
	HandlerID      int64           `bun:"handler_id,nullzero"`
	HandlerName    string          `bun:"handler_name,notnull"`
	Link           string          `bun:"link,notnull"`
	Conditions     json.RawMessage `bun:"conditions,nullzero,type:text"`
	Status         Status          `bun:"status,notnull"`
	Version        int64           `bun:"version,notnull"`
	CreatedAt      time.Time       `bun:"created_at,notnull"`
	UpdatedAt      time.Time       `bun:"updated_at,notnull"`
}

// Publish makes a draft public.
func (p *Policy) Publish() error {
	if p.Status != Draft {
		return ErrState.With("政策当前为“%s”，只有未发布的政策可以发布", p.Status.Label())
	}
	p.Status = Live
	return nil
}

// Expire ends a published policy.
func (p *Policy) Expire() error {
	if p.Status != Live {
		return ErrState.With("政策当前为“%s”，只有现行有效的政策可以废止", p.Status.Label())
	}
	p.Status = Lapsed
	return nil
}

// Revise replaces what the policy says.
func (p *Policy) Revise(c Content) error {
	if p.Status == Lapsed {
		return ErrState.With("政策已失效，不能修订，请另行发布新政策")
	}
	p.take(c)
	return nil
}

func (p *Policy) take(c Content) {
	p.Title, p.DocNumber, p.Issuer, p.Level, p.Topic = c.Title, c.DocNumber, c.Issuer, c.Level, c.Topic
	p.PublishedOn, p.OpensOn, p.ClosesOn, p.ExpiresOn = c.PublishedOn, c.OpensOn, c.ClosesOn, c.ExpiresOn
	p.Deadline = c.ClosesOn
	if p.Deadline == "" {
		p.Deadline = never
	}
	p.Text, p.Interpretation, p.Benefit, p.CapFen = c.Text, c.Interpretation, c.Benefit, c.CapFen
	p.FAQ, p.Materials = append([]Question{}, c.FAQ...), append([]string{}, c.Materials...)
	c = c.whole()
	p.Kinds, p.Region, p.EffectiveOn, p.Benefits, p.FileIDs = c.Kinds, c.Region, c.EffectiveOn, c.Benefits, c.FileIDs
	p.HandlerID, p.HandlerName, p.Link, p.Conditions = c.HandlerID, c.HandlerName, c.Link, c.Conditions
}

// StatusOn is the state on a day: what has run out counts as expired.
func (p *Policy) StatusOn(today string) Status {
	if p.Status == Live && p.ExpiresOn != "" && p.ExpiresOn < today {
		return Lapsed
	}
	return p.Status
}

// WindowOn is how the time for applications stands on a day. Its first and last day are part of it.
func (p *Policy) WindowOn(today string) Window {
	switch {
	case p.OpensOn == "" && p.ClosesOn == "":
		return Always
	case p.OpensOn > today:
		return Upcoming
	case p.Deadline < today:
		return Closed
	}
	return Open
}

// Clause is one numbered clause of the text, or a heading above some.
type Clause struct {
	Number  string `json:"number,omitempty"` // 第二条
	Text    string `json:"text"`
	Heading bool   `json:"heading,omitempty"` // 第一章 总则
	raw     string
}

// chapter begins a heading that was written without the mark of one.
var chapter = regexp.MustCompile(`^第[一二三四五六七八九十百零〇\d]{1,5}[编章节][ \x{3000}]`)

// clausesOf cuts a text into its clauses. "# 第一章 总则" and "第一章 总则" are headings.
func clausesOf(text string) []Clause {
	out := []Clause{}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		c := Clause{raw: line, Text: notation.Plain(line)}
		if heading, ok := strings.CutPrefix(line, "# "); ok || chapter.MatchString(line) && len([]rune(line)) < 40 {
			c.Heading, c.Text = true, strings.TrimSpace(heading)
		} else if number, rest, ok := strings.Cut(c.Text, " "); ok && strings.HasPrefix(number, "第") && strings.HasSuffix(number, "条") {
			c.Number, c.Text = number, strings.TrimSpace(rest)
		} else if strings.HasPrefix(line, "- ") {
			c.Text = "· " + c.Text
		} else if n := step.FindString(line); n != "" {
			c.Text = n + c.Text
		}
		out = append(out, c)
	}
	return out
}

// step is the number of a step, which the notation keeps apart from its text.
var step = regexp.MustCompile(`^\d{1,2}\. `)

// dayOf is the day t falls on in Beijing.
func dayOf(t time.Time) string { return t.In(clock.Beijing).Format(time.DateOnly) }

// timeOf is the first moment in Beijing of a day written 2006-01-02, the zero time for an empty one.
func timeOf(day string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, clock.Beijing)
	if err != nil {
		return time.Time{}
	}
	return t
}
