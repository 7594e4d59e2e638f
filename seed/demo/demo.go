// Package demo holds the invented content of the demo district: its departments, people, companies, institutions,
// products, policies, articles, tickets and applications, as plain values that refer to each other by key. The same
// reference time gives the same world, byte for byte: there is no clock and no unseeded chance in it. Loaders write it
// into the database through the modules' services. Everything invented carries the mark 〔演示〕 once in its name or title;
// credit codes lie in the block 91990000, which no real company can have, and phone numbers in 19900000000–19900099999.
package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed data
var data embed.FS

// Mark stands once in every invented name and title.
const Mark = "〔演示〕"

// World is the whole content of the demo district.
type World struct {
	Departments  []Department
	Staff        []Staff
	Institutions []Institution
	Companies    []Company
	Owners       []Owner
	Products     []Product
	Policies     []Policy
	News         []News
	Notices      []Notice
	Help         []Article
	Knowledge    []Answer
	Phrases      []Phrase
	Duties       []Duty
	Tickets      []Ticket
	Applications []Application
	Partners     []Partner
	Walk         Walk
}

// Department is a node of the government's tree, parents first.
type Department struct {
	Code       string // "TZ", "TZ-JXJ", "TZ-JXJ-01"
	Parent     string // code, empty for the district government
	Name       string
	Level      int    // 1 to 3
	Street     string // division code for the 22 street and town offices
	CreditCode string
	Phone      string
	Duties     string
}

// Staff is an account of the government or of the platform.
type Staff struct {
	Key        string // stable, also the account name: "agent01"
	Name       string
	Phone      string
	Party      string // government, platform
	Role       string // platform_operator, government_reviewer, agent, desk_lead, dispatcher, handler, department_leader, callback, system_admin, security_admin, audit_admin, editor
	RoleName   string // 坐席
	Department string // code; empty for the platform's own people
	Title      string
}

// Institution offers products.
type Institution struct {
	Key            string
	Name           string
	Kind           string // bank, guarantee, insurance, fund, law, tax, hr, ip, certification, tech, digital
	CreditCode     string
	LegalPerson    string
	Phone          string
	Address        string
	Summary        string
	Qualifications []Licence
	Operators      []Operator // the first one is the administrator
}

// Licence is a permit an institution works under.
type Licence struct {
	Name string
	No   string
	To   string // 2006-01-02
}

// Operator is an account of an institution.
type Operator struct {
	Key           string // account name
	Name          string
	Phone         string
	Administrator bool
}

// Company is a company as the registry knows it, with the facts the platform has collected. A nil number is a fact nobody
// has supplied.
type Company struct {
	Key            string
	Name           string
	CreditCode     string
	Type           string // 有限责任公司(自然人投资或控股) …
	LegalPerson    string
	Phone          string
	Street         string // division code
	Address        string
	Industry       string // GB/T 4754-2017 class, four digits
	Scope          string // 经营范围
	Established    string // 2006-01-02
	Capital        int64  // registered capital, fen
	Revenue        *int64 // last year, fen
	Employees      *int64
	Assets         *int64 // fen
	RDSpend        *int64 // last year, fen
	Qualifications []Held
	Tags           []string
	CreditStanding string // 正常, 经营异常, 严重失信
	Registered     bool   // has an account on the platform; the others exist in the registry only
	Verified       bool
	Sections       Sections
}

// Held is a title a company holds.
type Held struct {
	Code string // reference.Qualification
	No   string
	From string // 2006-01-02
	To   string // empty: no term
}

// Owner is the account of a person who acts for a company.
type Owner struct {
	Key     string
	Name    string
	Phone   string
	Company string // key
	Role    string // owner, member
	Also    string // key of a second company the person owns; empty for nearly all
}

