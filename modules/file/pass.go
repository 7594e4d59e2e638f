package file

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// Pass hands all files of an object to another one, in the transaction of the command that made the one of the other. The
// caller has established that the actor may do so with both.
func (s *Service) Pass(ctx context.Context, tx bun.Tx, object string, id int64, toObject string, toID int64) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("object = ?", toObject).Set("object_id = ?", toID).Where("object = ? AND object_id = ?", object, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("pass files of %s %d: %w", object, id, err)
	}
	return nil
}
