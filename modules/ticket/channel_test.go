package ticket_test

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
)

// TestChannels: a ticket that a channel brings needs no phone and is undone by what must be written with it; its number and
// query code tell how it stands, and nothing else does.
func TestChannels(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx, sys := context.Background(), access.SystemActor("test")
	var filed ticket.Kept
	cmd := ticket.OpenTicket{Type: "labour", Title: "拖欠工资", Body: "三个月没有发工资", ContactName: "未留姓名", Source: ticket.FromOpen311}
	if _, err := f.Open(ctx, sys, cmd); err == nil {
		t.Fatal("without a phone, and not from a channel")
	}
	cmd.Within = func(context.Context, bun.Tx, ticket.Kept) error { return errors.New("no") }
	if _, err := f.Open(ctx, sys, cmd); err == nil {
		t.Fatal("opened although what belongs to it was not written")
	}
	cmd.Within = func(_ context.Context, _ bun.Tx, r ticket.Kept) error {
		filed = r
		return nil
	}
	v, err := f.Open(ctx, sys, cmd)
	if err != nil || v.Source != ticket.FromOpen311 || v.Phone != "" || filed.ID != v.ID || filed.QueryCode != v.QueryCode {
		t.Fatalf("%+v %+v %v", v, filed, err)
	}
	told, err := f.ByCode(ctx, sys, "wechat", filed.Number, filed.QueryCode)
	if err != nil || told.StatusName != "待处理" || told.TypeName != "劳动用工" {
		t.Fatalf("%+v %v", told, err)
	}
	wrong := "000000"
	if filed.QueryCode == wrong {
		wrong = "000001"
	}
	for _, try := range [][2]string{{filed.Number, wrong}, {"GD20200101-000001", filed.QueryCode}} {
		if _, err := f.ByCode(ctx, sys, "wechat", try[0], try[1]); !errors.Is(err, ticket.ErrQueryWrong) {
			t.Errorf("%v: %v", try, err)
		}
	}
	if _, err := f.ByCode(ctx, access.Actor{}, "wechat", filed.Number, filed.QueryCode); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("asked by anybody: %v", err)
	}
}
