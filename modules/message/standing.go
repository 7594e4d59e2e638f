package message

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Standing is how the letters of the whole district stand, for whoever watches over it.
type Standing struct {
	Waiting int64      // could leave and has not left
	Oldest  *time.Time // since when the oldest of them could leave
	Unknown int64      // the provider's answer was lost; a person decides
}

// Outcomes are what became of letters.
type Outcomes struct{ Sent, Refused, Unknown, Open int64 }

// Settled is how many of them came to an end.
func (o Outcomes) Settled() int64 { return o.Sent + o.Refused + o.Unknown }

// recentLetters is how many letters back the rate of failures looks at most: it is asked for each quarter of a minute.
const recentLetters = 500

// Standing counts the letters that have not left. It is no operation of a person: the caller has asked who may see it.
func (s *Service) Standing(ctx context.Context) (Standing, error) {
	var st Standing
	now := s.Clock.Now()
	for _, table := range []string{"sms_messages", "wechat_messages"} {
		from := func() *bun.SelectQuery {
			return s.DB.Read().NewSelect().Model((*letter)(nil)).ModelTableExpr("? AS o", bun.Ident(table))
		}
		open := func() *bun.SelectQuery {
			return from().Where("o.state NOT IN ('sent', 'refused')").Where("o.state IN (?, ?) AND (o.not_before IS NULL OR o.not_before <= ?)", Queued, Sending, now)
		}
		waiting, err := open().Count(ctx)
		if err != nil {
			return st, err
		}
		unknown, err := from().Where("o.state NOT IN ('sent', 'refused')").Where("o.state = ?", Unknown).Count(ctx)
		if err != nil {
			return st, err
		}
		st.Waiting += int64(waiting)
		st.Unknown += int64(unknown)
		var rows []letter
		if err := open().Model(&rows).ModelTableExpr("? AS o", bun.Ident(table)).Column("o.created_at", "o.not_before").OrderExpr("o.id").Limit(1).Scan(ctx); err != nil {
			return st, err
		}
		for _, r := range rows {
			at := r.CreatedAt.UTC()
			if r.NotBefore != nil && r.NotBefore.After(at) {
				at = r.NotBefore.UTC()
			}
			if st.Oldest == nil || at.Before(*st.Oldest) {
				st.Oldest = &at
			}
		}
	}
	return st, nil
}

// Recent says what became of the newest text messages since a moment, at most recentLetters of them.
func (s *Service) Recent(ctx context.Context, since time.Time) (Outcomes, error) {
	newest := s.DB.Read().NewSelect().Model((*letter)(nil)).Column("o.state", "o.created_at").OrderExpr("o.id DESC").Limit(recentLetters)
	return outcomes(ctx, s.DB.Read().NewSelect().TableExpr("(?) AS o", newest).Where("o.created_at >= ?", since))
}

// Between says what became of the text messages written in [from, to).
func (s *Service) Between(ctx context.Context, from, to time.Time) (Outcomes, error) {
	return outcomes(ctx, s.DB.Read().NewSelect().Model((*letter)(nil)).Where("o.created_at >= ? AND o.created_at < ?", from, to))
}

func outcomes(ctx context.Context, q *bun.SelectQuery) (Outcomes, error) {
	var rows []struct {
		State State
		N     int64
	}
	var o Outcomes
	if err := q.ColumnExpr("o.state AS state, count(*) AS n").GroupExpr("o.state").Scan(ctx, &rows); err != nil {
		return o, err
	}
	for _, r := range rows {
		switch r.State {
		case Sent:
			o.Sent = r.N
		case Refused:
			o.Refused = r.N
		case Unknown:
			o.Unknown = r.N
		default:
			o.Open += r.N
		}
	}
	return o, nil
}
