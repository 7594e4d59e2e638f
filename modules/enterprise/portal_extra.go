package enterprise

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web/page"
)

// extraBox is what administrators ask of companies beside what the program knows, on the company's page.
type extraBox struct {
	Items  []ExtraItem // that the company only reads
	Form   *extraForm
	Asking bool // something is asked that this person may not fill
}

type extraForm struct {
	Key     string // one per opening of the form
	Version string
	Errors  page.ErrorSummary
	Fields  []page.Field // each with its template's kind in Type
}

// postedExtra are the fields of the posted form by their keys. A form names each field it shows in "asked": boxes that are not
// ticked are not posted.
func postedExtra(c *fiber.Ctx) map[string][]string {
	out := map[string][]string{}
	for key, value := range c.Request().PostArgs().All() {
		if string(key) == "asked" && out[string(value)] == nil {
			out[string(value)] = []string{}
		}
		if name, ok := strings.CutPrefix(string(key), "fields."); ok {
			out[name] = append(out[name], string(value))
		}
	}
	return out
}

// extraBox is nil where nothing is asked or shown.
func (s *Service) extraBox(c *fiber.Ctx, actor access.Actor, sent bool, sum page.ErrorSummary, found func(string) string) (*extraBox, error) {
	x, err := s.MyExtra(c.UserContext(), actor)
	if err != nil || len(x.Items) == 0 {
		return nil, err
	}
	box := &extraBox{}
	form := &extraForm{Key: secret.Token(), Version: strconv.FormatInt(x.Version, 10)}
	typed := map[string][]string{}
	if sent {
		form.Errors, form.Version, typed = sum, c.FormValue("version"), postedExtra(c)
		if k := c.FormValue("key"); k != "" && len(k) <= 64 {
			form.Key = k
		}
	}
	for _, i := range x.Items {
		if !i.MayFill {
			box.Items = append(box.Items, i)
			box.Asking = box.Asking || i.Company == CompanyFills && !i.Retired
			continue
		}
		words, wrong := i.Values, ""
		if sent {
			words, wrong = typed[i.Field.Key], found("fields."+i.Field.Key)
		}
		form.Fields = append(form.Fields, i.Field.Input(slices.Clone(words), wrong))
	}
	if len(form.Fields) > 0 {
		box.Form = form
	}
	return box, nil
}
