package policy

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Item is a policy in a list. Days are written 2006-01-02; an empty one is open.
type Item struct {
	ID          int64  `json:"id"`
	Version     int64  `json:"version"`
	Edition     int64  `json:"edition,omitempty"` // number of the edition in force
	Title       string `json:"title"`
	DocNumber   string `json:"docNumber"`
	Issuer      string `json:"issuer"`
	Level       Level  `json:"level" enum:"national,city,district"`
	LevelName   string `json:"levelName"`
	Topic       Topic  `json:"topic" enum:"funding,innovation,financing,talent,premises,market,green,relief"`
	TopicName   string `json:"topicName"`
	PublishedOn string `json:"publishedOn"`
	OpensOn     string `json:"opensOn,omitempty"`
	ClosesOn    string `json:"closesOn,omitempty"`
	ExpiresOn   string `json:"expiresOn,omitempty"`
	Window      Window `json:"window" enum:"open,upcoming,always,closed"`
	WindowName  string `json:"windowName"`
	Benefit     string `json:"benefit"`
	CapFen      int64  `json:"capFen"`
	HandlerName string `json:"handlerName"`
	Matchable   bool   `json:"matchable"` // its conditions are data
	Status      Status `json:"status" enum:"draft,published,expired"`
	StatusName  string `json:"statusName"`
	Excerpt     string `json:"excerpt,omitempty"` // with a query: the text around what was found
}

// View is a policy with all that an actor may see of it.
type View struct {
	Item
	Clauses        []Clause   `json:"clauses"`
	Interpretation string     `json:"interpretation"`
	FAQ            []Question `json:"faq"`
	Materials      []string   `json:"materials"`
	Link           string     `json:"link,omitempty"`
	Kinds          []Kind     `json:"kinds" nullable:"false"`
	KindNames      []string   `json:"kindNames" nullable:"false"`
	Region         string     `json:"region,omitempty"`
	RegionName     string     `json:"regionName,omitempty"`
	EffectiveOn    string     `json:"effectiveOn,omitempty"`
	Benefits       []Amount   `json:"benefits" nullable:"false"`
	Files          []FileView `json:"files" nullable:"false"`
	Conditions     []Line     `json:"conditions"` // what is asked, in words; no company is judged
	History        []Step     `json:"history"`    // newest first; empty for the public
}

