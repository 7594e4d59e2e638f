package extra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Service keeps the definitions.
type Service struct {
	db    *database.DB
	clock clock.Clock
	kinds []Kind
	reads []access.Permission
}

// New makes the service. Kinds are what a field may be for; whoever has one of the rights in reads sees what is defined.
func New(db *database.DB, c clock.Clock, kinds []Kind, reads ...access.Permission) *Service {
	if db == nil || c == nil || len(kinds) == 0 {
		panic("extra: New is not given all it needs")
	}
	return &Service{db, c, kinds, append(reads, PermManage)}
}

// Kinds are the kinds of products, and of financing, that a field may be for.
func (s *Service) Kinds() []Kind { return slices.Clone(s.kinds) }

func read(ctx context.Context, db bun.IDB, subject Subject) ([]View, error) {
	var rows []row
	if err := db.NewSelect().Model(&rows).Where("xd.subject = ?", subject).OrderExpr("xd.sort, xd.code").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the extra fields of %s: %w", subject, err)
	}
	out := make([]View, 0, len(rows))
	for _, r := range rows {
		v, err := r.view()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Of lists the fields of a subject that are in use, in their order: those for one of the kinds, or all when none is named. It
// is asked by the program; whom it tells is the asker's matter.
func (s *Service) Of(ctx context.Context, db bun.IDB, subject Subject, kinds ...string) ([]Field, error) {
	list, err := read(ctx, db, subject)
	out := make([]Field, 0, len(list))
	for _, v := range list {
		if !v.Retired && (len(kinds) == 0 || v.applies(kinds)) {
			out = append(out, v.Field)
		}
	}
	return out, err
}

// All lists every field of a subject, the retired ones among them. It is asked by the program.
func (s *Service) All(ctx context.Context, db bun.IDB, subject Subject) ([]Field, error) {
	list, err := read(ctx, db, subject)
	out := make([]Field, 0, len(list))
	for _, v := range list {
		out = append(out, v.Field)
	}
	return out, err
}

// List tells the definitions to those who work with them, the retired ones to those only who define them.
func (s *Service) List(ctx context.Context, actor access.Actor) ([]View, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	if !slices.ContainsFunc(s.reads, actor.Can) {
		return nil, fault.ErrForbidden
	}
	out := []View{}
	for _, subject := range []Subject{Product, Application} {
		list, err := read(ctx, s.db.Read(), subject)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return slices.DeleteFunc(out, func(v View) bool { return v.Retired && !actor.Can(PermManage) }), nil
}

// Save asks to add a field (Version 0) or to change one.
type Save struct {
	Field
	Version int64  `json:"version"`
	Key     string `json:"-"` // idempotency key; the same key answers with the first outcome
}

type saved struct{}

// Save adds a field or changes one; kind and unit stay as they are. It needs extra.manage; a version that is not the newest is
// a conflict.
func (s *Service) Save(ctx context.Context, actor access.Actor, cmd Save) ([]View, error) {
	if err := actor.Need(PermManage); err != nil {
		return nil, err
	}
	if err := s.Check(&cmd.Field); err != nil {
		return nil, err
	}
	f := cmd.Field
	raw, err := json.Marshal(f.Field)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	r := row{Subject: f.Subject, Code: f.Field.Key, Definition: string(raw), Kinds: strings.Join(f.Kinds, ","), Audience: f.Audience, Sort: f.Sort, Retired: f.Retired,
		Version: cmd.Version + 1, UpdatedAt: now, UpdatedBy: actor.Name}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "extra.save", Key: cmd.Key, Request: cmd, Now: now}, func() (saved, error) {
			before, err := put(ctx, tx, cmd, r)
			if err != nil {
				return saved{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Changed{f.Subject, r.Code, f.Field.Label}); err != nil {
				return saved{}, err
			}
			return saved{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "extra.save", Object: Object, ObjectID: objectNumber(f.Subject, r.Code),
				Summary: "设置" + subjects[f.Subject] + "扩展字段：" + f.Field.Label, Detail: map[string]any{"before": before, "after": f}})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save extra field %s of %s: %w", r.Code, r.Subject, err)
	}
	return s.List(ctx, actor)
}

// put writes the field and returns what it was before, nil of a new one.
func put(ctx context.Context, tx bun.Tx, cmd Save, r row) (*Field, error) {
	all, err := read(ctx, tx, r.Subject)
	if err != nil {
		return nil, err
	}
	used := 0
	for _, x := range all {
		if x.Field.Field.Key == r.Code {
			continue
		}
		if x.Field.Field.Label == cmd.Field.Field.Label || strings.EqualFold(x.Field.Field.Key, r.Code) {
			return nil, ErrExists
		}
		if !x.Retired {
			used++
		}
	}
	if !r.Retired && used >= maxInUse {
		return nil, ErrMany
	}
	if cmd.Version == 0 {
		if _, err := tx.NewInsert().Model(&r).Exec(ctx); database.IsDuplicate(err) {
			return nil, ErrExists.Wrap(err)
		} else if err != nil {
			return nil, err
		}
		return nil, nil
	}
	i := slices.IndexFunc(all, func(x View) bool { return x.Field.Field.Key == r.Code })
	if i < 0 {
		return nil, fault.ErrNotFound
	}
	if is := all[i].Field.Field; is.Kind != cmd.Field.Field.Kind || is.Unit != cmd.Field.Field.Unit {
		return nil, ErrKind
	}
	err = database.Changed(tx.NewUpdate().Model(&r).ExcludeColumn("subject", "code").Where("subject = ? AND code = ? AND version = ?", r.Subject, r.Code, cmd.Version).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return nil, ErrStale.Wrap(err)
	}
	return &all[i].Field, err
}
