package enterprise

import (
	"cmp"
	"embed"
	"io/fs"
	"mime/multipart"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// Tag is how the state of a company is shown on the portal.
func Tag(v Verification) page.Tag {
	switch v {
	case Unverified:
		return page.Tag{Text: v.Label(), Tone: page.Warning}
	case Pending:
		return page.Tag{Text: v.Label(), Tone: page.Info}
	case Verified:
		return page.Tag{Text: v.Label(), Tone: page.Success, Icon: "certificate"}
	case Returned:
		return page.Tag{Text: v.Label(), Tone: page.Danger}
	}
	return page.Tag{}
}

// companyPage is all a company's people do about it, on one page.
type companyPage struct {
	Name     string
	Status   page.Tag
	State    page.Facts
	Outcome  *outcomeBox
	Fetch    *fetchForm
	Verify   *verifyForm
	Facts    []factGroup
	Size     *SizeView
	NoFacts  page.Empty
	Stated   *stateForm
	Members  []page.ItemCard
	Requests []requestRow
	MyJoins  []requestRow
	Others   []otherCompany
	Doors    []page.Link
	Changing *changeBox
	Extra    *extraBox
}

// changeBox leads from the company's page to the change of what it is registered as.
type changeBox struct{ Text, Button string }

// outcomeBox says how the last attempt ended.
type outcomeBox struct {
	Tone  page.Tone
	Title string
	Text  string
	When  string
	Files page.FileList
}

// fetchForm says that the registry's facts are not there, why, and lets the owner ask for them.
type fetchForm struct {
	Key   string
	Text  string
	Last  *outcomeBox
	Error string
	May   bool
}

// verifyForm is one form with two ways out: ask the registry, or send the licence to a person.
type verifyForm struct {
	Key         string // one per opening of the form: a double click is one attempt
	Errors      page.ErrorSummary
	Name        page.Field
	CreditCode  page.Field
	LegalPerson page.Field
	Paper       *page.Field // nil where the company keeps no licence
	Licence     page.Field
	Note        page.Field
	Left        int
	Hint        *hint.Said
}

type stateForm struct {
	Key    string
	Errors page.ErrorSummary
	Fields []page.Field
}

type factGroup struct {
	Title string
	Items []FactView
}

// requestRow is a request to join with what may be done about it.
type requestRow struct {
	ID, Version int64
	Key         string
	Title, Text string
	Decide      bool
}

type otherCompany struct {
	ID     int64
	Name   string
	Status page.Tag
}

// Pages adds the company's pages of the portal. They work without a script.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("enterprise", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/company", who, func(c *fiber.Ctx) error { return s.companyPage(c, p, "", nil) })
	srv.Page("POST", "/company/verify", who, func(c *fiber.Ctx) error {
		if err := s.sendVerify(c); err != nil {
			return s.companyPage(c, p, "verify", err)
		}
		return c.Redirect("/company?done=sent", fiber.StatusSeeOther)
	})
	srv.Page("POST", "/company/registry", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		if _, err := s.Fetch(ctx, access.From(ctx), FetchFacts{c.FormValue("key")}); err != nil {
			return s.companyPage(c, p, "registry", err)
		}
		return c.Redirect("/company?done=fetched", fiber.StatusSeeOther)
	})
	srv.Page("POST", "/company/facts", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		_, err := s.State(ctx, access.From(ctx), StateFacts{Key: c.FormValue("key"), Employees: c.FormValue("employees"), Revenue: c.FormValue("revenue"),
			Assets: c.FormValue("assets"), RDSpend: c.FormValue("rdSpend"), Industry: c.FormValue("industry"), MoreFacts: postedMore(c)})
		if err != nil {
			return s.companyPage(c, p, "facts", err)
		}
		return c.Redirect("/company?done=stated", fiber.StatusSeeOther)
	})
	srv.Page("POST", "/company/extra", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		if _, err := s.SetMyExtra(ctx, access.From(ctx), SetExtra{Version: version, Values: postedExtra(c), Key: c.FormValue("key")}); err != nil {
			return s.companyPage(c, p, "extra", err)
		}
		return c.Redirect("/company?done=extra", fiber.StatusSeeOther)
	})
	srv.Page("GET", "/company/books", who, func(c *fiber.Ctx) error { return s.booksPage(c, p, nil) })
	srv.Page("POST", "/company/books", who, func(c *fiber.Ctx) error { return s.sendBooks(c, p) })
	srv.Page("GET", "/company/change", who, func(c *fiber.Ctx) error { return s.changePage(c, p, nil) })
	srv.Page("POST", "/company/change", who, func(c *fiber.Ctx) error {
		if err := s.sendChange(c); err != nil {
			return s.changePage(c, p, err)
		}
		return c.Redirect("/company/change?done=sent", fiber.StatusSeeOther)
	})
	// Messages of before lead here.
	srv.Page("GET", "/company/name", who, func(c *fiber.Ctx) error { return c.Redirect("/company/change", fiber.StatusMovedPermanently) })
	s.reportPages(srv, p)
	s.memberPages(srv, p)
	s.joinPages(srv, p)
	srv.Page("POST", "/company/switch", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.FormValue("id"), 10, 64)
		if err := s.Switch(ctx, access.From(ctx), id); err != nil {
			return err
		}
		return c.Redirect("/company?done=switched", fiber.StatusSeeOther)
	})
	return nil
}

