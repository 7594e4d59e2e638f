package ticket

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

type listPage struct {
	Query string
	Note  string
	Items []page.ItemCard
	Empty page.Empty
	Pager page.Pager
}

type detailPage struct {
	Title    string
	Status   page.Tag
	Facts    page.Facts
	Body     string
	Reply    string
	Again    bool // the reply is of a round before the present one
	Timeline page.Timeline
	Files    page.FileList
	Rate     *ratePage
	More     *morePage
	Hint     *Hint
}

// morePage is the form of what a suspended ticket waits for.
type morePage struct {
	ID, Version int64
	Key, Ask    string
	Hint        *Hint
	Errors      page.ErrorSummary
	Text        page.Field
	Files       page.Field
}

type ratePage struct {
	ID, Version int64
	Key         string
	Hint        *Hint
	Errors      page.ErrorSummary
	Rating      page.Field
	Good, Bad   page.Field // opinions to choose from, by the level
	Opinion     page.Field
}

// tones are those of the other two faces: one word, one colour everywhere.
var tones = map[Status]page.Tone{
	Received: page.Warning, Direct: page.Success, Refused: page.Neutral, Sent: page.Warning, Handling: page.Info, Reported: page.Info,
	Calling: page.Info, Done: page.Success, Void: page.Neutral, OnHold: page.Warning, Reviewed: page.Info, Archived: page.Neutral, Merged: page.Info,
}

// open reports whether an answer is still due, also one to a request that is done again.
func (s Status) open() bool {
	return s == Received || s == Sent || s == Handling || s == Merged
}

// toldAs are the states that a requester reads in other words than staff, as on the phone.
var toldAs = map[Status]string{OnHold: "请补充材料", Reviewed: Reported.Label(), Merged: "合并办理中"}

func statusTag(s Status) page.Tag {
	if word := toldAs[s]; word != "" {
		return page.Tag{Text: word, Tone: tones[s]}
	}
	return page.Tag{Text: s.Label(), Tone: tones[s]}
}

// Card is the ticket in a list of the portal.
func (i Item) Card() page.ItemCard {
	c := page.ItemCard{URL: fmt.Sprintf("/tickets/%d", i.ID), Title: i.Title, Status: statusTag(i.Status),
		Meta: []string{i.Number, i.TypeName, page.DateTime(i.CreatedAt) + " 提交"}}
	switch {
	case i.Status == OnHold:
		c.Meta = append(c.Meta, "请补充材料后继续办理")
	case i.Status == Done && i.Rating == 0:
		c.Meta = append(c.Meta, "请为这次办理评价")
	}
	if i.Marks == nil {
		return c
	}
	var words []string
	for _, p := range slices.Concat(i.Marks.Title, i.Marks.Excerpt) {
		if p.Hit {
			words = append(words, p.Text)
		}
	}
	for _, p := range i.Marks.Excerpt {
		c.Summary += p.Text
	}
	c.Query = strings.Join(words, " ")
	return c
}

// Pages adds the requester's pages of the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("ticket", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/tickets", who, func(c *fiber.Ctx) error { return s.listPage(c, p) })
	srv.Page("GET", "/tickets/new", who, func(c *fiber.Ctx) error { return s.formPage(c, p, nil, nil) })
	srv.Page("POST", "/tickets", who, func(c *fiber.Ctx) error { return s.postForm(c, p) })
	s.hintPictures(srv)
	s.queryPages(srv, p)
	s.judgePages(srv, p)
	srv.Page("GET", "/tickets/:id<int>", who, func(c *fiber.Ctx) error { return s.detailPage(c, p, nil) })
	srv.Page("POST", "/tickets/:id<int>/rate", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		rating, _ := strconv.Atoi(c.FormValue("rating"))
		_, err := s.Rate(ctx, access.From(ctx), RateTicket{Ref: Ref{ID: id, Version: version, Key: c.FormValue("key")}, Rating: rating, Tags: chosenTags(c), Opinion: c.FormValue("opinion")})
		if err != nil {
			return s.detailPage(c, p, err)
		}
		return c.Redirect(fmt.Sprintf("/tickets/%d?done=rated", id), fiber.StatusSeeOther)
	})
	srv.Page("POST", "/tickets/:id<int>/supplement", who, func(c *fiber.Ctx) error { return s.takeSupplement(c, p) })
	return nil
}

