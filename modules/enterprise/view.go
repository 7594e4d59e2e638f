package enterprise

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/sizeclass"
	"github.com/huiqi/huiqi/platform/text"
)

// AttemptView is one try to be verified, as one actor may see it.
type AttemptView struct {
	ID             int64         `json:"id"`
	EnterpriseID   int64         `json:"enterpriseId"`
	EnterpriseName string        `json:"enterpriseName"` // as the company is called now
	Verification   Verification  `json:"verification"`   // of the company, now
	Kind           string        `json:"kind" enum:"registry,review,facts,change" doc:"facts: a verified company asked for the registry's facts; change: it has another name or legal person."`
	Outcome        Outcome       `json:"outcome"`
	Title          string        `json:"title"`    // the outcome in words
	Text           string        `json:"text"`     // what it means and what to do
	Problems       []fault.Field `json:"problems"` // at which inputs it lies
	CanReview      bool          `json:"canReview" doc:"Whether a person may decide instead, by the licence."`
	Name           string        `json:"name"`
	Changes        []Difference  `json:"changes,omitempty" doc:"Of a change: what was and what is to be."`
	CreditCode     string        `json:"creditCode"`
	LegalPerson    string        `json:"legalPerson"`
	Note           string        `json:"note"`
	Reason         string        `json:"reason"` // why a person sent it back
	Version        int64         `json:"version"`
	AskedAt        time.Time     `json:"askedAt"`
	SettledAt      *time.Time    `json:"settledAt,omitempty"`
	UserName       string        `json:"userName"`
	ReviewerName   string        `json:"reviewerName,omitempty"` // to staff
	Answer         string        `json:"answer,omitempty"`       // the registry's codes, to staff
	Files          []FileView    `json:"files"`
	DueAt          *time.Time    `json:"dueAt,omitempty"` // until when a person is to decide
	Overdue        bool          `json:"overdue,omitempty"`
	MayUndo        bool          `json:"mayUndo,omitempty" doc:"Whether the asker may take the decision back."`
	Before         *Before       `json:"before,omitempty"` // why it came to a person, to staff
}

// Before is what the registry said before a person was asked.
type Before struct {
	Title  string    `json:"title"`
	Answer string    `json:"answer"` // the registry's codes
	At     time.Time `json:"at"`
}

// FactView is one fact in words.
type FactView struct {
	Field      string    `json:"field"`
	Label      string    `json:"label"`
	Group      string    `json:"group"`
	Text       string    `json:"text"`
	Source     string    `json:"source"`
	AsOf       time.Time `json:"asOf"`
	RecordedAt time.Time `json:"recordedAt"`
}

// Item is a company in a list.
type Item struct {
	ID           int64        `json:"id"`
	Name         string       `json:"name"`
	CreditCode   string       `json:"creditCode"`
	LegalPerson  string       `json:"legalPerson"`
	Verification Verification `json:"verification"`
	CreatedAt    time.Time    `json:"createdAt"`
	VerifiedAt   *time.Time   `json:"verifiedAt,omitempty"`
	ReplacedBy   int64        `json:"replacedBy,omitempty" doc:"The company its owner joined instead."`
	FormerNames  []string     `json:"formerNames,omitempty" doc:"The names it had before, the newest first."`
}

// View is a company with what staff may know of it.
type View struct {
	Item
	Facts    []FactView    `json:"facts"` // those that count now
	Size     *SizeView     `json:"size,omitempty" doc:"How the size was reckoned; absent where the industry is not known."`
	History  []FactView    `json:"history"` // all of them, newest first
	Names    []NameView    `json:"names" doc:"The names it has and had, the newest first; none where the name never changed."`
	Persons  []NameView    `json:"persons" doc:"Its legal persons, in the same way."`
	Attempts []AttemptView `json:"attempts"`
	Members  []MemberView  `json:"members"`
	Withheld string        `json:"withheld,omitempty" doc:"Why nothing of facts and history is shown, and what to do."`
}

