package application

import (
	"embed"
	"fmt"
	"io/fs"
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
	Drafts  []page.ItemCard
	Items   []page.ItemCard
	Filters []page.Link
	Empty   page.Empty
	Pager   page.Pager
}

type detailPage struct {
	ID        int64
	Title     string
	Status    page.Tag
	Facts     page.Facts
	Result    page.Facts
	Reason    string
	ReasonFor string // heading of Reason
	Next      string
	Phone     string // of the institution
	Hotline   string
	Timeline  page.Timeline
	Files     page.FileList
	Withdraw  bool
	Again     page.Link
	Supply    *supplyPage
	Fill      *fillPage
	Beside    []page.Panel
	Plan      []PlanStep
	Answer    *answerPage
	Hint      *Hint
}

type supplyPage struct {
	ID, Version int64
	Key         string
	Errors      page.ErrorSummary
	Note        page.Field
	Extra       []page.Field // what administrators ask
	Files       page.Field
	Hint        *Hint
}

// fillPage asks for what is required and was never answered.
type fillPage struct {
	ID, Version int64
	Key         string
	Labels      string
	Errors      page.ErrorSummary
	Extra       []page.Field
}

type withdrawPage struct {
	ID, Version int64
	Key         string
	Title       string
	Number      string
	Errors      page.ErrorSummary
	Reason      page.Field
}

var tones = map[Status]page.Tone{
	Unsent: page.Neutral, Waiting: page.Warning, Lacking: page.Warning, Taken: page.Info, Working: page.Info, Given: page.Warning, Granted: page.Success, PaidOut: page.Success,
	Done: page.Success, Refused: page.Danger, Dropped: page.Neutral,
}

func statusTag(s Status) page.Tag { return page.Tag{Text: s.Label(), Tone: tones[s]} }

// Pages adds the applicant's pages of the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("application", sub); err != nil {
		return err
	}
	s.hintPictures(srv)
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/products/:id<int>/apply", who, func(c *fiber.Ctx) error { return s.applyPage(c, p, nil, nil) })
	srv.Page("POST", "/products/:id<int>/apply", who, func(c *fiber.Ctx) error { return s.takeForm(c, p) })
	srv.Page("GET", "/applications", who, func(c *fiber.Ctx) error { return s.listPage(c, p) })
	srv.Page("GET", "/applications/:id<int>", who, func(c *fiber.Ctx) error { return s.detailPage(c, p, nil) })
	srv.Page("POST", "/applications/:id<int>/fields", who, func(c *fiber.Ctx) error { return s.takeFields(c, p) })
	srv.Page("POST", "/applications/:id<int>/supplement", who, func(c *fiber.Ctx) error { return s.takeSupplement(c, p) })
	srv.Page("POST", "/applications/:id<int>/answer", who, func(c *fiber.Ctx) error { return s.takeAnswer(c, p) })
	srv.Page("GET", "/applications/:id<int>/withdraw", who, func(c *fiber.Ctx) error { return s.withdrawPage(c, p, nil) })
	srv.Page("POST", "/applications/:id<int>/withdraw", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id := idOf(c)
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		_, err := s.Withdraw(ctx, access.From(ctx), Withdraw{Ref: Ref{ID: id, Version: version, Key: c.FormValue("key")}, Reason: c.FormValue("reason")})
		if err != nil {
			return s.withdrawPage(c, p, err)
		}
		return c.Redirect(fmt.Sprintf("/applications/%d?done=withdrawn", id), fiber.StatusSeeOther)
	})
	return nil
}