// Product is something an institution offers.
type Product struct {
	Key           string
	Institution   string // key
	Name          string
	Kind          string // reference service kind
	FinancingKind string // reference financing kind, only for financing
	Summary       string
	Description   string
	RateMin       int // yearly, basis points: 385 is 3.85 %
	RateMax       int
	AmountMin     int64 // fen
	AmountMax     int64
	TermMin       int // months
	TermMax       int
	Guarantees    []string // of loans
	Cost          string   // of services: free, paid, subsidised
	PriceText     string   // what a service costs, as shown
	Subsidy       string
	Venues        []string
	Duration      string
	Deliverables  []string
	Conditions    []string
	Target        string // whom it is for
	Materials     []string
	Steps         []string
	Days          int    // working days until the result
	State         string // listed, draft, platform_review, government_review, returned, taken_down
	Reason        string // why it was returned or taken down
	Hot           bool
	Recommended   bool
	PublishedAt   time.Time
}

// Policy is one policy document.
type Policy struct {
	Key            string
	Title          string
	DocNumber      string
	Issuer         string
	Level          string // 国家, 市, 区
	Topic          string // 资金支持, 科技创新, 融资服务, 用工人才, 场地要素, 市场开拓, 绿色发展, 减负降费
	PublishedOn    string
	OpensOn        string // application window; empty: always open
	ClosesOn       string
	ExpiresOn      string
	Text           string // numbered clauses, one per line
	Interpretation string
	FAQ            []Question
	Materials      []string
	Benefit        string
	CapFen         int64           // most one company can receive; 0: no money
	Handler        string          // department code
	Conditions     json.RawMessage // nil: nobody has turned the text into conditions yet
}

// Question is one question with its answer.
type Question struct {
	Q string `yaml:"q"`
	A string `yaml:"a"`
}

// News is one article of the news columns.
type News struct {
	Key         string
	Title       string
	Column      string // 要闻, 政策解读, 惠企动态, 活动培训, 企业故事
	Paragraphs  []string
	Source      string
	PublishedAt time.Time
	Top         bool
}

// Notice is a short announcement.
type Notice struct {
	Key         string
	Title       string
	Body        string
	PublishedAt time.Time
	ExpiresAt   time.Time
}

// Article is a help page.
type Article struct {
	Key    string
	Title  string
	Group  string // 账号, 企业, 产品, 政策, 热线
	Steps  []string
	Body   string
	Public bool
}

// Answer is an entry of the desk's knowledge base.
type Answer struct {
	Key        string
	Question   string
	Answer     string
	Type       string // ticket type code
	Department string // code of who is responsible for its being right
	Keywords   []string
	Internal   bool // for staff only
	// What it rests on: law, policy, guide or practice; its name; its number, where it has one.
	SourceKind, SourceTitle, SourceNumber string
}

// Phrase is a canned reply of the desk.
type Phrase struct {
	By       string // desk, a unit's code, or the key of a person
	Code     string
	Title    string
	Category string
	Body     string
}

// Duty is one line of the directory: which unit handles a type in an area.
type Duty struct {
	Type       string // ticket type code
	Area       string // division code of a street or town; empty is the whole district
	Department string
	Helpers    []string
}

// Ticket is one ticket with the story that brings it to its state.
type Ticket struct {
	Key       string
	Title     string
	Body      string
	Type      string // ticket type code
	Urgency   string // normal, urgent, emergency
	Channel   string // phone, portal, h5, wechat, email, partner
	Requester Requester
	Street    string // division code
	OpenedAt  time.Time
	State     string // received, declined, answered, dispatched, signed, handling, replied, reviewed, callback, closed, archived, suspended, reopened, merged, voided
	Agent     string // staff key of who took it
	Steps     []Step // in order; replaying them ends in State
	// Fields is the filled form of the type, the words of each field by its key.
	Fields map[string][]string
}

// Requester is who asks. Company and Owner are empty for a person who only gave a phone number.
type Requester struct {
	Name    string
	Phone   string
	Company string // key
	Owner   string // key
}