// Mine is a company as its people see it.
type Mine struct {
	Item
	Role         string            `json:"role" enum:"owner,member"`
	AttemptsLeft int               `json:"attemptsLeft"`
	Attempt      *AttemptView      `json:"attempt,omitempty"` // the last one that is no change
	Changing     *AttemptView      `json:"changing,omitempty" doc:"The last change of name or legal person."`
	CanChange    bool              `json:"canChange,omitempty" doc:"Whether the person may ask for a change now."`
	Names        []NameView        `json:"names" doc:"The names it has and had, the newest first; none where the name never changed."`
	Persons      []NameView        `json:"persons" doc:"Its legal persons, in the same way."`
	Facts        []FactView        `json:"facts"`
	Size         *SizeView         `json:"size,omitempty" doc:"How the size was reckoned; absent where the industry is not known."`
	Stated       map[string]string `json:"stated"`       // what the company has said last, as it would be typed
	StatedFields []string          `json:"statedFields"` // what the company may say; the registry's own fields are not among them
	StatedYears  []StatedYear      `json:"statedYears" doc:"What it has said of each year it may fill in, the latest first."`
	Requests     int               `json:"requests"` // to join, that wait for the owner
	MyJoins      []JoinView        `json:"myJoins"`  // the person's own that wait, or were refused
	Hint         *hint.Said        `json:"hint,omitempty" doc:"What the platform says of how to be verified, to who may ask for it."`
	// RegistryMissing: verified by the licence, and the registry's facts are not there.
	RegistryMissing bool `json:"registryMissing,omitempty" doc:"Verified, without the registry's facts."`
	CanFetch        bool `json:"canFetch,omitempty" doc:"Whether the person may ask the registry for them."`
}

// MyCompany is one company a person may act for.
type MyCompany struct {
	ID           int64        `json:"id"`
	Name         string       `json:"name"`
	CreditCode   string       `json:"creditCode"`
	Verification Verification `json:"verification"`
	Role         string       `json:"role" enum:"owner,member"`
	Current      bool         `json:"current"`
}

// MemberView is a person who acts for a company.
type MemberView struct {
	UserID   int64      `json:"userId"`
	Name     string     `json:"name"`
	Phone    string     `json:"phone"` // masked
	Role     string     `json:"role" enum:"owner,member"`
	JoinedAt *time.Time `json:"joinedAt,omitempty"`
	// Mandate is what the member may do in the company's name now.
	Mandate *MandateView `json:"mandate,omitempty"`
}

// Members are the people of a company, and the requests to become one of them.
type Members struct {
	Role     string       `json:"role" enum:"owner,member"`
	Items    []MemberView `json:"items"`
	Requests []JoinView   `json:"requests"`
	// Mandates are all there were, the newest first, to the owner; Offers are the rights that may be given.
	Mandates []MandateView `json:"mandates"`
	Offers   []RightInfo   `json:"offers"`
}

