package enterprise

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/sheet"
)

// ruleSet is one version of the rules; it is never changed.
type ruleSet struct {
	bun.BaseModel `bun:"table:enterprise_quality_versions,alias:qv"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Body   string    `bun:"body,notnull,type:text"` // JSON: []QualityRule
	Note   string    `bun:"note,notnull"`
	ByID   int64     `bun:"by_id,notnull"`
	ByName string    `bun:"by_name,notnull"`
	At     time.Time `bun:"at,notnull"`

	Rules []QualityRule `bun:"-"`
}

type ruleSet20261129 struct {
	bun.BaseModel `bun:"table:enterprise_quality_versions"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Body   string    `bun:"body,notnull,type:text"`
	Note   string    `bun:"note,notnull"`
	ByID   int64     `bun:"by_id,notnull"`
	ByName string    `bun:"by_name,notnull"`
	At     time.Time `bun:"at,notnull"`
}

// score is what was found of one import, by one version of the rules.
type score struct {
	bun.BaseModel `bun:"table:enterprise_quality_scores,alias:qs"`

	ImportID int64     `bun:"import_id,pk"`
	Source   string    `bun:"source,notnull"`
	RulesID  int64     `bun:"rules_id,notnull"`
	Rows     int64     `bun:"rows_seen,notnull"`
	Bad      int64     `bun:"rows_bad,notnull"`
	Review   int64     `bun:"rows_review,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type score20261129 struct {
	bun.BaseModel `bun:"table:enterprise_quality_scores"`

	ImportID int64     `bun:"import_id,pk"`
	Source   string    `bun:"source,notnull"`
	RulesID  int64     `bun:"rules_id,notnull"`
	Rows     int64     `bun:"rows_seen,notnull"`
	Bad      int64     `bun:"rows_bad,notnull"`
	Review   int64     `bun:"rows_review,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// tally counts how often a rule spoke of an import and how often it was not met, with the first rows that failed.
type tally struct {
	bun.BaseModel `bun:"table:enterprise_quality_tallies,alias:qt"`

	ImportID int64  `bun:"import_id,pk"`
	Code     string `bun:"code,pk"`
	Tested   int64  `bun:"tested,notnull"`
	Failed   int64  `bun:"failed,notnull"`
	Examples string `bun:"examples,notnull"` // numbers of rows
}

type tally20261129 struct {
	bun.BaseModel `bun:"table:enterprise_quality_tallies"`

	ImportID int64  `bun:"import_id,pk"`
	Code     string `bun:"code,pk"`
	Tested   int64  `bun:"tested,notnull"`
	Failed   int64  `bun:"failed,notnull"`
	Examples string `bun:"examples,notnull"`
}

func firstRuleSet() (ruleSet20261129, error) {
	raw, err := json.Marshal(firstRules())
	return ruleSet20261129{Body: string(raw), Note: "随系统提供", ByName: "系统", At: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}, err
}

// qualityRules reads the rules that hold now.
func (s *Service) qualityRules(ctx context.Context, db bun.IDB) (*ruleSet, error) {
	var id int64
	if err := database.QueryOne(ctx, db, []any{&id}, "SELECT coalesce(max(id), 0) FROM enterprise_quality_versions"); err != nil {
		return nil, fmt.Errorf("find the rules of quality: %w", err)
	}
	return s.rulesOf(ctx, db, id)
}

// rulesOf reads one version of the rules; versions never change and are kept.
func (s *Service) rulesOf(ctx context.Context, db bun.IDB, id int64) (*ruleSet, error) {
	if v, ok := s.ruleSets.Load(id); ok {
		return v.(*ruleSet), nil
	}
	v := &ruleSet{ID: id}
	err := database.QueryOne(ctx, db, []any{&v.Body, &v.Note, &v.ByID, &v.ByName, &v.At}, "SELECT body, note, by_id, by_name, at FROM enterprise_quality_versions WHERE id = ?", id)
	if err != nil {
		return nil, fmt.Errorf("read the rules of quality %d: %w", id, database.Found(err))
	}
	if err := json.Unmarshal([]byte(v.Body), &v.Rules); err != nil {
		return nil, err
	}
	titles := importFields(s.ImportTarget())
	for i := range v.Rules {
		if err := v.Rules[i].ready(titles); err != nil {
			return nil, fmt.Errorf("rule of quality %s: %w", v.Rules[i].Code, err)
		}
	}
	s.ruleSets.Store(id, v)
	return v, nil
}

// maxExamples is how many failing rows a tally names.
const maxExamples = 20

// importScore adds a batch of an import to its score, by the rules that held when its first row was read.
func (s *Service) importScore(ctx context.Context, tx bun.Tx, b sheet.Batch, rows []sheet.Scored) error {
	sc := score{ImportID: b.Import, Source: b.Source, At: s.clock.Now()}
	counts := map[string]*tally{}
	if b.Anew {
		rules, err := s.qualityRules(ctx, tx)
		if err != nil {
			return err
		}
		sc.RulesID = rules.ID
		for _, table := range []string{"enterprise_quality_scores", "enterprise_quality_tallies"} {
			if _, err := database.Run(ctx, tx, "DELETE FROM "+table+" WHERE import_id = ?", b.Import); err != nil {
				return err
			}
		}
	} else if err := s.scoreSoFar(ctx, tx, &sc, counts); err != nil {
		return err
	}
	rules, err := s.rulesOf(ctx, tx, sc.RulesID)
	if err != nil {
		return err
	}
	sc.add(rules, rows, counts, s.clock.Now())
	if err := database.InsertMany(ctx, tx, []score{sc}, "ON CONFLICT (import_id) DO UPDATE SET rows_seen = EXCLUDED.rows_seen, rows_bad = EXCLUDED.rows_bad, rows_review = EXCLUDED.rows_review, at = EXCLUDED.at", nil); err != nil {
		return err
	}
	list := make([]tally, 0, len(counts))
	for _, t := range counts {
		list = append(list, *t)
	}
	return database.InsertMany(ctx, tx, list, "ON CONFLICT (import_id, code) DO UPDATE SET tested = EXCLUDED.tested, failed = EXCLUDED.failed, examples = EXCLUDED.examples", nil)
}

// add counts the rows of a batch.
func (sc *score) add(rules *ruleSet, rows []sheet.Scored, counts map[string]*tally, now time.Time) {
	for _, r := range rows {
		sc.Rows++
		if r.Bad {
			sc.Bad++
		}
		if r.Review {
			sc.Review++
		}
		for i := range rules.Rules {
			q := &rules.Rules[i]
			t := counts[q.Code]
			if t == nil {
				t = &tally{ImportID: sc.ImportID, Code: q.Code}
				counts[q.Code] = t
			}
			tested, ok := q.test(r, now)
			if !tested {
				continue
			}
			t.Tested++
			if ok {
				continue
			}
			if t.Failed++; t.Failed <= maxExamples {
				if t.Examples != "" {
					t.Examples += "、"
				}
				t.Examples += fmt.Sprint(r.Row)
			}
		}
	}
}

func (s *Service) scoreSoFar(ctx context.Context, tx bun.Tx, sc *score, counts map[string]*tally) error {
	err := database.QueryOne(ctx, tx, []any{&sc.RulesID, &sc.Rows, &sc.Bad, &sc.Review}, "SELECT rules_id, rows_seen, rows_bad, rows_review FROM enterprise_quality_scores WHERE import_id = ?", sc.ImportID)
	if err != nil {
		return fmt.Errorf("score of import %d: %w", sc.ImportID, database.Found(err))
	}
	return database.Each(ctx, tx, func(rows *sql.Rows) error {
		t := &tally{ImportID: sc.ImportID}
		err := rows.Scan(&t.Code, &t.Tested, &t.Failed, &t.Examples)
		counts[t.Code] = t
		return err
	}, "SELECT code, tested, failed, examples FROM enterprise_quality_tallies WHERE import_id = ?", sc.ImportID)
}
