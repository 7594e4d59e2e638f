package institution

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"mime/multipart"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// home is where applying begins on the portal; a sent application has a page below it.
const home = "/institutions/apply"

// applyPage is the whole application on one page.
type applyPage struct {
	Key      string // one per opening of the form: a double click is one command
	Version  int64
	Draft    bool // something is kept already
	Returned string
	Hint     *hint.Said
	Errors   page.ErrorSummary
	Kind     page.Field
	About    []page.Field
	Summary  page.Field
	Offers   page.Field
	Contact  []page.Field
	Papers   []paperCard
	NoPapers string // what is wrong with the documents as a whole
	Paper    []page.Field
	Pictures page.Field
}

// paperCard is one document on a page.
type paperCard struct {
	ID     int64
	Title  string
	Tag    page.Tag
	Facts  page.Facts
	Images page.FileList
}

// statusPage tells how an application stands and what to do next.
type statusPage struct {
	Title    string
	Status   page.Tag
	Next     string
	Hint     *hint.Said
	Tone     page.Tone
	Action   page.Link
	Withdraw string // where the application is taken back; "" when it cannot be
	Facts    page.Facts
	Papers   []paperCard
	Rounds   []RoundView
	Timeline page.Timeline
}

// withdrawPage asks whether an application is to be taken back.
type withdrawPage struct {
	ID, Version   int64
	Key           string
	Title, Number string
	Errors        page.ErrorSummary
}

// Pages adds the pages of applying for 入驻 to the portal. They work without a script.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("institution", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", home, who, func(c *fiber.Ctx) error { return s.applyPage(c, p, nil) })
	srv.Page("POST", home, who, func(c *fiber.Ctx) error {
		v, done, err := s.sendApplication(c)
		switch {
		case err != nil:
			return s.applyPage(c, p, err)
		case v.State == Waiting:
			return c.Redirect(fmt.Sprintf("%s/%d?done=sent", home, v.ID), fiber.StatusSeeOther)
		}
		return c.Redirect(home+"?done="+done, fiber.StatusSeeOther)
	})
	srv.Page("GET", home+"/:id<int>/withdraw", who, func(c *fiber.Ctx) error { return s.withdrawPage(c, p, nil) })
	srv.Page("POST", home+"/:id<int>/withdraw", who, func(c *fiber.Ctx) error {
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		ctx := c.UserContext()
		if _, err := s.Withdraw(ctx, access.From(ctx), WithdrawApplication{Ref{ID: id, Version: version, Key: c.FormValue("key")}}); err != nil {
			return s.withdrawPage(c, p, err)
		}
		return c.Redirect(home+"?done=withdrawn", fiber.StatusSeeOther)
	})
	srv.Page("GET", home+"/:id<int>", access.Only(access.Enterprise, access.Institution), func(c *fiber.Ctx) error { return s.statusPage(c, p) })
	return nil
}

var doneTexts = map[string]page.Flash{
	"saved":     {Tone: page.Success, Text: "草稿已保存，可以稍后继续填写"},
	"added":     {Tone: page.Success, Text: "证照已添加"},
	"removed":   {Tone: page.Success, Text: "证照已移除"},
	"withdrawn": {Tone: page.Success, Text: "申请已撤回，修改后可以重新提交"},
	"sent":      {Tone: page.Success, Text: "入驻申请已提交，审核结果会发送消息通知您"},
}

