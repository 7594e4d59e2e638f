package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// keyMark begins every key, so that one that leaks is recognised; tailLength of its characters are kept to tell keys apart.
const (
	keyMark   = "hqk_"
	keyShown  = len(keyMark) + 6
	keepCalls = 90 * 24 * time.Hour
)

// apiKey is a partner's key for /open/.
type apiKey struct {
	bun.BaseModel `bun:"table:exchange_keys,alias:k"`

	ID        int64      `bun:"id,pk,autoincrement"`
	PartnerID int64      `bun:"partner_id,notnull"`
	Name      string     `bun:"name,notnull"`
	Start     string     `bun:"start,notnull"` // the first characters, for people
	Hash      string     `bun:"hash,notnull"`
	Scopes    texts      `bun:"scopes,notnull,type:text"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	CreatedBy string     `bun:"created_by,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
	RevokedAt *time.Time `bun:"revoked_at"`
	RevokedBy string     `bun:"revoked_by,notnull"`
}

// call is one answered request of a partner.
type call struct {
	bun.BaseModel `bun:"table:exchange_calls,alias:c"`

	ID        int64     `bun:"id,pk,autoincrement"`
	PartnerID int64     `bun:"partner_id,notnull"`
	KeyID     int64     `bun:"key_id,notnull"`
	Method    string    `bun:"method,notnull"`
	Path      string    `bun:"path,notnull"`
	Status    int       `bun:"status,notnull"`
	IP        string    `bun:"ip,notnull"`
	At        time.Time `bun:"at,notnull"`
}

// usage counts the calls of a partner on one day of Beijing.
type usage struct {
	bun.BaseModel `bun:"table:exchange_usage,alias:u"`

	PartnerID int64  `bun:"partner_id,pk"`
	Day       string `bun:"day,pk"`
	Calls     int    `bun:"calls,notnull"`
}

// IssueKey gives a partner a key.
type IssueKey struct {
	Key       string              `json:"-"`
	PartnerID int64               `json:"partnerId"`
	Name      string              `json:"name"`
	Scopes    []access.Permission `json:"scopes"`
}

// Issue makes a key and returns it in clear this once; what is kept tells nobody the key. A repeat of the command answers
// without it.
func (s *Service) Issue(ctx context.Context, actor access.Actor, cmd IssueKey) (KeyView, error) {
	if err := staff(actor, PermManage); err != nil {
		return KeyView{}, err
	}
	name, err := text.Line("name", cmd.Name, 1, 40)
	if err != nil {
		return KeyView{}, err
	}
	for _, scope := range cmd.Scopes {
		if scope != ScopeEvents {
			return KeyView{}, fault.InvalidField("scopes", "SCOPE", "没有这种接口权限，请重新选择")
		}
	}
	cmd.Name = name
	plain := keyMark + secret.Token()
	id, fresh, err := s.command(ctx, actor, "issue_key", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error) {
		var p Partner
		if err := database.Found(visible(tx.NewSelect().Model(&p).Where("p.id = ?", cmd.PartnerID), actor, "p.id").Scan(ctx)); err != nil {
			return 0, err
		}
		k := apiKey{PartnerID: p.ID, Name: name, Start: plain[:keyShown], Hash: s.box.HashToken(plain), CreatedAt: now, CreatedBy: actor.Name}
		for _, scope := range cmd.Scopes {
			k.Scopes = append(k.Scopes, string(scope))
		}
		if _, err := tx.NewInsert().Model(&k).Returning("id").Exec(ctx); err != nil {
			return 0, err
		}
		return k.ID, audit.Write(ctx, tx, actor, now, audit.Record{
			Action: "exchange.issue_key", Object: "partner", ObjectID: p.ID, Summary: "签发接口密钥 " + p.Name + " " + name,
			Detail: map[string]any{"key": k.ID, "scopes": cmd.Scopes},
		})
	})
	if err != nil {
		return KeyView{}, fmt.Errorf("issue key: %w", err)
	}
	v, err := s.key(ctx, actor, id)
	if fresh {
		v.Plain = plain
	}
	return v, err
}

// KeyRef names the key a command is about.
type KeyRef struct {
	Key string `json:"-"`
	ID  int64  `json:"id"`
}

// Revoke ends a key at once; revoking it again changes nothing.
func (s *Service) Revoke(ctx context.Context, actor access.Actor, cmd KeyRef) (KeyView, error) {
	_, _, err := s.command(ctx, actor, "revoke_key", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error) {
		var k apiKey
		if err := database.Found(visible(tx.NewSelect().Model(&k).Where("k.id = ?", cmd.ID), actor, "k.partner_id").Scan(ctx)); err != nil {
			return 0, err
		}
		res, err := tx.NewUpdate().Model((*apiKey)(nil)).Set("revoked_at = ?", now).Set("revoked_by = ?", actor.Name).
			Where("id = ? AND revoked_at IS NULL", k.ID).Exec(ctx)
		if err != nil {
			return 0, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return k.ID, err
		}
		return k.ID, audit.Write(ctx, tx, actor, now, audit.Record{
			Action: "exchange.revoke_key", Object: "partner", ObjectID: k.PartnerID, Summary: "吊销接口密钥 " + k.Name, Detail: map[string]int64{"key": k.ID},
		})
	})
	if err != nil {
		return KeyView{}, fmt.Errorf("revoke key %d: %w", cmd.ID, err)
	}
	return s.key(ctx, actor, cmd.ID)
}

