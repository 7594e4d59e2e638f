package importing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// pending is a row on its way to the staging table.
type pending struct {
	record   sheet.Record
	problems []sheet.RowProblem
	state    RowState
	then     RowState // what it becomes when a person takes it
	blinds   []string // keyed hashes of the row's key under each root, today's first
	alike    []string // of the field by which rows are held against each other
	sealed   string   // the values as they are kept
	known    bool     // there is a record of its key already
	flags    []sheet.RowProblem
}

// batch says of which import the rows that come next are.
func (r *row) batch() sheet.Batch {
	return sheet.Batch{Import: r.ID, Source: r.Source, Duplicates: r.Duplicates, Anew: r.Read == 0}
}

// ready does of the rows' examination what does not depend on other rows of the file.
func (s *Service) ready(ctx context.Context, id int64, t sheet.Target, actor access.Actor, batch []pending) error {
	for i := range batch {
		p := &batch[i]
		p.state = RowBad
		if len(p.problems) == 0 {
			record, problems, err := t.Check(ctx, actor, p.record)
			if err != nil {
				return fmt.Errorf("row %d: %w", p.record.Row, err)
			}
			if p.problems = problems; len(problems) == 0 {
				p.record, p.state = record, RowGood
			}
		}
		if key := p.record.Values[t.Key]; p.state == RowGood && key != "" {
			p.blinds = s.Box.Blinds("import."+t.Name, key)
		}
		if v := p.record.Values[t.Alike]; p.state == RowGood && t.Alike != "" && v != "" {
			p.alike = s.Box.Blinds("import."+t.Name+".alike", v)
		}
		plain, err := json.Marshal(p.record.Values)
		if err != nil {
			return err
		}
		p.sealed = s.Box.Seal(plain, valuesPlace(id, p.record.Row))
	}
	return s.lookUp(ctx, t, actor, batch)
}

// lookUp asks the target of the good rows which records are there already, and what people must decide.
func (s *Service) lookUp(ctx context.Context, t sheet.Target, actor access.Actor, batch []pending) error {
	var keys []string
	var records []sheet.Record
	var at []int
	for i := range batch {
		p := &batch[i]
		if len(p.blinds) > 0 {
			keys = append(keys, p.record.Values[t.Key])
		}
		if p.state == RowGood {
			records, at = append(records, p.record), append(at, i)
		}
	}
	known, err := t.Existing(ctx, actor, keys)
	if err != nil {
		return err
	}
	for _, i := range at {
		batch[i].known = known[batch[i].record.Values[t.Key]]
	}
	if t.Flag == nil {
		return nil
	}
	flags, err := t.Flag(ctx, actor, records)
	if err != nil {
		return err
	}
	for i, why := range flags {
		batch[at[i]].flags = why
	}
	return nil
}

// stage examines a batch that is ready and keeps it with the checkpoint behind it.
func (s *Service) stage(ctx context.Context, c lease.Claim, r *row, t sheet.Target, batch []pending) error {
	if len(batch) == 0 {
		return nil
	}
	if err := s.examine(ctx, r, t, batch); err != nil {
		return err
	}
	rows := make([]staged, 0, len(batch))
	scored := make([]sheet.Scored, 0, len(batch))
	next := *r
	for i := range batch {
		p := &batch[i]
		row := staged{ImportID: r.ID, Number: p.record.Row, State: p.state, Values: p.sealed, KeyBlind: first(p.blinds), AlikeBlind: first(p.alike)}
		if len(p.problems) > 0 {
			raw, err := json.Marshal(p.problems)
			if err != nil {
				return err
			}
			row.Problems = string(raw)
		}
		if p.state == RowReview {
			row.Flag, row.Then = p.problems[0].Code, p.then
		}
		rows = append(rows, row)
		scored = append(scored, sheet.Scored{Record: p.record, Bad: p.state == RowBad, Review: p.state == RowReview, Problems: p.problems})
		next.Read, next.LastRead = next.Read+1, p.record.Row
		switch p.state {
		case RowGood:
			next.Good++
		case RowKnown:
			next.Known++
		case RowBad:
			next.Bad++
		case RowReview:
			next.Review++
		}
	}
	err := s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if err := database.InsertMany(ctx, tx, rows, "", nil); err != nil {
			return err
		}
		if t.Score != nil {
			if err := t.Score(ctx, tx, r.batch(), scored); err != nil {
				return err
			}
		}
		_, err := tx.NewUpdate().Model(&next).Column("rows_read", "rows_good", "rows_known", "rows_bad", "rows_review", "last_read", "rows_total").WherePK().Exec(ctx)
		return err
	})
	if err == nil {
		*r = next
	}
	return err
}

// examine says of each row what it is: bad, new, there already, or for a person to decide.
func (s *Service) examine(ctx context.Context, r *row, t sheet.Target, batch []pending) error {
	var blinds []string
	for i := range batch {
		blinds = append(blinds, batch[i].blinds...)
	}
	earlier, err := s.earlier(ctx, r.ID, blinds)
	if err != nil {
		return err
	}
	for i := range batch {
		p := &batch[i]
		if p.state == RowGood {
			s.meet(r.Duplicates, p, earlier)
		}
		p.await(p.flags...)
	}
	return s.compare(ctx, r, t, batch)
}

// await has a person decide about a row that could be published.
func (p *pending) await(why ...sheet.RowProblem) {
	if len(why) == 0 || p.state == RowBad {
		return
	}
	if p.state != RowReview {
		p.state, p.then = RowReview, p.state
	}
	p.problems = append(p.problems, why...)
}

// compare holds rows against the first before them in the file that agrees in the target's field of likeness.
func (s *Service) compare(ctx context.Context, r *row, t sheet.Target, batch []pending) error {
	if t.Alike == "" {
		return nil
	}
	var blinds []string
	for i := range batch {
		p := &batch[i]
		if p.state == RowBad { // another of the same key
			p.alike = nil
		}
		blinds = append(blinds, p.alike...)
	}
	first, err := s.firstAlike(ctx, r.ID, blinds)
	if err != nil {
		return err
	}
	for i := range batch {
		p := &batch[i]
		for _, blind := range p.alike {
			if e, ok := first[blind]; ok {
				if why := t.Similar(e, p.record); why != nil && e.Values[t.Key] != p.record.Values[t.Key] {
					p.await(*why)
				}
				break
			}
		}
		if len(p.alike) > 0 {
			if _, ok := first[p.alike[0]]; !ok {
				first[p.alike[0]] = p.record
			}
		}
	}
	return nil
}

// firstAlike finds the first staged rows of the hashes.
func (s *Service) firstAlike(ctx context.Context, id int64, blinds []string) (map[string]sheet.Record, error) {
	out := map[string]sheet.Record{}
	if len(blinds) == 0 {
		return out, nil
	}
	var rows []staged
	err := database.QueryAll(ctx, s.DB.Read(), &rows, "SELECT r.import_id, r.number, r.state, r.row_values, r.problems, r.alike_blind FROM "+database.List(s.DB.Read())+
		" CROSS JOIN import_rows AS r WHERE r.import_id = ? AND r.alike_blind <> '' AND r.alike_blind = list.value ORDER BY r.number", database.Texts(blinds), id)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if _, twice := out[row.AlikeBlind]; twice {
			continue
		}
		v, err := s.rowView(row)
		if err != nil {
			return nil, err
		}
		out[row.AlikeBlind] = sheet.Record{Row: row.Number, Values: v.Values}
	}
	return out, nil
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
