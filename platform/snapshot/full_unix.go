//go:build unix

package snapshot

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
)

const sqliteFull = 13

func isFull(err error) bool {
	var s *sqlite.Error
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.As(err, &s) && s.Code()&0xff == sqliteFull
}
