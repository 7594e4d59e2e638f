package intake

import (
	"context"
	"encoding/json"
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
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// keyMark begins every key of Open311, so that one that leaks is recognised.
const (
	keyMark  = "o311_"
	keyShown = len(keyMark) + 6
)

// How often a key may call unless its own limits say otherwise.
const (
	usualPerMinute = 60
	usualPerDay    = 2000
)

// partnerKey is a partner's key. Services are the codes it may report on, none is all that are offered. With Review its
// requests wait in the inbox first.
type partnerKey struct {
	bun.BaseModel `bun:"table:intake_keys,alias:k"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Partner    string     `bun:"partner,notnull"`
	Start      string     `bun:"start,notnull"`
	Hash       string     `bun:"hash,notnull"`
	Services   string     `bun:"services,notnull,type:text"`
	Review     bool       `bun:"review,notnull"`
	PerMinute  int64      `bun:"per_minute,notnull"`
	PerDay     int64      `bun:"per_day,notnull"`
	Minute     int64      `bun:"minute,notnull"`
	UsedMinute int64      `bun:"used_minute,notnull"`
	Day        string     `bun:"day,notnull"`
	UsedDay    int64      `bun:"used_day,notnull"`
	UsedAt     *time.Time `bun:"used_at"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	CreatedBy  string     `bun:"created_by,notnull"`
	RevokedAt  *time.Time `bun:"revoked_at"`
	RevokedBy  string     `bun:"revoked_by,notnull"`
}

func (k *partnerKey) services() []string {
	list := []string{}
	_ = json.Unmarshal([]byte(k.Services), &list) // we wrote it
	return list
}

// allows reports whether the key may report on the service.
func (k *partnerKey) allows(code string) bool {
	list := k.services()
	return len(list) == 0 || slices.Contains(list, code)
}

// KeyIssued is announced when a partner gets a key.
type KeyIssued struct {
	ID      int64  `json:"id"`
	Partner string `json:"partner"`
}

// Event names the fact.
func (f KeyIssued) Event() (string, string, int64) { return "intake.key_issued", "intake_key", f.ID }

// KeyRevoked is announced when a key ends.
type KeyRevoked struct {
	ID      int64  `json:"id"`
	Partner string `json:"partner"`
}

// Event names the fact.
func (f KeyRevoked) Event() (string, string, int64) { return "intake.key_revoked", "intake_key", f.ID }

// KeyView is a key as it is listed. Plain is the key itself, in the answer to issuing it and never again.
type KeyView struct {
	ID        int64      `json:"id"`
	Partner   string     `json:"partner"`
	Start     string     `json:"start"`
	Services  []string   `json:"services" doc:"Codes; empty: all that are offered."`
	Review    bool       `json:"review" doc:"Its requests wait in the inbox before they are tickets."`
	PerMinute int64      `json:"perMinute"`
	PerDay    int64      `json:"perDay"`
	UsedToday int64      `json:"usedToday"`
	UsedAt    *time.Time `json:"usedAt,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	CreatedBy string     `json:"createdBy"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	RevokedBy string     `json:"revokedBy,omitempty"`
	Plain     string     `json:"plain,omitempty" doc:"The key, shown this once."`
}

func (k *partnerKey) view(now time.Time) KeyView {
	v := KeyView{ID: k.ID, Partner: k.Partner, Start: k.Start, Services: k.services(), Review: k.Review, PerMinute: k.PerMinute, PerDay: k.PerDay,
		UsedAt: k.UsedAt, CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy, RevokedAt: k.RevokedAt, RevokedBy: k.RevokedBy}
	if k.Day == day(now) {
		v.UsedToday = k.UsedDay
	}
	return v
}

func day(now time.Time) string { return now.In(clock.Beijing).Format(time.DateOnly) }

// Keys lists the keys, newest first; those that ended stay in it. It needs intake.open311.
func (s *Service) Keys(ctx context.Context, actor access.Actor) ([]KeyView, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return nil, err
	}
	var rows []partnerKey
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("k.id DESC").Limit(200).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	out := make([]KeyView, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view(s.Clock.Now()))
	}
	return out, nil
}

// IssueKey gives a partner a key. Zero limits stand for 60 a minute and 2,000 a day.
type IssueKey struct {
	Key       string `json:"-"`
	Partner   string
	Services  []string
	Review    bool
	PerMinute int64
	PerDay    int64
}

