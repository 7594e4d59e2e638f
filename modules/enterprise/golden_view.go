package enterprise

import (
	"context"
	"time"

	"github.com/huiqi/huiqi/platform/access"
)

// Golden is a company's record: of each field what every source says, and why one of them counts.
type Golden struct {
	ID        int64         `json:"id"`
	Name      string        `json:"name"`
	Conflicts int           `json:"conflicts" doc:"Fields whose sources contradict each other, and nobody has decided."`
	MaySettle bool          `json:"maySettle"`
	Fields    []GoldenField `json:"fields"`
}

// GoldenField is one field with all that is said about it.
type GoldenField struct {
	Field    string       `json:"field"`
	Label    string       `json:"label"`
	Group    string       `json:"group"`
	Conflict bool         `json:"conflict"`
	Settled  bool         `json:"settled" doc:"A person's decision counts."`
	Lapsed   bool         `json:"lapsed" doc:"A source has said something new since a person decided."`
	Last     int64        `json:"last" doc:"The newest fact; it is sent back with a decision."`
	Words    []GoldenWord `json:"words" doc:"The one that counts first."`
	// Decisions are what people decided, the newest first.
	Decisions []GoldenDecision `json:"decisions"`
}

// GoldenWord is what one source says.
type GoldenWord struct {
	FactID     int64     `json:"factId"`
	Code       Source    `json:"code"`
	Source     string    `json:"source"`
	Text       string    `json:"text"`
	AsOf       time.Time `json:"asOf"`
	RecordedAt time.Time `json:"recordedAt"`
	Counts     bool      `json:"counts"`
	Differs    bool      `json:"differs"`
	Stale      bool      `json:"stale"`
	Why        string    `json:"why"`
}

// GoldenDecision is a decision between sources.
type GoldenDecision struct {
	Reason       string     `json:"reason"`
	By           string     `json:"by"`
	At           time.Time  `json:"at"`
	UndoneAt     *time.Time `json:"undoneAt,omitempty"`
	UndoneBy     string     `json:"undoneBy,omitempty"`
	UndoneReason string     `json:"undoneReason,omitempty"`
}

// Golden returns the record of a company with every source's word. It needs enterprise.view.
func (s *Service) Golden(ctx context.Context, actor access.Actor, id int64) (Golden, error) {
	if err := actor.Need(PermView); err != nil {
		return Golden{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, id)
	if err != nil {
		return Golden{}, err
	}
	groups, err := s.consents.Read(ctx, actor, id, Reading{Purpose: forPortrait, What: "企业数据来源"})
	if err != nil {
		return Golden{}, err
	}
	rows, err := factsOf(ctx, db, id)
	if err != nil {
		return Golden{}, err
	}
	rows[id] = factsWithin(rows[id], groups)
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return Golden{}, err
	}
	var decided []settlement
	if err := db.NewSelect().Model(&decided).Where("st.enterprise_id = ?", id).OrderExpr("st.id DESC").Limit(200).Scan(ctx); err != nil {
		return Golden{}, err
	}
	out := Golden{ID: e.ID, Name: e.Name, MaySettle: actor.Can(PermGolden), Fields: []GoldenField{}}
	by, now := byField(rows[id]), s.clock.Now()
	for _, f := range fields {
		c, ok := rule.choose(f, by[f.name], now)
		if !ok {
			continue
		}
		g := s.goldenField(f, c)
		g.Last = by[f.name][len(by[f.name])-1].ID
		for _, d := range decided {
			if d.Field == f.name {
				g.Decisions = append(g.Decisions, GoldenDecision{d.Reason, d.ByName, d.At.UTC(), utc(d.UndoneAt), d.UndoneBy, d.UndoneReason})
			}
		}
		if g.Conflict {
			out.Conflicts++
		}
		out.Fields = append(out.Fields, g)
	}
	return out, nil
}

func (s *Service) goldenField(f field, c chosen) GoldenField {
	g := GoldenField{Field: f.name, Label: f.label, Group: f.group, Conflict: c.conflict, Settled: c.settled != nil && !c.lapsed, Lapsed: c.lapsed,
		Words: make([]GoldenWord, 0, len(c.words)), Decisions: []GoldenDecision{}}
	for i, x := range c.words {
		_, text, _ := f.read(x.Value, s.terms)
		g.Words = append(g.Words, GoldenWord{FactID: x.ID, Code: x.Source, Source: x.SourceName, Text: text, AsOf: x.AsOf.UTC(), RecordedAt: x.RecordedAt.UTC(),
			Counts: i == 0, Differs: x.differs, Stale: x.stale, Why: x.why})
	}
	return g
}