func (s *Service) takeSupplement(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	cmd := SupplementTicket{Ref: Ref{ID: id, Version: version, Key: c.FormValue("key")}, Text: c.FormValue("text")}
	// Nothing is kept for somebody who may not see the ticket, nor of a form that will be shown again.
	if _, err := find(ctx, s.db.Read(), visible(actor), id); err != nil {
		return err
	}
	if strings.TrimSpace(cmd.Text) != "" {
		var err error
		if cmd.FileIDs, cmd.Sent, err = s.sent(c); err != nil {
			return s.detailPage(c, p, err)
		}
	}
	if _, err := s.Supplement(ctx, actor, cmd); err != nil {
		return s.detailPage(c, p, err)
	}
	return c.Redirect(fmt.Sprintf("/tickets/%d?done=supplemented", id), fiber.StatusSeeOther)
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	typed := strings.TrimSpace(c.Query("q"))
	found, err := s.Page(ctx, access.From(ctx), ListFilter{Query: typed, Cursor: c.Query("cursor"), Limit: 20})
	if err != nil {
		return err
	}
	v, err := p.View(c, "我的诉求")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "tickets", true, []page.Crumb{{Text: "我的诉求"}}
	data := listPage{Query: typed, Note: found.Note, Empty: page.Empty{Title: "还没有提交过诉求", Text: "遇到政策、审批、用工、水电气热等方面的问题，都可以在这里提出。",
		Action: page.Link{Text: "提交诉求", URL: "/tickets/new"}}}
	if typed != "" {
		data.Empty = page.Empty{Title: "没有找到符合条件的诉求", Text: "可以换一个词，或输入完整的流水号、联系电话后四位再试。", Action: page.Link{Text: "查看全部诉求", URL: "/tickets"}}
	}
	address := func(cursor string) string {
		v := url.Values{}
		if typed != "" {
			v.Set("q", typed)
		}
		if cursor != "" {
			v.Set("cursor", cursor)
		}
		if len(v) == 0 {
			return "/tickets"
		}
		return "/tickets?" + v.Encode()
	}
	for _, i := range found.Items {
		data.Items = append(data.Items, i.Card())
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = address("")
	}
	if found.Next != "" {
		following = address(found.Next)
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, fiber.StatusOK, "ticket/list", v, data)
}

var doneTexts = map[string]string{"opened": "诉求已提交，坐席受理后会转交承办部门，进度在本页更新", "rated": "评价已提交，感谢您的反馈",
	"supplemented": "补充材料已提交，承办单位继续办理"}

func (s *Service) detailPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	t, err := s.Get(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	v, err := p.View(c, t.Title)
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex = "my", "tickets", true
	v.Breadcrumb = []page.Crumb{{Text: "我的诉求", URL: "/tickets"}, {Text: t.Number}}
	if text := doneTexts[c.Query("done")]; text != "" {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
	}
	data := detailPage{Title: t.Title, Status: statusTag(t.Status), Body: t.Body, Reply: t.Reply, Again: t.Status.open() || t.Status == OnHold, Facts: page.Facts{Caption: "诉求信息", Items: []page.Fact{
		{Label: "流水号", Value: t.Number}, {Label: "类型", Value: t.TypeName}, {Label: "提交时间", Value: page.DateTime(t.CreatedAt)},
		{Label: "联系人", Value: t.RequesterName + " " + t.Phone},
	}}}
	if t.QueryCode != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "查询码", Value: t.QueryCode})
	}
	if t.AreaName != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "街道乡镇", Value: t.AreaName})
	}
	for _, f := range t.Fields {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: f.Label, Value: f.Value})
	}
	if t.UnitName != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "承办单位", Value: t.UnitName})
	}
	if t.Ask != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "办理时限", Value: "等待您补充材料，暂停计算"})
	} else if t.Status.open() {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "预计答复", Value: page.DateTime(t.DueAt) + " 前"})
	}
	if t.Rating > 0 {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "您的评价", Value: strings.TrimSpace(fmt.Sprintf("%s %s", LevelLabel(t.Rating), strings.Join(t.OpinionTags, "、")))})
	}
	for i, step := range t.Timeline {
		st := page.StepDone
		if i == len(t.Timeline)-1 && t.Status != Done && t.Status != Void && t.Status != Archived {
			st = page.StepCurrent
		}
		data.Timeline.Steps = append(data.Timeline.Steps, page.Step{Title: step.Label, Who: step.Actor, When: step.At, Text: step.Text, State: st})
	}
	if len(t.Files) > 0 {
		data.Files.Title = "附件"
		for _, f := range t.Files {
			data.Files.Files = append(data.Files.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
		}
	}
	if data.Hint, err = s.hintAt(ctx, atState(t.Status)); err != nil {
		return err
	}
	status := fiber.StatusOK
	for _, a := range t.Actions {
		if a == ToSupplement {
			found := func(string) string { return "" }
			m := &morePage{ID: t.ID, Version: t.Version, Key: secret.Token(), Ask: t.Ask}
			if m.Hint, err = s.hintAt(ctx, string(ToSupplement)); err != nil {
				return err
			}
			if failure != nil {
				if m.Errors, found, err = web.FormErrors(failure); err != nil {
					return err
				}
				status = fiber.StatusUnprocessableEntity
			}
			m.Text = page.Field{Name: "text", Label: "补充说明", Value: c.FormValue("text"), Required: true, MaxLength: maxBody, Rows: 5, Error: found("text")}
			m.Files = filesField(c, found("files"))
			data.More = m
		}
		if a != ToRate {
			continue
		}
		found := func(string) string { return "" }
		r := &ratePage{ID: t.ID, Version: t.Version, Key: secret.Token()}
		if r.Hint, err = s.hintAt(ctx, string(ToRate)); err != nil {
			return err
		}
		if failure != nil {
			if r.Errors, found, err = web.FormErrors(failure); err != nil {
				return err
			}
			status = fiber.StatusUnprocessableEntity
		}
		form, err := s.JudgeForm(ctx)
		if err != nil {
			return err
		}
		r.Rating = form.levelField(c, "rating", found)
		r.Good, r.Bad = form.tagFields(c, found)
		r.Opinion = page.Field{Name: "opinion", Label: "意见建议", Value: c.FormValue("opinion"), MaxLength: maxNote, Rows: 3, Error: found("opinion")}
		data.Rate = r
	}
	if failure != nil && data.Rate == nil && data.More == nil {
		return failure
	}
	return p.Render(c, status, "ticket/detail", v, data)
}
