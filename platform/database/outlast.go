package database

import (
	"context"
	"log/slog"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// Outlast runs fn, and runs it again a second later for as long as it ends because the database cannot be reached or
// written, so that the process goes on answering what only reads. It returns the first other error of fn, or nil once fn
// ends well or ctx ends.
func Outlast(ctx context.Context, log *slog.Logger, fn func(ctx context.Context) error) error {
	for {
		err := fn(ctx)
		if f, ok := fault.As(Classify(err)); !ok || f.Kind != fault.Unavailable {
			return err
		}
		log.Warn("waiting for the database", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}