// JoinView is a request to join. The phone is masked; the note is for the operator and the requester.
type JoinView struct {
	ID             int64      `json:"id"`
	EnterpriseID   int64      `json:"enterpriseId"`
	EnterpriseName string     `json:"enterpriseName"`
	UserID         int64      `json:"userId"`
	UserName       string     `json:"userName"`
	Phone          string     `json:"phone"`
	State          JoinState  `json:"state"`
	Label          string     `json:"label"`
	Note           string     `json:"note"`
	Reason         string     `json:"reason"`
	Version        int64      `json:"version"`
	AskedAt        time.Time  `json:"askedAt"`
	DecidedAt      *time.Time `json:"decidedAt,omitempty"`
	CanDecide      bool       `json:"canDecide"`
	CanDispute     bool       `json:"canDispute"`
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func showTime(t time.Time) string { return clock.Show(t) }

func (e *Enterprise) item() Item {
	return Item{ID: e.ID, Name: e.Name, CreditCode: e.code(), LegalPerson: e.LegalPerson, Verification: e.Verification,
		CreatedAt: e.CreatedAt.UTC(), VerifiedAt: utc(e.VerifiedAt), ReplacedBy: e.ReplacedBy}
}

// attemptView tells an attempt the actor may see. Its own people do not learn the reviewer's name or the registry's codes.
func (s *Service) attemptView(ctx context.Context, db bun.IDB, actor access.Actor, a *Attempt) (AttemptView, error) {
	e := new(Enterprise)
	if err := db.NewSelect().Model(e).Where("ent.id = ?", a.EnterpriseID).Scan(ctx); err != nil {
		return AttemptView{}, database.Found(err)
	}
	outcome := a.Outcome
	if outcome == Asking && s.clock.Now().Sub(a.AskedAt) > stuck {
		outcome = Interrupted // nobody is waiting for the answer any more
	}
	l, problems := looks[outcome], outcome.problems(answerOf(a.Answer))
	switch a.Kind {
	case byFetch:
		l, problems = fetchLooks[outcome], []fault.Field{}
	case byChange:
		l, problems = changeLooks[outcome], []fault.Field{}
	}
	v := AttemptView{
		ID: a.ID, EnterpriseID: e.ID, EnterpriseName: e.Name, Verification: e.Verification, Kind: a.Kind, Outcome: outcome, Title: l.title, Text: l.text,
		Problems: problems, CanReview: l.review && (e.Verification == Unverified || e.Verification == Returned),
		Name: a.Name, CreditCode: a.CreditCode, LegalPerson: a.LegalPerson, Note: a.Note, Reason: a.Reason, Version: a.Version,
		AskedAt: a.AskedAt.UTC(), SettledAt: utc(a.SettledAt), UserName: a.UserName, Files: []FileView{},
	}
	if a.Kind == byChange {
		v.Changes = a.changes()
	}
	switch outcome {
	case Agreed, Approved:
		if slices.ContainsFunc(v.Changes, func(c Difference) bool { return c.What == whatPerson }) {
			v.Text += afterPerson
		}
	case Closed:
		if a.Kind == byFetch {
			v.Text = fmt.Sprintf("该企业在登记系统中的状态为“%s”。如有疑问，请向登记机关核实", answerOf(a.Answer).Status)
			break
		}
		if a.Kind == byChange {
			v.Text = fmt.Sprintf("该企业在登记系统中的状态为“%s”，不能办理变更登记。如有疑问，请向登记机关核实", answerOf(a.Answer).Status)
			break
		}
		v.Text = fmt.Sprintf("该企业在登记系统中的状态为“%s”，不能办理认证。如有疑问，请向登记机关核实", answerOf(a.Answer).Status)
	case SentBack:
		v.Text = a.Reason
	case Waiting:
		if a.Kind == byChange {
			v.Text = toPerson(a.Answer)
		}
	}
	if isDesk(actor) {
		v.ReviewerName, v.Answer = a.ReviewerName, a.Answer
	}
	if a.reviewed() {
		v.DueAt, v.Overdue = utc(a.DueAt), a.DueAt != nil && a.Outcome == Waiting && a.DueAt.Before(s.clock.Now())
		files, err := s.files.Of(ctx, db, ObjectAttempt, a.ID)
		if err != nil {
			return AttemptView{}, err
		}
		v.Files = append(v.Files, files...)
		if s.papers != nil {
			if files, err = s.papers.FilesOf(ctx, db, ObjectAttempt, a.ID); err != nil {
				return AttemptView{}, err
			}
			v.Files = append(v.Files, files...)
		}
		if v.MayUndo, err = s.mayUndoNow(ctx, db, actor, e, a); err != nil {
			return AttemptView{}, err
		}
		switch {
		case !isDesk(actor):
		case a.Kind == byChange && a.Answer != "":
			v.Before = &Before{Title: outcomeOfCodes(a.Answer).Label(), Answer: a.Answer, At: a.AskedAt.UTC()}
		case a.Kind == byReview:
			if v.Before, err = before(ctx, db, a); err != nil {
				return AttemptView{}, err
			}
		}
	}
	return v, nil
}

// before tells what the registry said last before the claim went to a person, nil when it was not asked.
func before(ctx context.Context, db bun.IDB, review *Attempt) (*Before, error) {
	var a Attempt
	err := database.Found(db.NewSelect().Model(&a).Where("v.enterprise_id = ? AND v.kind = ? AND v.id < ?", review.EnterpriseID, byRegistry, review.ID).
		OrderExpr("v.id DESC").Limit(1).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return &Before{Title: a.Outcome.Label(), Answer: a.Answer, At: a.AskedAt.UTC()}, err
}

// factViews tells the facts that count now, and what follows from them, in the order of the fields.
func (s *Service) factViews(rule ruling, sizes *thresholds, rows []Fact) []FactView {
	at := s.clock.Now()
	by := byField(rows)
	now := rule.currentOf(by, at)
	out := []FactView{}
	for _, f := range fields {
		if x, ok := now[f.name]; ok {
			v := s.factView(f, x)
			if f.name == "qualification" {
				v.Text = s.titlesText(x, false)
			}
			out = append(out, v)
			continue
		}
		reckoned := func(text, source string, asOf time.Time) {
			out = append(out, FactView{Field: f.name, Label: f.label, Group: f.group, Text: text, Source: source, AsOf: asOf.UTC(), RecordedAt: asOf.UTC()})
		}
		switch f.name {
		case "sizeClass":
			if r, ok := s.size(sizes, now, at); ok {
				reckoned(r.text, r.source, r.asOf)
			}
		case "rdRatio":
			if share, asOf, ok := research(now); ok && share >= 0 {
				reckoned(percent(share), derivedSource, asOf)
			}
		case "debtRatio":
			if share, asOf, ok := debt(now); ok && share >= 0 {
				reckoned(percent(share), derivedSource, asOf)
			}
		case "revenueGrowth":
			revenue, _ := fieldOf("revenue")
			if g, ok := GrowthNow(revenue.years(rule.annual(revenue, by["revenue"], at))); ok && g.Unknown == "" {
				reckoned(fmt.Sprintf("%s（%d 年比上年）", percent(g.N), g.Year), g.Source, g.AsOf)
			}
		case "permits":
			if x, ok := now["qualification"]; ok {
				if permits, _ := s.terms.permitsOf(holdingsOf(x)); len(permits) > 0 {
					reckoned(s.titlesText(x, true), x.SourceName, x.AsOf)
				}
			}
		}
	}
	return out
}

// sizeText says the classes a company may be of.
func sizeText(r sizeclass.Result) string {
	words := make([]string, 0, len(r.Classes))
	for _, c := range r.Classes {
		words = append(words, c.Text())
	}
	switch {
	case len(words) == 0:
		return r.Why
	case len(words) == 1:
		return words[0]
	case r.Classes[0] != sizeclass.Large:
		return strings.Join(words, "或") + "（属于中小微企业，补充数据后可确定）"
	}
	return strings.Join(words, "、") + "均有可能，补充从业人员、营业收入等数据后可确定"
}

func (s *Service) factView(f field, x Fact) FactView {
	_, words, readable := f.read(x.Value, s.terms)
	if !readable {
		words = "—" // a decision that was taken back
	}
	return FactView{Field: f.name, Label: f.label, Group: f.group, Text: words, Source: x.SourceName, AsOf: x.AsOf.UTC(), RecordedAt: x.RecordedAt.UTC()}
}

func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, e *Enterprise, groups []string, why string) (View, error) {
	rows, err := factsOf(ctx, db, e.ID)
	if err != nil {
		return View{}, err
	}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return View{}, err
	}
	sizes, err := s.readThresholds(ctx, db)
	if err != nil {
		return View{}, err
	}
	v := View{Item: e.item(), Facts: within(s.factViews(rule, sizes, rows[e.ID]), groups), History: []FactView{}, Attempts: []AttemptView{}, Members: []MemberView{}, Withheld: why}
	if sv, ok := s.sizeView(sizes, rule.current(factsWithin(rows[e.ID], groups), s.clock.Now()), s.clock.Now()); ok {
		v.Size = &sv
	}
	for _, x := range slices.Backward(rows[e.ID]) {
		if f, ok := fieldOf(x.Field); ok {
			v.History = append(v.History, s.factView(f, x))
		}
	}
	v.History = within(v.History, groups)
	names, err := namesOf(ctx, db, e.ID)
	if err != nil {
		return View{}, err
	}
	persons, err := heldOf(ctx, db, whatPerson, e.ID)
	if err != nil {
		return View{}, err
	}
	v.FormerNames, v.Names, v.Persons = former(names[e.ID], e.Name), nameViews(names[e.ID], isDesk(actor)), nameViews(persons[e.ID], isDesk(actor))
	attempts, err := attemptsOf(ctx, db, e.ID, 50)
	if err != nil {
		return View{}, err
	}
	for i := range attempts {
		a, err := s.attemptView(ctx, db, actor, &attempts[i])
		if err != nil {
			return View{}, err
		}
		v.Attempts = append(v.Attempts, a)
	}
	v.Members, err = s.members(ctx, db, e.ID)
	return v, err
}