// sendApplication does what the pressed button says, and names what was done.
func (s *Service) sendApplication(c *fiber.Ctx) (ApplicationView, string, error) {
	ctx := c.UserContext()
	actor := access.From(ctx)
	cmd := Apply{Key: c.FormValue("key"), Form: typed(c)}
	cmd.Version, _ = strconv.ParseInt(c.FormValue("version"), 10, 64)
	action := c.FormValue("action")
	switch {
	case action == "submit":
		v, err := s.Submit(ctx, actor, cmd)
		return v, "sent", err
	case action == "add":
		add := NewDocument{Apply: cmd, Document: Licence{Name: c.FormValue("docName"), No: c.FormValue("docNo"), To: strings.TrimSpace(c.FormValue("docTo"))}}
		if form, err := c.MultipartForm(); err == nil {
			for _, h := range form.File["docFiles"] {
				id, err := s.keepFile(c, actor, h)
				if err != nil {
					return ApplicationView{}, "", onField(err, "docFiles")
				}
				if id != 0 {
					add.FileIDs = append(add.FileIDs, id)
				}
			}
		}
		v, err := s.AddDocument(ctx, actor, add)
		return v, "added", err
	case strings.HasPrefix(action, "remove-"):
		id, _ := strconv.ParseInt(strings.TrimPrefix(action, "remove-"), 10, 64)
		v, err := s.RemoveDocument(ctx, actor, RemoveDocument{Apply: cmd, ID: id})
		return v, "removed", err
	}
	v, err := s.SaveDraft(ctx, actor, cmd)
	return v, "saved", err
}

func typed(c *fiber.Ctx) Form {
	return Form{Name: c.FormValue("name"), Kind: c.FormValue("kind"), CreditCode: c.FormValue("creditCode"), LegalPerson: c.FormValue("legalPerson"), Phone: c.FormValue("phone"),
		Address: c.FormValue("address"), Summary: c.FormValue("summary"), Offers: c.FormValue("offers"), ContactName: c.FormValue("contactName"),
		ContactPhone: c.FormValue("contactPhone"), Account: c.FormValue("account")}
}

// keepFile stores one upload; an input left empty is no file.
func (s *Service) keepFile(c *fiber.Ctx, actor access.Actor, h *multipart.FileHeader) (int64, error) {
	if h.Filename == "" && h.Size == 0 {
		return 0, nil
	}
	f, err := h.Open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return s.Files.Keep(c.UserContext(), actor, h.Filename, f)
}

// applyPage shows the form; failure belongs to what was sent. Whoever's application is sent or decided reads how it stands;
// after a refusal they may begin another.
func (s *Service) applyPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	a, err := s.Mine(ctx, access.From(ctx))
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	open := err == nil && (a.State == Draft || a.State == Returned)
	if err == nil && !open && failure == nil && (a.State != Refused || c.Query("again") == "") {
		return c.Redirect(fmt.Sprintf("%s/%d", home, a.ID), fiber.StatusSeeOther)
	}
	v, err := p.View(c, "机构入驻申请")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb, v.Flash = "onboarding", true, []page.Crumb{{Text: "机构入驻申请"}}, doneTexts[c.Query("done")]
	status, found := fiber.StatusOK, func(string) string { return "" }
	data := applyPage{Key: secret.Token()}
	if data.Hint, err = s.Hints.ToSubmitter(ctx, s.DB.Read(), HintsOfApplications, "form"); err != nil {
		return err
	}
	form := Form{}
	if open {
		data.Draft, data.Version = true, a.Version
		form = Form{Name: a.Name, Kind: a.Kind, CreditCode: a.CreditCode, LegalPerson: a.LegalPerson, Phone: a.Phone, Address: a.Address, Summary: a.Summary,
			Offers: a.Offers, ContactName: a.ContactName, ContactPhone: a.ContactPhone, Account: a.Account}
		if a.State == Returned && len(a.Rounds) > 0 {
			data.Returned = a.Rounds[0].Reason
		}
		for _, d := range a.Documents {
			data.Papers = append(data.Papers, cardOf(d))
		}
	}
	if failure != nil {
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status, v.Path = fiber.StatusUnprocessableEntity, home
		form, data.NoPapers = typed(c), found("documents")
		if n, err := strconv.ParseInt(c.FormValue("version"), 10, 64); err == nil {
			data.Version = n // what they saw, so that a stale form stays stale
		}
	}
	data.fields(c, form, found)
	return p.Render(c, status, "institution/apply", v, data)
}

