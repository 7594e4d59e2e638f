package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// checkRow is what is known of the last verification.
type checkRow struct {
	bun.BaseModel `bun:"table:audit_checks"`

	ID        int64      `bun:"id,pk"`
	At        *time.Time `bun:"at"`
	FullAt    *time.Time `bun:"full_at"`
	Seq       int64      `bun:"seq,notnull"`
	Hash      string     `bun:"hash,notnull"`
	ClosedID  int64      `bun:"closed_id,notnull"`
	Problems  int64      `bun:"problems,notnull"`
	Error     string     `bun:"error,notnull,type:text"`
	ErrorAt   *time.Time `bun:"error_at"`
	Signature string     `bun:"signature,notnull"`
}

const checkPurpose = "audit.check"

func (c checkRow) parts() []string {
	return []string{strconv.FormatInt(c.Seq, 10), c.Hash, strconv.FormatInt(c.ClosedID, 10)}
}

// Checker verifies the log on schedule and keeps the outcome.
type Checker struct {
	DB     *database.DB
	Clock  clock.Clock
	Signer Signer
	// Dir is the folder of the anchors; "" compares with none.
	Dir string
}

// Check verifies what was added since the last time, or the whole log. It returns an error that says what does not fit; the
// next check then begins at the same place.
func (c Checker) Check(ctx context.Context, whole bool) (Report, error) {
	row := checkRow{ID: 1}
	if err := c.DB.Read().NewSelect().Model(&row).WherePK().Scan(ctx); err != nil && !isNone(err) {
		return Report{}, err
	}
	o := Options{Signer: c.Signer}
	if !whole && row.Seq > 0 && (c.Signer == nil || c.Signer.CheckSignature(row.Signature, checkPurpose, row.parts()...) == nil) {
		o.From = Mark{Seq: row.Seq, Hash: row.Hash, ClosedID: row.ClosedID}
	} else {
		whole = true
	}
	var err error
	if c.Dir != "" {
		if o.Anchors, err = ReadAnchors(c.Dir); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	var r Report
	if err == nil {
		r, err = Verify(ctx, c.DB, o)
	}
	if err == nil && !r.OK() {
		var lines []string
		for _, p := range r.Problems {
			lines = append(lines, p.Text)
		}
		err = fmt.Errorf("审计日志核对发现 %d 处问题：%s", len(r.Problems), strings.Join(lines, "；"))
	}
	now := c.Clock.Now()
	row.At, row.Problems, row.Error = &now, int64(len(r.Problems)), ""
	if err != nil {
		row.Error, row.ErrorAt = err.Error(), &now
	} else {
		row.Seq, row.Hash, row.ClosedID = r.End.Seq, r.End.Hash, r.End.ClosedID
		if whole {
			row.FullAt = &now
		}
		if c.Signer != nil {
			row.Signature = c.Signer.Sign(checkPurpose, row.parts()...)
		}
	}
	return r, errors.Join(err, c.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (id) DO UPDATE").
			Set("at = EXCLUDED.at, full_at = EXCLUDED.full_at, seq = EXCLUDED.seq, hash = EXCLUDED.hash, closed_id = EXCLUDED.closed_id").
			Set("problems = EXCLUDED.problems, error = EXCLUDED.error, error_at = EXCLUDED.error_at, signature = EXCLUDED.signature").Exec(ctx)
		return err
	}))
}

// State is how the log stands, for a health rule.
type State struct {
	Sealed       int64      // seals of the chain
	Tail         int64      // rows that wait for their seal
	OldestWaits  *time.Time // since when the oldest of them waits
	VerifiedAt   *time.Time // the last verification, whatever its outcome
	FullAt       *time.Time // the last that looked at the whole log and found it whole
	VerifiedSeq  int64      // up to this seal the log was found whole
	Problems     int64      // what the last verification found
	LastError    string     // why the last verification failed; "" when the log was whole
	LastErrorAt  *time.Time // when one last failed
	LastAnchor   string     // the day of the last anchor in its folder
	ShippedSeq   int64      // up to this seal the receiver has the log; 0 when none is configured
	ShipError    string     // why shipping does not go on; "" when it does
	ShipErrorFor *time.Time // since when
}

// Standing says how the log stands. It reads a few rows only.
func Standing(ctx context.Context, db bun.IDB) (State, error) {
	h, err := findHead(ctx, db)
	if err != nil {
		return State{}, err
	}
	s := State{Sealed: h.Seq}
	n, err := unsealed(db).Where("a.id > ?", h.ClosedID).Count(ctx)
	if err != nil {
		return s, err
	}
	s.Tail = int64(n)
	var first Entry
	err = unsealed(db).Model(&first).Where("a.id > ?", h.ClosedID).OrderExpr("a.id").Limit(1).Scan(ctx)
	if err == nil {
		s.OldestWaits = &first.At
	} else if !isNone(err) {
		return s, err
	}
	row := checkRow{ID: 1}
	if err := db.NewSelect().Model(&row).WherePK().Scan(ctx); err != nil && !isNone(err) {
		return s, err
	}
	s.VerifiedAt, s.FullAt, s.VerifiedSeq, s.Problems, s.LastError, s.LastErrorAt = row.At, row.FullAt, row.Seq, row.Problems, row.Error, row.ErrorAt
	var anchors []anchorRow
	if err := db.NewSelect().Model(&anchors).Where("written_at IS NOT NULL").OrderExpr("day DESC").Limit(1).Scan(ctx); err != nil {
		return s, err
	}
	if len(anchors) == 1 {
		s.LastAnchor = anchors[0].Day
	}
	var ships []shipRow
	if err := db.NewSelect().Model(&ships).Where("id = 1").Scan(ctx); err != nil {
		return s, err
	}
	if len(ships) == 1 {
		s.ShippedSeq, s.ShipError, s.ShipErrorFor = ships[0].Seq, ships[0].Error, ships[0].ErrorSince
	}
	return s, nil
}