func idOf(c *fiber.Ctx) int64 {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

// groups are the choices above the list.
var groups = []struct {
	key, text string
	statuses  []Status
}{
	{"", "全部", nil}, {"todo", "待我处理", []Status{Lacking, Given}}, {"open", "办理中", []Status{Waiting, Taken, Working, Granted, PaidOut}},
	{"ended", "已结束", []Status{Done, Refused, Dropped}},
}

var listDone = map[string]string{"discarded": "草稿已删除"}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	v, err := p.View(c, "我的申请")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "applications", "applications", true, []page.Crumb{{Text: "我的申请"}}
	if text := listDone[c.Query("done")]; text != "" {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
	}
	filter := ListFilter{Cursor: c.Query("cursor"), Limit: 20}
	data := listPage{Empty: page.Empty{Title: "还没有提交过申请", Text: "在服务产品里选择贷款或专业服务，填写申请后，进度会显示在这里。",
		Action: page.Link{Text: "去选产品", URL: "/products"}}}
	base := "/applications?"
	for _, g := range groups {
		url := "/applications"
		if g.key != "" {
			url += "?state=" + g.key
		}
		current := g.key == c.Query("state")
		data.Filters = append(data.Filters, page.Link{Text: g.text, URL: url, Current: current})
		if current && g.key != "" {
			filter.Statuses, base = g.statuses, url+"&"
			data.Empty = page.Empty{Title: "没有“" + g.text + "”的申请", Action: page.Link{Text: "查看全部申请", URL: "/applications"}}
		}
	}
	items, next, err := s.List(ctx, actor, filter)
	if err != nil {
		return err
	}
	if c.Query("state") == "" && c.Query("cursor") == "" {
		drafts, err := s.Drafts(ctx, actor)
		if err != nil {
			return err
		}
		for _, d := range drafts {
			data.Drafts = append(data.Drafts, page.ItemCard{URL: fmt.Sprintf("/products/%d/apply", d.ProductID), Title: d.ProductName, Status: statusTag(Unsent),
				Meta: []string{d.InstitutionName, page.DateTime(d.SavedAt) + " 保存，尚未提交"}})
		}
	}
	for _, i := range items {
		data.Items = append(data.Items, i.Card())
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = strings.TrimRight(base, "?&")
	}
	if next != "" {
		following = base + "cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, fiber.StatusOK, "application/list", v, data)
}

var doneTexts = map[string]string{
	"submitted": "申请已提交，机构受理后会与您联系，进度在本页更新", "withdrawn": "申请已撤回", "supplied": "补充材料已提交", "filled": "信息已补填，机构可以看到", "confirmed": "已确认交付，申请办结", "objected": "异议已提交，机构会与您沟通",
	"open": "贵企业已有这件申请正在办理，无需重复提交",
}

func (s *Service) detailPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	a, err := s.Get(ctx, access.From(ctx), idOf(c))
	if err != nil {
		return err
	}
	v, err := p.View(c, a.ProductName)
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex = "applications", "applications", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: a.Number}}
	if text := doneTexts[c.Query("done")]; text != "" {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
		if c.Query("done") == "open" {
			v.Flash.Tone = page.Info
		}
	}
	data := detailPage{
		ID: a.ID, Title: a.ProductName, Status: statusTag(a.Status), Facts: page.Facts{Caption: "申请信息", Items: applicationFacts(a)},
		Result: page.Facts{Caption: "审批结果", Items: resultFacts(a)}, Next: a.Next, Phone: a.InstitutionPhone, Hotline: a.Hotline, Withdraw: slices.Contains(a.Actions, ToWithdraw),
		Timeline: page.Timeline{Steps: steps(a)}, Files: page.FileList{Title: "申请材料", Files: untold(a)},
	}
	data.Hint = a.Hint(atState(a.Status))
	if data.Beside, err = s.panels(ctx, access.From(ctx), a.ID); err != nil {
		return err
	}
	switch a.Status {
	case Lacking:
		data.ReasonFor, data.Reason = "需要补充", a.Reason
	case Refused:
		data.ReasonFor, data.Reason = "未通过的原因", a.Reason
		data.Again = page.Link{Text: "看看其他产品", URL: "/products"}
	case Dropped:
		data.ReasonFor, data.Reason = "撤回原因", a.Reason
	}
	if a.Plan != nil {
		data.Plan = a.Plan.Steps
	}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	if failure != nil {
		status = fiber.StatusUnprocessableEntity
	}
	if slices.Contains(a.Actions, ToConfirm) {
		if data.Answer, err = answerForm(c, a, failure); err != nil {
			return err
		}
	} else if slices.Contains(a.Actions, ToSupplement) {
		r := &supplyPage{ID: a.ID, Version: a.Version, Key: secret.Token(), Hint: a.Hint(string(ToSupplement))}
		if failure != nil {
			if r.Errors, found, err = web.FormErrors(failure); err != nil {
				return err
			}
			if c.FormValue("key") != "" && fault.KindOf(failure) == fault.Invalid {
				r.Key = c.FormValue("key")
			}
		}
		r.Note = page.Field{Name: "note", Label: "补充说明", Value: c.FormValue("note"), Required: true, MaxLength: maxNote, Rows: 4, Error: found("note")}
		r.Files = page.Field{Name: "files", Label: "补充材料", Hint: "支持 jpg、png、pdf、docx、xlsx，可多选，最多 9 个", Accept: acceptFiles, Multiple: true, Error: found("files")}
		r.Extra = mendFields(c, a, failure, found)
		data.Supply = r
	} else if a.Mend != nil {
		if data.Fill, err = fillForm(c, a, failure); err != nil {
			return err
		}
	} else if failure != nil {
		return failure
	}
	return p.Render(c, status, "application/detail", v, data)
}

