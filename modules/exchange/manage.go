package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// PartnerFields is what a person says about a partner.
type PartnerFields struct {
	Name           string   `json:"name"`
	Note           string   `json:"note"`
	URL            string   `json:"url"` // "" for a partner who only pulls
	AllowCIDRs     []string `json:"allowCidrs"`
	Events         []string `json:"events"`
	Fields         []string `json:"fields"`
	ShowNames      bool     `json:"showNames"`
	CallsPerMinute int      `json:"callsPerMinute"`
	CallsPerDay    int      `json:"callsPerDay"`
}

// clean brings what was typed to what is kept, and refuses what cannot be.
func (s *Service) clean(f PartnerFields, hosts []string) (PartnerFields, error) {
	var err error
	if f.Name, err = text.Line("name", f.Name, 1, 60); err != nil {
		return f, err
	}
	if f.Note, err = text.Block("note", f.Note, 0, 500); err != nil {
		return f, err
	}
	f.URL = strings.TrimSpace(f.URL)
	if len(f.URL) > 500 {
		return f, fault.InvalidField("url", "URL", "推送地址过长，请核对")
	}
	networks := make([]string, 0, len(f.AllowCIDRs))
	for _, c := range f.AllowCIDRs {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		if c, err = checkNetwork(c); err != nil {
			return f, err
		}
		if !slices.Contains(networks, c) {
			networks = append(networks, c)
		}
	}
	if len(networks) > 20 {
		return f, fault.InvalidField("allowCidrs", "NETWORK", "最多登记 20 个网段，请合并后再提交")
	}
	f.AllowCIDRs = networks
	if f.URL != "" {
		if err := s.pusher.Check(Endpoint{URL: f.URL, AllowCIDRs: networks, AllowHosts: hosts}); err != nil {
			return f, err
		}
	}
	var unknown []string
	if f.Events, unknown = known(f.Events, s.offer.topicNames); len(unknown) > 0 {
		return f, fault.InvalidField("events", "TOPIC", "没有“"+unknown[0]+"”这种事件，请重新选择")
	}
	if f.Fields, unknown = known(f.Fields, s.offer.fieldNames); len(unknown) > 0 {
		return f, fault.InvalidField("fields", "FIELD", "没有“"+unknown[0]+"”这个字段，请重新选择")
	}
	if f.CallsPerMinute < 1 || f.CallsPerMinute > 6000 {
		return f, fault.InvalidField("callsPerMinute", "QUOTA", "每分钟调用次数应为 1 至 6000")
	}
	if f.CallsPerDay < 1 || f.CallsPerDay > 10_000_000 {
		return f, fault.InvalidField("callsPerDay", "QUOTA", "每日调用次数应为 1 至 10000000")
	}
	return f, nil
}

// Check returns the fault that Create would for the code and the fields.
func (s *Service) Check(code string, f PartnerFields) error {
	if !codePattern.MatchString(code) {
		return fault.InvalidField("code", "CODE", "代码为 3 至 32 位小写字母、数字或连字符，以字母开头，如 city-hotline")
	}
	_, err := s.clean(f, nil)
	return err
}

// into writes what was cleaned into the row.
func (f PartnerFields) into(p *Partner, actor access.Actor, now time.Time) {
	p.Name, p.Note, p.URL, p.AllowCIDRs, p.Events, p.Fields = f.Name, f.Note, f.URL, f.AllowCIDRs, f.Events, f.Fields
	p.ShowNames, p.CallsPerMinute, p.CallsPerDay = f.ShowNames, f.CallsPerMinute, f.CallsPerDay
	p.UpdatedAt, p.UpdatedBy = now, by(actor)
}

// by names who did it, for people.
func by(actor access.Actor) string {
	if actor.Party == access.System {
		return "系统"
	}
	return actor.Name
}

// CreatePartner opens a partner.
type CreatePartner struct {
	Key  string
	Code string
	PartnerFields
}

