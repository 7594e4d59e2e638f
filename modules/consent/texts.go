package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// longest is how long a grant may last, in days.
const longest = 3650

// Write asks to draft a version, or to change a draft: then ID and Version are those the actor saw, and Purpose stays.
type Write struct {
	Key      string `json:"-"`
	ID       int64
	Version  int64
	Purpose  string
	Title    string
	Body     string
	Groups   []string
	Days     int
	Material bool
}

func (s *Service) clean(cmd Write) (Write, error) {
	var wrong []error
	var err error
	if _, ok := PurposeOf(cmd.Purpose); !ok {
		wrong = append(wrong, ErrPurpose)
	}
	cmd.Title, err = text.Line("title", cmd.Title, 4, 60)
	wrong = append(wrong, text.Named(err, "标题"))
	cmd.Body, err = text.Block("body", cmd.Body, 20, 8000)
	wrong = append(wrong, text.Named(err, "正文"))
	known := codes(s.groups)
	slices.Sort(cmd.Groups)
	cmd.Groups = slices.Compact(cmd.Groups)
	if len(cmd.Groups) == 0 || slices.ContainsFunc(cmd.Groups, func(g string) bool { return !slices.Contains(known, g) }) {
		wrong = append(wrong, fault.InvalidField("groups", "CONSENT_GROUPS", "请至少选择一类数据范围"))
	}
	if cmd.Days < 0 || cmd.Days > longest {
		wrong = append(wrong, fault.InvalidField("days", "CONSENT_DAYS", fmt.Sprintf("授权期限应为 1 至 %d 天；至撤回时止的填 0", longest)))
	}
	return cmd, fault.Merge(wrong...)
}

// Write keeps a draft. It needs consent.edit, and returns ErrDraft when the purpose has one already, ErrPublished for a
// version that is none, and a Conflict when somebody changed it meanwhile.
func (s *Service) Write(ctx context.Context, actor access.Actor, cmd Write) (TextView, error) {
	if err := need(actor, PermEdit); err != nil {
		return TextView{}, err
	}
	c, err := s.clean(cmd)
	if err != nil {
		return TextView{}, err
	}
	now := s.clock.Now()
	var out done
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "consent.write", Key: cmd.Key, Request: cmd, Now: now},
			func() (done, error) { return s.write(ctx, tx, actor, c, now) })
		return err
	})
	if database.IsDuplicate(err) {
		err = ErrDraft
	}
	if err != nil {
		return TextView{}, fmt.Errorf("write consent text: %w", err)
	}
	return s.Text(ctx, actor, out.ID)
}

func (s *Service) write(ctx context.Context, tx bun.Tx, actor access.Actor, c Write, now time.Time) (done, error) {
	t := &Text{Purpose: c.Purpose, State: Draft, Version: 1, CreatedAt: now, Writers: []int64{}}
	if c.ID != 0 {
		var err error
		if t, err = findText(ctx, tx, c.ID); err != nil {
			return done{}, err
		}
		if t.State != Draft {
			return done{}, ErrPublished
		}
		if t.Version != c.Version {
			return done{}, fault.ErrChanged
		}
	}
	t.Title, t.Body, t.Groups, t.Days, t.Material, t.AuthorID, t.Author = c.Title, c.Body, c.Groups, c.Days, c.Material, actor.UserID, actor.Name
	if !slices.Contains(t.Writers, actor.UserID) {
		t.Writers = append(t.Writers, actor.UserID)
	}
	if c.ID == 0 {
		if _, err := tx.NewInsert().Model(t).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
			return done{}, err
		}
	} else if err := saveText(ctx, tx, t); err != nil {
		return done{}, err
	}
	return done{t.ID}, s.auditText(ctx, tx, actor, t, "write", "起草授权书")
}

func findText(ctx context.Context, db bun.IDB, id int64) (*Text, error) {
	t := new(Text)
	return t, database.Found(db.NewSelect().Model(t).Where("t.id = ?", id).Scan(ctx))
}

// saveText writes a draft, if it is still a draft at the version that was read.
func saveText(ctx context.Context, tx bun.Tx, t *Text) error {
	read := t.Version
	t.Version++
	return database.Changed(tx.NewUpdate().Model(t).ExcludeColumn("id", "purpose", "created_at").Where("id = ? AND version = ? AND state = ?", t.ID, read, Draft).Exec(ctx))
}

func (s *Service) auditText(ctx context.Context, tx bun.Tx, actor access.Actor, t *Text, action, word string) error {
	p, _ := PurposeOf(t.Purpose)
	return audit.Write(ctx, tx, actor, s.clock.Now(), audit.Record{Action: "consent." + action, Object: ObjectText, ObjectID: t.ID, Summary: word + "：" + p.Name,
		Detail: map[string]any{"title": t.Title, "no": t.No, "groups": t.Groups, "days": t.Days, "material": t.Material, "digest": t.Digest}})
}