func (s *Service) takeSupplement(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	// Nothing is kept for somebody who may not see the application.
	a, err := s.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	cmd := Supplement{Ref: Ref{ID: id, Version: version, Key: c.FormValue("key")}, Note: c.FormValue("note")}
	if a.Mend != nil {
		cmd.Fields = typedFields(c)
	}
	if strings.TrimSpace(cmd.Note) != "" {
		files, err := s.received(c)
		if err != nil {
			return s.detailPage(c, p, err)
		}
		for _, f := range files {
			cmd.FileIDs = append(cmd.FileIDs, f.ID)
		}
	}
	if _, err := s.Supplement(ctx, actor, cmd); err != nil {
		return s.detailPage(c, p, err)
	}
	return c.Redirect(fmt.Sprintf("/applications/%d?done=supplied", id), fiber.StatusSeeOther)
}

// mendFields are the inputs of what the company may put right: as typed after a failure, otherwise as they are.
func mendFields(c *fiber.Ctx, a View, failure error, found func(string) string) []page.Field {
	if a.Mend == nil {
		return nil
	}
	values := a.Mend.Values
	if failure != nil {
		values = typedFields(c)
	}
	var out []page.Field
	for _, f := range a.Mend.Fields {
		out = append(out, f.Input(values[f.Key], found("fields."+f.Key)))
	}
	return out
}

// fillForm asks for what is required and was never answered.
func fillForm(c *fiber.Ctx, a View, failure error) (*fillPage, error) {
	r := &fillPage{ID: a.ID, Version: a.Mend.Version, Key: secret.Token(), Labels: strings.Join(a.Unanswered, "、")}
	found := func(string) string { return "" }
	if failure != nil {
		var err error
		if r.Errors, found, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
	}
	r.Extra = mendFields(c, a, failure, found)
	return r, nil
}

func (s *Service) takeFields(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	a, err := s.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	if a.Mend == nil || !a.Mend.Alone { // it was done meanwhile, or goes with the supplement
		return c.Redirect(fmt.Sprintf("/applications/%d", id), fiber.StatusSeeOther)
	}
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	if _, err := s.FillIn(ctx, actor, FillIn{Key: c.FormValue("key"), ID: id, Version: version, Values: typedFields(c)}); err != nil {
		return s.detailPage(c, p, err)
	}
	return c.Redirect(fmt.Sprintf("/applications/%d?done=filled", id), fiber.StatusSeeOther)
}

func (s *Service) withdrawPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	a, err := s.Get(ctx, access.From(ctx), idOf(c))
	if err != nil {
		return err
	}
	if !slices.Contains(a.Actions, ToWithdraw) {
		if failure != nil {
			return failure
		}
		return c.Redirect(fmt.Sprintf("/applications/%d", a.ID), fiber.StatusSeeOther)
	}
	v, err := p.View(c, "撤回申请")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex = "applications", "applications", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: a.Number, URL: fmt.Sprintf("/applications/%d", a.ID)}, {Text: "撤回申请"}}
	data := withdrawPage{ID: a.ID, Version: a.Version, Key: secret.Token(), Title: a.ProductName, Number: a.Number}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	if failure != nil {
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	data.Reason = page.Field{Name: "reason", Label: "撤回原因", Hint: "可不填；填写后机构可以看到", Value: c.FormValue("reason"), MaxLength: maxNote, Rows: 3, Error: found("reason")}
	return p.Render(c, status, "application/withdraw", v, data)
}

