package file

import (
	"context"
	"time"
)

// Standing is how the uploads of the whole district stand, for whoever watches over it.
type Standing struct {
	Waiting     int64      // for the scanner
	Oldest      *time.Time // when the oldest of them came
	Quarantined int64
}

// Standing counts the files that cannot be given out. It is no operation of a person: the caller has asked who may see it.
func (s *Service) Standing(ctx context.Context) (Standing, error) {
	var rows []struct {
		State State
		N     int64
	}
	var st Standing
	db := s.DB.Read()
	err := db.NewSelect().Model((*row)(nil)).ColumnExpr("f.state AS state, count(*) AS n").Where("f.state <> 'available'").GroupExpr("f.state").Scan(ctx, &rows)
	if err != nil {
		return st, err
	}
	for _, r := range rows {
		switch r.State {
		case Waiting:
			st.Waiting = r.N
		case Quarantined:
			st.Quarantined = r.N
		}
	}
	if st.Waiting == 0 {
		return st, nil
	}
	var oldest []time.Time
	err = db.NewSelect().Model((*row)(nil)).Column("f.created_at").Where("f.state <> 'available' AND f.state = ?", Waiting).OrderExpr("f.id").Limit(1).Scan(ctx, &oldest)
	if len(oldest) > 0 {
		at := oldest[0].UTC()
		st.Oldest = &at
	}
	return st, err
}