// Issue makes a key and returns it in clear this once. A repeat of the command answers without it.
func (s *Service) Issue(ctx context.Context, actor access.Actor, cmd IssueKey) (KeyView, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return KeyView{}, err
	}
	if cmd.PerMinute == 0 {
		cmd.PerMinute = usualPerMinute
	}
	if cmd.PerDay == 0 {
		cmd.PerDay = usualPerDay
	}
	var wrong []error
	var err error
	cmd.Partner, err = text.Line("partner", cmd.Partner, 2, 60)
	wrong = append(wrong, text.Named(err, "对接方名称"))
	if cmd.PerMinute < 1 || cmd.PerMinute > 6000 || cmd.PerDay < 1 || cmd.PerDay > 1_000_000 {
		wrong = append(wrong, fault.InvalidField("perMinute", "INTAKE_LIMIT", "限额须为正数：每分钟至多 6000 次，每天至多 100 万次"))
	}
	known, err := s.Desk.Matters(ctx)
	if err != nil {
		return KeyView{}, err
	}
	for _, code := range cmd.Services {
		if !slices.ContainsFunc(known, func(m Matter) bool { return m.Code == code }) {
			wrong = append(wrong, fault.InvalidField("services", "INTAKE_SERVICE", "没有编码为 "+code+" 的诉求类型，请重新选择"))
			break
		}
	}
	if err := fault.Merge(wrong...); err != nil {
		return KeyView{}, err
	}
	services, err := json.Marshal(append([]string{}, cmd.Services...))
	if err != nil {
		return KeyView{}, err
	}
	plain, fresh, now := keyMark+secret.Token(), false, s.Clock.Now()
	var id int64
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		fresh = false
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "intake.issue_key", Key: cmd.Key, Request: cmd, Now: now}, func() (int64, error) {
			k := partnerKey{Partner: cmd.Partner, Start: plain[:keyShown], Hash: s.Box.HashToken(plain), Services: string(services), Review: cmd.Review,
				PerMinute: cmd.PerMinute, PerDay: cmd.PerDay, CreatedAt: now, CreatedBy: actor.Name}
			if _, err := tx.NewInsert().Model(&k).Returning("id").Exec(ctx); err != nil {
				return 0, err
			}
			fresh = true
			return k.ID, s.record(ctx, tx, actor, KeyIssued{k.ID, k.Partner}, audit.Record{Action: "intake.issue_key", Object: "intake_key", ObjectID: k.ID,
				Summary: "签发 Open311 密钥 " + k.Partner, Detail: map[string]any{"services": cmd.Services, "review": cmd.Review}})
		})
		return err
	})
	if err != nil {
		return KeyView{}, fmt.Errorf("issue key: %w", err)
	}
	v, err := s.key(ctx, id)
	if fresh {
		v.Plain = plain
	}
	return v, err
}

// record appends the fact and writes the audit row.
func (s *Service) record(ctx context.Context, tx bun.Tx, actor access.Actor, fact event.Fact, r audit.Record) error {
	if _, err := event.Append(ctx, tx, actor, s.Clock.Now(), fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, s.Clock.Now(), r)
}

func (s *Service) key(ctx context.Context, id int64) (KeyView, error) {
	var k partnerKey
	if err := database.Found(s.DB.Read().NewSelect().Model(&k).Where("k.id = ?", id).Scan(ctx)); err != nil {
		return KeyView{}, err
	}
	return k.view(s.Clock.Now()), nil
}

// RevokeKey ends a key at once; revoking it again changes nothing.
func (s *Service) RevokeKey(ctx context.Context, actor access.Actor, id int64) (KeyView, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return KeyView{}, err
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var k partnerKey
		if err := database.Found(tx.NewSelect().Model(&k).Where("k.id = ?", id).Scan(ctx)); err != nil {
			return err
		}
		err := database.Changed(tx.NewUpdate().Model((*partnerKey)(nil)).Set("revoked_at = ?", now).Set("revoked_by = ?", actor.Name).
			Where("id = ? AND revoked_at IS NULL", id).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return nil
		} else if err != nil {
			return err
		}
		return s.record(ctx, tx, actor, KeyRevoked{k.ID, k.Partner}, audit.Record{Action: "intake.revoke_key", Object: "intake_key", ObjectID: k.ID, Summary: "吊销 Open311 密钥 " + k.Partner})
	})
	if err != nil {
		return KeyView{}, fmt.Errorf("revoke key %d: %w", id, err)
	}
	return s.key(ctx, id)
}

// The faults of a key.
var (
	errKey   = fault.New(fault.Forbidden, "OPEN311_KEY", "api_key 无效或已吊销，请向平台运营人员申请（invalid api_key）")
	errQuota = fault.New(fault.TooMany, "OPEN311_QUOTA", "调用次数已达上限，请稍后再试（rate limit exceeded）")
)

// known returns the row of a key that is good, without counting a call; errKey otherwise.
func (s *Service) known(ctx context.Context, plain string) (partnerKey, error) {
	var k partnerKey
	if !strings.HasPrefix(plain, keyMark) || len(plain) > 100 {
		return k, errKey
	}
	err := database.Found(s.DB.Read().NewSelect().Model(&k).Where("k.hash IN ?", bun.Tuple(s.Box.TokenHashes(plain))).Where("k.revoked_at IS NULL").Scan(ctx))
	if errors.Is(err, ErrNotFound) {
		return k, errKey
	}
	return k, err
}

// spend counts a call of a key that is good. It returns errKey for one that is not, errQuota past its limits; the row's own
// update decides, so that several processes count together.
func (s *Service) spend(ctx context.Context, plain string) (partnerKey, error) {
	k, err := s.known(ctx, plain)
	if err != nil {
		return k, err
	}
	now := s.Clock.Now()
	minute, today := now.Unix()/60, day(now)
	hash := s.Box.HashToken(plain) // follows the root key when that was changed
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return database.Changed(tx.NewUpdate().Model((*partnerKey)(nil)).
			Set("used_minute = CASE WHEN minute = ? THEN used_minute + 1 ELSE 1 END", minute).Set("minute = ?", minute).
			Set("used_day = CASE WHEN day = ? THEN used_day + 1 ELSE 1 END", today).Set("day = ?", today).
			Set("used_at = ?", now).Set("hash = ?", hash).
			Where("id = ? AND revoked_at IS NULL AND NOT (minute = ? AND used_minute >= per_minute) AND NOT (day = ? AND used_day >= per_day)", k.ID, minute, today).Exec(ctx))
	})
	if errors.Is(err, fault.ErrChanged) {
		return k, errQuota.After(60 - int(now.Unix()%60))
	}
	return k, err
}