func applicationFacts(a View) []page.Fact {
	list := []page.Fact{{Label: "申请编号", Value: a.Number}, {Label: "服务机构", Value: a.InstitutionName}, {Label: "提交时间", Value: page.DateTime(a.SubmittedAt)}}
	if a.Due != nil && !a.Due.Held {
		list = append(list, page.Fact{Label: a.Due.Label, Value: page.DateTime(a.Due.At) + " 前（" + a.Due.Budget + "）"})
	}
	if a.Lends {
		list = append(list, page.Fact{Label: "申请金额", Value: page.Money(a.Amount), Strong: true}, page.Fact{Label: "申请期限", Value: fmt.Sprintf("%d 个月", a.Term)},
			page.Fact{Label: "资金用途", Value: a.Purpose})
		if a.Collateral != "" {
			list = append(list, page.Fact{Label: "担保或抵押", Value: a.Collateral})
		}
	} else {
		list = append(list, page.Fact{Label: "需求说明", Value: a.Purpose})
	}
	for _, x := range a.Extra {
		list = append(list, page.Fact{Label: x.Label, Value: x.Text})
	}
	return append(list, page.Fact{Label: "联系人", Value: a.ContactName + " " + a.Phone})
}

func resultFacts(a View) []page.Fact {
	if a.ApprovedAmount == 0 {
		return nil
	}
	list := []page.Fact{{Label: "审批金额", Value: page.Money(a.ApprovedAmount), Strong: true}}
	if a.ApprovedRate > 0 {
		list = append(list, page.Fact{Label: "年利率", Value: page.Rate(int64(a.ApprovedRate))})
	}
	list = append(list, page.Fact{Label: "期限", Value: fmt.Sprintf("%d 个月", a.ApprovedTerm)})
	for _, p := range a.Payments {
		list = append(list, page.Fact{Label: fmt.Sprintf("第 %d 笔放款", p.No), Value: page.Money(p.Amount) + "，" + p.PaidOn})
	}
	if a.DisbursedAt != nil {
		list = append(list, page.Fact{Label: "已放款", Value: page.Money(a.DisbursedAmount) + "，" + page.DateTime(*a.DisbursedAt)})
	}
	return list
}

// steps tell the course of the application; what comes next stands above it.
func steps(a View) []page.Step {
	var list []page.Step
	for i, st := range a.Timeline {
		state := page.StepDone
		if i == len(a.Timeline)-1 {
			switch {
			case a.Status == Refused:
				state = page.StepFailed
			case !a.Status.Ended():
				state = page.StepCurrent
			}
		}
		step := page.Step{Title: st.Label, Who: st.Actor, When: st.At, Text: st.Text, State: state}
		for _, f := range a.Files {
			if slices.Contains(st.FileIDs, f.ID) {
				step.Files = append(step.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
			}
		}
		list = append(list, step)
	}
	return list
}

// untold are the files that no later step came with.
func untold(a View) []page.File {
	told := map[int64]bool{}
	for _, st := range a.Timeline {
		for _, id := range st.FileIDs {
			told[id] = true
		}
	}
	var list []page.File
	for _, f := range a.Files {
		if !told[f.ID] {
			list = append(list, page.Attachment(f.Name, f.URL, f.Size, f.State))
		}
	}
	for _, f := range a.PaperFiles {
		list = append(list, page.Attachment("证照："+f.Name, f.URL, f.Size, f.State))
	}
	return list
}

// Card is the application in a list of the portal.
func (i Item) Card() page.ItemCard {
	meta := []string{i.Number, i.InstitutionName, page.DateTime(i.SubmittedAt) + " 提交"}
	if i.Lends {
		meta = append(meta, page.Money(i.Amount))
	}
	return page.ItemCard{URL: fmt.Sprintf("/applications/%d", i.ID), Title: i.ProductName, Status: statusTag(i.Status), Meta: meta}
}
