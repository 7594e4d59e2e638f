package demand

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// groups are the choices above the company's list.
var groups = []struct {
	key, text string
	states    []State
}{{"", "全部", nil}, {"todo", "草稿和退回", []State{Draft, SentBack}}, {"review", "审核中", []State{Review}}, {"open", "征集报价", []State{Open}}, {"ended", "已结束", []State{Chosen, Ended, Lapsed}}}

func (s *Service) minePage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	v, err := p.View(c, "我的需求")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "my-demands", true, []page.Crumb{{Text: "我的需求"}}
	if c.Query("done") == "discarded" {
		v.Flash = page.Flash{Tone: page.Success, Text: "草稿已删除"}
	}
	f := Filter{Cursor: c.Query("cursor"), Limit: 15}
	data := minePage{Empty: page.Empty{Title: "还没有发布过需求", Text: "写明要解决的问题和预算，审核通过后由平台邀请合适的机构报价，贵企业从中选定一家。", Action: page.Link{Text: "发布需求", URL: "/my/demands/new"}}}
	base := "/my/demands?"
	for _, g := range groups {
		address := "/my/demands"
		if g.key != "" {
			address += "?state=" + g.key
		}
		current := g.key == c.Query("state")
		data.Filters = append(data.Filters, page.Link{Text: g.text, URL: address, Current: current})
		if current && g.key != "" {
			f.States, base = g.states, address+"&"
			data.Empty = page.Empty{Title: "没有“" + g.text + "”的需求", Action: page.Link{Text: "查看全部需求", URL: "/my/demands"}}
		}
	}
	items, next, err := s.List(ctx, access.From(ctx), f)
	if err != nil {
		return err
	}
	for _, i := range items {
		data.Items = append(data.Items, i.card())
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = strings.TrimRight(base, "?&")
	}
	if next != "" {
		following = base + "cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, fiber.StatusOK, "demand/mine", v, data)
}

func (i Item) card() page.ItemCard {
	k := page.ItemCard{URL: fmt.Sprintf("/my/demands/%d", i.ID), Title: i.Title, Status: page.Tag{Text: i.State.Label(), Tone: tones[i.State]}, Meta: []string{i.Number}}
	if k.Title == "" {
		k.Title = "（未填写标题）"
	}
	if i.KindName != "" {
		k.Meta = append(k.Meta, i.KindName)
	}
	switch i.State {
	case Draft:
		k.URL += "/edit"
		k.Meta = append(k.Meta, page.DateTime(i.SavedAt)+" 保存，尚未提交")
	case Open:
		k.Meta = append(k.Meta, fmt.Sprintf("收到 %d 份报价", i.Quotes), "报价截止 "+shown(i.Until))
	case Chosen:
		k.Meta = append(k.Meta, "申请 "+i.ApplicationNumber)
	default:
		if i.SubmittedAt != nil {
			k.Meta = append(k.Meta, page.DateTime(*i.SubmittedAt)+" 提交")
		}
	}
	return k
}

var doneTexts = map[string]string{"submitted": "需求已提交，审核通过后进入需求大厅并邀请机构报价", "recalled": "已撤回，修改后请重新提交", "closed": "需求已关闭", "picked": "已选定报价并生成申请，机构受理后会与您联系"}

