package enterprise_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

func TestOpenUnverified(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, enterprise.Migrations))
	s := &enterprise.Service{Clock: clock.System{}}
	ctx := context.Background()
	var id int64
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		id, err = s.OpenUnverified(ctx, tx, access.Actor{UserID: 9, Party: access.Enterprise}, "麦香烘焙坊𠮷", 9)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Brief(ctx, db.Read(), id)
	if err != nil || b.Name != "麦香烘焙坊𠮷" || b.Verification != "unverified" || b.CreditCode != "" {
		t.Fatalf("%+v, %v", b, err)
	}
	if err := s.IsMember(ctx, db.Read(), id, 9); err != nil {
		t.Fatal(err)
	}
	if err := s.IsMember(ctx, db.Read(), id, 10); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a stranger: %v", err)
	}
	events, err := event.Of(ctx, db.Read(), "enterprise", id)
	if err != nil || len(events) != 1 || events[0].Type != "enterprise.registered" {
		t.Fatalf("events %v, %v", events, err)
	}
	if _, err := s.Brief(ctx, db.Read(), id+1); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("missing: %v", err)
	}
}