// Create opens a partner and returns it with its secret, which is shown this once. The partner gets what happens from now
// on. It returns ErrForbidden without exchange.manage, ErrCode for a taken code, and a fault on the field that is wrong.
func (s *Service) Create(ctx context.Context, actor access.Actor, cmd CreatePartner) (PartnerView, error) {
	if err := staff(actor, PermManage); err != nil {
		return PartnerView{}, err
	}
	f, err := s.clean(cmd.PartnerFields, nil)
	if err != nil {
		return PartnerView{}, err
	}
	cmd.Code = strings.TrimSpace(cmd.Code)
	if !codePattern.MatchString(cmd.Code) {
		return PartnerView{}, fault.InvalidField("code", "CODE", "代码为 3 至 32 位小写字母、数字或连字符，以字母开头，如 city-hotline")
	}
	cmd.PartnerFields = f
	plain := s.pusher.NewSecret()
	id, fresh, err := s.command(ctx, actor, "create", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error) {
		return s.create(ctx, tx, actor, now, cmd.Code, plain, nil, f)
	})
	if err != nil {
		return PartnerView{}, fmt.Errorf("create partner: %w", err)
	}
	v, err := s.Partner(ctx, actor, id)
	if fresh {
		v.Secret = plain
	}
	return v, err
}

func (s *Service) create(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, code, plain string, hosts []string, f PartnerFields) (int64, error) {
	from, err := newest(ctx, tx)
	if err != nil {
		return 0, err
	}
	p := Partner{Code: code, Secret: s.box.Seal([]byte(plain), secretPlace(code)), AllowHosts: hosts, State: Active, FromEvent: from, Version: 1, CreatedAt: now}
	f.into(&p, actor, now)
	if _, err := tx.NewInsert().Model(&p).Returning("id").Exec(ctx); err != nil {
		if database.IsDuplicate(err) {
			return 0, ErrCode.On("code")
		}
		return 0, err
	}
	return p.ID, audit.Write(ctx, tx, actor, now, audit.Record{
		Action: "exchange.create", Object: "partner", ObjectID: p.ID, Summary: "新增对接方 " + p.Name, Detail: f,
	})
}

// UpdatePartner changes a partner.
type UpdatePartner struct {
	Key     string
	ID      int64
	Version int64
	PartnerFields
}

// Update changes a partner. Deliveries made before keep their bodies; the new choice of events and fields counts from the
// next event on. Without an address the partner only pulls, and what waited for it is kept for that.
func (s *Service) Update(ctx context.Context, actor access.Actor, cmd UpdatePartner) (PartnerView, error) {
	return s.change(ctx, actor, "update", cmd.Key, cmd, cmd.ID, cmd.Version, func(ctx context.Context, tx bun.Tx, p *Partner, now time.Time) (audit.Record, error) {
		f, err := s.clean(cmd.PartnerFields, p.AllowHosts)
		if err != nil {
			return audit.Record{}, err
		}
		if f.URL == "" && p.URL != "" {
			_, err := tx.NewUpdate().Model((*Delivery)(nil)).Set("state = ?", Kept).Set("settled_at = ?", now).Set("next_at = NULL").
				Where("partner_id = ? AND settled_at IS NULL AND state <> ?", p.ID, Sending).Exec(ctx)
			if err != nil {
				return audit.Record{}, err
			}
		}
		f.into(p, actor, now)
		return audit.Record{Summary: "修改对接方 " + p.Name, Detail: f}, nil
	})
}

// PartnerRef names the partner a command is about.
type PartnerRef struct {
	Key     string `json:"-"`
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
}

// Pause stops the pushes to a partner; its events are kept meanwhile.
func (s *Service) Pause(ctx context.Context, actor access.Actor, ref PartnerRef) (PartnerView, error) {
	return s.change(ctx, actor, "pause", ref.Key, ref, ref.ID, ref.Version, func(_ context.Context, _ bun.Tx, p *Partner, _ time.Time) (audit.Record, error) {
		return audit.Record{Summary: "暂停推送 " + p.Name}, p.Pause()
	})
}

