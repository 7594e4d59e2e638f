package contract

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// maxCheck is the largest file that is held against the contracts.
const maxCheck = 20 << 20

type actPart struct {
	Action, CSRF string
	Contract     int64
	Version      int64
	Errors       page.ErrorSummary
	Code         *page.Field // of signing
	Reason       *page.Field // of rejecting and voiding
	Sent         string
	Sign, Reject bool
	Void, Answer bool
}

type itemPart struct {
	Title      string
	Status     page.Tag
	Facts      page.Facts
	Body       string
	File       *page.File
	Document   string
	Verify     string
	Signatures []string
	Asked      string
	Form       *actPart
}

type listPage struct {
	Number, Back string
	Items        []itemPart
	Empty        page.Empty
}

type verifyPage struct {
	Number, Code, File page.Field
	CSRF               string
	Good, Bad          string
	Facts              *page.Facts
}

var tones = map[State]page.Tone{Sent: page.Warning, Half: page.Warning, Effective: page.Success, Rejected: page.Danger, Voided: page.Neutral, Expired: page.Neutral, Withdrawn: page.Neutral}

// Pages adds the company's contracts of a case, and the public page on which a contract is verified.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("contract", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	for object, path := range s.Paths {
		srv.Page("GET", path+"/:id<int>/contracts", who, func(c *fiber.Ctx) error { return s.listPage(c, p, object, path, 0, nil, "") })
		srv.Page("POST", path+"/:id<int>/contracts", who, func(c *fiber.Ctx) error { return s.act(c, p, object, path) })
	}
	open := access.Public("持有合同的人无需登录即可核验真伪")
	srv.Page("GET", "/contracts/verify", open, func(c *fiber.Ctx) error { return s.verifyPage(c, p, nil) })
	srv.Page("POST", "/contracts/verify", open, func(c *fiber.Ctx) error {
		h, err := c.FormFile("file")
		if err != nil || h.Filename == "" || h.Size > maxCheck {
			return s.verifyPage(c, p, fault.InvalidField("file", "CONTRACT_UPLOAD", "请选择要核验的文件，不超过 20 MB"))
		}
		f, err := h.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxCheck))
		if err != nil {
			return err
		}
		found, err := s.CheckFile(c.UserContext(), b)
		if err != nil {
			return err
		}
		return s.verifyPage(c, p, found)
	})
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	for _, part := range []string{"document", "signatures"} {
		srv.Raw("GET", "/api/contracts/:id<int>/"+part+".json", reader, func(c *fiber.Ctx) error {
			ctx := c.UserContext()
			number, pack, err := s.Package(ctx, access.From(ctx), idOf(c))
			if err != nil {
				return err
			}
			b, name := []byte(pack.Content), number+".json"
			if part == "signatures" {
				name = number + "-签名.json"
				if b, err = json.MarshalIndent(pack, "", "  "); err != nil {
					return err
				}
			}
			c.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
			c.Set(fiber.HeaderContentDisposition, files.ContentDisposition(name, false))
			return c.Send(b)
		})
	}
	return nil
}

func idOf(c *fiber.Ctx) int64 {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

func (s *Service) act(c *fiber.Ctx, p *web.Pages, object, path string) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	id, _ := strconv.ParseInt(c.FormValue("contract"), 10, 64)
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	ending := Ending{Ref{id, version}, c.FormValue(fmt.Sprintf("reason-%d", id))}
	var err error
	done := c.FormValue("action")
	switch done {
	case "code":
		to, err := s.Code(ctx, actor, id)
		return s.listPage(c, p, object, path, id, err, to)
	case "sign":
		_, err = s.Sign(ctx, actor, Sign{ending.Ref, c.FormValue(fmt.Sprintf("code-%d", id))})
	case "reject":
		_, err = s.Reject(ctx, actor, ending)
	case "void", "agree":
		_, err = s.Void(ctx, actor, Void{ending, true})
	case "refuse":
		_, err = s.Void(ctx, actor, Void{ending, false})
	default:
		err = ErrStep
	}
	if err != nil {
		return s.listPage(c, p, object, path, id, err, "")
	}
	return c.Redirect(fmt.Sprintf("%s/%d/contracts?done=%s", path, idOf(c), done), fiber.StatusSeeOther)
}

