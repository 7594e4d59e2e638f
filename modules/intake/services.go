package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// offered is a ticket type that partners may report on.
type offered struct {
	bun.BaseModel `bun:"table:intake_services,alias:o"`

	Code      string    `bun:"code,pk"`
	Published bool      `bun:"published,notnull"`
	Keywords  string    `bun:"keywords,notnull"`
	SetBy     string    `bun:"set_by,notnull"`
	SetAt     time.Time `bun:"set_at,notnull"`
}

// ServiceView is a ticket type as the operator offers it.
type ServiceView struct {
	Code      string `json:"code"`
	Name      string `json:"name"`
	Group     string `json:"group"`
	Offered   bool   `json:"offered" doc:"Partners may report on it."`
	Published bool   `json:"published" doc:"Everybody may read of the requests that partners made of it."`
	Keywords  string `json:"keywords"`
}

// ServicesChanged is announced when the operator offers other services.
type ServicesChanged struct {
	Code      string `json:"code"`
	Offered   bool   `json:"offered"`
	Published bool   `json:"published"`
}

// Event names the fact. Services have codes, no numbers.
func (f ServicesChanged) Event() (string, string, int64) {
	return "intake.service_changed", "intake_service", 0
}

// Services lists all ticket types with what is offered of them. It needs intake.open311.
func (s *Service) Services(ctx context.Context, actor access.Actor) ([]ServiceView, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return nil, err
	}
	return s.services(ctx)
}

func (s *Service) services(ctx context.Context) ([]ServiceView, error) {
	var rows []offered
	if err := s.DB.Read().NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	all, err := s.Desk.Matters(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]ServiceView, 0, len(all))
	for _, m := range all {
		v := ServiceView{Code: m.Code, Name: m.Name, Group: m.Group}
		if i := slices.IndexFunc(rows, func(o offered) bool { return o.Code == m.Code }); i >= 0 {
			v.Offered, v.Published, v.Keywords = true, rows[i].Published, rows[i].Keywords
		}
		out = append(out, v)
	}
	return out, nil
}

// offeredNow lists what partners may report on.
func (s *Service) offeredNow(ctx context.Context) ([]ServiceView, error) {
	all, err := s.services(ctx)
	return slices.DeleteFunc(all, func(v ServiceView) bool { return !v.Offered }), err
}

// SetService offers a ticket type to partners, or no longer. What was reported stays.
type SetService struct {
	Code      string
	Offered   bool
	Published bool
	Keywords  string
}

// Check tidies the words and returns the faults of the fields. Whether there is such a type is asked when it is set.
func (c *SetService) Check() error {
	words, err := text.Line("keywords", strings.NewReplacer("，", ",", "、", ",").Replace(c.Keywords), 0, 200)
	if err != nil {
		return text.Named(err, "关键词")
	}
	if c.Keywords = words; c.Published && !c.Offered {
		return fault.InvalidField("published", "INTAKE_PUBLISHED", "不开放的服务不能公开，请先开放")
	}
	return nil
}

// SetService keeps what the operator offers. It needs intake.open311. What is no longer offered is not published either.
func (s *Service) SetService(ctx context.Context, actor access.Actor, cmd SetService) ([]ServiceView, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return nil, err
	}
	known, err := s.Desk.Matters(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(m Matter) bool { return m.Code == cmd.Code })
	if i < 0 {
		return nil, ErrNotFound
	}
	if err := cmd.Check(); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if cmd.Offered {
			row := offered{Code: cmd.Code, Published: cmd.Published, Keywords: cmd.Keywords, SetBy: actor.Name, SetAt: now}
			_, err = tx.NewInsert().Model(&row).On("CONFLICT (code) DO UPDATE").
				Set("published = EXCLUDED.published, keywords = EXCLUDED.keywords, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at").Exec(ctx)
		} else {
			_, err = tx.NewDelete().Model((*offered)(nil)).Where("code = ?", cmd.Code).Exec(ctx)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, actor, ServicesChanged{cmd.Code, cmd.Offered, cmd.Published}, audit.Record{Action: "intake.service", Object: "intake_service",
			Summary: "设置 Open311 服务 " + known[i].Name, Detail: map[string]any{"code": cmd.Code, "offered": cmd.Offered, "published": cmd.Published}})
	})
	if err != nil {
		return nil, fmt.Errorf("set service %s: %w", cmd.Code, err)
	}
	return s.services(ctx)
}
