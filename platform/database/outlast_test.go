package database_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/huiqi/huiqi/platform/database"
)

// TestOutlast: what cannot begin because of the database begins later; another error ends it.
func TestOutlast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		tries := 0
		err := database.Outlast(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) error {
			if tries++; tries < 4 {
				return database.ErrStorage.Wrap(broken)
			}
			return broken
		})
		if tries != 4 || err != broken {
			t.Errorf("%d tries, %v", tries, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = database.Outlast(ctx, slog.New(slog.DiscardHandler), func(context.Context) error { cancel(); return database.ErrBusy })
		if err != nil {
			t.Errorf("at the end of the process: %v", err)
		}
	})
}