var doneWords = map[string]string{"sign": "合同已签署", "reject": "已拒签，机构会收到通知", "void": "已提出作废，等待机构答复", "agree": "合同已作废", "refuse": "已答复不同意作废"}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages, object, path string, at int64, failure error, sentTo string) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	list, _, err := s.Of(ctx, actor, object, idOf(c))
	if err != nil {
		return err
	}
	v, err := p.View(c, "电子合同")
	if err != nil {
		return err
	}
	back := fmt.Sprintf("%s/%d", path, idOf(c))
	v.Active, v.ActiveMe, v.NoIndex = "applications", "applications", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: "申请详情", URL: back}, {Text: "电子合同"}}
	if text := doneWords[c.Query("done")]; text != "" && failure == nil {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
	}
	data := listPage{Back: back, Empty: page.Empty{Title: "还没有合同", Text: "机构发送合同后会显示在这里，并以消息通知您。", Action: page.Link{Text: "返回申请", URL: back}}}
	status, shown := fiber.StatusOK, failure == nil
	for _, x := range list {
		one := itemPart{Title: x.Title, Status: page.Tag{Text: x.State.Label(), Tone: tones[x.State]}, Facts: factsOf(x), Body: x.Body,
			Document: fmt.Sprintf("/api/contracts/%d/document.json", x.ID), Verify: "/contracts/verify?number=" + x.Number + "&code=" + x.Code}
		if x.File != nil {
			f := page.Attachment(x.File.Name, x.File.URL, x.File.Size, x.File.State)
			one.File = &f
		}
		for _, g := range x.Signatures {
			words := g.Side.Label() + "：" + g.Name + "，" + page.DateTime(g.At)
			switch {
			case g.Making:
				words += "，签名正在生成"
			case !g.Fits:
				words += "，签名与内容不符，请联系平台"
			}
			one.Signatures = append(one.Signatures, words)
		}
		if x.VoidSide == Institution && x.State == Effective {
			one.Asked = "机构申请作废此合同：" + x.VoidReason
		}
		var why error
		if x.ID == at {
			why = failure
		}
		if one.Form, err = formOf(c, back+"/contracts", x, why); err != nil {
			return err
		}
		if one.Form != nil && x.ID == at {
			shown = true
			one.Form.Sent = sentTo
			if failure != nil {
				status = fiber.StatusUnprocessableEntity
			}
		}
		data.Items = append(data.Items, one)
	}
	if !shown {
		return failure
	}
	return p.Render(c, status, "contract/list", v, data)
}

func factsOf(x View) page.Facts {
	f := page.Facts{Caption: "合同信息", Items: []page.Fact{{Label: "合同编号", Value: x.Number}, {Label: "校验码", Value: x.Code}, {Label: "机构", Value: x.InstitutionName}, {Label: "企业", Value: x.EnterpriseName}}}
	add := func(label string, at *time.Time) {
		if at != nil {
			f.Items = append(f.Items, page.Fact{Label: label, Value: page.DateTime(*at)})
		}
	}
	add("发送时间", x.SentAt)
	if x.State.turn() != "" {
		add("签署截止", x.ExpiresAt)
	}
	add("生效时间", x.EffectiveAt)
	add("结束时间", x.EndedAt)
	if x.Reason != "" {
		f.Items = append(f.Items, page.Fact{Label: "原因", Value: x.Reason})
	}
	f.Items = append(f.Items, page.Fact{Label: "正文摘要（SM3）", Value: x.Digest})
	return f
}

func formOf(c *fiber.Ctx, action string, x View, failure error) (*actPart, error) {
	may := func(name string) bool { return slices.Contains(x.Actions, name) }
	f := &actPart{Action: action, CSRF: web.CSRF(c.UserContext()), Contract: x.ID, Version: x.Version, Sign: may("sign"), Reject: may("reject"), Void: may("void"), Answer: may("answer_void")}
	if !f.Sign && !f.Reject && !f.Void && !f.Answer {
		return nil, nil
	}
	name := func(field string) string { return fmt.Sprintf("%s-%d", field, x.ID) } // several contracts may stand on a page
	wrong := func(string) string { return "" }
	if failure != nil {
		var err error
		if f.Errors, wrong, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
		for i, e := range f.Errors.Items {
			if e.Field != "" {
				f.Errors.Items[i].Field = name(e.Field)
			}
		}
	}
	if f.Sign {
		f.Code = &page.Field{Name: name("code"), Label: "短信验证码", Hint: "先点“获取验证码”，发送到您账号的手机", InputMode: "numeric", Autocomplete: "one-time-code", MaxLength: 6, Error: wrong("code")}
	}
	if f.Reject || f.Void || f.Answer {
		label := "拒签原因"
		if f.Void {
			label = "作废原因"
		} else if f.Answer {
			label = "说明"
		}
		f.Reason = &page.Field{Name: name("reason"), Label: label, Value: c.FormValue(name("reason")), MaxLength: 200, Error: wrong("reason")}
	}
	return f, nil
}

