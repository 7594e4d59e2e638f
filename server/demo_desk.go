package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/canned"
	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/seed/demo"
)

// The entries of the story that are not simply in force, by their place: every queue of the knowledge base has something in
// it.
const (
	demoOver     = 2  // its time has passed
	demoSoon     = 7  // its time ends soon
	demoRevised  = 4  // a new edition is in force
	demoRevising = 9  // a new edition is being written
	demoInReview = 33 // waits for its review
	demoDraft    = 34
	demoReported = 5 // somebody says that it is wrong
)

// seedKnowledge writes what the desk knows: the unit in charge writes, its leader lets out.
func (h *house) seedKnowledge(ctx context.Context, s *seeded) error {
	agent, err := s.as(ctx, h, "staff", "agent01")
	if err != nil {
		return err
	}
	for i, a := range s.world.Knowledge {
		s.at.Set(s.now.AddDate(0, -6, i))
		unit, err := s.id("department", a.Department)
		if err != nil {
			return err
		}
		short := strings.ToLower(strings.TrimPrefix(a.Department, "TZ-"))
		author, err := s.as(ctx, h, "staff", "handler-"+short)
		if err != nil {
			return err
		}
		leader, err := s.as(ctx, h, "staff", "leader-"+short)
		if err != nil {
			return err
		}
		t := demoKnowledge(a, unit)
		switch i {
		case demoOver:
			t.Until = s.now.AddDate(0, 0, -6).In(clock.Beijing).Format("2006-01-02")
		case demoSoon:
			t.Until = s.now.AddDate(0, 0, 12).In(clock.Beijing).Format("2006-01-02")
		case demoDraft, demoInReview:
			v, err := h.knowledge.Create(ctx, author, knowledge.CreateEntry{Text: t})
			if err == nil && i == demoInReview {
				_, err = h.knowledge.Submit(ctx, author, knowledge.Ref{ID: v.ID, Version: v.Version})
			}
			if err != nil {
				return fmt.Errorf("%s: %w", a.Question, err)
			}
			continue
		}
		ids, err := h.knowledge.Load(ctx, access.SystemActor("seed"), []knowledge.Past{{Text: t, UnitID: unit, Author: author, Publisher: leader}})
		if err != nil {
			return err
		}
		switch i {
		case demoRevised, demoRevising:
			s.at.Set(s.now.AddDate(0, 0, -20))
			err = h.reviseDemo(ctx, author, leader, ids[0], t, i == demoRevised)
		case demoReported:
			s.at.Set(s.now.AddDate(0, 0, -1))
			err = h.knowledge.Judge(ctx, agent, knowledge.Judge{ID: ids[0], Wrong: true, Reason: "企业反映电子发票可以按月汇总红冲，与条目不一致，请核实"})
		default:
			err = h.knowledge.Judge(ctx, agent, knowledge.Judge{ID: ids[0]})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.Question, err)
		}
	}
	return nil
}

func demoKnowledge(a demo.Answer, unit int64) knowledge.Text {
	t := knowledge.Text{
		Title: a.Question, Question: strings.TrimPrefix(a.Question, demo.Mark) + "？", Answer: a.Answer, Category: a.Type, Keywords: a.Keywords, UnitIDs: []int64{unit},
		Audience: knowledge.Everybody, SourceKind: knowledge.SourceKind(a.SourceKind), SourceTitle: a.SourceTitle, SourceNumber: a.SourceNumber,
	}
	if a.Internal {
		t.Audience = knowledge.Staff
	}
	return t
}

// reviseDemo writes a new edition of an entry, and puts it in force when it is finished.
func (h *house) reviseDemo(ctx context.Context, author, leader access.Actor, id int64, t knowledge.Text, finished bool) error {
	v, err := h.knowledge.Get(ctx, author, id)
	if err != nil {
		return err
	}
	if v, err = h.knowledge.Revise(ctx, author, knowledge.Ref{ID: id, Version: v.Version}); err != nil {
		return err
	}
	t.Answer += "\n办理前可以先拨打热线核对所需材料，避免往返。"
	t.Keywords = append(slices.Clone(t.Keywords), "材料")
	v, err = h.knowledge.Edit(ctx, author, knowledge.EditEntry{Ref: knowledge.Ref{ID: id, Version: v.Version}, Text: t, Change: "补充办理前核对材料的提示"})
	if err != nil || !finished {
		return err
	}
	if v, err = h.knowledge.Submit(ctx, author, knowledge.Ref{ID: id, Version: v.Version}); err != nil {
		return err
	}
	_, err = h.knowledge.Publish(ctx, leader, knowledge.Ref{ID: id, Version: v.Version})
	return err
}

// seedCanned writes the phrases of the desk, of units and of one agent.
func (h *house) seedCanned(ctx context.Context, s *seeded) error {
	for _, p := range s.world.Phrases {
		holder, key := canned.Personal, p.By
		switch {
		case p.By == "desk":
			holder, key = canned.Desk, "operator01"
		case strings.HasPrefix(p.By, "TZ-"):
			holder, key = canned.Unit, "leader-"+strings.ToLower(strings.TrimPrefix(p.By, "TZ-"))
		}
		by, err := s.as(ctx, h, "staff", key)
		if err != nil {
			return err
		}
		_, err = h.canned.Save(ctx, by, canned.Save{Text: canned.Text{Holder: holder, Title: p.Title, Body: p.Body, Category: p.Category, Code: p.Code}})
		if err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
	}
	return nil
}

// seedDirectory writes who handles what, as it was set half a year ago, and one change since.
func (h *house) seedDirectory(ctx context.Context, s *seeded) error {
	operator, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	var list []directory.Past
	for _, d := range s.world.Duties {
		lead, err := s.id("department", d.Department)
		if err != nil {
			return err
		}
		p := directory.Past{Matter: d.Type, Area: d.Area, Lead: lead, From: s.at.Now(), Reason: "年度派单目录", Basis: "企业服务热线派单目录（试行）" + demo.Mark, Author: operator}
		for _, code := range d.Helpers {
			id, err := s.id("department", code)
			if err != nil {
				return err
			}
			p.Helpers = append(p.Helpers, id)
		}
		list = append(list, p)
	}
	if err := h.directory.Load(ctx, access.SystemActor("seed"), list); err != nil {
		return err
	}
	s.at.Set(s.now.AddDate(0, -2, 0))
	b, err := h.directory.Board(ctx, operator)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(b.Lines, func(l directory.LineView) bool { return l.Matter == "060202" && l.Area == "" })
	_, err = h.directory.Set(ctx, operator, directory.Set{Matter: "060202", Lead: s.ids["department:TZ-FGW"], Helpers: []int64{s.ids["department:TZ-SCJ"]}, Version: b.Lines[i].Version,
		Reason: "行政处罚信息的信用修复由信用主管部门统一受理，经营异常移出仍由市场监管部门协办", Basis: "区企业服务专班会议纪要" + demo.Mark})
	return err
}

// seedDispatches has the directory hear of the dispatches of the story, which nobody else is told of.
func (h *house) seedDispatches(ctx context.Context, _ *seeded) error {
	var events []event.Event
	if err := h.db.Read().NewSelect().Model(&events).Where("type = ?", "ticket.dispatched").OrderExpr("id").Scan(ctx); err != nil {
		return err
	}
	for some := range slices.Chunk(events, 50) { // a transaction has ten seconds, on a busy machine too
		err := h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, e := range some {
				if err := h.noteDispatch(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