func (s *Service) mine(ctx context.Context, db bun.IDB, actor access.Actor, e *Enterprise) (Mine, error) {
	role, err := roleOf(ctx, db, e.ID, actor.UserID)
	if err != nil {
		return Mine{}, err
	}
	rows, err := factsOf(ctx, db, e.ID)
	if err != nil {
		return Mine{}, err
	}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return Mine{}, err
	}
	sizes, err := s.readThresholds(ctx, db)
	if err != nil {
		return Mine{}, err
	}
	m := Mine{Item: e.item(), Role: role, AttemptsLeft: e.attemptsLeft(s.clock.Now()), Facts: s.factViews(rule, sizes, rows[e.ID]), Stated: stated(rows[e.ID]),
		StatedFields: statedNames(), StatedYears: statedYears(rows[e.ID], s.clock.Now()), MyJoins: []JoinView{}}
	if x, ok := rule.current(rows[e.ID], s.clock.Now())["industry"]; !ok || x.Source != FromRegistry {
		m.StatedFields = append(m.StatedFields, "industry")
	}
	if sv, ok := s.sizeView(sizes, rule.current(rows[e.ID], s.clock.Now()), s.clock.Now()); ok {
		m.Size = &sv
	}
	if role == Owner && e.Verification != Verified {
		if m.Hint, err = s.hints.ToSubmitter(ctx, db, HintsOfVerification, "form"); err != nil {
			return Mine{}, err
		}
	}
	m.RegistryMissing = e.Verification == Verified && !hasRegistered(rows[e.ID])
	m.CanFetch = m.RegistryMissing && role == Owner && s.registry != nil
	for change, to := range map[bool]**AttemptView{false: &m.Attempt, true: &m.Changing} {
		last, err := lastOf(ctx, db, e.ID, change)
		if err != nil {
			return Mine{}, err
		}
		if last == nil {
			continue
		}
		a, err := s.attemptView(ctx, db, actor, last)
		if err != nil {
			return Mine{}, err
		}
		*to = &a
	}
	m.CanChange = role == Owner && e.Verification == Verified && (m.Changing == nil || m.Changing.Outcome != Asking && m.Changing.Outcome != Waiting)
	names, err := namesOf(ctx, db, e.ID)
	if err != nil {
		return Mine{}, err
	}
	persons, err := heldOf(ctx, db, whatPerson, e.ID)
	if err != nil {
		return Mine{}, err
	}
	m.FormerNames, m.Names, m.Persons = former(names[e.ID], e.Name), nameViews(names[e.ID], false), nameViews(persons[e.ID], false)
	if role == Owner {
		var open []int64
		err := db.NewSelect().Model((*Join)(nil)).Column("id").Where("j.enterprise_id = ? AND j.state = ?", e.ID, JoinOpen).Limit(100).Scan(ctx, &open)
		if err != nil {
			return Mine{}, err
		}
		m.Requests = len(open)
	}
	m.MyJoins, err = s.joins(ctx, actor, 10, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("j.user_id = ? AND j.from_id = ? AND j.state <> ?", actor.UserID, e.ID, JoinAccepted).OrderExpr("j.id DESC")
	})
	return m, err
}