// Authenticate turns the key of a call into its partner. It returns ErrKey for a key that is not one or not any more, and
// ErrQuota when the partner made its calls.
func (s *Service) Authenticate(ctx context.Context, plain string) (access.Actor, error) {
	if !strings.HasPrefix(plain, keyMark) || len(plain) > 100 {
		return access.Actor{}, ErrKey
	}
	db := s.db.Read()
	var k apiKey
	hashes := s.box.TokenHashes(plain)
	err := database.Found(db.NewSelect().Model(&k).Where("k.hash IN ?", bun.Tuple(hashes)).Where("k.revoked_at IS NULL").Scan(ctx))
	if errors.Is(err, ErrNotFound) {
		return access.Actor{}, ErrKey
	} else if err != nil {
		return access.Actor{}, err
	}
	var p Partner
	if err := db.NewSelect().Model(&p).Where("p.id = ?", k.PartnerID).Scan(ctx); err != nil {
		return access.Actor{}, err
	}
	if k.Hash != hashes[0] {
		// the root key was changed since the key was issued: now that it is here, its hash can follow
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*apiKey)(nil)).Set("hash = ?", hashes[0]).Where("id = ? AND hash = ?", k.ID, k.Hash).Exec(ctx)
			return err
		})
		if err != nil {
			return access.Actor{}, err
		}
	}
	now := s.clock.Now()
	if wait := s.limiter.take(p.ID, p.CallsPerMinute, now); wait > 0 {
		return access.Actor{}, ErrQuota.With("每分钟最多调用 %d 次，请稍后再试", p.CallsPerMinute).After(wait)
	}
	var made []int
	if err := db.NewSelect().Model((*usage)(nil)).Column("calls").Where("u.partner_id = ? AND u.day = ?", p.ID, day(now)).Scan(ctx, &made); err != nil {
		return access.Actor{}, err
	}
	if len(made) > 0 && made[0] >= p.CallsPerDay {
		tomorrow := now.In(clock.Beijing).Truncate(time.Second)
		left := time.Date(tomorrow.Year(), tomorrow.Month(), tomorrow.Day()+1, 0, 0, 0, 0, clock.Beijing).Sub(now)
		return access.Actor{}, ErrQuota.With("今日调用次数已达上限 %d 次，请明日再试或申请提高配额", p.CallsPerDay).After(int(left.Seconds()) + 1)
	}
	a := access.Actor{Party: access.Partner, PartnerID: p.ID, Name: p.Name, SessionID: k.ID, Scope: access.ScopeSelf, Permissions: []access.Permission{ScopePing}}
	for _, scope := range k.Scopes {
		a.Permissions = append(a.Permissions, access.Permission(scope))
	}
	slices.Sort(a.Permissions)
	return a, nil
}

func day(now time.Time) string { return now.In(clock.Beijing).Format("2006-01-02") }

// Called notes an answered call of a partner: in the log, in the day's count, and on its key. A log that cannot be written
// does not undo the answer.
func (s *Service) Called(ctx context.Context, actor access.Actor, method, path string, status int) {
	if actor.PartnerID == 0 {
		return
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		c := call{PartnerID: actor.PartnerID, KeyID: actor.SessionID, Method: method, Path: text.Truncate(path, 200), Status: status, IP: actor.IP, At: now}
		if _, err := tx.NewInsert().Model(&c).Exec(ctx); err != nil {
			return err
		}
		u := usage{PartnerID: actor.PartnerID, Day: day(now), Calls: 1}
		if _, err := tx.NewInsert().Model(&u).On("CONFLICT (partner_id, day) DO UPDATE").Set("calls = u.calls + 1").Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*apiKey)(nil)).Set("used_at = ?", now).Where("id = ?", actor.SessionID).Exec(ctx)
		return err
	})
	if err != nil {
		s.log.Error("exchange: note a call", "partner", actor.PartnerID, "error", err)
	}
}

// forgetCalls removes what is older than it is kept, in short transactions.
func (s *Service) forgetCalls(ctx context.Context) error {
	before := s.clock.Now().Add(-keepCalls)
	for {
		var n int64
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			old := tx.NewSelect().Model((*call)(nil)).Column("c.id").Where("c.at < ?", before).OrderExpr("c.at").Limit(500)
			res, err := tx.NewDelete().Model((*call)(nil)).Where("id IN (?)", old).Exec(ctx)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n < 500 {
			return err
		}
	}
}

// Event is one event as a partner pulls it.
type Event struct {
	Cursor string
	Body   []byte
}

// Events returns the partner's own events after the cursor, oldest first, and whether there are more. Each has the bytes
// a push has. It returns ErrForbidden for a key without the scope.
func (s *Service) Events(ctx context.Context, actor access.Actor, after string, limit int) ([]Event, bool, error) {
	if err := actor.Need(ScopeEvents); err != nil {
		return nil, false, err
	}
	if actor.PartnerID == 0 {
		return nil, false, ErrForbidden
	}
	var from int64
	if after != "" {
		var err error
		if from, err = strconv.ParseInt(after, 10, 64); err != nil || from < 0 {
			return nil, false, fault.InvalidField("after", "CURSOR", "游标无效，请使用上次返回的 next，首次调用不填")
		}
	}
	if limit < 1 || limit > 100 {
		limit = 50
	}
	// Deliveries are written by one listener at a time, so their ids are read in the order in which they became visible.
	var rows []Delivery
	err := visible(s.db.Read().NewSelect().Model(&rows).Column("d.id", "d.body"), actor, "d.partner_id").
		Where("d.id > ?", from).OrderExpr("d.id").Limit(int64(limit + 1)).Scan(ctx)
	if err != nil {
		return nil, false, err
	}
	more := len(rows) > limit
	if more {
		rows = rows[:limit]
	}
	out := make([]Event, 0, len(rows))
	for _, r := range rows {
		out = append(out, Event{Cursor: strconv.FormatInt(r.ID, 10), Body: []byte(r.Body)})
	}
	return out, more, nil
}
