package importing

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// FlagView is one kind of decision that people must make about rows.
type FlagView struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Waiting int64  `json:"waiting"`
	Taken   int64  `json:"taken"`
	Dropped int64  `json:"dropped"`
}

// flags counts what people must decide and what they decided.
func (s *Service) flags(ctx context.Context, r *row, t sheet.Target) ([]FlagView, error) {
	out := []FlagView{}
	if t.Flag == nil || r.Purged {
		return out, nil
	}
	var rows []struct {
		Flag  string
		State RowState
		N     int64
	}
	err := s.DB.Read().NewSelect().TableExpr("import_rows AS r").ColumnExpr("r.flag, r.state, count(*) AS n").Where("r.import_id = ? AND r.flag <> ''", r.ID).
		GroupExpr("r.flag, r.state").OrderExpr("r.flag").Scan(ctx, &rows)
	for _, x := range rows {
		if len(out) == 0 || out[len(out)-1].Code != x.Flag {
			title := t.FlagTitles[x.Flag]
			if title == "" {
				title = x.Flag
			}
			out = append(out, FlagView{Code: x.Flag, Title: title})
		}
		v := &out[len(out)-1]
		switch x.State {
		case RowReview:
			v.Waiting += x.N
		case RowDropped:
			v.Dropped += x.N
		default:
			v.Taken += x.N
		}
	}
	return out, err
}

// maxDecided is how many rows one decision may name.
const maxDecided = 200

// Decide takes or drops rows that a person must decide about: those named, or all of a kind that wait.
type Decide struct {
	ID     int64  `json:"id"`
	Key    string `json:"-"`
	Rows   []int  `json:"rows"`
	Flag   string `json:"flag"`
	Accept bool   `json:"accept"`
}

// Decide says what becomes of flagged rows. Until the import is published a decision can be changed by naming the rows again.
func (s *Service) Decide(ctx context.Context, actor access.Actor, cmd Decide) (View, error) {
	summary := "审核导入：不导入"
	if cmd.Accept {
		summary = "审核导入：采用"
	}
	if len(cmd.Rows) > maxDecided || (len(cmd.Rows) == 0) == (cmd.Flag == "") {
		return View{}, fault.InvalidField("rows", "IMPORT_DECIDE", fmt.Sprintf("请选择要决定的行（一次最多 %d 行），或选择一类问题", maxDecided))
	}
	return s.change(ctx, actor, cmd.ID, "import.decide", cmd.Key, cmd, summary, func(ctx context.Context, tx bun.Tx, r *row, _ sheet.Target) error {
		if r.State != Checked {
			return ErrState.With("导入任务“%s”，不能再审核，请刷新后查看", r.State.Label())
		}
		if r.Purged {
			return ErrGone
		}
		decided := int64(0)
		// every state a flagged row may be in now, and the one it goes to
		for _, then := range []RowState{RowGood, RowKnown} {
			to := RowDropped
			if cmd.Accept {
				to = then
			}
			for _, from := range []RowState{RowReview, RowDropped, then} {
				if from == to || cmd.Flag != "" && from != RowReview {
					continue
				}
				n, err := move(ctx, tx, r.ID, cmd, then, from, to)
				if err != nil {
					return err
				}
				*r.of(from) -= n
				*r.of(to) += n
				decided += n
			}
		}
		if decided == 0 {
			return fault.New(fault.Conflict, "IMPORT_DECIDED", "所选的行已经决定，或不需要人工审核，请刷新后查看")
		}
		return nil
	})
}

// move takes flagged rows from one state to another and returns how many.
func move(ctx context.Context, tx bun.Tx, id int64, cmd Decide, then, from, to RowState) (int64, error) {
	q := tx.NewUpdate().Model((*staged)(nil)).Set("state = ?", to).Where("import_id = ? AND flag <> '' AND then_state = ? AND state = ?", id, then, from)
	if cmd.Flag != "" {
		q = q.Where("flag = ?", cmd.Flag)
	} else {
		q = q.Where("number IN (?)", bun.List(cmd.Rows))
	}
	res, err := q.Exec(ctx)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// of is the figure that counts the rows of a state.
func (r *row) of(s RowState) *int64 {
	switch s {
	case RowGood:
		return &r.Good
	case RowKnown:
		return &r.Known
	case RowDropped:
		return &r.Dropped
	}
	return &r.Review
}
