package policy

import (
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// libraryPages adds the calendar, the attachments and the subscriptions. They work without a script.
func (s *Service) libraryPages(srv *web.Server, p *web.Pages) {
	open := access.Public("政策公开，人人可查")
	srv.Page("GET", "/policies/calendar", open, func(c *fiber.Ctx) error { return s.calendarPage(c, p) })
	srv.Page("GET", "/policies/:id<int>/revisions", open, func(c *fiber.Ctx) error { return s.revisionsPage(c, p) })
	srv.Download("/policies/:id<int>/files/:file<int>", open, func(c *fiber.Ctx) (web.Download, error) {
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		file, _ := strconv.ParseInt(c.Params("file"), 10, 64)
		d, err := s.Attachment(c.UserContext(), access.From(c.UserContext()), id, file)
		d.Keep = true
		return d, err
	})
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/policies/subscriptions", who, func(c *fiber.Ctx) error { return s.subscriptionsPage(c, p, nil) })
	srv.Page("POST", "/policies/subscriptions", who, func(c *fiber.Ctx) error {
		cmd := Subscribe{Key: c.FormValue("key"), Kind: Interest(c.FormValue("kind")), Value: c.FormValue("value")}
		do := s.Follow
		if c.FormValue("action") == "end" {
			do = s.Unfollow
		}
		if _, err := do(c.UserContext(), access.From(c.UserContext()), cmd); err != nil {
			if fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
				return err
			}
			return s.subscriptionsPage(c, p, err)
		}
		if id, err := strconv.ParseInt(c.FormValue("back"), 10, 64); err == nil {
			return c.Redirect("/policies/"+strconv.FormatInt(id, 10)+"#follow", fiber.StatusSeeOther)
		}
		return c.Redirect("/policies/subscriptions", fiber.StatusSeeOther)
	})
}

type calendarPage struct {
	Month
	Title string
	Weeks [][]calendarCell
	List  []calendarCell // the days with something, for narrow screens and print
}

type calendarCell struct {
	Number int // 0: no day of the month
	Name   string
	Today  bool
	Opens  []Item
	Closes []Item
}

// Link is the page of the policy.
func (i Item) Link() string { return i.url() }

func (s *Service) calendarPage(c *fiber.Ctx, p *web.Pages) error {
	m, err := s.Calendar(c.UserContext(), access.From(c.UserContext()), c.Query("month"))
	if err != nil {
		return err
	}
	first := timeOf(m.Month + "-01")
	data := calendarPage{Month: m, Title: first.Format("2006年1月")}
	days := map[string]CalendarDay{}
	for _, d := range m.Days {
		days[d.Day] = d
	}
	week := make([]calendarCell, (int(first.Weekday())+6)%7) // weeks begin on Monday
	for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
		x := days[dayOf(d)]
		cell := calendarCell{Number: d.Day(), Name: d.In(clock.Beijing).Format("1月2日"), Today: dayOf(d) == m.Today, Opens: x.Opens, Closes: x.Closes}
		if len(x.Opens)+len(x.Closes) > 0 {
			data.List = append(data.List, cell)
		}
		if week = append(week, cell); len(week) == 7 {
			data.Weeks, week = append(data.Weeks, week), nil
		}
	}
	if len(week) > 0 {
		data.Weeks = append(data.Weeks, append(week, make([]calendarCell, 7-len(week))...))
	}
	v, err := p.View(c, "申报日历")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "policies", []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "申报日历"}}
	v.Description = "按月查看惠企政策的申报开始和截止日期"
	v.NoIndex = c.Query("month") != ""
	return p.Render(c, fiber.StatusOK, "policy/calendar", v, data)
}

type subscriptionsPage struct {
	Key     string // of the forms of this page; each adds an end of its own
	Error   string
	Items   []Subscribed
	Choices []followChoice
}

type followChoice struct {
	Kind  Interest
	Label string
	Items []Choice
}

func (s *Service) subscriptionsPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	items, err := s.Following(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	data := subscriptionsPage{Key: secret.Token(), Items: items}
	status := fiber.StatusOK
	if problem, ok := fault.As(failure); ok {
		data.Error, status = problem.Message, fiber.StatusUnprocessableEntity
	}
	topics, kinds := followChoice{Kind: OfTopic, Label: OfTopic.Label()}, followChoice{Kind: OfKind, Label: OfKind.Label()}
	for _, t := range Topics {
		topics.Items = append(topics.Items, Choice{Code: string(t), Name: t.Label()})
	}
	for _, k := range Kinds {
		kinds.Items = append(kinds.Items, Choice{Code: string(k), Name: k.Label()})
	}
	data.Choices = []followChoice{topics, kinds}
	v, err := p.View(c, "政策订阅")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "policies", true
	v.Breadcrumb = []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策订阅"}}
	return p.Render(c, status, "policy/subscriptions", v, data)
}

// follow is the block 订阅提醒 of a policy's page, for people of companies.
type follow struct {
	ID   int64
	Key  string
	Rows []followRow
}

type followRow struct {
	Kind         Interest
	Value, Label string
	Done         bool
}

func (s *Service) followOf(c *fiber.Ctx, t View) (*follow, error) {
	actor := access.From(c.UserContext())
	if actor.Party != access.Enterprise || t.Status != Live {
		return nil, nil
	}
	items, err := s.Following(c.UserContext(), actor)
	if err != nil {
		return nil, err
	}
	f := &follow{ID: t.ID, Key: secret.Token(), Rows: []followRow{
		{Kind: OfPolicy, Value: strconv.FormatInt(t.ID, 10), Label: "这项政策"}, {Kind: OfIssuer, Value: t.Issuer, Label: t.Issuer}, {Kind: OfTopic, Value: string(t.Topic), Label: t.TopicName},
	}}
	for i := range f.Rows {
		f.Rows[i].Done = slices.ContainsFunc(items, func(x Subscribed) bool { return x.Kind == f.Rows[i].Kind && x.Value == f.Rows[i].Value })
	}
	return f, nil
}

// effective says the first day in force.
func effective(t View) string {
	if t.EffectiveOn == "" {
		return ""
	}
	return page.Date(timeOf(t.EffectiveOn))
}
