package intake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// notes are what the public reads of a ticket's state: fixed words, nothing that somebody typed.
var notes = map[string]struct{ state, note string }{
	"received":   {requestOpen, "已受理，正在核实"},
	"answered":   {requestOpen, "已答复诉求人，待办结"},
	"dispatched": {requestOpen, "已转承办单位"},
	"signed":     {requestOpen, "承办单位正在办理"},
	"suspended":  {requestOpen, "等待诉求人补充材料"},
	"replied":    {requestOpen, "承办单位已反馈，正在核实办理结果"},
	"reviewed":   {requestOpen, "承办单位已反馈，正在核实办理结果"},
	"callback":   {requestOpen, "承办单位已反馈，正在回访诉求人"},
	"merged":     {requestOpen, "与同类诉求合并办理"},
	"closed":     {requestClosed, "已办结"},
	"archived":   {requestClosed, "已办结"},
	"declined":   {requestClosed, "不属于受理范围，已告知诉求人"},
	"voided":     {requestClosed, "已撤销"},
}

// TicketChange is what a fact says of a ticket after it.
type TicketChange struct {
	ID       int64
	Number   string
	Status   string
	UnitName string
	DueAt    time.Time
	At       time.Time
	// Secret says whether the ticket is confidential, nil when the fact says nothing of that.
	Secret *bool
}

// Follow keeps the public side of a ticket equal to it; tickets that no partner brought are passed over. For the listener.
func (s *Service) Follow(ctx context.Context, tx bun.Tx, c TicketChange) error {
	n, ok := notes[c.Status]
	if !ok {
		return nil
	}
	if c.Secret != nil {
		if _, err := database.Run(ctx, tx, "UPDATE intake_requests SET hidden = ? WHERE ticket_id = ?", *c.Secret, c.ID); err != nil {
			return err
		}
	}
	_, err := database.Run(ctx, tx, "UPDATE intake_requests SET state = ?, note = ?, agency = ?, due_at = ?, updated_at = ? WHERE ticket_id = ?",
		n.state, n.note, c.UnitName, c.DueAt, c.At, c.ID)
	return err
}

// mostRequests is how many a list of the standard holds, widest its span.
const (
	mostRequests = 1000
	widestSpan   = 90 * 24 * time.Hour
)

// Query narrows the public list. Numbers overrule everything else.
type Query struct {
	Numbers  []string
	Codes    []string
	States   []string
	From, To *time.Time
}

// span is the time a query asks about: at most 90 days, the last 90 when it says nothing.
func (q Query) span(now time.Time) (from, to time.Time, err error) {
	switch {
	case q.From == nil && q.To == nil:
		from, to = now.Add(-widestSpan), now
	case q.From == nil:
		from, to = q.To.Add(-widestSpan), *q.To
	case q.To == nil:
		from, to = *q.From, q.From.Add(widestSpan)
	default:
		from, to = *q.From, *q.To
	}
	if to.Before(from) || to.Sub(from) > widestSpan {
		return from, to, invalid("start_date", "start_date 须早于 end_date，且间隔不超过 90 天")
	}
	return from, to, nil
}

// Public is a request as the outside may read it. Own says that the reader is the partner that made it, who reads what it
// sent; everybody else reads fixed words and a place rounded to about a hundred metres.
type Public struct {
	requestRow

	Service string
	Own     bool
}

// text is the description the reader may have.
func (p *Public) text() string {
	switch {
	case p.Own:
		return p.Description
	case p.PublicText != "":
		return p.PublicText
	}
	return "收到一件“" + p.Service + "”类诉求"
}

func (p *Public) place() (lat, long *float64) {
	if p.Own || p.Lat == nil {
		return p.Lat, p.Long
	}
	y, x := math.Round(*p.Lat*1000)/1000, math.Round(*p.Long*1000)/1000
	return &y, &x
}

// Requests lists what the outside may read: with a key the partner's own requests, without one those of services that the
// operator published. It returns errKey for a key that is not good.
func (s *Service) Requests(ctx context.Context, apiKey string, q Query) ([]Public, error) {
	if len(q.Numbers) > mostRequests {
		return nil, invalid("service_request_id", "一次最多查询 %d 个 service_request_id", mostRequests)
	}
	from, to, err := q.span(s.Clock.Now())
	if err != nil {
		return nil, err
	}
	all, err := s.services(ctx)
	if err != nil {
		return nil, err
	}
	var rows []requestRow
	sel := s.DB.Read().NewSelect().Model(&rows).Where("r.number IS NOT NULL").OrderExpr("r.created_at DESC, r.id DESC").Limit(mostRequests)
	own := apiKey != ""
	if own {
		k, err := s.known(ctx, apiKey)
		if err != nil {
			return nil, err
		}
		sel = sel.Where("r.key_id = ?", k.ID)
	} else {
		published := []string{}
		for _, v := range all {
			if v.Published {
				published = append(published, v.Code)
			}
		}
		if len(published) == 0 {
			return []Public{}, nil
		}
		sel = sel.Where("r.code IN (?) AND NOT r.hidden", bun.List(published))
	}
	switch {
	case len(q.Numbers) > 0:
		sel = sel.Where("r.number IN (?)", bun.List(q.Numbers))
	default:
		sel = sel.Where("r.created_at >= ? AND r.created_at <= ?", from, to)
		if len(q.Codes) > 0 {
			sel = sel.Where("r.code IN (?)", bun.List(q.Codes))
		}
		if len(q.States) > 0 {
			sel = sel.Where("r.state IN (?)", bun.List(q.States))
		}
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	out := make([]Public, 0, len(rows))
	for _, r := range rows {
		p := Public{requestRow: r, Own: own, Service: r.Code}
		if i := slices.IndexFunc(all, func(v ServiceView) bool { return v.Code == r.Code }); i >= 0 {
			p.Service = all[i].Name
		}
		out = append(out, p)
	}
	return out, nil
}

var errRequest = fault.New(fault.NotFound, "OPEN311_REQUEST", "没有这个 service_request_id，或它没有公开（unknown service_request_id）")

// Request reads one, errRequest when the reader may not.
func (s *Service) Request(ctx context.Context, apiKey, number string) (Public, error) {
	list, err := s.Requests(ctx, apiKey, Query{Numbers: []string{number}})
	if err == nil && len(list) == 0 {
		err = errRequest
	}
	if err != nil {
		return Public{}, err
	}
	return list[0], nil
}

var errToken = fault.New(fault.NotFound, "OPEN311_TOKEN", "没有这个 token（unknown token）")

// Token tells which request a token became; "" while somebody still has to look at it.
func (s *Service) Token(ctx context.Context, token string) (number string, err error) {
	var r requestRow
	err = database.Found(s.DB.Read().NewSelect().Model(&r).Column("number").Where("r.token = ?", token).Scan(ctx))
	if errors.Is(err, ErrNotFound) {
		return "", errToken
	}
	return r.Number, err
}
