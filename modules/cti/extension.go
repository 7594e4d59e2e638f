package cti

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// ExtensionView says whose telephone an extension is.
type ExtensionView struct {
	Extension string `json:"extension"`
	UserID    int64  `json:"userId"`
	Name      string `json:"name"`
}

// Extensions lists whose telephone is which. Who manages them may.
func (s *Service) Extensions(ctx context.Context, actor access.Actor) ([]ExtensionView, error) {
	if err := actor.Need(PermManage); err != nil {
		return nil, err
	}
	var rows []extension
	err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("x.extension").Scan(ctx)
	out := make([]ExtensionView, 0, len(rows))
	for _, r := range rows {
		out = append(out, ExtensionView{r.Extension, r.UserID, r.Name})
	}
	return out, err
}

// SetExtension asks to give an extension to a person; "" takes theirs away.
type SetExtension struct {
	Extension string `json:"extension" maxLength:"20"`
	UserID    int64  `json:"userId"`
	Key       string `json:"-"`
}

// SetExtension gives an extension to a person who may sit at the desk; the one they had, and whoever had it before, lose it. Who
// manages extensions may. The name is that of the account, whatever the caller thinks.
func (s *Service) SetExtension(ctx context.Context, actor access.Actor, cmd SetExtension) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	number, err := text.Line("extension", cmd.Extension, 0, 20)
	if err != nil {
		return text.Named(err, "分机号")
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "cti.extension", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			name, err := s.extensionName(ctx, tx, cmd.UserID, number)
			if err != nil {
				return false, err
			}
			if _, err := database.Run(ctx, tx, "DELETE FROM cti_extensions WHERE user_id = ? OR extension = ?", cmd.UserID, number); err != nil {
				return false, err
			}
			if number != "" {
				row := extension{Extension: number, UserID: cmd.UserID, Name: name}
				if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
					return false, err
				}
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "cti.extension", Object: "seat", ObjectID: cmd.UserID, Summary: "设置" + name + "的分机", Detail: map[string]any{"extension": number}})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("set extension of %d: %w", cmd.UserID, err)
	}
	return nil
}

// extensionName is the name of who gets the extension. Whoever left the desk has no seat any more; theirs can still be taken away.
func (s *Service) extensionName(ctx context.Context, tx bun.Tx, user int64, number string) (string, error) {
	if number != "" {
		name, err := s.Seats.Name(ctx, tx, user)
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.Invalid {
			return "", fault.InvalidField("userId", "EXTENSION_USER", "此人没有坐席签入权限，请选择坐席人员").Wrap(err)
		}
		return name, err
	}
	var name string
	err := database.Found(tx.NewSelect().Model((*extension)(nil)).Column("user_name").Where("x.user_id = ?", user).Scan(ctx, &name))
	if fault.KindOf(err) == fault.NotFound {
		return "", fault.InvalidField("userId", "EXTENSION_USER", "此人没有分机，请刷新后查看").Wrap(err)
	}
	return name, err
}
