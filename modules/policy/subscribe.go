package policy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Interest is what a person follows.
type Interest string

// The interests. Their values: the id of a policy, an issuer's name, a topic, a kind, a keyword of two characters or more.
const (
	OfPolicy  Interest = "policy"
	OfIssuer  Interest = "issuer"
	OfTopic   Interest = "topic"
	OfKind    Interest = "kind"
	OfKeyword Interest = "keyword"
)

// Label is the interest in Chinese.
func (i Interest) Label() string {
	return map[Interest]string{OfPolicy: "政策", OfIssuer: "发布机构", OfTopic: "政策主题", OfKind: "支持方式", OfKeyword: "关键词"}[i]
}

// maxSubscriptions bounds what one person follows.
const maxSubscriptions = 50

// ErrSubscriptions is returned when a person follows as much as they may.
var ErrSubscriptions = fault.New(fault.Conflict, "POLICY_SUBSCRIPTIONS", fmt.Sprintf("最多订阅 %d 项，请先取消不需要的订阅", maxSubscriptions))

type subscription struct {
	bun.BaseModel `bun:"table:policy_subscriptions,alias:s"`

	ID        int64     `bun:"id,pk,autoincrement"`
	UserID    int64     `bun:"user_id,notnull"`
	Kind      Interest  `bun:"kind,notnull"`
	Value     string    `bun:"value,notnull"`
	Label     string    `bun:"label,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

// Subscribed is one thing a person follows.
type Subscribed struct {
	Kind      Interest  `json:"kind" enum:"policy,issuer,topic,kind,keyword"`
	KindName  string    `json:"kindName"`
	Value     string    `json:"value"`
	Label     string    `json:"label"`
	CreatedAt time.Time `json:"createdAt"`
}

// Subscribe is a person's wish to follow something, or no longer.
type Subscribe struct {
	Key   string   `json:"-"` // idempotency key; the same key answers with the first outcome
	Kind  Interest `json:"kind" enum:"policy,issuer,topic,kind,keyword"`
	Value string   `json:"value" maxLength:"200"`
}

// reader lets in a person of a company: they are told, and staff have their own lists.
func reader(actor access.Actor) error {
	switch {
	case !actor.SignedIn():
		return fault.ErrUnauthorized
	case actor.Party != access.Enterprise || actor.UserID == 0:
		return fault.ErrForbidden
	}
	return nil
}

// Follow has the actor told of what they name: once when a policy of it is published, and before its window closes. Asked
// twice it is one subscription.
func (s *Service) Follow(ctx context.Context, actor access.Actor, cmd Subscribe) ([]Subscribed, error) {
	if err := reader(actor); err != nil {
		return nil, err
	}
	row, err := s.subscription(ctx, actor, cmd)
	if err != nil {
		return nil, err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.follow", Key: cmd.Key, Request: cmd, Now: row.CreatedAt}, func() (outcome, error) {
			n, err := tx.NewSelect().Model((*subscription)(nil)).Where("s.user_id = ?", actor.UserID).Count(ctx)
			if err != nil {
				return outcome{}, err
			}
			fresh, err := database.InsertNew(ctx, tx, row, "user_id, kind, value")
			if err != nil || !fresh {
				return outcome{}, err
			}
			if n >= maxSubscriptions {
				return outcome{}, ErrSubscriptions
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, row.CreatedAt, audit.Record{Action: "policy.follow", Object: "policy_subscription", ObjectID: row.ID,
				Summary: "订阅" + cmd.Kind.Label() + " " + row.Label})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", cmd.Kind, err)
	}
	return s.Following(ctx, actor)
}

// Unfollow ends a subscription; one that is not there is ended already.
func (s *Service) Unfollow(ctx context.Context, actor access.Actor, cmd Subscribe) ([]Subscribed, error) {
	if err := reader(actor); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.unfollow", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			res, err := tx.NewDelete().Model((*subscription)(nil)).Where("user_id = ? AND kind = ? AND value = ?", actor.UserID, cmd.Kind, strings.TrimSpace(cmd.Value)).Exec(ctx)
			if err != nil {
				return outcome{}, err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return outcome{}, err
			}
			return outcome{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.unfollow", Object: "policy_subscription", Summary: "取消订阅" + cmd.Kind.Label()})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("unfollow %s: %w", cmd.Kind, err)
	}
	return s.Following(ctx, actor)
}

// Following lists what the actor follows, the newest first.
func (s *Service) Following(ctx context.Context, actor access.Actor) ([]Subscribed, error) {
	if err := reader(actor); err != nil {
		return nil, err
	}
	var rows []subscription
	if err := s.db.Read().NewSelect().Model(&rows).Where("s.user_id = ?", actor.UserID).OrderExpr("s.id DESC").Limit(maxSubscriptions).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]Subscribed, 0, len(rows))
	for _, r := range rows {
		out = append(out, Subscribed{Kind: r.Kind, KindName: r.Kind.Label(), Value: r.Value, Label: r.Label, CreatedAt: r.CreatedAt.UTC()})
	}
	return out, nil
}

// subscription checks what is to be followed and names it.
func (s *Service) subscription(ctx context.Context, actor access.Actor, cmd Subscribe) (*subscription, error) {
	row := &subscription{UserID: actor.UserID, Kind: cmd.Kind, Value: strings.TrimSpace(cmd.Value), CreatedAt: s.clock.Now()}
	wrong := func(message string) error { return fault.InvalidField("value", "POLICY_SUBSCRIPTION", message) }
	row.Label = row.Value
	switch cmd.Kind {
	case OfPolicy:
		id, err := strconv.ParseInt(row.Value, 10, 64)
		if err != nil {
			return nil, wrong("请选择要订阅的政策")
		}
		p, err := s.find(ctx, s.db.Read(), actor, id)
		if err != nil {
			return nil, err
		}
		row.Value, row.Label = strconv.FormatInt(id, 10), p.Title
	case OfIssuer:
		if n := utf8.RuneCountInString(row.Value); n < 2 || n > maxShort {
			return nil, wrong("请填写发布机构的名称")
		}
	case OfTopic:
		if row.Label = Topic(row.Value).Label(); row.Label == "" {
			return nil, wrong("请从列表中选择政策主题")
		}
	case OfKind:
		if row.Label = Kind(row.Value).Label(); row.Label == "" {
			return nil, wrong("请从列表中选择支持方式")
		}
	case OfKeyword:
		if n := utf8.RuneCountInString(row.Value); n < 2 || n > 30 || !utf8.ValidString(row.Value) {
			return nil, wrong("关键词应为 2 到 30 个字")
		}
	default:
		return nil, fault.InvalidField("kind", "POLICY_SUBSCRIPTION", "请选择订阅的内容")
	}
	return row, nil
}

// mostKeywords bounds the different keywords that are looked for in a policy.
const mostKeywords = 20_000

// Followers lists the people who follow a policy by itself, or with wide also by its issuer, topic, kinds and words. It is
// for telling them, in the transaction of the caller.
func (s *Service) Followers(ctx context.Context, db bun.IDB, policy int64, wide bool) ([]int64, error) {
	p := new(Policy)
	if err := db.NewSelect().Model(p).Where("p.id = ?", policy).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return followers(ctx, db, p, wide)
}

func followers(ctx context.Context, db bun.IDB, p *Policy, wide bool) ([]int64, error) {
	of := map[Interest][]string{OfPolicy: {strconv.FormatInt(p.ID, 10)}}
	if wide {
		words, err := keywordsIn(ctx, db, p)
		if err != nil {
			return nil, err
		}
		of[OfIssuer], of[OfTopic], of[OfKind], of[OfKeyword] = []string{p.Issuer}, []string{string(p.Topic)}, texts(p.Kinds), words
	}
	var out []int64
	for kind, values := range of {
		for part := range slices.Chunk(values, 200) {
			var ids []int64
			err := db.NewSelect().Model((*subscription)(nil)).Column("user_id").Where("s.kind = ? AND s.value IN ?", kind, bun.Tuple(part)).Scan(ctx, &ids)
			if err != nil {
				return nil, fmt.Errorf("followers of policy %d: %w", p.ID, err)
			}
			out = append(out, ids...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// keywordsIn are the keywords somebody follows that the policy holds.
func keywordsIn(ctx context.Context, db bun.IDB, p *Policy) ([]string, error) {
	var all []string
	err := db.NewSelect().Model((*subscription)(nil)).ColumnExpr("DISTINCT s.value").Where("s.kind = ?", OfKeyword).OrderExpr("s.value").Limit(mostKeywords).Scan(ctx, &all)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(strings.Join(p.doc().Texts, "\n"))
	return slices.DeleteFunc(all, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) }), nil
}