// Publish asks to put a draft in force. From is a day in Beijing as 2026-12-01, "" is at once.
type Publish struct {
	Key     string `json:"-"`
	ID      int64
	Version int64
	From    string
}

// Publish puts a draft in force from its day on. It needs consent.publish and another person than wrote it (ErrOwnText). A
// version does not come into force before the one before it.
func (s *Service) Publish(ctx context.Context, actor access.Actor, cmd Publish) (TextView, error) {
	if err := need(actor, PermPublish); err != nil {
		return TextView{}, err
	}
	now := s.clock.Now()
	from, err := begins(cmd.From, now)
	if err != nil {
		return TextView{}, err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "consent.publish", Key: cmd.Key, Request: cmd, Now: now},
			func() (done, error) { return s.publish(ctx, tx, actor, cmd, now, from) })
		return err
	})
	if database.IsDuplicate(err) {
		err = fault.ErrChanged
	}
	if err != nil {
		return TextView{}, fmt.Errorf("publish consent text %d: %w", cmd.ID, err)
	}
	return s.Text(ctx, actor, cmd.ID)
}

func (s *Service) publish(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Publish, now, from time.Time) (done, error) {
	t, err := findText(ctx, tx, cmd.ID)
	if err != nil {
		return done{}, err
	}
	if t.State == Draft && t.Version != cmd.Version {
		return done{}, fault.ErrChanged
	}
	last := new(Text)
	err = database.Found(tx.NewSelect().Model(last).Where("t.purpose = ? AND t.state = ?", t.Purpose, Published).OrderExpr("t.no DESC").Limit(1).Scan(ctx))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		t.Material = true // grants begin with the first version
	case err != nil:
		return done{}, err
	case last.From.After(from):
		return done{}, fault.InvalidField("from", "CONSENT_FROM", "上一版于 "+clock.Show(*last.From)+" 生效，新版本不能早于这个时间")
	}
	if err := t.publish(actor, now, from, last.No+1, s.groups); err != nil {
		return done{}, err
	}
	if err := saveText(ctx, tx, t); err != nil {
		return done{}, err
	}
	if _, err := event.Append(ctx, tx, actor, now, WasPublished{t.ID, t.Purpose, t.No, t.Material, t.Digest, from}); err != nil {
		return done{}, err
	}
	return done{t.ID}, s.auditText(ctx, tx, actor, t, "publish", "发布授权书")
}

// begins turns a day into the moment a version comes into force: today and "" are now.
func begins(value string, now time.Time) (time.Time, error) {
	if strings.TrimSpace(value) == "" {
		return now, nil
	}
	at, err := text.Day("from", strings.TrimSpace(value), clock.Beijing)
	if err != nil {
		return time.Time{}, err
	}
	today := now.In(clock.Beijing).Format(time.DateOnly)
	switch d := at.Format(time.DateOnly); {
	case d == today:
		return now, nil
	case d < today:
		return time.Time{}, fault.InvalidField("from", "CONSENT_PAST", "生效日期不能早于今天")
	}
	return at.UTC(), nil
}

// Discard drops a draft. It needs consent.edit.
func (s *Service) Discard(ctx context.Context, actor access.Actor, id, version int64) error {
	if err := need(actor, PermEdit); err != nil {
		return err
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		t, err := findText(ctx, tx, id)
		if err != nil {
			return err
		}
		if t.State != Draft {
			return ErrPublished
		}
		if t.Version != version {
			return fault.ErrChanged
		}
		t.State = Discarded
		if err := saveText(ctx, tx, t); err != nil {
			return err
		}
		return s.auditText(ctx, tx, actor, t, "discard", "作废授权书草稿")
	})
	if err != nil {
		return fmt.Errorf("discard consent text %d: %w", id, err)
	}
	return nil
}

// Declare asks to declare a basis or to change one; Version is 0 for a new one.
type Declare struct {
	Key      string `json:"-"`
	Code     string
	Version  int64
	Name     string
	Law      string
	Roles    []string
	Purposes []string
	Groups   []string
	Active   bool
}

var errBasisCode = fault.InvalidField("code", "CONSENT_BASIS", "编码由 2 至 40 个小写字母、数字或下划线组成")

