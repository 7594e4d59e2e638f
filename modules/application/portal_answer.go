package application

import (
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// answerPage asks the company what it says to a delivery.
type answerPage struct {
	ID, Version int64
	Key         string
	Until       string
	Errors      page.ErrorSummary
	Note        page.Field
	Hint        *Hint
}

// answerForm is the form as it was sent, or a new one.
func answerForm(c *fiber.Ctx, a View, failure error) (*answerPage, error) {
	r := &answerPage{ID: a.ID, Version: a.Version, Key: secret.Token(), Until: clock.Show(a.DueAt), Hint: a.Hint(string(ToConfirm))}
	found := func(string) string { return "" }
	if failure != nil {
		var err error
		if r.Errors, found, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
		if c.FormValue("key") != "" && fault.KindOf(failure) == fault.Invalid {
			r.Key = c.FormValue("key")
		}
	}
	r.Note = page.Field{Name: "reason", Label: "说明", Hint: "提出异议的，请写明哪里不符合约定；确认的可不填", Value: c.FormValue("reason"), MaxLength: maxNote, Rows: 3, Error: found("reason")}
	return r, nil
}

// takeAnswer confirms the delivery or objects to it, by the button that was pressed.
func (s *Service) takeAnswer(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
	ref := Ref{ID: id, Version: version, Key: c.FormValue("key")}
	done := "confirmed"
	var err error
	if c.FormValue("answer") == "object" {
		done = "objected"
		_, err = s.Object(ctx, actor, Objection{Ref: ref, Reason: c.FormValue("reason")})
	} else {
		_, err = s.Confirm(ctx, actor, Confirm{Ref: ref, Note: c.FormValue("reason")})
	}
	if err != nil {
		return s.detailPage(c, p, err)
	}
	return c.Redirect(fmt.Sprintf("/applications/%d?done=%s", id, done), fiber.StatusSeeOther)
}
