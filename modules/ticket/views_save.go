package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// SaveView asks to keep a view; ID 0 makes a new one.
type SaveView struct {
	ID      int64
	Version int64
	Key     string `json:"-"`
	ViewText
}

// SaveView makes or changes a view. It returns ErrViewShare for a shared one without ticket.share_view, ErrNotFound for one the
// actor does not see, ErrForbidden for one that is not theirs to change, ErrViewStale when somebody changed it since.
func (s *Service) SaveView(ctx context.Context, actor access.Actor, cmd SaveView) (SavedView, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return SavedView{}, err
	}
	name, err := clean("name", "视图名称", cmd.Name, 30, true)
	if err != nil {
		return SavedView{}, err
	}
	f, err := readFilter(cmd.Filter)
	if err == nil {
		err = f.check(actor)
	}
	if err != nil {
		return SavedView{}, err
	}
	row := viewRow{Holder: cmd.Holder, Name: name, EditorID: actor.UserID, UpdatedAt: s.clock.Now()}
	if err := row.place(actor); err != nil {
		return SavedView{}, err
	}
	filter, err := json.Marshal(cmd.Filter)
	if err != nil {
		return SavedView{}, err
	}
	columns, err := json.Marshal(cmd.Columns)
	if err != nil {
		return SavedView{}, err
	}
	row.Filter, row.Columns = string(filter), string(columns)
	var id int64
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.view", Key: cmd.Key, Request: cmd, Now: row.UpdatedAt},
			func() (int64, error) { return saveView(ctx, tx, actor, cmd, row) })
		return err
	})
	if err != nil {
		return SavedView{}, fmt.Errorf("save view: %w", err)
	}
	return s.viewOf(ctx, actor, id)
}

// place puts the view where its holder is, or says why the actor may not.
func (r *viewRow) place(a access.Actor) error {
	switch r.Holder {
	case PersonalView:
		r.UserID = a.UserID
		return nil
	case UnitView:
		if a.DepartmentID == 0 || !a.Can(PermShareView) {
			return ErrViewShare
		}
		r.UnitID, r.UnitName = a.DepartmentID, a.DepartmentName
		return nil
	case DeskShared:
		if !isDesk(a) || !a.Can(PermShareView) {
			return ErrViewShare
		}
		return nil
	}
	return fault.InvalidField("holder", "TICKET_VIEW", "请选择个人视图或共享视图")
}

func saveView(ctx context.Context, tx bun.Tx, actor access.Actor, cmd SaveView, row viewRow) (int64, error) {
	if cmd.ID == 0 {
		row.Version, row.CreatedAt, row.Position = 1, row.UpdatedAt, row.UpdatedAt.Unix()
		if err := database.Insert(ctx, tx, &row); err != nil {
			return 0, err
		}
		return row.ID, noteView(ctx, tx, actor, &row, "create", "新建")
	}
	var was viewRow
	if err := database.Found(uses(tx.NewSelect().Model(&was).Where("v.id = ?", cmd.ID), actor).Scan(ctx)); err != nil {
		return 0, err
	}
	if !was.changes(actor) {
		return 0, ErrForbidden
	}
	row.ID, row.Version = was.ID, cmd.Version+1
	err := database.Changed(tx.NewUpdate().Model(&row).Column("version", "holder", "user_id", "unit_id", "unit_name", "name", "filter", "columns", "editor_id", "updated_at").
		Where("id = ? AND version = ?", was.ID, cmd.Version).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return 0, ErrViewStale
	} else if err != nil {
		return 0, err
	}
	return was.ID, noteView(ctx, tx, actor, &row, "edit", "修改")
}

// noteView writes changes of shared views to the audit log; personal ones concern nobody.
func noteView(ctx context.Context, tx bun.Tx, actor access.Actor, r *viewRow, action, word string) error {
	if r.Holder == PersonalView {
		return nil
	}
	return audit.Write(ctx, tx, actor, r.UpdatedAt, audit.Record{Action: "ticket_view." + action, Object: ObjectView, ObjectID: r.ID,
		Summary: word + "共享视图“" + r.Name + "”", Detail: map[string]any{"filter": json.RawMessage(r.Filter)}})
}

func (s *Service) viewOf(ctx context.Context, actor access.Actor, id int64) (SavedView, error) {
	list, err := s.Views(ctx, actor)
	if err != nil {
		return SavedView{}, err
	}
	i := slices.IndexFunc(list, func(v SavedView) bool { return v.ID == id })
	if i < 0 {
		return SavedView{}, ErrNotFound
	}
	return list[i], nil
}

// RemoveView takes a view away from all who use it. Errors as SaveView.
func (s *Service) RemoveView(ctx context.Context, actor access.Actor, id, version int64) error {
	if err := colleagueMay(actor, PermView); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var row viewRow
		if err := database.Found(uses(tx.NewSelect().Model(&row).Where("v.id = ?", id), actor).Scan(ctx)); err != nil {
			return err
		}
		if !row.changes(actor) {
			return ErrForbidden
		}
		err := database.Changed(tx.NewDelete().Model((*viewRow)(nil)).Where("id = ? AND version = ?", id, version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrViewStale
		} else if err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "DELETE FROM ticket_view_defaults WHERE view_id = ?", id); err != nil {
			return err
		}
		row.UpdatedAt = now
		return noteView(ctx, tx, actor, &row, "remove", "删除")
	})
}

// ArrangeViews puts views the actor may change in this order and sets the actor's default, 0 for none.
func (s *Service) ArrangeViews(ctx context.Context, actor access.Actor, order []int64, chosen int64) error {
	if err := colleagueMay(actor, PermView); err != nil {
		return err
	}
	rows, _, err := s.viewRows(ctx, actor)
	if err != nil {
		return err
	}
	known := func(id int64) bool { return slices.ContainsFunc(rows, func(r viewRow) bool { return r.ID == id }) }
	if chosen != 0 && !known(chosen) {
		return ErrNotFound
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for n, id := range order {
			i := slices.IndexFunc(rows, func(r viewRow) bool { return r.ID == id })
			if i < 0 {
				return ErrNotFound
			}
			if !rows[i].changes(actor) {
				continue
			}
			if _, err := database.Run(ctx, tx, "UPDATE ticket_views SET position = ? WHERE id = ?", n+1, id); err != nil {
				return err
			}
		}
		if chosen == 0 {
			_, err := database.Run(ctx, tx, "DELETE FROM ticket_view_defaults WHERE user_id = ?", actor.UserID)
			return err
		}
		_, err := database.Run(ctx, tx, "INSERT INTO ticket_view_defaults (user_id, view_id) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET view_id = EXCLUDED.view_id", actor.UserID, chosen)
		return err
	})
}
