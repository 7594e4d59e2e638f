package page

import "time"

// Tone gives a tag, a message or a step its colour. Colour is never the only sign: each tone also has an icon.
type Tone string

// The tones. Danger and Urgent are both red and differ by their icon.
const (
	Neutral Tone = ""
	Info    Tone = "info"
	Success Tone = "success"
	Warning Tone = "warning"
	Danger  Tone = "danger"
	Urgent  Tone = "urgent"
)

// Class is the tone's name in the style sheet.
func (t Tone) Class() string {
	switch t {
	case Info, Success, Warning, Danger, Urgent:
		return string(t)
	}
	return "neutral"
}

// Icon is the tone's sign.
func (t Tone) Icon() string {
	switch t {
	case Success, Warning, Danger, Urgent:
		return string(t)
	}
	return "info"
}

// Tag is the status of something in one word. Template "tag"; a Tag without Text shows nothing.
type Tag struct {
	Text string
	Tone Tone
	Icon string // replaces the tone's
}

// Sign is the name of the tag's icon.
func (t Tag) Sign() string {
	if t.Icon != "" {
		return t.Icon
	}
	if t.Tone == Neutral {
		return "dot"
	}
	return t.Tone.Icon()
}

// Link is a text that leads somewhere. Current marks the choice in force.
type Link struct {
	Text    string
	URL     string
	Current bool
}

// Filters is the block above a list that narrows it by links. Template "filters".
type Filters struct {
	Groups   []FilterGroup
	More     []FilterGroup // behind 更多筛选
	MoreOpen bool
	Chips    []Chip // what is chosen
	Clear    string // address without any choice
}

// FilterGroup is one line of choices; the first is usually 不限.
type FilterGroup struct {
	Label   string
	Options []Link
}

// Chip is one choice in force and the address without it.
type Chip struct {
	Text   string
	Remove string
}

// ListBar stands above a list: how many were found and in which order they stand. Template "list-bar".
type ListBar struct {
	Count int    // counted to CountCap+1 at most
	Unit  string // 条, 项, 个
	Query string
	Sorts []Link
}

// Pager leads through a list. Template "pager". Made by NewPager or NewCursorPager; the zero Pager shows nothing.
type Pager struct {
	First, Prev, Next string
	Pages             []PageLink
}

// PageLink is one page number; a Gap stands for the ones left out.
type PageLink struct {
	Number  int
	URL     string
	Current bool
	Gap     bool
}

// MaxPage is the last page a public list shows.
const MaxPage = 50

// NewPager returns the links of page out of last pages; address gives the URL of a page.
func NewPager(page, last int, address func(page int) string) Pager {
	last = min(last, MaxPage)
	page = max(1, min(page, last))
	if last <= 1 {
		return Pager{}
	}
	var p Pager
	if page > 1 {
		p.Prev = address(page - 1)
	}
	if page < last {
		p.Next = address(page + 1)
	}
	shown := 0
	for n := 1; n <= last; n++ {
		near := n >= page-2 && n <= page+2
		if n != 1 && n != last && !near {
			continue
		}
		if n > shown+1 {
			p.Pages = append(p.Pages, PageLink{Gap: true})
		}
		p.Pages = append(p.Pages, PageLink{Number: n, URL: address(n), Current: n == page})
		shown = n
	}
	return p
}

// NewCursorPager returns the links of a list read by cursor: back to its beginning and on. Both may be empty.
func NewCursorPager(first, next string) Pager { return Pager{First: first, Next: next} }

// PolicyCard is a policy in a list. Template "policy-card".
type PolicyCard struct {
	URL        string
	Title      string
	Query      string // marked in the title and summary
	Level      string // 国家级, 省级, 市级, 区级
	Department string
	Summary    string
	Labels     []string
	Support    string // "最高 50 万元"
	PubDate    time.Time
	Deadline   time.Time // zero: 长期有效
	Status     Tag
}

