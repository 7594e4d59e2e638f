package operations

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// CheckView is a check as the page shows it.
type CheckView struct {
	Code      string     `json:"code"`
	Group     string     `json:"group"`
	Title     string     `json:"title"`
	State     State      `json:"state" enum:"normal,warn,bad"`
	Text      string     `json:"text" doc:"What was found, in Chinese."`
	Value     int64      `json:"value"`
	Unit      string     `json:"unit" doc:"Of value, warn and bad; empty for a check without limits."`
	Less      bool       `json:"less" doc:"A smaller value is worse."`
	Warn      int64      `json:"warn"`
	Bad       int64      `json:"bad"`
	LimitsBy  string     `json:"limitsBy" doc:"Who set the limits; empty for the program's."`
	Since     *time.Time `json:"since,omitempty"`
	CheckedAt *time.Time `json:"checkedAt,omitempty"`
	Advice    string     `json:"advice"`
}

// IncidentView is an incident as the page shows it.
type IncidentView struct {
	ID        int64      `json:"id"`
	Code      string     `json:"code"`
	Title     string     `json:"title"`
	Text      string     `json:"text"`
	OpenedAt  time.Time  `json:"openedAt"`
	ClosedAt  *time.Time `json:"closedAt,omitempty"`
	Alarms    int64      `json:"alarms" doc:"How often the people on duty were told that it is there."`
	AlarmedAt time.Time  `json:"alarmedAt"`
	KnownAt   *time.Time `json:"knownAt,omitempty"`
	KnownBy   string     `json:"knownBy"`
	KnownNote string     `json:"knownNote"`
	Lasted    string     `json:"lasted" doc:"From its beginning to its end, or until now, in Chinese."`
}

func (i *incidentRow) view(now time.Time) IncidentView {
	end := now
	if i.ClosedAt != nil {
		end = *i.ClosedAt
	}
	return IncidentView{ID: i.ID, Code: i.Code, Title: i.Title, Text: i.Text, OpenedAt: i.OpenedAt.UTC(), ClosedAt: utc(i.ClosedAt), Alarms: i.Alarms,
		AlarmedAt: i.AlarmedAt.UTC(), KnownAt: utc(i.KnownAt), KnownBy: i.KnownBy, KnownNote: i.KnownNote, Lasted: Spell(end.Sub(i.OpenedAt))}
}

// HealthView is how the system stands.
type HealthView struct {
	State     State          `json:"state" enum:"normal,warn,bad" doc:"The worst of the checks."`
	CheckedAt *time.Time     `json:"checkedAt,omitempty"`
	Stale     bool           `json:"stale" doc:"No inspection for over a minute: what is shown may be out of date."`
	Checks    []CheckView    `json:"checks"`
	Incidents []IncidentView `json:"incidents" doc:"Those that are not over."`
	Repeat    string         `json:"repeat" doc:"How long an incident stays silent after an alarm, in Chinese."`
	CanManage bool           `json:"canManage"`
	CanKnow   bool           `json:"canKnow" doc:"The asker may acknowledge incidents."`
}

// Health returns how every check stands. It needs operations.view.
func (s *Service) Health(ctx context.Context, actor access.Actor) (HealthView, error) {
	if err := actor.Need(PermView); err != nil {
		return HealthView{}, err
	}
	return s.health(ctx, actor)
}

func (s *Service) health(ctx context.Context, actor access.Actor) (HealthView, error) {
	now := s.Clock.Now()
	v := HealthView{State: Normal, Checks: s.views(nil), Incidents: []IncidentView{}, Repeat: Spell(s.Options.RepeatAfter), CanManage: actor.Can(PermManage), CanKnow: actor.Can(PermDuty)}
	rows, err := s.states(ctx, s.DB.Read())
	if err != nil {
		return v, fmt.Errorf("read the states of the checks: %w", err)
	}
	v.Checks = s.views(rows)
	for _, c := range v.Checks {
		v.State = worse(v.State, c.State)
		if c.CheckedAt != nil && (v.CheckedAt == nil || c.CheckedAt.After(*v.CheckedAt)) {
			v.CheckedAt = c.CheckedAt
		}
	}
	v.Stale = v.CheckedAt == nil || now.Sub(*v.CheckedAt) > time.Minute
	var open []incidentRow
	if err := s.DB.Read().NewSelect().Model(&open).Where("i.closed_at IS NULL").OrderExpr("i.id").Scan(ctx); err != nil {
		return v, fmt.Errorf("read the open incidents: %w", err)
	}
	for i := range open {
		v.Incidents = append(v.Incidents, open[i].view(now))
	}
	return v, nil
}

// views joins the checks of the program with how they stand.
func (s *Service) views(rows map[string]stateRow) []CheckView {
	list := make([]CheckView, 0, len(s.checks))
	for _, c := range s.checks {
		r, looked := rows[c.Code]
		v := CheckView{Code: c.Code, Group: c.Group, Title: c.Title, State: Normal, Text: "尚未巡检", Unit: c.Unit, Less: c.Less, Advice: c.Advice}
		if c.Unit != "" {
			v.Warn, v.Bad = limitsOf(c, r)
		}
		if looked {
			v.State, v.Text, v.Value, v.LimitsBy, v.Since, v.CheckedAt = r.State, r.Text, r.Value, r.LimitsBy, utc(&r.Since), utc(&r.CheckedAt)
		}
		list = append(list, v)
	}
	return list
}

// SetLimits are the limits of a check as a person wants them. Reset takes those of the program again.
type SetLimits struct {
	Code      string
	Warn, Bad int64
	Reset     bool
	Key       string
}

// CheckLimits returns the error with which SetLimits would refuse the limits.
func (s *Service) CheckLimits(cmd SetLimits) error {
	_, err := s.limited(cmd)
	return err
}