// Declare keeps a basis. It needs consent.publish, and returns a Conflict when somebody changed it meanwhile.
func (s *Service) Declare(ctx context.Context, actor access.Actor, cmd Declare) (BasisView, error) {
	if err := need(actor, PermPublish); err != nil {
		return BasisView{}, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "consent.declare", Key: cmd.Key, Request: cmd, Now: now},
			func() (done, error) { return done{}, s.declare(ctx, tx, actor, cmd, now) })
		return err
	})
	if database.IsDuplicate(err) {
		err = fault.ErrChanged
	}
	if err != nil {
		return BasisView{}, fmt.Errorf("declare basis: %w", err)
	}
	list, err := s.Bases(ctx, actor)
	if err != nil {
		return BasisView{}, err
	}
	i := slices.IndexFunc(list, func(b BasisView) bool { return b.Code == cmd.Code })
	if i < 0 {
		return BasisView{}, ErrNotFound
	}
	return list[i], nil
}

func (s *Service) cleanBasis(ctx context.Context, db bun.IDB, cmd Declare) (Basis, error) {
	var wrong []error
	roles, err := s.readers.Roles(ctx, db)
	if err != nil {
		return Basis{}, err
	}
	b := Basis{Code: cmd.Code, Roles: cmd.Roles, Purposes: cmd.Purposes, Groups: cmd.Groups, Active: cmd.Active}
	if len(b.Code) < 2 || len(b.Code) > 40 || strings.Trim(b.Code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		wrong = append(wrong, errBasisCode)
	}
	b.Name, err = text.Line("name", cmd.Name, 2, 40)
	wrong = append(wrong, text.Named(err, "名称"))
	b.Law, err = text.Block("law", cmd.Law, 6, 500)
	wrong = append(wrong, text.Named(err, "依据的规定"))
	some := func(field, label string, have, known []string) {
		if len(have) == 0 || slices.ContainsFunc(have, func(x string) bool { return !slices.Contains(known, x) }) {
			wrong = append(wrong, fault.InvalidField(field, "CONSENT_CHOICE", "请至少选择一项"+label))
		}
	}
	var purposes []string
	for _, p := range Purposes() {
		purposes = append(purposes, p.Code)
	}
	some("roles", "适用角色", b.Roles, codes(roles))
	some("purposes", "用途", b.Purposes, purposes)
	some("groups", "数据范围", b.Groups, codes(s.groups))
	return b, fault.Merge(wrong...)
}

func (s *Service) declare(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Declare, now time.Time) error {
	b, err := s.cleanBasis(ctx, tx, cmd)
	if err != nil {
		return err
	}
	b.ByID, b.ByName, b.At, b.Version = actor.UserID, actor.Name, now, cmd.Version+1
	if cmd.Version == 0 {
		if _, err := tx.NewInsert().Model(&b).Exec(ctx); err != nil {
			return err
		}
	} else if err := database.Changed(tx.NewUpdate().Model(&b).Where("code = ? AND version = ?", b.Code, cmd.Version).Exec(ctx)); err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, BasisChanged{b.Code, b.Name, b.Roles, b.Active}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "consent.declare", Object: ObjectBasis, Summary: "维护查阅依据：" + b.Name,
		Detail: map[string]any{"code": b.Code, "law": b.Law, "roles": b.Roles, "purposes": b.Purposes, "groups": b.Groups, "active": b.Active}})
}

// Ensure keeps the drafts and bases an installation begins with, where there is nothing yet for their purpose or code. Drafts
// wait for a person to read and publish them. Only the system may.
func (s *Service) Ensure(ctx context.Context, actor access.Actor, drafts []Write, bases []Declare) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.clock.Now()
		for _, d := range drafts {
			there, err := tx.NewSelect().Model((*Text)(nil)).Where("t.purpose = ?", d.Purpose).Exists(ctx)
			if err != nil || there {
				if err != nil {
					return err
				}
				continue
			}
			c, err := s.clean(d)
			if err == nil {
				_, err = s.write(ctx, tx, actor, c, now)
			}
			if err != nil {
				return fmt.Errorf("consent text for %s: %w", d.Purpose, err)
			}
		}
		for _, b := range bases {
			there, err := tx.NewSelect().Model((*Basis)(nil)).Where("b.code = ?", b.Code).Exists(ctx)
			if err == nil && !there {
				err = s.declare(ctx, tx, actor, b, now)
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				return fmt.Errorf("basis %s: %w", b.Code, err)
			}
		}
		return nil
	})
}

// Load takes grants over from before: each company has agreed to the version in force of each purpose, in the name of the
// actor. Only for installations that begin with a register.
func (s *Service) Load(ctx context.Context, actor access.Actor, enterpriseID int64, purposes []string, channel string, at time.Time) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, p := range purposes {
			t, err := inForce(ctx, tx, p, at)
			if err != nil {
				return fmt.Errorf("load grant of %s: %w", p, err)
			}
			if _, err := s.insert(ctx, tx, actor, enterpriseID, t, channel, at); err != nil {
				return fmt.Errorf("load grant of %s: %w", p, err)
			}
		}
		return nil
	})
}