// sendVerify asks the registry, or hands in the licence, as the button pressed says.
func (s *Service) sendVerify(c *fiber.Ctx) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	claim := Claim{Name: c.FormValue("name"), CreditCode: c.FormValue("creditCode"), LegalPerson: c.FormValue("legalPerson")}
	if c.FormValue("action") != "review" {
		_, err := s.Verify(ctx, actor, VerifyEnterprise{c.FormValue("key"), claim})
		return err
	}
	if _, err := claim.clean(s.demo); err != nil {
		return err // before anything is stored
	}
	cmd := ApplyForReview{Key: c.FormValue("key") + "-review", Claim: claim, Note: c.FormValue("note")}
	cmd.LicenceID, _ = strconv.ParseInt(c.FormValue("licenceId"), 10, 64)
	var err error
	if cmd.FileIDs, err = s.keepLicences(c, actor); err != nil {
		return err
	}
	_, err = s.Apply(ctx, actor, cmd)
	return err
}

// keepLicences stores the uploads of the form.
func (s *Service) keepLicences(c *fiber.Ctx, actor access.Actor) ([]int64, error) {
	form, err := c.MultipartForm()
	if err != nil {
		return nil, nil // a form without files
	}
	var ids []int64
	for _, h := range form.File["licence"] {
		id, err := s.keep(c, actor, h)
		if err != nil {
			return nil, onLicence(err)
		}
		if id != 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// keep stores one upload; an input left empty is no file.
func (s *Service) keep(c *fiber.Ctx, actor access.Actor, h *multipart.FileHeader) (int64, error) {
	if h.Filename == "" && h.Size == 0 {
		return 0, nil
	}
	f, err := h.Open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return s.files.Keep(c.UserContext(), actor, h.Filename, f)
}

// onLicence shows what is wrong with an upload at the form's own input.
func onLicence(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	at := *f
	at.Fields = nil
	return at.On("licence")
}

var doneTexts = map[string]page.Flash{
	"stated":   {Tone: page.Success, Text: "企业信息已保存"},
	"extra":    {Tone: page.Success, Text: "补充信息已保存"},
	"mandated": {Tone: page.Success, Text: "经办授权已调整"},
	"switched": {Tone: page.Success, Text: "已切换企业，之后的业务以该企业的名义办理"},
	"decided":  {Tone: page.Success, Text: "加入申请已处理"},
	"disputed": {Tone: page.Success, Text: "已提交平台核实，结果会发送消息通知您"},
}

// companyPage shows the page; failure belongs to the form that was sent.
func (s *Service) companyPage(c *fiber.Ctx, p *web.Pages, form string, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	v, err := p.View(c, "我的企业")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb, v.Flash = "company", true, []page.Crumb{{Text: "我的企业"}}, doneTexts[c.Query("done")]
	if failure != nil {
		v.Path = "/company"
	}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	var sum page.ErrorSummary
	if failure != nil {
		if sum, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	data := companyPage{Name: m.Name, Size: m.Size, Status: Tag(m.Verification), State: stateFacts(m), Doors: s.doors}
	open := m.Role == Owner && (m.Verification == Unverified || m.Verification == Returned)
	switch {
	case m.Verification == Verified && c.Query("done") == "sent":
		v.Flash = page.Flash{Tone: page.Success, Text: "认证通过，企业信息已按登记信息更新"}
	case m.Attempt != nil && form != "verify" && m.Verification != Verified && (m.Attempt.Outcome != Held || len(m.MyJoins) == 0):
		data.Outcome = outcomeOf(m)
	}
	switch {
	case m.RegistryMissing:
		data.Fetch = fetchOf(m)
		if form == "registry" {
			data.Fetch.Error = sum.Items[0].Message
		}
	case form == "registry" && m.Verification != Verified:
		return failure
	case form == "registry", m.Verification == Verified && c.Query("done") == "fetched": // a second press finds them there
		v.Flash = page.Flash{Tone: page.Success, Text: "已取得登记信息"}
	}
	if open {
		data.Verify = verifyFields(c, m, form == "verify", sum, found)
		if data.Verify.Paper, err = s.paperField(c, actor, "没有的请在下面上传"); err != nil {
			return err
		}
	}
	data.Changing = changingOf(m)
	data.Facts = groupFacts(m.Facts)
	data.NoFacts = page.Empty{Title: "还没有企业信息", Text: "通过登记系统核验后，会自动带入登记信息；经营数据可以在下方填报，用于匹配适合的政策和产品。"}
	if m.Verification == Verified {
		data.NoFacts.Text = "经营数据可以在下方填报，用于匹配适合的政策和产品。"
	}
	if m.Role == Owner {
		data.Stated = stateFields(c, m, s.terms, form == "facts", sum, found)
	}
	if data.Extra, err = s.extraBox(c, actor, form == "extra", sum, found); err != nil {
		return err
	}
	if err := s.addPeople(c, actor, &data, m); err != nil {
		return err
	}
	return p.Render(c, status, "enterprise/company", v, data)
}

// addPeople adds who acts for the company and what else the person may act for.
func (s *Service) addPeople(c *fiber.Ctx, actor access.Actor, data *companyPage, m Mine) error {
	ctx := c.UserContext()
	members, err := s.Members(ctx, actor)
	if err != nil {
		return err
	}
	for _, x := range members.Items {
		data.Members = append(data.Members, page.ItemCard{Title: x.Name, Status: page.Tag{Text: roleNames[x.Role], Tone: page.Neutral}, Summary: mandateWords(x), Meta: []string{x.Phone}})
	}
	for _, j := range members.Requests {
		data.Requests = append(data.Requests, requestRow{ID: j.ID, Version: j.Version, Key: secret.Token(), Title: j.UserName + "（" + j.Phone + "）",
			Text: showTime(j.AskedAt) + " 申请加入，" + j.Label, Decide: j.CanDecide})
	}
	for _, j := range m.MyJoins {
		data.MyJoins = append(data.MyJoins, requestRow{ID: j.ID, Decide: j.CanDispute, Title: j.EnterpriseName, Text: showTime(j.AskedAt) + " 申请加入，" + j.Label + reasonSuffix(j.Reason)})
	}
	list, err := s.Companies(ctx, actor)
	if err != nil {
		return err
	}
	for _, o := range list {
		if !o.Current {
			data.Others = append(data.Others, otherCompany{o.ID, o.Name, Tag(o.Verification)})
		}
	}
	return nil
}

func reasonSuffix(reason string) string {
	if reason == "" {
		return ""
	}
	return "：" + reason
}

var roleNames = map[string]string{Owner: "负责人", Member: "成员"}

func stateFacts(m Mine) page.Facts {
	f := page.Facts{Caption: "认证信息", Items: []page.Fact{{Label: "统一社会信用代码", Value: cmp.Or(m.CreditCode, "认证后显示")}}}
	if len(m.FormerNames) > 0 {
		f.Items = append(f.Items, page.Fact{Label: "曾用名", Value: strings.Join(m.FormerNames, "、")})
	}
	if m.LegalPerson != "" {
		f.Items = append(f.Items, page.Fact{Label: "法定代表人", Value: m.LegalPerson})
	}
	if m.VerifiedAt != nil {
		f.Items = append(f.Items, page.Fact{Label: "认证时间", Value: page.DateTime(*m.VerifiedAt)})
	}
	f.Items = append(f.Items, page.Fact{Label: "我的身份", Value: roleNames[m.Role]})
	return f
}

// fetchOf is what a verified company without the registry's facts reads.
func fetchOf(m Mine) *fetchForm {
	f := &fetchForm{Key: secret.Token(), May: m.CanFetch}
	switch {
	case m.CanFetch:
		f.Text = "企业已通过认证，但成立日期、行业等登记信息尚未取得，政策匹配会因此不完整。"
	case m.Role != Owner:
		f.Text = "企业已通过认证，但成立日期、行业等登记信息尚未取得，政策匹配会因此不完整。请联系企业负责人获取。"
	default:
		f.Text = "企业已通过认证。本平台尚未接入企业登记系统，不能获取成立日期、行业等登记信息，政策匹配会因此不完整。"
	}
	if m.CanFetch && m.Attempt != nil && m.Attempt.Kind == byFetch {
		f.Last = outcomeOf(m)
	}
	return f
}

// outcomeOf says how the last attempt ended.
func outcomeOf(m Mine) *outcomeBox { return boxOf(m.Attempt) }

func boxOf(a *AttemptView) *outcomeBox {
	b := &outcomeBox{Tone: page.Warning, Title: a.Title, Text: a.Text, When: showTime(a.AskedAt) + " 提交"}
	switch a.Outcome {
	case Waiting, Asking, Held, AlreadyMember:
		b.Tone = page.Info
	case SentBack, Closed:
		b.Tone = page.Danger
	case Agreed, Approved:
		b.Tone = page.Success
	}
	for _, f := range a.Files {
		b.Files.Files = append(b.Files.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
	}
	return b
}

func verifyFields(c *fiber.Ctx, m Mine, sent bool, sum page.ErrorSummary, found func(string) string) *verifyForm {
	f := &verifyForm{Key: secret.Token(), Left: m.AttemptsLeft, Hint: m.Hint}
	name, code, person, note := m.Name, "", "", ""
	problem := func(string) string { return "" }
	switch {
	case sent:
		f.Errors, problem = sum, found
		name, code, person, note = c.FormValue("name"), c.FormValue("creditCode"), c.FormValue("legalPerson"), c.FormValue("note")
		if k := c.FormValue("key"); k != "" && len(k) <= 64 {
			f.Key = k
		}
	case m.Attempt != nil && m.Attempt.Outcome != Held:
		name, code, person = m.Attempt.Name, m.Attempt.CreditCode, m.Attempt.LegalPerson
		problem = func(field string) string {
			if i := slices.IndexFunc(m.Attempt.Problems, func(x fault.Field) bool { return x.Name == field }); i >= 0 {
				return m.Attempt.Problems[i].Message
			}
			return ""
		}
	}
	f.Name = page.Field{Name: "name", Label: "企业名称", Hint: "与营业执照一致的全称", Value: name, Required: true, MaxLength: 100, Error: problem("name")}
	f.CreditCode = page.Field{Name: "creditCode", Label: "统一社会信用代码", Hint: "营业执照上的 18 位代码", Value: code, Required: true, MaxLength: 40, Error: problem("creditCode")}
	f.LegalPerson = page.Field{Name: "legalPerson", Label: "法定代表人", Hint: "个体工商户填写经营者姓名", Value: person, Required: true, MaxLength: 50, Error: problem("legalPerson")}
	f.Licence = page.Field{Name: "licence", Label: "营业执照", Hint: "照片或扫描件，jpg、png 或 pdf，每个不超过 10 MB", Accept: ".jpg,.jpeg,.png,.pdf", Multiple: true, Error: problem("licence")}
	f.Note = page.Field{Name: "note", Label: "补充说明", Hint: "例如刚办理了名称或法定代表人变更", Value: note, MaxLength: 500, Rows: 2, Error: problem("note")}
	return f
}

func groupFacts(list []FactView) []factGroup {
	var out []factGroup
	for _, f := range list {
		if len(out) == 0 || out[len(out)-1].Title != f.Group {
			out = append(out, factGroup{Title: f.Group})
		}
		g := &out[len(out)-1]
		g.Items = append(g.Items, f)
	}
	return out
}

// postedMore are the numbers of a posted form besides the first ones.
func postedMore(c *fiber.Ctx) MoreFacts {
	return MoreFacts{Insured: c.FormValue("insured"), Liabilities: c.FormValue("liabilities"), Loans: c.FormValue("loans"), Patents: c.FormValue("patents"),
		Inventions: c.FormValue("inventions"), Copyrights: c.FormValue("copyrights"), Trademarks: c.FormValue("trademarks")}
}

func stateFields(c *fiber.Ctx, m Mine, t Terms, sent bool, sum page.ErrorSummary, found func(string) string) *stateForm {
	f := &stateForm{Key: secret.Token()}
	if sent {
		f.Errors = sum
	}
	hints := map[string]string{"employees": "目前的从业人员总数", "revenue": "上一年度", "assets": "上一年末", "rdSpend": "上一年度，没有请填 0",
		"insured": "目前参加社会保险的人数", "liabilities": "上一年末", "loans": "上一年末，没有请填 0", "patents": "目前有效的发明、实用新型、外观设计专利，没有请填 0",
		"inventions": "有效专利中的发明专利", "copyrights": "已登记的，没有请填 0", "trademarks": "目前有效的，没有请填 0",
		"industry": "国民经济行业的四位代码或名称，例如 1411"}
	for _, name := range m.StatedFields {
		x, _ := fieldOf(name)
		value, problem := m.Stated[name], ""
		if sent {
			value, problem = c.FormValue(name), found(name)
		} else if name == "industry" && value != "" {
			value = t.name("industry", value)
		}
		in := page.Field{Name: name, Label: x.label, Hint: hints[name], Value: value, MaxLength: 40, InputMode: "decimal", Unit: "万元", Error: problem}
		switch {
		case x.kind == criteria.Count:
			in.Unit, in.InputMode = x.unit, "numeric"
		case name == "industry":
			in.Unit, in.InputMode, in.MaxLength = "", "", 60
		}
		f.Fields = append(f.Fields, in)
	}
	return f
}
