package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
)

// Source is an index with the way to read its documents again, as its module gives it.
type Source struct {
	Index

	// Object is the name of a document in events ("ticket"); with it an outside engine is kept up to date. "" keeps the kind in
	// the database only.
	Object string
	// Docs reads documents as they are now. It puts the query of its rows through pick, which says which of them and in what
	// order, with the column of their ids ("t.id").
	Docs func(ctx context.Context, db bun.IDB, pick Pick) ([]Doc, error)
}

// Pick narrows a query of rows to those whose documents are wanted.
type Pick func(q *bun.SelectQuery, id string) *bun.SelectQuery

// behind picks the next n documents for an index that is filled in this transaction: changes under way are waited for, and
// others kept off until it ends.
func behind(after int64, n int) Pick {
	return func(q *bun.SelectQuery, id string) *bun.SelectQuery {
		q = q.Where(id+" > ?", after).OrderExpr(id).Limit(int64(n))
		if database.KindOf(q.DB()) == database.Postgres {
			return q.For("SHARE")
		}
		return q // its one writer does that
	}
}

// ErrTaken is returned by a rebuild that another one took over from.
var ErrTaken = errors.New("search: another rebuild of this index has begun")

// portion is how many documents go into one transaction, and dropped how many pages of an index that is not needed any more:
// both stay well under the 50 ms the writer may be held.
const (
	portion = 100
	dropped = 500
)

// Rebuild makes the index anew from its source while it is in use, and puts it in the place of the old one in one
// transaction. What is written meanwhile goes into both. A rebuild that was killed leaves the old index in use; the next one
// begins again. progress, when not nil, hears how many documents are done.
func Rebuild(ctx context.Context, db *database.DB, s Source, progress func(done int)) error {
	return rebuild(ctx, db, s, portion, progress)
}

// Fill is Rebuild where nobody else uses the installation: it holds the writer for longer.
func Fill(ctx context.Context, db *database.DB, s Source) error {
	return rebuild(ctx, db, s, 10*portion, nil)
}

func rebuild(ctx context.Context, db *database.DB, s Source, portion int, progress func(done int)) error {
	claim := secret.Token()
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := s.claim(ctx, tx, true); err != nil {
			return err
		}
		if err := database.Changed(tx.NewUpdate().Model((*indexRow)(nil)).Set("claim = ?", claim).Where("kind = ?", s.Kind).Exec(ctx)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx, "DROP TABLE IF EXISTS "+s.next()); err != nil {
			return err
		}
		return s.create(ctx, tx, s.next())
	})
	if err != nil {
		return fmt.Errorf("begin to rebuild %s: %w", s.Kind, err)
	}
	var after int64
	for done := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var docs []Doc
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			now, err := s.claim(ctx, tx, false)
			if err != nil {
				return err
			}
			if now != claim {
				return ErrTaken
			}
			if docs, err = s.Docs(ctx, tx, behind(after, portion)); err != nil {
				return err
			}
			for _, d := range docs {
				if err := s.put(ctx, tx, s.next(), d); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && portion > 1 {
			portion /= 2 // long texts, or a machine with other work: what a transaction may take holds fewer
			continue
		}
		if err != nil {
			return fmt.Errorf("rebuild %s after %d: %w", s.Kind, after, err)
		}
		if len(docs) == 0 {
			break
		}
		after = docs[len(docs)-1].ID
		done += len(docs)
		if progress != nil {
			progress(done)
		}
		// On SQLite there is one writer: those who serve come first.
		pause := time.NewTimer(time.Millisecond)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	if err := s.swap(ctx, db, claim); err != nil {
		return fmt.Errorf("swap in the rebuilt %s: %w", s.Kind, err)
	}
	return s.drop(ctx, db)
}

func (x Index) swap(ctx context.Context, db *database.DB, claim string) error {
	return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if now, err := x.claim(ctx, tx, true); err != nil {
			return err
		} else if now != claim {
			return ErrTaken
		}
		if _, err := tx.NewUpdate().Model((*indexRow)(nil)).Set("claim = ''").Set("layout = ?", x.layout()).Where("kind = ?", x.Kind).Exec(ctx); err != nil {
			return err
		}
		steps := []string{
			"DROP TABLE IF EXISTS " + x.old(),
			"ALTER TABLE " + x.table() + " RENAME TO " + x.old(),
			"ALTER TABLE " + x.next() + " RENAME TO " + x.table(),
		}
		if database.KindOf(tx) == database.Postgres {
			steps = []string{
				steps[0], steps[1], "ALTER INDEX " + x.table() + "_ts RENAME TO " + x.old() + "_ts", "ALTER INDEX " + x.table() + "_pkey RENAME TO " + x.old() + "_pkey",
				steps[2], "ALTER INDEX " + x.next() + "_ts RENAME TO " + x.table() + "_ts", "ALTER INDEX " + x.next() + "_pkey RENAME TO " + x.table() + "_pkey",
			}
		}
		return database.Exec(ctx, tx, steps...)
	})
}

// drop gives back the room of the index that was replaced, piece by piece where one statement would hold the writer long.
func (x Index) drop(ctx context.Context, db *database.DB) error {
	for db.Kind() == database.SQLite {
		n := int64(0)
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			n = 0
			for _, part := range []string{x.old() + "_data", x.old() + "_docsize"} {
				res, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE id IN (SELECT id FROM %s LIMIT %d)", part, part, dropped))
				if err != nil {
					return err
				}
				some, err := res.RowsAffected()
				if err != nil {
					return err
				}
				n += some
			}
			return nil
		})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "DROP TABLE IF EXISTS "+x.old())
	})
}

// Stale reports that the table in use was made by another layout, or never filled: it wants a rebuild.
func (x Index) Stale(ctx context.Context, db bun.IDB) (bool, error) {
	note, err := x.unready(ctx, db)
	return note != "", err
}