func (s *Service) limited(cmd SetLimits) (Check, error) {
	at := slices.IndexFunc(s.checks, func(c Check) bool { return c.Code == cmd.Code })
	if at < 0 {
		return Check{}, ErrNoCheck
	}
	c := s.checks[at]
	if c.Unit == "" {
		return c, ErrNoLimits
	}
	if !cmd.Reset && !c.fits(cmd.Warn, cmd.Bad) {
		return c, ErrLimits
	}
	return c, nil
}

// SetLimits changes the limits of a check from the next inspection on. It needs operations.manage and returns ErrNoCheck,
// ErrNoLimits or ErrLimits.
func (s *Service) SetLimits(ctx context.Context, actor access.Actor, cmd SetLimits) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	c, err := s.limited(cmd)
	if err != nil {
		return err
	}
	_, err = s.once(ctx, idempotency.Command{Actor: actor, Operation: "operations.limits", Key: cmd.Key, Request: cmd}, func(ctx context.Context, tx bun.Tx) (int64, error) {
		now := s.Clock.Now()
		rows, err := s.lockStates(ctx, tx, now)
		if err != nil {
			return 0, err
		}
		row := rows[c.Code]
		oldWarn, oldBad := limitsOf(c, row)
		row.Warn, row.Bad, row.LimitsBy = &cmd.Warn, &cmd.Bad, actor.Name
		said := fmt.Sprintf("“%s”告警阈值由 %d/%d 改为 %d/%d %s", c.Title, oldWarn, oldBad, cmd.Warn, cmd.Bad, c.Unit)
		if cmd.Reset {
			row.Warn, row.Bad, row.LimitsBy = nil, nil, ""
			said = fmt.Sprintf("“%s”告警阈值由 %d/%d 恢复为默认的 %d/%d %s", c.Title, oldWarn, oldBad, c.Warn, c.Bad, c.Unit)
		}
		if _, err := tx.NewUpdate().Model(&row).Column("warn", "bad", "limits_by").WherePK().Exec(ctx); err != nil {
			return 0, err
		}
		return 0, audit.Write(ctx, tx, actor, now, audit.Record{Action: "operations.limits", Object: "health", Summary: said, Detail: map[string]string{"code": c.Code}})
	})
	return err
}

// IncidentFilter narrows the list of incidents.
type IncidentFilter struct {
	Code   string
	Open   bool
	Cursor string
	Limit  int
}

// Incidents returns a page of the incidents, newest first, and the cursor of the next page. It needs operations.view.
func (s *Service) Incidents(ctx context.Context, actor access.Actor, f IncidentFilter) ([]IncidentView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := pageOf(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	var rows []incidentRow
	q := s.DB.Read().NewSelect().Model(&rows).OrderExpr("i.id DESC").Limit(int64(limit + 1))
	if f.Code != "" {
		q = q.Where("i.code = ?", f.Code)
	}
	if f.Open {
		q = q.Where("i.closed_at IS NULL")
	}
	if before > 0 {
		q = q.Where("i.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list incidents: %w", err)
	}
	rows, next := page(rows, limit, func(r incidentRow) int64 { return r.ID })
	views := make([]IncidentView, 0, len(rows))
	for i := range rows {
		views = append(views, rows[i].view(s.Clock.Now()))
	}
	return views, next, nil
}

// Acknowledge notes that somebody on duty knows of an incident and what they do about it; it is not repeated any more. It
// needs operations.duty and returns ErrKnown, or ErrClosed for one that is over.
func (s *Service) Acknowledge(ctx context.Context, actor access.Actor, id int64, note, key string) (IncidentView, error) {
	if err := actor.Need(PermDuty); err != nil {
		return IncidentView{}, err
	}
	request := map[string]any{"id": id, "note": note}
	_, err := s.once(ctx, idempotency.Command{Actor: actor, Operation: "operations.acknowledge", Key: key, Request: request}, func(ctx context.Context, tx bun.Tx) (int64, error) {
		now := s.Clock.Now()
		var i incidentRow
		if err := tx.NewSelect().Model(&i).Where("i.id = ?", id).Scan(ctx); err != nil {
			return 0, database.Found(err)
		}
		switch {
		case i.ClosedAt != nil:
			return 0, ErrClosed
		case i.KnownAt != nil:
			return 0, ErrKnown
		}
		res, err := tx.NewUpdate().Model((*incidentRow)(nil)).Set("known_at = ?, known_by = ?, known_note = ?", now, actor.Name, note).
			Where("id = ? AND known_at IS NULL AND closed_at IS NULL", id).Exec(ctx)
		if err := database.Changed(res, err); err != nil {
			return 0, err
		}
		return id, audit.Write(ctx, tx, actor, now, audit.Record{Action: "operations.acknowledge", Object: "incident", ObjectID: id, Summary: "登记已知悉：" + i.Title, Detail: map[string]string{"note": note}})
	})
	if err != nil {
		return IncidentView{}, err
	}
	var i incidentRow
	if err := s.DB.Read().NewSelect().Model(&i).Where("i.id = ?", id).Scan(ctx); err != nil {
		return IncidentView{}, database.Found(err)
	}
	return i.view(s.Clock.Now()), nil
}

// pageOf reads the place in a list read newest first.
func pageOf(cursor string, limit int) (before int64, size int, err error) {
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before <= 0 {
			return 0, 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	return before, limit, nil
}

// page cuts one row too many off and returns the cursor that it stands for.
func page[T any](rows []T, limit int, id func(T) int64) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	rows = rows[:limit]
	return rows, strconv.FormatInt(id(rows[limit-1]), 10)
}
