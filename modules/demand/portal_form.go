package demand

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// acceptFiles is what the file inputs of the portal offer.
const acceptFiles = ".jpg,.jpeg,.png,.pdf,.docx,.xlsx"

func (s *Service) editPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	d, err := s.Get(ctx, access.From(ctx), number(c, "id"))
	if err != nil {
		return err
	}
	if !slices.Contains(d.Actions, "save") {
		return c.Redirect(fmt.Sprintf("/my/demands/%d", d.ID), fiber.StatusSeeOther)
	}
	return s.formPage(c, p, &d, nil, nil)
}

// takeForm keeps what was typed as a draft, whatever comes of it, and then does what the button says.
func (s *Service) takeForm(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), number(c, "id")
	typed := Typed{Kind: c.FormValue("kind"), Title: c.FormValue("title"), Description: c.FormValue("description"), BudgetMin: c.FormValue("budgetMin"), BudgetMax: c.FormValue("budgetMax"), Term: c.FormValue("term"),
		Until: c.FormValue("until"), WantedBy: c.FormValue("wantedBy"), Place: c.FormValue("place"), Named: c.FormValue("named") != "", ContactName: c.FormValue("contactName"), Phone: c.FormValue("phone"),
		ContactNote: c.FormValue("contactNote"), FileIDs: []int64{}}
	var before *View
	if id != 0 { // nothing is kept for somebody who may not see it
		d, err := s.Get(ctx, actor, id)
		if err != nil {
			return err
		}
		before = &d
		gone := formValues(c, "removeFiles")
		for _, f := range d.Files {
			if !slices.Contains(gone, strconv.FormatInt(f.ID, 10)) {
				typed.FileIDs = append(typed.FileIDs, f.ID)
			}
		}
	} else if err := poster(actor); err != nil {
		return s.formPage(c, p, nil, &typed, err)
	}
	failure := s.receive(c, &typed)
	if len(typed.FileIDs) > maxFiles {
		failure = fault.InvalidField("files", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，已保留前 %d 个", maxFiles, maxFiles))
		typed.FileIDs = typed.FileIDs[:maxFiles]
	}
	key := c.FormValue("key")
	saved, err := s.Save(ctx, actor, Save{Ref{id, formNumber(c, "version"), key}, typed})
	if err != nil {
		return s.formPage(c, p, before, &typed, err)
	}
	if failure != nil {
		return s.formPage(c, p, &saved, &typed, failure)
	}
	here := fmt.Sprintf("/my/demands/%d", saved.ID)
	switch {
	case c.FormValue("action") == "save":
		return c.Redirect(here+"/edit?done=saved", fiber.StatusSeeOther)
	case saved.State == Review: // the second of two clicks
		return c.Redirect(here+"?done=submitted", fiber.StatusSeeOther)
	}
	if key != "" {
		key += ".send"
	}
	if _, err := s.Submit(ctx, actor, Ref{saved.ID, saved.Version, key}); err != nil {
		return s.formPage(c, p, &saved, &typed, err)
	}
	return c.Redirect(here+"?done=submitted", fiber.StatusSeeOther)
}

func formValues(c *fiber.Ctx, name string) []string {
	if form, err := c.MultipartForm(); err == nil {
		return form.Value[name]
	}
	var out []string
	for _, v := range c.Request().PostArgs().PeekMulti(name) {
		out = append(out, string(v))
	}
	return out
}

// receive keeps the files that came with the form. The first that cannot be kept is told; the others are.
func (s *Service) receive(c *fiber.Ctx, typed *Typed) error {
	form, err := c.MultipartForm()
	if err != nil {
		return nil // a form without files
	}
	var failure error
	for _, h := range form.File["files"] {
		if h.Filename == "" {
			continue // no file was chosen
		}
		content, err := h.Open()
		if err != nil {
			return err
		}
		v, err := s.Files.Save(c.UserContext(), access.From(c.UserContext()), h.Filename, content)
		_ = content.Close()
		if f, ok := fault.As(err); ok {
			failure = fault.InvalidField("files", f.Code, "“"+h.Filename+"”没有上传："+f.Message)
			continue
		} else if err != nil {
			return err
		}
		typed.FileIDs = append(typed.FileIDs, v.ID)
	}
	return failure
}

