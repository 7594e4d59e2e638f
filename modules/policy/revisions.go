package policy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Revision is one edition of a policy that was published, as everybody may read it: since when, and what it changed. Who
// worked on it is not told.
type Revision struct {
	No          int64     `json:"no"`
	PublishedAt time.Time `json:"publishedAt"`
	Current     bool      `json:"current"`
	Changes     []Change  `json:"changes" nullable:"false" doc:"Against the edition before; empty for the first."`
}

// mostRevisions is how many of the latest editions are compared.
const mostRevisions = 30

// Revisions lists what the published editions of a policy changed, the newest first, for everybody who may read the policy.
func (s *Service) Revisions(ctx context.Context, actor access.Actor, policy int64) ([]Revision, error) {
	db := s.db.Read()
	p, err := s.find(ctx, db, actor, policy)
	if err != nil {
		return nil, err
	}
	var rows []edition
	err = published(db.NewSelect().Model(&rows), policy).OrderExpr("e.no DESC").Limit(mostRevisions + 1).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("revisions of policy %d: %w", policy, err)
	}
	out := make([]Revision, 0, len(rows))
	for i := range rows[:min(len(rows), mostRevisions)] {
		e := &rows[i]
		r := Revision{No: e.No, PublishedAt: e.PublishedAt.UTC(), Current: e.No == p.Edition, Changes: []Change{}}
		if i+1 < len(rows) {
			is, err := e.content()
			if err != nil {
				return nil, err
			}
			was, err := rows[i+1].content()
			if err != nil {
				return nil, err
			}
			r.Changes = s.differences(was, is)
		}
		out = append(out, r)
	}
	return out, nil
}

// published narrows a query to the editions that are or were in force.
func published(q *bun.SelectQuery, policy int64) *bun.SelectQuery {
	return q.Where("e.policy_id = ? AND e.state IN (?, ?) AND e.published_at IS NOT NULL", policy, InForce, Replaced)
}

// revised reports whether a policy was published in more than one edition.
func (s *Service) revised(ctx context.Context, policy int64) (bool, error) {
	n, err := published(s.db.Read().NewSelect().Model((*edition)(nil)), policy).Count(ctx)
	return n > 1, err
}

type revisionsPage struct {
	Title     string
	Back      string
	Revisions []revisionBox
}

type revisionBox struct {
	Head    string
	Current bool
	First   bool
	Changes []Change
}

// Shown are the paragraphs of a change worth showing: those that differ, with what did not between them left out.
func (c Change) Shown() []Paragraph {
	return slices.DeleteFunc(slices.Clone(c.Paragraphs), func(p Paragraph) bool { return p.Kind == "same" })
}

// revisionsPage shows everybody what changed from edition to edition.
func (s *Service) revisionsPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	actor := access.From(ctx)
	t, err := s.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	list, err := s.Revisions(ctx, actor, id)
	if err != nil {
		return err
	}
	v, err := p.View(c, "修订记录")
	if err != nil {
		return err
	}
	back := "/policies/" + strconv.FormatInt(id, 10)
	v.Active, v.NoIndex, v.Breadcrumb = "policies", true, []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策详情", URL: back}, {Text: "修订记录"}}
	data := revisionsPage{Title: t.Title, Back: back}
	for i, r := range list {
		data.Revisions = append(data.Revisions, revisionBox{Head: page.Date(r.PublishedAt) + "发布", Current: r.Current, First: i == len(list)-1, Changes: r.Changes})
	}
	return p.Render(c, fiber.StatusOK, "policy/revisions", v, data)
}
