package evidence

import (
	"context"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Section is a part of a printed service record.
type Section struct {
	Title string
	Facts []page.Fact
	Head  []string // of a table
	Rows  [][]string
	Steps []page.Step
	Text  string // instead of everything, or below it
}

// Recorder tells what another module knows of a case, as the actor may see it.
type Recorder func(ctx context.Context, actor access.Actor, object string, id int64) ([]Section, error)

// Record is everything about a case on one page, for those who see the case.
func (s *Service) Record(ctx context.Context, actor access.Actor, object string, id int64) (Case, []Section, error) {
	if !actor.SignedIn() {
		return Case{}, nil, fault.ErrUnauthorized
	}
	c, err := s.caseOf(ctx, s.DB.Read(), actor, object, id)
	if err != nil {
		return c, nil, err
	}
	var out []Section
	told := func(list []Recorder) error {
		for _, of := range list {
			parts, err := of(ctx, actor, object, id)
			if err != nil {
				return err
			}
			out = append(out, parts...)
		}
		return nil
	}
	if err := told(s.Before); err != nil {
		return c, nil, err
	}
	own, err := s.section(ctx, actor, object, id)
	if err != nil {
		return c, nil, err
	}
	out = append(out, own...)
	return c, out, told(s.Behind)
}

func (s *Service) section(ctx context.Context, actor access.Actor, object string, id int64) ([]Section, error) {
	v, err := s.Of(ctx, actor, object, id)
	if err != nil {
		return nil, err
	}
	given := Section{Title: "服务佐证", Head: []string{"佐证", "文件", "上传方", "上传时间"}}
	for _, p := range v.Pieces {
		name := p.File.Name
		if p.Note != "" {
			name += "（" + p.Note + "）"
		}
		given.Rows = append(given.Rows, []string{p.Name, name, p.Side.Label() + "：" + p.By, page.DateTime(p.At)})
	}
	for _, it := range v.Items {
		if it.Missing {
			given.Text += "缺少：" + it.Name + "（由" + it.Side.Label() + "上传）\n"
		}
	}
	if len(v.Pieces) == 0 {
		given.Head, given.Text = nil, "还没有上传服务佐证。\n"+given.Text
	}
	out := []Section{given}
	if len(v.Assessments) > 0 {
		done := Section{Title: "政府评估", Head: []string{"评估对象", "得分", "评语", "评估时间"}}
		for _, g := range v.Assessments {
			done.Rows = append(done.Rows, []string{g.Target.Label() + "：" + g.Name, page.Number(g.Score), g.Comment, page.DateTime(g.At)})
		}
		out = append(out, done)
	}
	return out, nil
}