func (s *Service) detailPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	d, err := s.GetIn(ctx, access.From(ctx), number(c, "id"), QuoteOrder(c.Query("order")))
	if err != nil {
		return err
	}
	if d.State == Draft && d.Round == 0 && failure == nil {
		return c.Redirect(fmt.Sprintf("/my/demands/%d/edit", d.ID), fiber.StatusSeeOther)
	}
	v, err := p.View(c, d.Title)
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "my-demands", true, []page.Crumb{{Text: "我的需求", URL: "/my/demands"}, {Text: d.Number}}
	if text := doneTexts[c.Query("done")]; text != "" && failure == nil {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
	}
	data := detailPage{ID: d.ID, Title: d.Title, Status: page.Tag{Text: d.State.Label(), Tone: tones[d.State]}, Text: d.Description, Facts: page.Facts{Caption: "需求信息", Items: d.facts()}, Invited: d.Invitations,
		Files: page.FileList{Title: "附件", Files: attachments(d.Files)}, Course: page.Timeline{Steps: d.timeline()}}
	status := fiber.StatusOK
	if failure != nil {
		if data.Errors, _, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
		if fault.KindOf(failure) == fault.Conflict {
			status = fiber.StatusConflict
		}
	}
	here := fmt.Sprintf("/my/demands/%d", d.ID)
	may := func(action string) bool { return slices.Contains(d.Actions, action) }
	switch d.State {
	case SentBack:
		data.Reason = page.Panel{Title: "退回原因", Text: d.Reason, Links: []page.Link{{Text: "修改后重新提交", URL: here + "/edit"}}, Act: true}
	case Ended:
		data.Reason = page.Panel{Title: "关闭原因", Text: d.Reason}
	case Chosen:
		data.Result = page.Panel{Title: "已生成申请", Text: "选定的报价已转为申请，后续受理、交付和评价都在申请中办理。", Facts: []page.Fact{{Label: "申请编号", Value: d.ApplicationNumber, URL: fmt.Sprintf("/applications/%d", d.ApplicationID)}},
			Links: []page.Link{{Text: "查看申请", URL: fmt.Sprintf("/applications/%d", d.ApplicationID)}}, Act: true}
	case Lapsed:
		data.Reason = page.Panel{Title: "需求已过期", Text: "到期没有选定报价，需求自动关闭。如仍需要，可以重新发布。", Links: []page.Link{{Text: "重新发布需求", URL: "/my/demands/new"}}}
	case Draft:
		data.Reason = page.Panel{Title: "已撤回修改", Text: "修改后请重新提交，审核通过后进入需求大厅。", Links: []page.Link{{Text: "继续修改", URL: here + "/edit"}}, Act: true}
	}
	data.compare(d, here, may("pick"))
	if d.State == Open {
		data.Note = "报价截止 " + shown(d.Until) + "，请在 " + shown(d.PickUntil) + "前选定一家；到期未选定的，需求自动关闭。报价只有贵企业看得到。"
		data.NoQuotes = "还没有机构报价，收到报价时会通知您。"
		data.Links = append(data.Links, page.Link{Text: "在需求大厅查看", URL: fmt.Sprintf("/demands/%d", d.ID)})
	}
	if may("recall") {
		data.Links = append(data.Links, page.Link{Text: "撤回修改", URL: here + "/recall"})
	}
	if may("close") {
		data.Links = append(data.Links, page.Link{Text: "关闭需求", URL: here + "/close"})
	}
	return p.Render(c, status, "demand/detail", v, data)
}

// compare puts the quotes side by side.
func (p *detailPage) compare(d View, here string, pick bool) {
	if len(d.QuoteList) == 0 {
		return
	}
	product, price, second, text, valid, at := line{Label: "产品"}, line{Label: "报价"}, line{Label: "完成时间"}, line{Label: "说明"}, line{Label: "有效期至"}, line{Label: "更新时间"}
	third := line{Label: "期限"}
	if len(d.QuoteList) > 1 {
		for _, o := range quoteOrders(d.Lends) {
			p.Orders = append(p.Orders, page.Link{Text: o.Text, URL: here + "?order=" + string(o.Order) + "#quotes", Current: o.Order == d.Order})
		}
	}
	rated := line{Label: "企业评价"}
	if d.Lends {
		price.Label, second.Label = "可提供金额", "年利率或费率"
	}
	for _, q := range d.QuoteList {
		k := column{Name: q.InstitutionName, URL: fmt.Sprintf("/products/%d", q.ProductID), Status: page.Tag{Text: q.State.Label(), Tone: quoteTones[q.State]}, Files: attachments(q.Files)}
		if pick && q.State == Live {
			k.Pick = fmt.Sprintf("%s/pick/%d", here, q.ID)
		}
		p.AnyFiles = p.AnyFiles || len(k.Files) > 0
		p.Columns = append(p.Columns, k)
		product.Values = append(product.Values, q.ProductName)
		rating := "还没有评价"
		if q.RatingCount > 0 {
			rating = fmt.Sprintf("%d.%d 分（%d 次评价）", q.Rating/100, q.Rating%100/10, q.RatingCount)
		}
		rated.Values = append(rated.Values, rating)
		if d.Lends {
			price.Values = append(price.Values, page.Money(q.Amount))
			second.Values = append(second.Values, page.Rate(int64(q.Rate)))
			third.Values = append(third.Values, fmt.Sprintf("%d 个月", q.Term))
		} else {
			money := "免费"
			if q.Price > 0 {
				money = page.Money(q.Price)
			}
			price.Values = append(price.Values, money)
			second.Values = append(second.Values, fmt.Sprintf("%d 个工作日", q.Days))
		}
		text.Values = append(text.Values, q.Text)
		until := shown(q.ValidUntil)
		if !q.Valid && q.State == Live {
			until += "（已过期，请联系机构更新）"
		}
		valid.Values = append(valid.Values, until)
		at.Values = append(at.Values, page.DateTime(q.ChangedAt))
	}
	p.Lines = []line{product, price, second}
	if d.Lends {
		p.Lines = append(p.Lines, third)
	}
	p.Lines = append(p.Lines, rated, text, valid, at)
}