// ProductCard is a service or financing product in a list. Template "product-card".
type ProductCard struct {
	URL         string
	Title       string
	Query       string
	Institution string
	Icon        string // one of the eight service kinds
	Thumb       string // the address of a picture of 4 to 3; the icon stands where there is none
	Kind        string
	Summary     string
	Rating      string // what those who were served say; empty without an evaluation
	Facts       []Fact // rate or price first; three fit
	Status      Tag
}

// ItemCard is anything else in a list: news, search results, messages, cases. Template "item-card".
type ItemCard struct {
	URL     string
	Title   string
	Query   string
	Summary string
	Meta    []string
	Status  Tag
	Unread  bool
}

// FeedItem is one entry of a stream of news or notices. Template "feed" takes a slice of them.
type FeedItem struct {
	URL     string
	Title   string
	Label   string // the column
	Summary string
	Source  string
	When    time.Time
	Top     bool
}

// ArticleHead is the heading of an article with what the rules for government sites want to see under it. Template
// "article-head".
type ArticleHead struct {
	Title  string
	Source string
	When   time.Time
	Label  string    // the column
	Until  time.Time // of a notice
}

// Prose is the text of an article. Template "prose". It holds text only: everything in it is escaped.
type Prose struct {
	Blocks []ProseBlock
}

// ProseBlock is one piece of a text: "paragraph" and "heading" have Spans, "list" and "steps" Items. A span with a URL is
// a link; whoever makes it has checked where it leads.
type ProseBlock struct {
	Kind  string
	Spans []Link
	Items [][]Link
	Start int // number of the first step
}

// Fact is one name and value.
type Fact struct {
	Label  string
	Value  string
	URL    string
	Strong bool // the number that decides
}

// Facts is a table of names and values. Template "facts".
type Facts struct {
	Caption string // read out, not shown
	Items   []Fact
}

// Timeline tells the course of a case, latest or earliest first as given. Template "timeline".
type Timeline struct {
	Steps []Step
}

// StepState says how a step of a timeline stands.
type StepState string

// The states of a step.
const (
	StepDone    StepState = "done"
	StepCurrent StepState = "current"
	StepPending StepState = "pending"
	StepFailed  StepState = "failed"
)

// Word is what a screen reader hears of the state.
func (s StepState) Word() string {
	switch s {
	case StepCurrent:
		return "进行中"
	case StepPending:
		return "未开始"
	case StepFailed:
		return "未通过"
	}
	return "已完成"
}

// Icon is the state's sign.
func (s StepState) Icon() string {
	switch s {
	case StepCurrent:
		return "clock"
	case StepPending:
		return "dot"
	case StepFailed:
		return "danger"
	}
	return "success"
}

// Step is one entry of a timeline.
type Step struct {
	Title string
	Who   string
	When  time.Time
	Text  string // as typed; line breaks are kept
	State StepState
	Files []File
}

// File is one attachment.
type File struct {
	Name string
	URL  string
	Size int64
	Note string
}

// Attachment is a file in the state its keeper tells: one that waits for the virus scanner, or was put away by it, is no
// link.
func Attachment(name, url string, size int64, state string) File {
	f := File{Name: name, URL: url, Size: size}
	switch state {
	case "waiting":
		f.URL, f.Note = "", "待扫描，通过安全检查后可下载"
	case "quarantined":
		f.URL, f.Note = "", "已隔离，文件含有病毒"
	}
	return f
}

// FileList is a list of attachments. Template "file-list"; without files it shows nothing.
type FileList struct {
	Title string
	Files []File
}

// Panel is a block that another module adds to a page: what it knows of the page's object in a few facts, and where one goes on.
// Template "panel"; a Panel without Title shows nothing. The first link is the one to take when Act is set.
type Panel struct {
	Title string
	Tag   Tag
	Text  string
	Facts []Fact
	Links []Link
	Act   bool
}

