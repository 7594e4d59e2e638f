package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/scorecard"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// assessment is what the government thinks of a case.
type assessment struct {
	bun.BaseModel `bun:"table:evidence_assessments,alias:g"`

	ID            int64     `bun:"id,pk,autoincrement"`
	Version       int64     `bun:"version,notnull"`
	CaseObject    string    `bun:"object,notnull"`
	CaseID        int64     `bun:"object_id,notnull"`
	Number        string    `bun:"number,notnull"`
	Title         string    `bun:"title,notnull"`
	Target        Target    `bun:"target,notnull"`
	InstitutionID int64     `bun:"institution_id,notnull"`
	Name          string    `bun:"target_name,notnull"`
	CardID        int64     `bun:"card_id,notnull"`
	Marks         string    `bun:"marks,notnull"`
	Score         int       `bun:"score,notnull"`
	Comment       string    `bun:"comment,notnull"`
	ByID          int64     `bun:"by_id,notnull"`
	By            string    `bun:"made_by,notnull"`
	At            time.Time `bun:"made_at,notnull"`
}

// AssessmentView is an assessment as it is shown.
type AssessmentView struct {
	ID       int64            `json:"id"`
	Version  int64            `json:"version"`
	Object   string           `json:"object"`
	ObjectID int64            `json:"objectId"`
	Number   string           `json:"number"`
	Title    string           `json:"title"`
	Target   Target           `json:"target" enum:"institution,operator"`
	Name     string           `json:"name" doc:"Whose work it is."`
	CardID   int64            `json:"cardId"`
	Marks    []scorecard.Mark `json:"marks"`
	Fatal    []string         `json:"fatal"`
	Score    int              `json:"score"`
	Comment  string           `json:"comment"`
	By       string           `json:"by,omitempty" doc:"Empty for the institution."`
	At       time.Time        `json:"at"`
}

func (g *assessment) view(a access.Actor) (AssessmentView, error) {
	v := AssessmentView{ID: g.ID, Version: g.Version, Object: g.CaseObject, ObjectID: g.CaseID, Number: g.Number, Title: g.Title, Target: g.Target, Name: g.Name, CardID: g.CardID,
		Score: g.Score, Comment: g.Comment, By: g.By, At: g.At.UTC(), Marks: []scorecard.Mark{}, Fatal: []string{}}
	if a.Party == access.Institution {
		v.By = ""
	}
	var m scorecard.Marks
	err := json.Unmarshal([]byte(g.Marks), &m)
	v.Marks, v.Fatal = append(v.Marks, m.Marks...), append(v.Fatal, m.Fatal...)
	return v, err
}

// assesses reports whether the actor assesses for the government of the district.
func assesses(a access.Actor) bool {
	return a.Party == access.Government && a.Scope == access.ScopeDistrict && a.Can(PermAssess)
}

// reads is the condition under which an actor reads assessments: the government and the operators all of them, an institution those
// of its own work.
func reads(a access.Actor) (where string, args []any) {
	switch {
	case a.Party == access.System, (a.Party == access.Government || a.Party == access.Platform) && a.Scope == access.ScopeDistrict && (a.Can(PermView) || a.Can(PermAssess)):
		return "1 = 1", nil
	case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermAdd):
		return "g.target = ? AND g.institution_id = ?", []any{OfInstitution, a.InstitutionID}
	}
	return "1 = 0", nil
}

func (s *Service) assessmentsOf(ctx context.Context, db bun.IDB, actor access.Actor, c Case) ([]AssessmentView, error) {
	var rows []assessment
	where, args := reads(actor)
	err := db.NewSelect().Model(&rows).Where("g.object = ? AND g.object_id = ?", c.Object, c.ID).Where(where, args...).OrderExpr("g.target").Scan(ctx)
	return views(rows, actor, err)
}

func views(rows []assessment, actor access.Actor, err error) ([]AssessmentView, error) {
	out := make([]AssessmentView, 0, len(rows))
	if err != nil {
		return out, err
	}
	for i := range rows {
		v, err := rows[i].view(actor)
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Assess is what the government thinks of the institution's or the operator's work on a case.
type Assess struct {
	Object  string
	ID      int64
	Target  Target
	Version int64 // of the assessment there is, 0 when there is none
	CardID  int64
	scorecard.Marks
	Key string
}

// Assess keeps the score, in the place of one there was. It takes evidence.assess of the government.
func (s *Service) Assess(ctx context.Context, actor access.Actor, cmd Assess) error {
	if err := actor.Need(PermAssess); err != nil {
		return err
	}
	if !assesses(actor) {
		return ErrForbidden
	}
	if cmd.Target.Label() == "" {
		return fault.InvalidField("target", "EVIDENCE_TARGET", "请选择评估对象")
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "evidence.assess", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			return true, s.assess(ctx, tx, actor, cmd, now)
		})
		return err
	})
}