// fields lays the inputs out.
func (d *applyPage) fields(c *fiber.Ctx, f Form, found func(string) string) {
	in := func(name, label, value, hint string, most int) page.Field {
		return page.Field{Name: name, Label: label, Value: value, Hint: hint, Required: true, MaxLength: most, Error: found(name)}
	}
	d.Kind = page.Field{Name: "kind", Label: "机构类型", Required: true, Error: found("kind"), Options: []page.Option{{Text: "请选择"}}}
	for _, k := range Kinds() {
		d.Kind.Options = append(d.Kind.Options, page.Option{Value: k.Code, Text: k.Name, Chosen: k.Code == f.Kind})
	}
	d.About = []page.Field{
		in("name", "机构名称", f.Name, "与营业执照一致的全称", 100),
		in("creditCode", "统一社会信用代码", f.CreditCode, "营业执照上的 18 位代码", 40),
		in("legalPerson", "法定代表人", f.LegalPerson, "分支机构填写负责人", 50),
		in("phone", "咨询电话", f.Phone, "入驻后对企业公开，手机或带区号的固定电话", 30),
		in("address", "地址", f.Address, "", 200),
	}
	d.Summary = in("summary", "机构简介", f.Summary, "入驻后对企业公开，5 至 500 字", 500)
	d.Offers = in("offers", "服务内容", f.Offers, "拟在平台提供的服务、服务对象和收费方式，10 至 1000 字", 1000)
	d.Summary.Rows, d.Offers.Rows = 3, 4
	phone := in("contactPhone", "联系手机", f.ContactPhone, "只供审核人员联系，不公开", 30)
	phone.Type, phone.Autocomplete = "tel", "tel"
	d.Contact = []page.Field{
		in("contactName", "联系人", f.ContactName, "", 30), phone,
		in("account", "管理员账号", f.Account, "入驻通过后用它登录管理后台，3 至 32 位小写字母、数字、点、横线或下划线，以字母开头", 32),
	}
	paper := func(name, label, hint string, most int) page.Field {
		x := in(name, label, "", hint, most)
		x.Required = false
		if found(name) != "" || found("docName") != "" || found("docNo") != "" || found("docTo") != "" || found("docFiles") != "" {
			x.Value = c.FormValue(name)
		}
		return x
	}
	d.Paper = []page.Field{paper("docName", "证照名称", "例如营业执照、金融许可证、律师事务所执业许可证", 100), paper("docNo", "证照编号", "", 60), paper("docTo", "有效期至", "长期有效的不填", 10)}
	d.Paper[2].Type = "date"
	d.Pictures = page.Field{Name: "docFiles", Label: "照片或扫描件", Hint: "jpg、png 或 pdf，每个不超过 10 MB，最多 5 个", Accept: ".jpg,.jpeg,.png,.pdf", Multiple: true, Error: found("docFiles")}
}

