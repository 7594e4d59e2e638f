package ticket

import (
	"errors"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type judgePage struct {
	Token     string
	Facts     page.Facts
	Title     string
	Reply     string
	Errors    page.ErrorSummary
	Responded page.Field
	Solved    page.Field
	Level     page.Field
	Good, Bad page.Field // opinions to choose from, by the level
	Words     page.Field
	Hint      *Hint
	// Done says that the judgement was kept, Over why there is nothing to judge.
	Done bool
	Over string
}

// judgePages adds the page of the link in a text message.
func (s *Service) judgePages(srv *web.Server, p *web.Pages) {
	open := access.Public("无账号的诉求人凭短信中的一次性链接评价")
	srv.Page("GET", "/j/:token", open, func(c *fiber.Ctx) error { return s.judgePage(c, p, nil) })
	srv.Page("POST", "/j/:token", open, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		level, _ := strconv.Atoi(c.FormValue("level"))
		err := s.Judge(ctx, access.From(ctx), JudgeByLink{
			Token: c.Params("token"), Responded: yesNo(c.FormValue("responded")), Solved: yesNo(c.FormValue("solved")), Level: level, Tags: chosenTags(c), Words: c.FormValue("words"),
		})
		if err != nil {
			return s.judgePage(c, p, err)
		}
		return c.Redirect("/j/"+c.Params("token")+"?done=judged", fiber.StatusSeeOther)
	})
}

func yesNo(word string) *bool {
	if word != "yes" && word != "no" {
		return nil
	}
	yes := word == "yes"
	return &yes
}

func (s *Service) judgePage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	v, err := p.View(c, "评价办理结果")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex, v.Breadcrumb = "help", true, []page.Crumb{{Text: "评价办理结果"}}
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cache-Control", "no-store")
	data := judgePage{Token: c.Params("token")}
	f, judged := fault.As(failure)
	if failure != nil && (!judged || f.Kind != fault.Invalid) {
		return s.noJudgement(c, p, v, data, failure)
	}
	found, err := s.AtLink(ctx, access.From(ctx), data.Token)
	if err != nil {
		return s.noJudgement(c, p, v, data, err)
	}
	status := fiber.StatusOK
	wrong := func(string) string { return "" }
	if failure != nil {
		if data.Errors, wrong, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	if data.Hint, err = s.hintAt(ctx, "judge"); err != nil {
		return err
	}
	form, err := s.JudgeForm(ctx)
	if err != nil {
		return err
	}
	data.fill(c, found, form, wrong)
	return p.Render(c, status, "ticket/judge", v, data)
}

// noJudgement says why there is nothing to judge and what to do; after one's own judgement, that it was kept.
func (s *Service) noJudgement(c *fiber.Ctx, p *web.Pages, v page.View, data judgePage, err error) error {
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.NotFound && f.Kind != fault.Conflict && f.Kind != fault.TooMany {
		return err
	}
	status := fiber.StatusOK
	switch {
	case errors.Is(err, ErrLinkUsed) && c.Query("done") == "judged":
		data.Done = true
	case f.Kind == fault.NotFound:
		status = fiber.StatusNotFound
	case f.Kind == fault.TooMany:
		status = fiber.StatusTooManyRequests
	default:
		status = fiber.StatusGone
	}
	data.Over = f.Message
	return p.Render(c, status, "ticket/judge", v, data)
}

// fill puts in what is judged and the questions, with what was answered before.
func (d *judgePage) fill(c *fiber.Ctx, found JudgeView, form JudgeForm, wrong func(string) string) {
	d.Title, d.Reply = found.Title, found.Reply
	d.Facts = page.Facts{Caption: "诉求信息", Items: []page.Fact{{Label: "流水号", Value: found.Number}}}
	if found.UnitName != "" {
		d.Facts.Items = append(d.Facts.Items, page.Fact{Label: "承办单位", Value: found.UnitName})
	}
	d.Facts.Items = append(d.Facts.Items, page.Fact{Label: "评价截止", Value: page.DateTime(found.Until)})
	choice := func(name, label, yes, no string) page.Field {
		chosen := c.FormValue(name)
		return page.Field{Name: name, Label: label, Required: true, Error: wrong(name), Options: []page.Option{
			{Value: "yes", Text: yes, Chosen: chosen == "yes"}, {Value: "no", Text: no, Chosen: chosen == "no"},
		}}
	}
	d.Responded = choice("responded", "承办单位是否与您联系过", "联系过", "没有联系")
	d.Solved = choice("solved", "问题是否解决", "已解决", "没有解决")
	d.Level = form.levelField(c, "level", wrong)
	d.Good, d.Bad = form.tagFields(c, wrong)
	d.Words = page.Field{Name: "words", Label: "意见建议", Hint: "没有解决或不满意的，请写明情况，便于重新办理", Value: c.FormValue("words"), MaxLength: maxNote, Rows: 3, Error: wrong("words")}
}

// levelField asks for the level in the words of the form.
func (f JudgeForm) levelField(c *fiber.Ctx, name string, wrong func(string) string) page.Field {
	field := page.Field{Name: name, Label: f.Question, Required: true, Error: wrong(name)}
	for _, l := range f.Levels {
		value := strconv.Itoa(l.Level)
		field.Options = append(field.Options, page.Option{Value: value, Text: l.Label, Chosen: c.FormValue(name) == value})
	}
	return field
}

// tagFields offer the opinions of the good levels and of the others, for a page that cannot change with the level.
func (f JudgeForm) tagFields(c *fiber.Ctx, wrong func(string) string) (good, bad page.Field) {
	good, bad = page.Field{Name: "tags", Label: "满意的方面", Hint: "满意或非常满意时可多选"}, page.Field{Name: "tags-more", Label: "需要改进的方面", Hint: "基本满意、不满意或非常不满意时可多选"}
	chosen := chosenTags(c)
	for _, l := range f.Levels {
		into := &bad
		if l.Level > satisfiedFrom {
			into = &good
		}
		for _, t := range l.Tags {
			if !slices.ContainsFunc(into.Options, func(o page.Option) bool { return o.Value == t }) {
				into.Options = append(into.Options, page.Option{Value: t, Text: t, Chosen: slices.Contains(chosen, t)})
			}
		}
	}
	good.Error = wrong("tags")
	return good, bad
}

// chosenTags are the opinions that were ticked.
func chosenTags(c *fiber.Ctx) []string {
	var out []string
	for _, name := range []string{"tags", "tags-more"} { // the two groups of tagFields
		for _, v := range c.Request().PostArgs().PeekMulti(name) {
			out = append(out, string(v))
		}
	}
	return out
}