// stated is what the company has said last, as it would be typed again.
func stated(rows []Fact) map[string]string {
	out := map[string]string{}
	for name, x := range latestSelf(rows) {
		f, _ := fieldOf(name)
		out[name] = typedAs(f, x)
	}
	return out
}

// typedAs is a value as a company would type it.
func typedAs(f field, x Fact) string {
	switch f.kind {
	case criteria.Count:
		return fmt.Sprint(number(x))
	case criteria.Money:
		return decimal(number(x), fenPerWan)
	}
	return word(x)
}

func memberView(m member, c Contact) MemberView {
	return MemberView{UserID: m.UserID, Name: c.Name, Phone: text.MaskPhone(c.Phone), Role: m.Role, JoinedAt: utc(m.JoinedAt)}
}

func (s *Service) joinView(ctx context.Context, db bun.IDB, actor access.Actor, j *Join, e *Enterprise) (JoinView, error) {
	c, err := s.people.Contact(ctx, db, j.UserID)
	if err != nil {
		return JoinView{}, err
	}
	v := JoinView{
		ID: j.ID, EnterpriseID: e.ID, EnterpriseName: e.Name, UserID: j.UserID, UserName: c.Name, Phone: text.MaskPhone(c.Phone), State: j.State,
		Label: j.State.Label(), Reason: j.Reason, Version: j.Version, AskedAt: j.AskedAt.UTC(), DecidedAt: utc(j.DecidedAt),
		CanDispute: actor.UserID == j.UserID && (j.State == JoinOpen || j.State == JoinRejected),
	}
	if isDesk(actor) || actor.UserID == j.UserID {
		v.Note = j.Note
	}
	if j.State == JoinOpen || j.State == JoinInDispute {
		v.CanDecide = s.mayDecide(ctx, db, actor, j) == nil
	}
	return v, nil
}
