package ticket

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// DeclineReason is a case in which the desk may not take a request, with the sentence that names the legal route.
type DeclineReason struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Route   string `json:"route" doc:"The legal route, as the form proposes it; the agent may make it more precise."`
	Sort    int    `json:"sort"`
	Retired bool   `json:"retired,omitempty"`
	Version int64  `json:"version"`
}

type reasonRow struct {
	bun.BaseModel `bun:"table:ticket_decline_reasons,alias:dr"`

	Code    string     `bun:"code,pk"`
	Name    string     `bun:"name,notnull"`
	Route   string     `bun:"route,notnull,type:text"`
	Sort    int        `bun:"sort,notnull"`
	Retired bool       `bun:"retired,notnull"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

// DeclineReasons lists the cases in which a request is not taken, those out of use marked. It needs ticket.decline or
// ticket.types.
func (s *Service) DeclineReasons(ctx context.Context, actor access.Actor) ([]DeclineReason, error) {
	if !actor.Can(PermTypes) {
		if err := actor.Need(PermDecline); err != nil {
			return nil, err
		}
	}
	var rows []reasonRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("dr.sort, dr.code").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]DeclineReason, 0, len(rows))
	for _, r := range rows {
		out = append(out, DeclineReason{r.Code, r.Name, r.Route, r.Sort, r.Retired, r.Version})
	}
	return out, nil
}

// Check tidies the case and returns the faults of its fields.
func (r *DeclineReason) Check() error {
	var err, routeErr error
	r.Name, err = clean("name", "情形", r.Name, 60, true)
	r.Route, routeErr = clean("route", "法定渠道", r.Route, 300, true)
	errs := []error{err, routeErr}
	if !typeCode.MatchString(r.Code) {
		errs = append(errs, fault.InvalidField("code", "DECLINE_REASON", "编码为 2 至 50 位字母、数字或短横线"))
	}
	return fault.Merge(errs...)
}

// SetDeclineReason adds a case (Version 0) or changes one; a version that is not the present one is a conflict. Tickets that
// were declined keep the words they were declined with. It needs ticket.types.
func (s *Service) SetDeclineReason(ctx context.Context, actor access.Actor, r DeclineReason, key string) error {
	given := r
	if err := r.Check(); err != nil {
		return err
	}
	return s.onSettings(ctx, actor, "ticket.decline_reason", key, "ticket_decline_reason", given, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		row := reasonRow{Code: r.Code, Name: r.Name, Route: r.Route, Sort: r.Sort, Retired: r.Retired, Version: r.Version + 1, SetAt: &now, SetBy: actor.Name}
		if r.Version == 0 {
			res, err := tx.NewInsert().Model(&row).On("CONFLICT (code) DO NOTHING").Exec(ctx)
			if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
				return "", fault.New(fault.Conflict, "REASON_EXISTS", "已有这个编码的情形，请换一个编码，或修改已有的情形").On("code")
			} else if err != nil {
				return "", err
			}
			return "新增不予受理情形 " + r.Name, nil
		}
		err := database.Changed(tx.NewUpdate().Model(&row).Column("name", "route", "sort", "retired", "version", "set_at", "set_by").Where("code = ? AND version = ?", r.Code, r.Version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return "", fault.New(fault.Conflict, "CHANGED", "该情形已被他人修改，请刷新后再改").Wrap(err)
		}
		return "修改不予受理情形 " + r.Name, err
	})
}

// DeclineTicket asks to end a request the desk may not take.
type DeclineTicket struct {
	Ref
	Code   string // a DeclineReason in use
	Route  string // the legal route; empty takes the sentence of the case
	Reason string // what else the requester should know; may be empty
}

// Decline ends a received request that does not belong here. The requester is told the case, the explanation and the legal
// route. Errors as Answer, with ticket.decline; an unknown case is a fault at "code".
func (s *Service) Decline(ctx context.Context, actor access.Actor, cmd DeclineTicket) (View, error) {
	reason, err := clean("reason", "说明", cmd.Reason, maxNote, false)
	route, routeErr := clean("route", "法定渠道", cmd.Route, 300, false)
	errs := []error{err, routeErr}
	if strings.TrimSpace(cmd.Code) == "" {
		errs = append(errs, fault.InvalidField("code", "DECLINE_REASON", "请选择不予受理的情形"))
	}
	if err := fault.Merge(errs...); err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToDecline, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		var row reasonRow
		err := database.Found(tx.NewSelect().Model(&row).Where("dr.code = ?", cmd.Code).Scan(ctx))
		if errors.Is(err, fault.ErrNotFound) || err == nil && row.Retired {
			return effect{}, fault.InvalidField("code", "DECLINE_REASON", "没有这种不予受理的情形，请重新选择")
		} else if err != nil {
			return effect{}, err
		}
		way := route
		if way == "" {
			way = row.Route
		}
		told := declineWords(row.Name, reason, way)
		if err := t.Decline(s.clock.Now(), told); err != nil {
			return effect{}, err
		}
		return declined(told, row.Code, way), s.whole(ctx, tx, t, "登记不予受理")
	})
}

// declineWords is what the requester reads.
func declineWords(name, reason, way string) string {
	told := "不予受理的情形：" + name
	if reason != "" {
		told += "\n说明：" + reason
	}
	return told + "\n法定渠道：" + way
}