// Step is one entry of a policy's history.
type Step struct {
	Label string    `json:"label"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
	Text  string    `json:"text,omitempty"`
}

func (p *Policy) item(today string) Item {
	w, st := p.WindowOn(today), p.StatusOn(today)
	return Item{
		ID: p.ID, Version: p.Version, Edition: p.Edition, Title: p.Title, DocNumber: p.DocNumber, Issuer: p.Issuer, Level: p.Level, LevelName: p.Level.Label(),
		Topic: p.Topic, TopicName: p.Topic.Label(), PublishedOn: p.PublishedOn, OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn,
		Window: w, WindowName: w.Label(), Benefit: p.Benefit, CapFen: p.CapFen, HandlerName: p.HandlerName, Matchable: len(p.Conditions) > 0,
		Status: st, StatusName: st.Label(),
	}
}

func (i Item) url() string { return fmt.Sprintf("/policies/%d", i.ID) }

// Support says the most a company can receive, "" when there is no money in it.
func (i Item) Support() string {
	if i.CapFen == 0 {
		return ""
	}
	return "最高 " + page.Money(i.CapFen)
}

// WindowText says the window with its days: 2026年11月1日 至 2026年12月31日.
func (i Item) WindowText() string {
	opens, closes := page.Date(timeOf(i.OpensOn)), page.Date(timeOf(i.ClosesOn))
	switch {
	case opens == "" && closes == "":
		return "常年受理"
	case closes == "":
		return opens + " 起"
	case opens == "":
		return closes + " 截止"
	}
	return opens + " 至 " + closes
}

// endOf is the last moment of a day in Beijing, the zero time for an empty one.
func endOf(day string) time.Time {
	t := timeOf(day)
	if t.IsZero() {
		return t
	}
	return t.Add(24*time.Hour - time.Second)
}

var windowTones = map[Window]page.Tone{Open: page.Success, Upcoming: page.Info, Always: page.Neutral, Closed: page.Neutral}

func windowTag(w Window) page.Tag {
	t := page.Tag{Text: w.Label(), Tone: windowTones[w]}
	if w == Open || w == Upcoming {
		t.Icon = "clock"
	}
	return t
}

func (i Item) card(words string) page.PolicyCard {
	c := page.PolicyCard{
		URL: i.url(), Title: i.Title, Query: words, Level: i.LevelName, Department: i.Issuer, Summary: i.Benefit, Labels: []string{i.TopicName},
		Support: i.Support(), PubDate: timeOf(i.PublishedOn), Deadline: endOf(i.ClosesOn), Status: windowTag(i.Window),
	}
	if i.Excerpt != "" {
		c.Summary = i.Excerpt
	}
	return c
}

// items turns rows into what a list shows.
func (s *Service) items(f found) []Item {
	today := dayOf(s.clock.Now())
	out := make([]Item, 0, len(f.rows))
	for i := range f.rows {
		item := f.rows[i].item(today)
		if len(f.query.Terms()) > 0 {
			item.Excerpt = excerpt(f.query, &f.rows[i])
		}
		out = append(out, item)
	}
	return out
}

// excerpt is the sentence or clause that holds most of what the query names, cut around it; what the card shows anyway wins
// a draw.
func excerpt(q search.Query, p *Policy) string {
	const length = 90
	texts := []string{p.Benefit}
	for _, c := range clausesOf(p.Text) {
		texts = append(texts, c.Text)
	}
	texts = append(texts, p.Interpretation)
	for _, f := range p.FAQ {
		texts = append(texts, f.Q+f.A)
	}
	texts = append(texts, strings.Join(p.Materials, "、"))
	best, most := p.Benefit, 0
	for _, text := range texts {
		var b strings.Builder
		held := map[string]bool{}
		for _, x := range q.Excerpt(text, length) {
			b.WriteString(x.Text)
			if x.Hit {
				held[x.Text] = true
			}
		}
		n := 0
		for hit := range held {
			n += len(hit)
		}
		if n > most {
			best, most = b.String(), n
		}
	}
	return best
}

func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, p *Policy) (View, error) {
	now := s.clock.Now()
	v := View{
		Item: p.item(dayOf(now)), Clauses: clausesOf(p.Text), Interpretation: p.Interpretation, FAQ: append([]Question{}, p.FAQ...),
		Materials: append([]string{}, p.Materials...), Link: p.Link, Conditions: []Line{}, History: []Step{},
		Kinds: append([]Kind{}, p.Kinds...), KindNames: []string{}, Region: p.Region, EffectiveOn: p.EffectiveOn, Benefits: append([]Amount{}, p.Benefits...),
	}
	for _, k := range p.Kinds {
		v.KindNames = append(v.KindNames, k.Label())
	}
	if f, ok := s.schema.Field(fieldRegion); ok {
		v.RegionName = f.Values[p.Region]
	}
	var err error
	if v.Files, err = s.filesOf(ctx, db, p.ID, p.FileIDs); err != nil {
		return v, err
	}
	if has(p.Conditions) {
		c, err := criteria.Parse(p.Conditions, s.schema)
		if err != nil {
			s.log.WarnContext(ctx, "conditions do not parse", "policy", p.ID, "error", err)
			v.Matchable = false
		} else {
			v.Conditions = asked(c.Evaluate(nil, now), p.clauseOf)
		}
	}
	if !isStaff(actor) {
		return v, nil
	}
	events, err := event.Of(ctx, db, Object, p.ID)
	if err != nil {
		return View{}, err
	}
	for i := len(events) - 1; i >= 0; i-- {
		step, err := stepOf(events[i])
		if err != nil {
			return View{}, err
		}
		v.History = append(v.History, step)
	}
	return v, nil
}

func stepOf(e event.Event) (Step, error) {
	s := Step{At: e.At.UTC(), Actor: e.By()}
	if e.ActorID == 0 {
		s.Actor = "系统"
	}
	var err error
	switch e.Type {
	case "policy.added":
		s.Label = "录入"
	case "policy.published":
		s.Label = "发布"
	case "policy.revised":
		var f Revised
		err = e.Decode(&f)
		s.Label, s.Text = "修订", fmt.Sprintf("第 %d 版", cmp.Or(f.Edition, f.Version))
	case "policy.expired":
		var f Expired
		err = e.Decode(&f)
		s.Label, s.Text = "废止", f.Reason
	case "policy.withdrawn":
		var f Withdrawn
		err = e.Decode(&f)
		s.Label, s.Text = "撤回", f.Reason
	case "policy.submitted":
		var f Submitted
		err = e.Decode(&f)
		s.Label, s.Text = "提交审核", f.Note
	case "policy.sent_back":
		var f SentBack
		err = e.Decode(&f)
		s.Label, s.Text = "退回修改", f.Reason
	case "policy.edited":
		s.Label = "编辑稿件"
	case "policy.dropped":
		s.Label = "放弃稿件"
	case "policy.exampled":
		s.Label = "调整示例企业"
	default:
		s.Label = "更新"
	}
	return s, err
}

// clauseOf names the clause of the text that holds the sentence, "" when none does.
func (p *Policy) clauseOf(quote string) string {
	for _, c := range clausesOf(p.Text) {
		if quote != "" && (strings.Contains(c.Text, quote) || strings.Contains(c.raw, quote)) {
			return c.Number
		}
	}
	return ""
}