// Step is one event of a ticket.
type Step struct {
	Kind       string // answer, decline, dispatch, sign, start, reply, review, callback_open (→ callback), close, archive, suspend, reopen, merge, void change the state; note, urge, callback (a call and its result), return_request, return_refuse, extension_request, extension_approve do not
	At         time.Time
	By         string // staff key
	Department string // dispatch: to whom
	Text       string
	Outcome    string // callback: reached, unreached, refused, wrong_number
	Solved     bool   // callback: only meaningful when reached
	Rating     int    // callback: 1 to 5, 0 when not given
	Target     string // merge: key of the ticket that goes on
	Days       int    // extension: working days asked for
}

// Application is an application for a product.
type Application struct {
	Key       string
	Product   string // key
	Company   string // key
	Owner     string // key
	State     string // draft, submitted, accepted, supplement, declined, withdrawn, in_progress, approved, disbursed, completed
	Amount    int64  // fen, financing only
	Term      int    // months, financing only
	Purpose   string
	CreatedAt time.Time
	Steps     []ApplicationStep
}

// ApplicationStep is one event of an application.
type ApplicationStep struct {
	Kind   string // submit, accept, decline, ask_supplement, supplement, withdraw, progress, approve, disburse, complete, rate
	At     time.Time
	By     string // owner or operator key
	Text   string
	Amount int64 // approve and disburse: fen
	Rate   int   // approve: basis points
	Rating int   // rate: 1 to 5
}

// Partner is an outside system that receives events or sends tickets.
type Partner struct {
	Code      string
	Name      string
	Contact   string
	Phone     string
	Direction string // push, pull, both
	Events    []string
	Quota     int // calls a day
	Note      string
}

// Walk names what the guided tour uses.
type Walk struct {
	Unregistered string // key of the bakery that is in the registry and not yet on the platform
	Bakery       string // key of the bakery that has an account
	BakeryOwner  string // key of its owner
	Bank         string // key of the bank whose operator publishes a loan
	Firm         string // key of the tax firm whose operator plans and delivers a service
	TwoCompanies string // key of an owner of two companies
	Handler      string // staff key of the department handler who replies
	Agent        string // staff key of the agent
}

// Generate builds the demo district as it stands at ref. It returns an error only when the embedded content is at fault.
func Generate(ref time.Time) (World, error) {
	g := &generator{
		ref: ref.UTC().Truncate(time.Hour),
		// #nosec G404 -- the demo must come out the same each time
		rand: rand.New(rand.NewPCG(110112, 20261)),
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"departments", g.departments},
		{"staff", g.staff},
		{"companies", g.companies},
		{"institutions", g.institutions},
		{"owners", g.owners},
		{"second companies", g.twice},
		{"products", g.products},
		{"policies", g.policies},
		{"articles", g.articles},
		{"desk", g.desk},
		{"tickets", g.tickets},
		{"applications", g.applications},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return World{}, fmt.Errorf("demo %s: %w", s.name, err)
		}
	}
	return g.w, nil
}

// generator carries what the parts share while a world is built.
type generator struct {
	w     World
	ref   time.Time
	rand  *rand.Rand
	names map[string]bool
	codes int
}

func (g *generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.rand.IntN(len(list))] }

// between returns a number from lo to hi, both included.
func (g *generator) between(lo, hi int) int { return lo + g.rand.IntN(hi-lo+1) }

// date returns the day that lies days before (or, negative, after) the reference time.
func (g *generator) date(daysAgo int) string {
	return g.ref.AddDate(0, 0, -daysAgo).Format(time.DateOnly)
}

// workHour returns a moment within office hours of the day that lies daysAgo before the reference time.
func (g *generator) workHour(daysAgo int) time.Time {
	d := g.ref.AddDate(0, 0, -daysAgo)
	return time.Date(d.Year(), d.Month(), d.Day(), g.between(1, 9), g.between(0, 59), 0, 0, time.UTC)
}

// phone returns the number n of a block of the demo range.
func phone(block, n int) string { return fmt.Sprintf("19900%02d%04d", block, n) }

func load(name string, into any) error {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
