package enterprise

import (
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinPage asks for the words that go with a decision about a request to join: why the owner refuses it, or why its requester
// takes it to the operator.
type joinPage struct {
	Title, Text string
	Action      string // address the form is sent to
	Button      string
	Key         string
	Version     int64
	Errors      page.ErrorSummary
	Words       page.Field
}

// joinPages adds the requests to join to the portal.
func (s *Service) joinPages(srv *web.Server, p *web.Pages) {
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/company/joins/:id<int>", who, func(c *fiber.Ctx) error { return s.joinPage(c, p, nil) })
	srv.Page("POST", "/company/joins/:id<int>/admit", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		if _, err := s.Admit(ctx, access.From(ctx), AdmitJoin{postedJoin(c)}); err != nil {
			return err
		}
		return c.Redirect("/company?done=decided", fiber.StatusSeeOther)
	})
	srv.Page("POST", "/company/joins/:id<int>/refuse", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		if _, err := s.Refuse(ctx, access.From(ctx), RefuseJoin{postedJoin(c), c.FormValue("reason")}); err != nil {
			return s.joinPage(c, p, err)
		}
		return c.Redirect("/company?done=decided", fiber.StatusSeeOther)
	})
	srv.Page("POST", "/company/joins/:id<int>/dispute", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		if _, err := s.Dispute(ctx, access.From(ctx), DisputeJoin{postedJoin(c), c.FormValue("note")}); err != nil {
			return s.joinPage(c, p, err)
		}
		return c.Redirect("/company?done=disputed", fiber.StatusSeeOther)
	})
}

func postedJoin(c *fiber.Ctx) Decide {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	return Decide{ID: id, Version: version, Key: c.FormValue("key")}
}

// joinPage shows the form for whoever may say something about the request; failure belongs to the form that was sent.
func (s *Service) joinPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	mine, err := s.MyJoins(ctx, actor)
	if err != nil {
		return err
	}
	members, err := s.Members(ctx, actor)
	if err != nil {
		return err
	}
	list := slices.Concat(mine, members.Requests)
	i := slices.IndexFunc(list, func(j JoinView) bool { return j.ID == id && (j.CanDispute || j.CanDecide) })
	if i < 0 {
		if failure != nil {
			return failure // it was decided meanwhile
		}
		return ErrNotFound
	}
	j := list[i]
	data := joinPage{Key: secret.Token(), Version: j.Version, Action: "/company/joins/" + strconv.FormatInt(id, 10)}
	if j.CanDispute {
		data.Title, data.Button = "提交平台核实", "提交平台核实"
		data.Text = "申请加入“" + j.EnterpriseName + "”" + reasonSuffix(j.Label) + reasonSuffix(j.Reason) + "。企业负责人不同意或长时间没有处理的，可以请平台核实归属。"
		data.Action += "/dispute"
		data.Words = page.Field{Name: "note", Label: "说明您与该企业的关系", Hint: "例如职务、对方为何不同意，便于平台核实", Required: true, MaxLength: 500, Rows: 4}
	} else {
		data.Title, data.Button = "不同意加入", "确认不同意"
		data.Text = j.UserName + "（" + j.Phone + "）" + showTime(j.AskedAt) + " 申请加入本企业。"
		data.Action += "/refuse"
		data.Words = page.Field{Name: "reason", Label: "不同意的原因", Hint: "申请人会看到", Required: true, MaxLength: 300, Rows: 3}
	}
	v, err := s.companyView(c, p, data.Title, page.Crumb{Text: data.Title})
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	if failure != nil {
		var found func(string) string
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		v.Path, status = "/company/joins/"+strconv.FormatInt(id, 10), fiber.StatusUnprocessableEntity
		data.Words.Value, data.Words.Error = c.FormValue(data.Words.Name), found(data.Words.Name)
	}
	return p.Render(c, status, "enterprise/join", v, data)
}