func cardOf(d DocumentView) paperCard {
	c := paperCard{ID: d.ID, Title: d.Name, Facts: page.Facts{Caption: d.Name, Items: []page.Fact{{Label: "编号", Value: d.No}, {Label: "有效期至", Value: cmp.Or(d.To, "长期有效")}}}}
	switch {
	case d.To == "":
	case d.Days < 0:
		c.Tag = page.Tag{Text: "已过期", Tone: page.Danger}
	case d.Days <= 30:
		c.Tag = page.Tag{Text: "即将到期", Tone: page.Warning}
	}
	for _, f := range d.Files {
		c.Images.Files = append(c.Images.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
	}
	return c
}

// stateTag is how the state of an application is shown on the portal.
func stateTag(s State) page.Tag {
	tones := map[State]page.Tone{Draft: page.Neutral, Waiting: page.Info, Checked: page.Info, Returned: page.Warning, Approved: page.Success, Refused: page.Danger}
	return page.Tag{Text: s.Label(), Tone: tones[s]}
}

// statusPage shows how an application stands.
func (s *Service) statusPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	a, err := s.Application(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	v, err := p.View(c, "机构入驻申请 "+a.Number)
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb, v.Flash = "onboarding", true, []page.Crumb{{Text: "机构入驻申请", URL: home}, {Text: cmp.Or(a.Number, "草稿")}}, doneTexts[c.Query("done")]
	data := statusPage{Title: cmp.Or(a.Name, "未填写机构名称"), Status: stateTag(a.State), Tone: page.Info, Rounds: a.Rounds, Facts: page.Facts{Caption: "申请信息"}}
	if data.Hint, err = s.Hints.ToSubmitter(ctx, s.DB.Read(), HintsOfApplications, "at-"+string(a.State)); err != nil {
		return err
	}
	data.Next = a.next()
	switch a.State {
	case Draft:
		data.Action = page.Link{Text: "继续填写", URL: home}
	case Waiting, Checked:
		if a.MayWithdraw {
			data.Withdraw = fmt.Sprintf("%s/%d/withdraw", home, a.ID)
		}
	case Returned:
		data.Tone, data.Action = page.Warning, page.Link{Text: "修改后重新提交", URL: home}
	case Approved:
		data.Tone = page.Success
	case Refused:
		data.Tone, data.Action = page.Danger, page.Link{Text: "重新申请", URL: home + "?again=1"}
	}
	for _, f := range []page.Fact{{Label: "申请编号", Value: a.Number}, {Label: "机构类型", Value: a.KindName}, {Label: "统一社会信用代码", Value: a.CreditCode}, {Label: "法定代表人", Value: a.LegalPerson},
		{Label: "咨询电话", Value: a.Phone}, {Label: "地址", Value: a.Address}, {Label: "机构简介", Value: a.Summary}, {Label: "服务内容", Value: a.Offers},
		{Label: "联系人", Value: a.ContactName}, {Label: "联系手机", Value: page.MaskPhone(a.ContactPhone)}, {Label: "管理员账号", Value: a.Account}} {
		if f.Value != "" {
			data.Facts.Items = append(data.Facts.Items, f)
		}
	}
	for _, d := range a.Documents {
		data.Papers = append(data.Papers, cardOf(d))
	}
	for i, st := range a.Timeline {
		step := page.Step{Title: st.Label, When: st.At, Who: st.Actor, Text: st.Text, State: page.StepDone}
		if i == len(a.Timeline)-1 && a.State == Refused {
			step.State = page.StepFailed
		}
		data.Timeline.Steps = append(data.Timeline.Steps, step)
	}
	if review := reviews[a.State]; review != "" {
		data.Timeline.Steps = append(data.Timeline.Steps, page.Step{Title: review, State: page.StepCurrent})
	}
	if a.State == Waiting {
		data.Timeline.Steps = append(data.Timeline.Steps, page.Step{Title: reviews[Checked], State: page.StepPending})
	}
	return p.Render(c, fiber.StatusOK, "institution/status", v, data)
}

// withdrawPage asks before an application is taken back; failure is why it was not.
func (s *Service) withdrawPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	a, err := s.Application(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	if !a.MayWithdraw && failure == nil {
		return c.Redirect(fmt.Sprintf("%s/%d", home, id), fiber.StatusSeeOther)
	}
	v, err := p.View(c, "撤回入驻申请")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb = "onboarding", true, []page.Crumb{{Text: "机构入驻申请", URL: fmt.Sprintf("%s/%d", home, id)}, {Text: "撤回"}}
	data, status := withdrawPage{ID: id, Version: a.Version, Key: secret.Token(), Title: a.Name, Number: a.Number}, fiber.StatusOK
	if failure != nil {
		if data.Errors, _, err = web.FormErrors(failure); err != nil {
			return err
		}
		status, v.Path = fiber.StatusUnprocessableEntity, fmt.Sprintf("%s/%d/withdraw", home, id)
	}
	return p.Render(c, status, "institution/withdraw", v, data)
}