func attachments(list []FileView) []page.File {
	var out []page.File
	for _, f := range list {
		out = append(out, page.Attachment(f.Name, f.URL, f.Size, f.State))
	}
	return out
}

func (v View) facts() []page.Fact {
	name := "不公开企业名称"
	if v.Named {
		name = "公开企业名称"
	}
	budget := page.Fact{Label: "预算", Value: v.Budget, Strong: true}
	if v.Lends {
		budget.Label = "需要金额"
	}
	list := []page.Fact{{Label: "需求编号", Value: v.Number}, {Label: "类别", Value: v.KindName}, budget}
	add := func(label, value string) {
		if value != "" {
			list = append(list, page.Fact{Label: label, Value: value})
		}
	}
	if v.Lends {
		add("使用期限", fmt.Sprintf("%d 个月", v.Term))
	}
	add("报价截止", shown(v.Until))
	add("希望完成", shown(v.WantedBy))
	add("服务地点", v.Place)
	add("联系人", strings.TrimSpace(v.ContactName+" "+v.Phone))
	add("联系说明", v.ContactNote)
	add("大厅显示", name)
	if v.State == Review && v.DueAt != nil {
		add("审核时限", page.DateTime(*v.DueAt)+" 前")
	}
	return list
}

func (v View) timeline() []page.Step {
	var list []page.Step
	for i, st := range v.Course {
		state := page.StepDone
		if i == len(v.Course)-1 && (v.State == Review || v.State == Open || v.State == SentBack) {
			state = page.StepCurrent
		}
		list = append(list, page.Step{Title: st.Label, Who: st.By, When: st.At, Text: st.Text, State: state})
	}
	return list
}

// pickPage asks once more before a quote becomes an application.
func (s *Service) pickPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	d, err := s.Get(ctx, access.From(ctx), number(c, "id"))
	if err != nil {
		return err
	}
	here := fmt.Sprintf("/my/demands/%d", d.ID)
	at := slices.IndexFunc(d.QuoteList, func(q QuoteView) bool { return q.ID == number(c, "quote") })
	if at < 0 || d.QuoteList[at].State != Live || !slices.Contains(d.Actions, "pick") {
		return c.Redirect(here, fiber.StatusSeeOther)
	}
	q := d.QuoteList[at]
	data := confirmPage{Title: "选定报价", Text: "选定后，将用贵企业的需求内容向“" + q.InstitutionName + "”提交申请，并把联系人和电话告知该机构；其他机构会收到未选定的通知。选定后不能更换。",
		Facts:  page.Facts{Caption: "选定的报价", Items: []page.Fact{{Label: "机构", Value: q.InstitutionName}, {Label: "产品", Value: q.ProductName}, {Label: "报价", Value: q.Terms, Strong: true}, {Label: "说明", Value: q.Text}, {Label: "有效期至", Value: shown(q.ValidUntil)}}},
		Action: fmt.Sprintf("%s/pick/%d", here, q.ID), Version: d.Version, Quote: q.Version, Key: secret.Token(), Button: "选定并提交申请", Back: here}
	return s.confirm(c, p, d, fiber.StatusOK, data)
}