func (s *Service) assess(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Assess, now time.Time) error {
	c, err := s.caseOf(ctx, tx, actor, cmd.Object, cmd.ID)
	if err != nil {
		return err
	}
	if c.Over != "" {
		return ErrEnded.With("%s", c.Over)
	}
	if !c.Begun {
		return ErrEarly.With("机构受理后才能评估")
	}
	k, err := card(ctx, tx, cmd.Target, 0)
	if err != nil {
		return err
	}
	if k.ID != cmd.CardID {
		return ErrStale.With("评估表已更新，请刷新后重新评分")
	}
	marks := cmd.Marks
	score, err := k.Score(&marks)
	if err != nil {
		return err
	}
	if _, err := text.Block("comment", marks.Comment, 2, 1000); err != nil {
		return text.Named(err, "评语")
	}
	body, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	g := assessment{Version: 1, CaseObject: c.Object, CaseID: c.ID, Number: c.Number, Title: c.Title, Target: cmd.Target, InstitutionID: c.InstitutionID, Name: c.InstitutionName,
		CardID: k.ID, Marks: string(body), Score: score, Comment: marks.Comment, ByID: actor.UserID, By: actor.Name, At: now}
	if cmd.Target == OfOperator {
		g.Name = s.Operator
	}
	detail := map[string]any{"target": cmd.Target, "score": score, "card": k.ID, "marks": marks}
	if cmd.Version == 0 {
		fresh, err := database.InsertNew(ctx, tx, &g, "object, object_id, target")
		if err != nil {
			return err
		}
		if !fresh {
			return ErrStale.With("此件已有人评估，请刷新后查看")
		}
	} else {
		old := new(assessment)
		if err := database.Found(tx.NewSelect().Model(old).Where("g.object = ? AND g.object_id = ? AND g.target = ?", c.Object, c.ID, cmd.Target).Scan(ctx)); err != nil {
			return err
		}
		g.ID, g.Version = old.ID, cmd.Version+1
		err := database.Changed(tx.NewUpdate().Model(&g).Column("version", "card_id", "marks", "score", "comment", "by_id", "made_by", "made_at").
			Where("id = ? AND version = ?", g.ID, cmd.Version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		detail["before"] = map[string]any{"score": old.Score, "marks": json.RawMessage(old.Marks), "by": old.By}
	}
	if _, err := event.Append(ctx, tx, actor, now, Assessed{c.head(g.ID), cmd.Target, score, cmd.Version != 0}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evidence.assess", Object: ObjectAssessment, ObjectID: g.ID, Summary: "政府评估" + cmd.Target.Label() + " " + c.Number, Detail: detail})
}

// Filter narrows the list of assessments.
type Filter struct {
	Target Target
	Cursor string
	Limit  int
}

// Assessments returns a page of the assessments the actor may read, newest first.
func (s *Service) Assessments(ctx context.Context, actor access.Actor, f Filter) ([]AssessmentView, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	if f.Target != "" && f.Target.Label() == "" {
		return nil, "", fault.InvalidField("target", "EVIDENCE_TARGET", "请选择评估对象")
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	before, err := text.Cursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	var rows []assessment
	where, args := reads(actor)
	q := s.DB.Read().NewSelect().Model(&rows).Where(where, args...).OrderExpr("g.id DESC").Limit(int64(f.Limit + 1))
	if before != 0 {
		q = q.Where("g.id < ?", before)
	}
	if f.Target != "" {
		q = q.Where("g.target = ?", f.Target)
	}
	err = q.Scan(ctx)
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	out, err := views(rows, actor, err)
	return out, next, err
}

// ExportSource is the assessments as a spreadsheet, newest first: what the actor reads.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[AssessmentView]
	return sheet.List[AssessmentView]{
		Name: "assessments", Title: "政府评估", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			if err := f.Only("target"); err != nil {
				return "", err
			}
			return Target(f["target"]).Label(), nil
		},
		Fields: []sheet.Field[AssessmentView]{
			of("number", "编号", 20, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.Number) }),
			of("title", "服务产品", 28, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.Title) }),
			of("target", "评估对象", 12, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.Target.Label()) }),
			of("name", "名称", 28, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.Name) }),
			of("score", "得分", 8, func(v *AssessmentView) sheet.Cell { return sheet.Int(int64(v.Score)) }),
			of("comment", "评语", 40, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.Comment) }),
			of("by", "评估人", 12, func(v *AssessmentView) sheet.Cell { return sheet.Text(v.By) }),
			of("at", "评估时间", 20, func(v *AssessmentView) sheet.Cell { return sheet.Time(v.At) }),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]AssessmentView, string, error) {
			if err := f.Only("target"); err != nil {
				return nil, "", err
			}
			if Target(f["target"]).Label() == "" && f["target"] != "" {
				return nil, "", sheet.ErrFilter
			}
			return s.Assessments(ctx, actor, Filter{Target(f["target"]), after, min(limit, 100)})
		},
	}.Source()
}