func (s *Service) formPage(c *fiber.Ctx, p *web.Pages, d *View, typed *Typed, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	v, err := p.View(c, "发布需求")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "my-demands", true, []page.Crumb{{Text: "我的需求", URL: "/my/demands"}, {Text: "填写需求"}}
	data := formPage{Action: "/my/demands/new", Key: secret.Token()}
	if d != nil {
		data.ID, data.Version, data.Action = d.ID, d.Version, fmt.Sprintf("/my/demands/%d/edit", d.ID)
		data.SavedAt = page.DateTime(d.SavedAt)
		if typed == nil {
			typed = d.Typed
		}
		if d.State == SentBack {
			data.Reason = d.Reason
		}
		if slices.Contains(d.Actions, "discard") {
			data.Discard = fmt.Sprintf("/my/demands/%d/discard", d.ID)
		}
		if c.Query("done") == "saved" && failure == nil {
			v.Flash = page.Flash{Tone: page.Success, Text: "草稿已保存，可在“我的需求”继续填写"}
		}
	}
	name, phone := "", ""
	if typed == nil {
		typed = &Typed{Kind: c.Query("kind")}
		typed.Until, typed.WantedBy = soon(s.Clock.Now())
	}
	if actor.EnterpriseID == 0 {
		data.Notice, data.Link = ErrNoEnterprise.Message+"。", page.Link{Text: "去登记企业", URL: "/company"}
	} else {
		if name, phone, err = s.Contacts.Contact(ctx, s.DB.Read(), actor.UserID); err != nil {
			return err
		}
		company, err := s.Companies.Brief(ctx, s.DB.Read(), actor.EnterpriseID)
		if err != nil {
			return err
		}
		if !company.Verified {
			data.Notice, data.Link = company.Name+"还没有完成企业认证，认证后才能提交。您可以先填写并保存草稿。", page.Link{Text: "去认证企业", URL: "/company"}
		}
	}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	if failure != nil {
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
		if fault.KindOf(failure) == fault.Conflict {
			status = fiber.StatusConflict
		}
	}
	data.Kind = page.Field{Name: "kind", Label: "需求类别", Required: true, Error: found("kind")}
	for _, k := range s.Kinds {
		data.Kind.Options = append(data.Kind.Options, page.Option{Value: k.Code, Text: k.Name, Chosen: k.Code == typed.Kind})
	}
	data.Fields = []page.Field{
		{Name: "title", Label: "需求标题", Hint: "一句话说明需要什么，例如“找一家代理记账机构”", Value: typed.Title, Required: true, MaxLength: maxTitle},
		{Name: "description", Label: "需求说明", Hint: "要解决的问题、数量和交付要求。大厅公开显示，请不要写联系方式和商业秘密", Value: typed.Description, Required: true, MaxLength: maxDescription, Rows: 6},
		{Name: "budgetMin", Label: "预算下限", Hint: "服务类需求填写，可不填；融资需求不填", Value: typed.BudgetMin, InputMode: "decimal", Unit: "万元", MaxLength: 20},
		{Name: "budgetMax", Label: "预算上限或融资金额", Hint: "融资需求必填；服务类不填表示面议", Value: typed.BudgetMax, InputMode: "decimal", Unit: "万元", MaxLength: 20},
		{Name: "term", Label: "使用期限", Hint: "融资需求填写", Value: typed.Term, InputMode: "numeric", Unit: "个月", MaxLength: 6},
		{Name: "until", Label: "报价截止日期", Hint: fmt.Sprintf("当天仍可报价；截止后 %d 天内选定", pickDays), Value: typed.Until, Type: "date", Required: true, MaxLength: 10},
		{Name: "wantedBy", Label: "希望完成日期", Value: typed.WantedBy, Type: "date", Required: true, MaxLength: 10},
		{Name: "place", Label: "服务地点", Hint: "可不填", Value: typed.Place, MaxLength: maxPlace},
		{Name: "contactName", Label: "联系人", Hint: orNone("不填则用账号姓名 ", name), Value: typed.ContactName, MaxLength: maxName, Autocomplete: "name"},
		{Name: "phone", Label: "联系电话", Hint: "只告知被选定的机构；" + orNone("不填则用账号手机号 ", text.MaskPhone(phone)), Value: typed.Phone, Type: "tel", InputMode: "tel", MaxLength: 30, Autocomplete: "tel"},
		{Name: "contactNote", Label: "联系说明", Hint: "例如：工作日上午联系。可不填", Value: typed.ContactNote, MaxLength: maxContactNote},
	}
	for i := range data.Fields {
		data.Fields[i].Error = found(data.Fields[i].Name)
	}
	data.Named = page.Field{Name: "named", Label: "在需求大厅显示企业名称（不勾选则显示“企业未公开名称”，选定报价后机构才知道企业名称）"}
	if typed.Named {
		data.Named.Value = "1"
	}
	data.Files = page.Field{Name: "files", Label: "附件", Hint: "机构登录后可以查看。支持 jpg、png、pdf、docx、xlsx，可多选，最多 9 个，一次上传合计不超过 20 MB", Accept: acceptFiles, Multiple: true, Error: found("files")}
	if e := found("fileIds"); e != "" {
		data.Files.Error = e
	}
	if d != nil && len(d.Files) > 0 {
		data.Kept = page.Field{Name: "removeFiles", Label: "已上传的附件", Hint: "勾选后保存或提交，即移除该附件"}
		for _, f := range d.Files {
			data.Kept.Options = append(data.Kept.Options, page.Option{Value: strconv.FormatInt(f.ID, 10), Text: "移除 " + f.Name, Hint: page.Size(f.Size)})
		}
	}
	return p.Render(c, status, "demand/form", v, data)
}

func orNone(words, value string) string {
	if strings.TrimSpace(value) == "" {
		return "可不填"
	}
	return words + value
}