func (s *Service) confirm(c *fiber.Ctx, p *web.Pages, d View, status int, data confirmPage) error {
	v, err := p.View(c, data.Title)
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex = "my", "my-demands", true
	v.Breadcrumb = []page.Crumb{{Text: "我的需求", URL: "/my/demands"}, {Text: d.Number, URL: fmt.Sprintf("/my/demands/%d", d.ID)}, {Text: data.Title}}
	return p.Render(c, status, "demand/confirm", v, data)
}

func (s *Service) takePick(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	id := number(c, "id")
	_, err := s.Pick(ctx, access.From(ctx), Pick{Ref: Ref{id, formNumber(c, "version"), c.FormValue("key")}, QuoteID: number(c, "quote"), QuoteVersion: formNumber(c, "quote"), Portal: true})
	if err != nil {
		return s.detailPage(c, p, err)
	}
	return c.Redirect(fmt.Sprintf("/my/demands/%d?done=picked", id), fiber.StatusSeeOther)
}

// step is what a company does to its demand after one more question.
type step struct {
	action, title, text, button, done string
	reason                            bool
}

var steps = map[string]step{
	"recall":  {"recall", "撤回修改", "撤回后审核停止，修改后需要重新提交。", "撤回修改", "recalled", false},
	"close":   {"close", "关闭需求", "关闭后不再接受报价，已有的报价一并结束，机构会收到通知。关闭后不能恢复，需要时可以重新发布。", "关闭需求", "closed", true},
	"discard": {"discard", "删除草稿", "删除后填写的内容和附件不能恢复。", "删除草稿", "", false},
}

func (s *Service) stepPage(c *fiber.Ctx, p *web.Pages, st step, failure error) error {
	ctx := c.UserContext()
	d, err := s.Get(ctx, access.From(ctx), number(c, "id"))
	if err != nil {
		return err
	}
	here := fmt.Sprintf("/my/demands/%d", d.ID)
	if !slices.Contains(d.Actions, st.action) {
		if failure != nil {
			return s.detailPage(c, p, failure)
		}
		return c.Redirect(here, fiber.StatusSeeOther)
	}
	data := confirmPage{Title: st.title, Text: st.text, Facts: page.Facts{Caption: "需求", Items: []page.Fact{{Label: "需求编号", Value: d.Number}, {Label: "标题", Value: d.Title}}},
		Action: here + "/" + st.action, Version: d.Version, Key: secret.Token(), Button: st.button, Back: here}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	if failure != nil {
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	if st.reason {
		data.Reason = &page.Field{Name: "reason", Label: "关闭原因", Hint: "例如：已在线下解决、计划有变", Value: c.FormValue("reason"), Required: true, MaxLength: 200, Rows: 3, Error: found("reason")}
	}
	return s.confirm(c, p, d, status, data)
}

func (s *Service) takeStep(c *fiber.Ctx, p *web.Pages, st step) error {
	ctx := c.UserContext()
	actor, ref := access.From(ctx), Ref{number(c, "id"), formNumber(c, "version"), c.FormValue("key")}
	var err error
	switch st.action {
	case "recall":
		_, err = s.Recall(ctx, actor, ref)
	case "close":
		_, err = s.Close(ctx, actor, Close{ref, c.FormValue("reason")})
	default:
		if err = s.Discard(ctx, actor, ref); err == nil {
			return c.Redirect("/my/demands?done=discarded", fiber.StatusSeeOther)
		}
	}
	if err != nil {
		return s.stepPage(c, p, st, err)
	}
	return c.Redirect(fmt.Sprintf("/my/demands/%d?done=%s", ref.ID, st.done), fiber.StatusSeeOther)
}

// soon are the days a new form begins with.
func soon(now time.Time) (until, wanted string) {
	return dayAfter(today(now), 14), dayAfter(today(now), 45)
}

// shown is a day as people write it.
func shown(day string) string {
	t, err := time.ParseInLocation(time.DateOnly, day, clock.Beijing)
	if err != nil {
		return day
	}
	return page.Date(t)
}
