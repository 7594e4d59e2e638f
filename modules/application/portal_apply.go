package application

import (
	"context"
	"fmt"
	"io"
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

// Uploads keeps files of a signed-in person.
type Uploads interface {
	Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (FileView, error)
}

// acceptFiles is what the file inputs of the portal offer.
const acceptFiles = ".jpg,.jpeg,.png,.pdf,.docx,.xlsx"

// consentsURL leads to what the company agreed to.
const consentsURL = "/company/consents"

// verifyURL leads to the verification of the company.
const verifyURL = "/company"

type applyPage struct {
	ProductID int64
	Title     string
	Key       string // one per opening of the form: a double click sends one application
	Notice    notice // why it cannot be sent, and where to go
	Errors    page.ErrorSummary
	SavedAt   string // when the draft was saved; empty without one
	Listed    bool
	Fields    []page.Field // text and text area fields, in order; Rows > 0 is a text area
	Extra     []page.Field // what administrators ask, each with its template's kind in Type
	Files     page.Field
	Kept      page.Field // files of the draft; ticked ones are removed
	Product   page.Facts
	Materials []string
	Contact   string
	Papers    page.Field // licences of the company; ticked ones are handed in
	Known     page.Facts // what the institution will read of the company
	Sharing   notice     // whether it may
	Hint      *Hint
}

// notice is a message with a way on.
type notice struct {
	Text string
	Link page.Link
}

// takeForm keeps what was typed as a draft, whatever comes of it, and then does what the button says.
func (s *Service) takeForm(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	here := fmt.Sprintf("/products/%d/apply", id)
	if c.FormValue("action") == "discard" {
		if err := s.DiscardDraft(ctx, actor, id); err != nil {
			return err
		}
		return c.Redirect("/applications?done=discarded", fiber.StatusSeeOther)
	}
	typed := Typed{
		Amount: c.FormValue("amount"), Term: c.FormValue("term"), Purpose: c.FormValue("purpose"), Collateral: c.FormValue("collateral"),
		ContactName: c.FormValue("contactName"), Phone: c.FormValue("phone"),
	}
	for _, v := range formValues(c, "papers") {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			typed.Papers = append(typed.Papers, n)
		}
	}
	typed.Fields = typedFields(c)
	files, failure := s.formFiles(c, id)
	typed.Files = files
	if len(typed.Files) > maxFiles {
		failure = fault.InvalidField("files", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，已保留前 %d 个", maxFiles, maxFiles))
		typed.Files = typed.Files[:maxFiles]
	}
	kept, err := s.SaveDraft(ctx, actor, id, typed)
	if err == nil {
		typed = kept.Typed
	} else if fault.KindOf(err) != fault.Conflict && fault.KindOf(err) != fault.NotFound {
		return s.applyPage(c, p, &typed, err)
	}
	if failure != nil {
		return s.applyPage(c, p, &typed, failure)
	}
	if c.FormValue("action") == "save" {
		if err != nil {
			return s.applyPage(c, p, &typed, err)
		}
		return c.Redirect(here+"?done=saved", fiber.StatusSeeOther)
	}
	cmd := typed.command()
	cmd.Key, cmd.ProductID, cmd.Source = c.FormValue("key"), id, FromPortal
	v, err := s.Submit(ctx, actor, cmd)
	if err != nil {
		return s.applyPage(c, p, &typed, err)
	}
	return c.Redirect(fmt.Sprintf("/applications/%d?done=submitted", v.ID), fiber.StatusSeeOther)
}

// formFiles are the files of the draft without those ticked for removal, and the new ones.
func (s *Service) formFiles(c *fiber.Ctx, productID int64) ([]DraftFile, error) {
	ctx := c.UserContext()
	var list []DraftFile
	f, err := s.Form(ctx, access.From(ctx), productID)
	if err == nil && f.Draft != nil {
		gone := formValues(c, "removeFiles")
		for _, d := range f.Draft.Files {
			if !slices.Contains(gone, strconv.FormatInt(d.ID, 10)) {
				list = append(list, d)
			}
		}
	}
	added, err := s.received(c)
	for _, v := range added {
		list = append(list, DraftFile{ID: v.ID, Name: v.Name, Size: v.Size})
	}
	return list, err
}

// typedFields are the answers of the posted form to what administrators ask, by the keys of the fields.
func typedFields(c *fiber.Ctx) map[string][]string {
	out := map[string][]string{}
	take := func(name string, values ...string) {
		if key, ok := strings.CutPrefix(name, "fields."); ok {
			out[key] = append(out[key], values...)
		}
	}
	if form, err := c.MultipartForm(); err == nil {
		for name, values := range form.Value {
			take(name, values...)
		}
		return out
	}
	for name, value := range c.Request().PostArgs().All() {
		take(string(name), string(value))
	}
	return out
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

// received keeps the files that came with the form. The first that cannot be kept is told; the others are.
func (s *Service) received(c *fiber.Ctx) ([]FileView, error) {
	form, err := c.MultipartForm()
	if err != nil {
		return nil, nil // a form without files
	}
	var list []FileView
	var failure error
	for _, h := range form.File["files"] {
		if h.Filename == "" {
			continue // no file was chosen
		}
		content, err := h.Open()
		if err != nil {
			return list, err
		}
		v, err := s.Uploads.Save(c.UserContext(), access.From(c.UserContext()), h.Filename, content)
		_ = content.Close()
		if f, ok := fault.As(err); ok {
			failure = fault.InvalidField("files", f.Code, "“"+h.Filename+"”没有上传："+f.Message)
			continue
		} else if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, failure
}

func (s *Service) applyPage(c *fiber.Ctx, p *web.Pages, typed *Typed, failure error) error {
	ctx := c.UserContext()
	f, err := s.Form(ctx, access.From(ctx), idOf(c))
	if fault.KindOf(err) == fault.NotFound && typed != nil {
		return failure
	} else if err != nil {
		return err
	}
	if f.OpenID != 0 && typed == nil {
		return c.Redirect(fmt.Sprintf("/applications/%d?done=open", f.OpenID), fiber.StatusSeeOther)
	}
	v, err := p.View(c, "申请 "+f.Product.Name)
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "products", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: "填写申请"}}
	data := applyPage{ProductID: f.Product.ID, Title: f.Product.Name, Key: c.FormValue("key"), Listed: f.Listed, Materials: f.Product.Materials, Contact: s.Hotline, Hint: f.Hint}
	if data.Key == "" {
		data.Key = secret.Token()
	}
	if typed == nil && f.Draft != nil {
		typed = &f.Draft.Typed
	}
	if typed == nil {
		typed = &Typed{ContactName: f.Prefill.ContactName, Phone: f.Prefill.Phone, Papers: f.Prefill.Papers}
	}
	if f.Draft != nil {
		data.SavedAt = page.DateTime(f.Draft.SavedAt)
		if c.Query("done") == "saved" {
			v.Flash = page.Flash{Tone: page.Success, Text: "草稿已保存，可在“我的申请”继续填写"}
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
	switch {
	case f.OpenID != 0:
		data.Notice = notice{"贵企业已有一件此产品的申请 " + f.OpenNumber + " 正在办理，办结或撤回后才能再次申请。", page.Link{Text: "查看申请 " + f.OpenNumber, URL: fmt.Sprintf("/applications/%d", f.OpenID)}}
	case !f.Listed:
		data.Notice = notice{"该产品已下架，暂时不能申请。您填写的内容已保存在草稿中。", page.Link{Text: "看看其他产品", URL: "/products"}}
	case !f.Verified:
		data.Notice = notice{f.EnterpriseName + "还没有完成企业认证，认证后才能提交申请。您可以先填写并保存草稿。", page.Link{Text: "去认证企业", URL: verifyURL}}
	}
	if data.Notice.Text != "" && fault.KindOf(failure) == fault.Conflict {
		data.Errors = page.ErrorSummary{} // the notice says the same and leads on
	}
	data.Fields = fields(f, typed, found)
	for _, x := range f.Fields {
		data.Extra = append(data.Extra, x.Input(typed.Fields[x.Key], found("fields."+x.Key)))
	}
	data.Files = page.Field{Name: "files", Label: "上传材料", Hint: "支持 jpg、png、pdf、docx、xlsx，可多选，连同已上传的最多 9 个，一次上传合计不超过 20 MB",
		Accept: acceptFiles, Multiple: true, Error: found("files")}
	if e := found("fileIds"); e != "" {
		data.Files.Error = e
	}
	if len(typed.Files) > 0 {
		data.Kept = page.Field{Name: "removeFiles", Label: "已上传的材料", Hint: "勾选后点“保存草稿”或“提交申请”，即移除该材料"}
		for _, d := range typed.Files {
			data.Kept.Options = append(data.Kept.Options, page.Option{Value: strconv.FormatInt(d.ID, 10), Text: "移除 " + d.Name, Hint: page.Size(d.Size)})
		}
	}
	data.Papers = page.Field{Name: "papers", Label: "使用证照库中的证照", Hint: "勾选的证照随申请提交，不必再上传", Error: found("paperIds")}
	for _, x := range f.Papers {
		data.Papers.Options = append(data.Papers.Options, page.Option{Value: strconv.FormatInt(x.ID, 10), Text: x.Name, Hint: x.Number + "，" + x.Word, Chosen: slices.Contains(typed.Papers, x.ID)})
	}
	data.known(f)
	data.Product = page.Facts{Caption: "产品信息", Items: productFacts(f.Product)}
	return p.Render(c, status, "application/apply", v, data)
}

// known shows what the institution will read of the company, and whether it may.
func (d *applyPage) known(f Form) {
	d.Known = page.Facts{Caption: "平台已有的企业信息"}
	for _, x := range f.Known {
		d.Known.Items = append(d.Known.Items, page.Fact{Label: x.Label, Value: x.Text + "（" + x.Source + "，" + page.Date(x.AsOf) + "）"})
	}
	switch {
	case f.Sharing == nil:
	case f.Sharing.Holds:
		d.Sharing = notice{"已授权受理机构查看以下信息，不必重复填写。", page.Link{Text: "查看授权", URL: consentsURL}}
	case f.Sharing.WhyNot != "":
		d.Sharing = notice{"尚未授权受理机构查看以下信息。" + f.Sharing.WhyNot, page.Link{}}
	default:
		d.Sharing = notice{"尚未授权受理机构查看以下信息；授权后机构可直接查看，不必重复填写。不授权也可以申请，机构可能要求补充材料。", page.Link{Text: "去授权", URL: consentsURL}}
	}
}

// fields are the inputs of the form as typed.
func fields(f Form, t *Typed, found func(string) string) []page.Field {
	var list []page.Field
	purpose := page.Field{Name: "purpose", Label: "需求说明", Hint: "需要解决的问题、希望的时间和预算", Value: t.Purpose, Required: true, MaxLength: maxPurpose, Rows: 6}
	if f.Product.Lends {
		purpose.Label, purpose.Hint, purpose.Rows = "资金用途", "例如：采购原料、更换设备，写明金额分配更容易通过", 4
		list = append(list,
			page.Field{Name: "amount", Label: "申请金额", Hint: amountHint(f.Product), Value: t.Amount, Required: true, InputMode: "decimal", Unit: "万元", MaxLength: 20},
			page.Field{Name: "term", Label: "申请期限", Hint: termHint(f.Product), Value: t.Term, Required: true, InputMode: "numeric", Unit: "个月", MaxLength: 6})
	}
	list = append(list, purpose)
	if f.Product.Lends {
		list = append(list, page.Field{Name: "collateral", Label: "担保或抵押情况", Hint: "没有可不填", Value: t.Collateral, MaxLength: maxCollateral, Rows: 2})
	}
	list = append(list,
		page.Field{Name: "contactName", Label: "联系人", Value: t.ContactName, MaxLength: maxName, Autocomplete: "name"},
		page.Field{Name: "phone", Label: "联系电话", Hint: "不填则用账号手机号 " + f.Phone + "；可填手机号或带区号的固定电话", Value: t.Phone, Type: "tel", InputMode: "tel",
			MaxLength: 30, Autocomplete: "tel"})
	for i := range list {
		list[i].Error = found(list[i].Name)
	}
	return list
}

func amountHint(o Offer) string {
	switch {
	case o.AmountMin > 0 && o.AmountMax > 0:
		return "本产品可申请 " + page.Money(o.AmountMin) + "至 " + page.Money(o.AmountMax)
	case o.AmountMax > 0:
		return "本产品最高申请 " + page.Money(o.AmountMax)
	}
	return ""
}

func termHint(o Offer) string {
	if o.TermMax <= 0 {
		return ""
	}
	return fmt.Sprintf("本产品期限为 %d 至 %d 个月", max(o.TermMin, 1), o.TermMax)
}

func productFacts(o Offer) []page.Fact {
	list := []page.Fact{{Label: "产品", Value: o.Name}, {Label: "服务机构", Value: o.InstitutionName}, {Label: "类型", Value: o.KindName}}
	if h := amountHint(o); o.Lends && h != "" {
		list = append(list, page.Fact{Label: "可申请金额", Value: strings.TrimPrefix(strings.TrimPrefix(h, "本产品可申请 "), "本产品")})
	}
	if h := termHint(o); o.Lends && h != "" {
		list = append(list, page.Fact{Label: "期限", Value: strings.TrimPrefix(h, "本产品期限为 ")})
	}
	return list
}
