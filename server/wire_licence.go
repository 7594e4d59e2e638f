package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/licence"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinLicences makes the keeper of companies' papers.
func (h *house) joinLicences() {
	h.licences = licence.New(licence.Deps{DB: h.db, Clock: h.clock, Companies: paperKeepers{h.enterprises}, Files: licenceFiles{h},
		Sees: func(ctx context.Context, actor access.Actor, object string, id int64) error {
			sees, ok := h.sees[object]
			if !ok {
				return fault.ErrNotFound
			}
			return sees(ctx, actor, id)
		}})
	h.sees[licence.Object] = h.licences.CanSee
	h.tasks = append(h.tasks, h.licences.Tasks()...)
}

// ensureLicenceKinds brings the kinds of papers.
func (h *house) ensureLicenceKinds(ctx context.Context) error {
	list, err := reference.LicenceKinds()
	if err != nil {
		return err
	}
	kinds := make([]licence.Kind, 0, len(list))
	for _, k := range list {
		kinds = append(kinds, licence.Kind{Code: k.Code, Name: k.Name, Hint: k.Hint, Dated: k.Dated, Remind: append([]int{}, k.Remind...), Sort: k.Sort})
	}
	return h.licences.EnsureKinds(ctx, access.SystemActor("seed"), kinds)
}

// paperKeepers says who keeps the papers of a company.
type paperKeepers struct{ *enterprise.Service }

var _ licence.Companies = paperKeepers{}

// MayKeep lets the owner, and members mandated for it.
func (p paperKeepers) MayKeep(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error {
	return p.Entitled(ctx, db, enterpriseID, userID, enterprise.RightLicences)
}

// Keepers are the people to remind.
func (p paperKeepers) Keepers(ctx context.Context, db bun.IDB, enterpriseID int64) ([]int64, error) {
	return p.EntitledOf(ctx, db, enterpriseID, enterprise.RightLicences)
}

// licenceFiles lets papers keep pictures, under the rules for licences.
type licenceFiles struct{ *house }

var _ licence.Files = licenceFiles{}

// Keep stores a picture.
func (f licenceFiles) Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error) {
	return enterpriseFiles(f).Keep(ctx, actor, name, content)
}

// Claim ties a picture to a paper.
func (f licenceFiles) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	return f.uploads.Claim(ctx, tx, actor, fileID, object, objectID)
}

// Of lists the pictures of a paper.
func (f licenceFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]licence.FileView, error) {
	views, err := f.uploads.Of(ctx, db, object, id)
	list := make([]licence.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, licence.FileView(v))
	}
	return list, err
}

// heldPapers lets companies hand in a paper they keep.
type heldPapers struct{ *house }

var _ enterprise.Papers = heldPapers{}

// Use hands one in.
func (p heldPapers) Use(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, object string, objectID int64) error {
	return p.licences.Use(ctx, tx, actor, id, object, objectID)
}

// Offered lists the business licences that may be handed in now.
func (p heldPapers) Offered(ctx context.Context, actor access.Actor) ([]enterprise.Paper, error) {
	shelf, err := p.licences.Mine(ctx, actor)
	if err != nil {
		return nil, err
	}
	list := []enterprise.Paper{}
	for _, l := range shelf.Items {
		if l.Kind == "business" && l.State == licence.Current && l.Standing != "expired" {
			list = append(list, enterprise.Paper{ID: l.ID, Title: fmt.Sprintf("%s（%s 上传，%s）", l.KindName, clock.Show(l.At), paperTerm(l))})
		}
	}
	return list, nil
}

// paperTerm says until when a paper is valid, and that it ends soon where it does.
func paperTerm(l licence.View) string {
	day, err := time.Parse(time.DateOnly, l.ExpiresOn)
	switch {
	case l.ExpiresOn == "" || err != nil:
		return "长期有效"
	case l.Standing == "soon":
		return "有效期至 " + day.Format("2006年1月2日") + "，即将到期"
	}
	return "有效期至 " + day.Format("2006年1月2日")
}

// FilesOf lists the pictures of those that were.
func (p heldPapers) FilesOf(ctx context.Context, db bun.IDB, object string, id int64) ([]enterprise.FileView, error) {
	views, err := p.licences.FilesOf(ctx, db, object, id)
	list := make([]enterprise.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, enterprise.FileView(v))
	}
	return list, err
}

// ofLicence reminds those who keep a company's papers.
func (n notices) ofLicence(_ context.Context, _ bun.Tx, e event.Event) ([]message.Notice, error) {
	if e.Type != "licence.expiring" {
		return nil, nil
	}
	var f licence.Expiring
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	left := fmt.Sprintf("还有 %d 天", f.Days)
	if f.Days == 0 {
		left = "就是今天"
	}
	return each(f.UserIDs, message.Notice{Template: e.Type, Link: "/company/licences", Params: map[string]string{"kind": f.KindName, "until": f.ExpiresOn, "left": left}}), nil
}

// applicationPapers lets applications use the papers a company keeps.
type applicationPapers struct{ *house }

var _ application.Papers = applicationPapers{}

// Current lists the papers that may be handed in; who may not keep papers has none.
func (p applicationPapers) Current(ctx context.Context, actor access.Actor) ([]application.Paper, error) {
	shelf, err := p.licences.Mine(ctx, actor)
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var list []application.Paper
	for _, l := range shelf.Items {
		if l.State == licence.Current && l.Standing != "expired" {
			list = append(list, application.Paper{ID: l.ID, Name: l.KindName, Number: l.Number, Word: l.Word})
		}
	}
	return list, nil
}

// Use hands one in.
func (p applicationPapers) Use(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, object string, objectID int64) error {
	return p.licences.Use(ctx, tx, actor, id, object, objectID)
}

// FilesOf lists the pictures of those handed in.
func (p applicationPapers) FilesOf(ctx context.Context, db bun.IDB, object string, id int64) ([]application.FileView, error) {
	views, err := p.licences.FilesOf(ctx, db, object, id)
	list := make([]application.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, application.FileView(v))
	}
	return list, err
}