// Resume lets the pushes go on where they stopped.
func (s *Service) Resume(ctx context.Context, actor access.Actor, ref PartnerRef) (PartnerView, error) {
	return s.change(ctx, actor, "resume", ref.Key, ref, ref.ID, ref.Version, func(_ context.Context, _ bun.Tx, p *Partner, _ time.Time) (audit.Record, error) {
		return audit.Record{Summary: "恢复推送 " + p.Name}, p.Resume()
	})
}

// RenewSecret gives the partner a new secret, shown this once; the old one signs nothing any more.
func (s *Service) RenewSecret(ctx context.Context, actor access.Actor, ref PartnerRef) (PartnerView, error) {
	plain := s.pusher.NewSecret()
	fresh := false
	v, err := s.change(ctx, actor, "renew_secret", ref.Key, ref, ref.ID, ref.Version, func(_ context.Context, _ bun.Tx, p *Partner, _ time.Time) (audit.Record, error) {
		fresh = true
		p.Secret = s.box.Seal([]byte(plain), secretPlace(p.Code))
		return audit.Record{Summary: "更换签名密钥 " + p.Name}, nil
	})
	if fresh {
		v.Secret = plain
	}
	return v, err
}

// change is the frame of a command on one partner.
func (s *Service) change(ctx context.Context, actor access.Actor, name, key string, request any, id, version int64,
	step func(ctx context.Context, tx bun.Tx, p *Partner, now time.Time) (audit.Record, error),
) (PartnerView, error) {
	_, _, err := s.command(ctx, actor, name, key, request, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error) {
		if ok, err := visible(tx.NewSelect().Model((*Partner)(nil)).Where("p.id = ?", id), actor, "p.id").Exists(ctx); err != nil || !ok {
			return 0, cmp.Or(err, error(ErrNotFound))
		}
		p, err := lock(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		if err := p.check(version); err != nil {
			return 0, err
		}
		record, err := step(ctx, tx, p, now)
		if err != nil {
			return 0, err
		}
		p.Version, p.UpdatedAt, p.UpdatedBy = version+1, now, by(actor)
		if err := database.Changed(tx.NewUpdate().Model(p).ExcludeColumn("id", "code", "from_event", "created_at", "allow_hosts").
			Where("id = ? AND version = ?", id, version).Exec(ctx)); err != nil {
			return 0, err
		}
		record.Action, record.Object, record.ObjectID = "exchange."+name, "partner", id
		return id, audit.Write(ctx, tx, actor, now, record)
	})
	if err != nil {
		return PartnerView{}, fmt.Errorf("%s partner %d: %w", name, id, err)
	}
	return s.Partner(ctx, actor, id)
}

// InstalledPartner is a partner that the installation itself brings, as a demo does.
type InstalledPartner struct {
	Code   string
	Secret string
	Hosts  []string // let through whatever they resolve to
	PartnerFields
}

// Ensure opens the partner, or gives the one with its code the address, hosts and secret it has now. Only the system may.
func (s *Service) Ensure(ctx context.Context, actor access.Actor, in InstalledPartner) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var p Partner
		err := database.Found(tx.NewSelect().Model(&p).Where("p.code = ?", in.Code).Scan(ctx))
		if errors.Is(err, ErrNotFound) {
			f, err := s.clean(in.PartnerFields, in.Hosts)
			if err != nil {
				return err
			}
			_, err = s.create(ctx, tx, actor, now, in.Code, in.Secret, in.Hosts, f)
			return err
		}
		if err != nil {
			return err
		}
		plain, err := s.box.Open(p.Secret, secretPlace(p.Code))
		if err != nil || string(plain) != in.Secret {
			p.Secret = s.box.Seal([]byte(in.Secret), secretPlace(p.Code))
		}
		p.URL, p.AllowHosts = in.URL, in.Hosts
		if _, err := tx.NewUpdate().Model(&p).Column("url", "allow_hosts", "secret").WherePK().Exec(ctx); err != nil {
			return err
		}
		// A head that waited for the old address need not wait any longer.
		_, err = tx.NewUpdate().Model((*Delivery)(nil)).Set("next_at = ?", now).
			Where("partner_id = ? AND state = ? AND next_at > ?", p.ID, Failed, now).Exec(ctx)
		return err
	})
}