var verdicts = map[Verdict]struct {
	good bool
	text string
}{
	IsValid:   {true, "有效：合同由双方签署，签名与内容一致，没有被改动。"},
	IsPending: {true, "内容没有被改动，但合同尚未由双方签署完毕，没有生效。"},
	IsVoid:    {false, "内容没有被改动，但合同已经结束，不再有效。"},
	IsAltered: {false, "被改动：保存的内容或签名不一致，不能作为依据，请联系平台核实。"},
	IsUnknown: {false, "没有与此文件一致的合同：文件被改动过，或不是本平台签署的合同文件。"},
}

// verifyPage shows the form, and what came of a number and code or of a file.
func (s *Service) verifyPage(c *fiber.Ctx, p *web.Pages, came any) error {
	v, err := p.View(c, "核验电子合同")
	if err != nil {
		return err
	}
	v.Breadcrumb, v.NoIndex = []page.Crumb{{Text: "核验电子合同"}}, c.Method() != fiber.MethodGet
	data := verifyPage{CSRF: web.CSRF(c.UserContext()),
		Number: page.Field{Name: "number", Label: "合同编号", Hint: "以 HT 开头的编号", Value: c.Query("number"), Required: true, MaxLength: 30},
		Code:   page.Field{Name: "code", Label: "校验码", Hint: "合同信息中的 16 位校验码", Value: c.Query("code"), Required: true, MaxLength: 30},
		File:   page.Field{Name: "file", Label: "合同文件", Hint: "从平台下载的合同文件，或合同所附的 PDF，不超过 20 MB", Accept: ".json,.pdf", Required: true}}
	status := fiber.StatusOK
	var found *Checked
	switch x := came.(type) {
	case Checked:
		found = &x
	case error:
		f, ok := fault.As(x)
		if !ok {
			return x
		}
		status, data.File.Error = fiber.StatusUnprocessableEntity, f.Message
	default:
		if !c.Context().QueryArgs().Has("number") {
			break
		}
		one, err := s.Check(c.UserContext(), c.Query("number"), c.Query("code"))
		if f, ok := fault.As(err); ok && f.Kind == fault.NotFound {
			status, data.Bad = fiber.StatusNotFound, f.Message
		} else if err != nil {
			return err
		} else {
			found = &one
		}
	}
	if found != nil {
		if said := verdicts[found.Verdict]; said.good {
			data.Good = said.text
		} else {
			data.Bad = said.text
		}
		if found.Number != "" {
			facts := page.Facts{Caption: "核验结果", Items: []page.Fact{{Label: "合同编号", Value: found.Number}, {Label: "合同名称", Value: found.Title}, {Label: "机构", Value: found.Institution},
				{Label: "企业", Value: found.Company}, {Label: "状态", Value: found.State}}}
			for _, g := range found.Signatures {
				words := g.Name + "，" + page.DateTime(g.At)
				if !g.Fits {
					words += "，签名不一致"
				}
				facts.Items = append(facts.Items, page.Fact{Label: g.Side.Label() + "签署", Value: words})
			}
			data.Facts = &facts
		}
	}
	return p.Render(c, status, "contract/verify", v, data)
}

// Panel are the contracts on the company's page of a case.
func (s *Service) Panel(object, path string) func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
	return func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
		list, _, err := s.Of(ctx, actor, object, id)
		if err != nil {
			return page.Panel{}, err
		}
		out := page.Panel{Title: "电子合同", Text: "还没有合同。机构发送合同后，在这里查看和签署。"}
		if len(list) == 0 {
			return out, nil
		}
		out.Text = fmt.Sprintf("“%s”（%s）：%s。", list[0].Title, list[0].Number, list[0].State.Label())
		if len(list) > 1 {
			out.Text = fmt.Sprintf("共 %d 份，最近一份", len(list)) + out.Text
		}
		text := "查看合同"
		if out.Act = slices.ContainsFunc(list, func(v View) bool { return slices.Contains(v.Actions, "sign") }); out.Act {
			text = "查看并签署合同"
		}
		out.Links = []page.Link{{Text: text, URL: fmt.Sprintf("%s/%d/contracts", path, id)}}
		return out, nil
	}
}