// Field is one input of a form. Its templates, by kind: "field-text" (Type text, tel, email, password, number, date),
// "field-textarea", "field-select", "field-radio", "field-checkbox" (several of Options), "field-check" (one box, ticked
// when Value is not empty), "field-file", "field-sms".
type Field struct {
	Name         string // of the input; the element's id is "f-" + Name
	Label        string
	Hint         string
	Error        string
	Value        string
	Type         string // default text
	Required     bool
	ReadOnly     bool
	MaxLength    int
	Rows         int
	InputMode    string
	Autocomplete string
	Placeholder  string
	Unit         string // behind the input: 万元
	Options      []Option
	Accept       string // file
	Multiple     bool   // file
	Files        []File // already uploaded
	Link         Link   // field-check: the document consented to
	Send         string // field-sms: value of the button named "action"; default send_code
	Wait         int    // field-sms: seconds until another code may be sent
}

// ID is the id of the input; the error summary leads there.
func (f Field) ID() string { return "f-" + f.Name }

// Describes lists the ids of hint and error, for aria-describedby.
func (f Field) Describes() string {
	s := ""
	if f.Hint != "" {
		s = f.ID() + "-hint"
	}
	if f.Error != "" {
		if s != "" {
			s += " "
		}
		s += f.ID() + "-error"
	}
	return s
}

// InputType is the type attribute.
func (f Field) InputType() string {
	switch f.Type {
	case "tel", "email", "password", "number", "date", "search", "url":
		return f.Type
	}
	return "text"
}

// Option is one choice of a select, radio or checkbox field.
type Option struct {
	Value  string
	Text   string
	Hint   string
	Chosen bool
}

// Captcha is the picture puzzle and its spoken form. Template "field-captcha": sends captchaId and captchaAnswer.
type Captcha struct {
	ID         string
	ImageURL   string
	AudioURL   string
	RefreshURL string // this page again with another picture
	Error      string
}

// FieldError is one line of the summary at the top of a form.
type FieldError struct {
	Field   string // Name of the Field; empty for the form as a whole
	Message string
}

// ErrorSummary stands at the top of a form that was sent back. Template "error-summary"; without items it shows nothing.
type ErrorSummary struct {
	Items []FieldError
}

// Empty says why a list is empty and what to do next. Template "empty".
type Empty struct {
	Title  string
	Text   string
	Action Link
}

// DetailHead is the card at the top of a detail page: what it is, and the facts that decide. Template "detail-head".
type DetailHead struct {
	Title   string
	Status  Tag
	Source  string // who issues or offers it
	PubDate time.Time
	Labels  []string
	Facts   []Fact
}

// ApplyBar stays at the bottom of a detail page. Template "apply-bar". Without Primary.URL it says Reason instead.
type ApplyBar struct {
	Title     string
	Note      string
	Primary   Link
	Secondary []Link
	Reason    string
}

// SectionHead is the heading of a part of a page. Template "section-head".
type SectionHead struct {
	Title string
	Note  string
	More  Link
}

// Banner is the picture at the top of the home page. Template "home-banner"; the quick match stands in it when Quick has
// an Action.
type Banner struct {
	Title string
	Text  string
	Quick QuickMatch
}

// QuickMatch is the form 一句话找政策. Template "quick-match": GET Action with parameter q.
type QuickMatch struct {
	Action      string
	Placeholder string
	Examples    []Link
}

// ServiceKind is one of the eight doors on the home page. Template "service-kinds" takes a slice of them.
type ServiceKind struct {
	Icon string // finance, law, tax, people, ip, certificate, science, digital
	Name string
	Note string
	URL  string
}

// Notice is one line of a list of notices or news. Template "notice-list" takes a slice of them.
type Notice struct {
	Title string
	URL   string
	When  time.Time
	Label string
	New   bool
}

// EventCard is an event with its day as a sheet of a calendar. Template "event-list" takes a slice of them.
type EventCard struct {
	Title  string
	URL    string
	Start  time.Time
	Place  string
	Status Tag
}

// Month is the month in Beijing, for the calendar sheet.
func (e EventCard) Month() string { return e.Start.In(beijing).Format("1月") }

// Day is the day of the month in Beijing.
func (e EventCard) Day() string { return e.Start.In(beijing).Format("2") }

// Figure is one number about the platform. Template "figures" takes a slice of them.
type Figure struct {
	Value string
	Unit  string
	Label string
}

// Partner is an institution on the platform. Template "partners" takes a slice of them.
type Partner struct {
	Name string
	URL  string
	Kind string
}
