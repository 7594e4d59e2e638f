package enterprise

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
)

// TagPreview is what a definition that is being entered would change among a part of the companies.
type TagPreview struct {
	Seen     int         `json:"seen" doc:"Companies looked at."`
	Fit      int         `json:"fit" doc:"Of them those that would have the tag."`
	Gained   int         `json:"gained"`
	Lost     int         `json:"lost"`
	Examples []TagSample `json:"examples" doc:"Some of those that fit, as far as they agreed to be looked at."`
	Next     string      `json:"next,omitempty" doc:"To go on; empty after the last company."`
}

// TagSample is one company that would have the tag.
type TagSample struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// PreviewTag holds a part of the register against the rule of a draft. The caller goes on with Next until it is empty and adds
// up. It needs enterprise.tags or enterprise.tag_publish.
func (s *Service) PreviewTag(ctx context.Context, actor access.Actor, code, cursor string) (TagPreview, error) {
	out := TagPreview{Examples: []TagSample{}}
	if err := errors.Join(actor.Need(PermView), tagEditor(actor)); err != nil {
		return out, err
	}
	after, err := cursorOf(cursor)
	if err != nil {
		return out, err
	}
	db := s.db.Read()
	var d tagDraft
	if err := database.Found(db.NewSelect().Model(&d).Where("td.code = ?", code).Scan(ctx)); err != nil {
		return out, err
	}
	b, err := readTag(d.Body)
	if err != nil {
		return out, err
	}
	rules := s.tagRulesOf([]TagBody{b})
	counts, err := s.counting(ctx, db)
	if err != nil {
		return out, err
	}
	var rows []Enterprise
	err = visible(db.NewSelect().Model(&rows), actor, "ent.id").Column("id", "name").Where("ent.id > ?", after).Where(registerOnly).OrderExpr("ent.id").Limit(previewPart).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return out, err
	}
	at := s.clock.Now()
	var fit []TagSample
	for part := range slices.Chunk(rows, registerPage) {
		known, err := spanOfFacts(ctx, db, part[0].ID, part[len(part)-1].ID)
		if err != nil {
			return out, err
		}
		has, err := havingTag(ctx, db, code, part[0].ID, part[len(part)-1].ID)
		if err != nil {
			return out, err
		}
		for _, e := range part {
			out.Seen++
			why, ok := "", false
			if len(rules) > 0 {
				why, ok = rules[0].fits(counts(known[e.ID], at), at)
			}
			switch {
			case ok && !has[e.ID]:
				out.Gained++
			case !ok && has[e.ID]:
				out.Lost++
			}
			if ok {
				out.Fit++
				fit = append(fit, TagSample{e.ID, e.Name, why})
			}
		}
	}
	if len(rows) == previewPart {
		out.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	if len(fit) > 0 {
		out.Examples, err = s.readableSamples(ctx, actor, rules[0], fit[:min(len(fit), 20)])
	}
	return out, err
}

// readableSamples leaves the companies of which the actor may read what the rule reads.
func (s *Service) readableSamples(ctx context.Context, actor access.Actor, r tagRule, list []TagSample) ([]TagSample, error) {
	ids := make([]int64, 0, len(list))
	for _, x := range list {
		ids = append(ids, x.ID)
	}
	groups, err := s.consents.ReadAll(ctx, actor, ids, Reading{forPortrait, "", "预览企业标签"})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(x TagSample) bool {
		return slices.ContainsFunc(r.groups, func(g string) bool { return !slices.Contains(groups[x.ID], g) })
	}), nil
}

// havingTag are the companies of a span that have a tag now.
func havingTag(ctx context.Context, db bun.IDB, code string, from, to int64) (map[int64]bool, error) {
	var ids []int64
	err := db.NewSelect().Model((*tagged)(nil)).Column("enterprise_id").Where("tg.code = ? AND tg.ended_at IS NULL AND tg.enterprise_id BETWEEN ? AND ?", code, from, to).Scan(ctx, &ids)
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}
