package supervision

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// seen is a ticket that was received.
type seen struct {
	bun.BaseModel `bun:"table:supervision_seen,alias:e"`

	TicketID int64     `bun:"ticket_id,pk"`
	Matter   string    `bun:"matter,notnull"`
	Area     string    `bun:"area,notnull"` // "" when the request names none
	At       time.Time `bun:"at,notnull"`
	// Hushed: the ticket is confidential. An alarm is read by every supervisor, so that none counts it.
	Hushed bool `bun:"hushed,notnull"`
}

// Rule says what a surge is.
type Rule struct {
	// Least is how many of one matter and area within an hour are looked at at all.
	Least int `bun:"least" json:"least" minimum:"2" maximum:"1000"`
	// Factor is how many times the usual number it must be.
	Factor float64 `bun:"factor" json:"factor" minimum:"1" maximum:"100"`
	// Weeks is over how many weeks the same hour of the same day of the week is the usual number.
	Weeks   int   `bun:"weeks" json:"weeks" minimum:"1" maximum:"12"`
	On      bool  `bun:"active" json:"on"`
	Version int64 `bun:"version" json:"version"`
}

// Check returns the fault of a rule that cannot be used.
func (r Rule) Check() error {
	if r.Least < 2 || r.Least > 1000 || r.Factor < 1 || r.Factor > 100 || r.Weeks < 1 || r.Weeks > 12 {
		return fault.InvalidField("least", "SURGE_RULE", "件数请填 2 至 1000，倍数 1 至 100，对比周数 1 至 12")
	}
	return nil
}

// surges reports whether n within an hour is a surge where the weeks before had usual in all.
func (r Rule) surges(n, before int) bool {
	return r.On && n >= r.Least && float64(n) >= r.Factor*float64(before)/float64(r.Weeks)
}

// alarm is one surge.
type alarm struct {
	bun.BaseModel `bun:"table:supervision_alarms,alias:a"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Matter     string     `bun:"matter,notnull"`
	MatterName string     `bun:"matter_name,notnull"`
	Area       string     `bun:"area,notnull"`
	AreaName   string     `bun:"area_name,notnull"`
	FirstAt    time.Time  `bun:"first_at,notnull"` // of its tickets
	LastAt     time.Time  `bun:"last_at,notnull"`
	Count      int        `bun:"n,notnull"`
	Usual      float64    `bun:"usual,notnull"` // tickets of the same hour, mean of the weeks before
	AckedBy    string     `bun:"acked_by,notnull"`
	AckedAt    *time.Time `bun:"acked_at"`
	Note       string     `bun:"note,notnull"`
}

// Surged is announced when an alarm is raised.
type Surged struct {
	ID     int64  `json:"id"`
	Matter string `json:"matter"`
	Area   string `json:"area"`
	Count  int    `json:"count"`
}

// Event names the fact.
func (f Surged) Event() (string, string, int64) { return "supervision.surged", Object, f.ID }

// hour is the time over which tickets are counted.
const hour = time.Hour

// quiet is how long after its last ticket a surge goes on: what comes later raises a new alarm.
const quiet = 6 * time.Hour

// Received is a ticket that came in: its kind, the words that name its street or town, and whether it is confidential.
type Received struct {
	Ticket int64
	Matter string
	Words  string
	At     time.Time
	Secret bool
}

// Note keeps a ticket that was received and raises an alarm when there are too many of its kind. It may be called again with
// the same ticket.
func (s *Service) Note(ctx context.Context, tx bun.Tx, r Received) error {
	area, areaName := s.Names.Area(r.Words)
	row := seen{TicketID: r.Ticket, Matter: r.Matter, Area: area, At: r.At, Hushed: r.Secret}
	res, err := database.Run(ctx, tx, "INSERT INTO supervision_seen (ticket_id, matter, area, at, hushed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row.TicketID, row.Matter, row.Area, row.At, row.Hushed)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if r.Secret || s.Clock.Now().Sub(r.At) > quiet { // history that is told late wakes nobody
		return nil
	}
	return s.weigh(ctx, tx, row, areaName)
}

// weigh raises an alarm when too many of the kind came within the hour.
func (s *Service) weigh(ctx context.Context, tx bun.Tx, x seen, areaName string) error {
	r, err := s.rule(ctx, tx)
	if err != nil || !r.On {
		return err
	}
	n, err := count(ctx, tx, x.Matter, x.Area, x.At)
	if err != nil || n < r.Least {
		return err
	}
	then := make([]time.Time, r.Weeks)
	for w := range then {
		then[w] = x.At.AddDate(0, 0, -7*(w+1))
	}
	before, err := count(ctx, tx, x.Matter, x.Area, then...)
	if err != nil {
		return err
	}
	if !r.surges(n, before) {
		return nil
	}
	return s.raise(ctx, tx, x, areaName, n, float64(before)/float64(r.Weeks))
}

// Hush takes a ticket that became confidential out of the alarms it was counted in, or, when it is so no longer, puts it back.
// It may be called again.
func (s *Service) Hush(ctx context.Context, tx bun.Tx, ticket int64, secret bool) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE supervision_seen SET hushed = ? WHERE ticket_id = ? AND hushed <> ?", secret, ticket, secret))
	if errors.Is(err, fault.ErrChanged) {
		return nil // it is not known, or stands as it should
	}
	if err != nil {
		return err
	}
	x, by := new(seen), 1
	if err := database.Found(tx.NewSelect().Model(x).Where("e.ticket_id = ?", ticket).Scan(ctx)); err != nil {
		return err
	}
	if secret {
		by = -1
	}
	_, err = database.Run(ctx, tx, "UPDATE supervision_alarms SET n = n + ? WHERE matter = ? AND area = ? AND first_at < ? AND last_at >= ?", by, x.Matter, x.Area, x.At, x.At)
	return err
}

// count is how many that every supervisor may see were received in the hours that end at these times.
func count(ctx context.Context, db bun.IDB, matter, area string, ends ...time.Time) (int, error) {
	if len(ends) == 0 {
		return 0, nil
	}
	const one = " + (SELECT count(*) FROM supervision_seen AS e WHERE e.matter = ? AND e.area = ? AND e.at > ? AND e.at <= ? AND NOT e.hushed)"
	var args []any
	for _, end := range ends {
		args = append(args, matter, area, end.Add(-hour), end)
	}
	var n int
	err := database.QueryOne(ctx, db, []any{&n}, "SELECT 0"+strings.Repeat(one, len(ends)), args...)
	return n, err
}

// raise makes an alarm, or adds to the one that goes on.
func (s *Service) raise(ctx context.Context, tx bun.Tx, x seen, areaName string, n int, usual float64) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE supervision_alarms SET last_at = ?, n = n + 1 WHERE matter = ? AND area = ? AND last_at > ?", x.At, x.Matter, x.Area, x.At.Add(-quiet)))
	if !errors.Is(err, fault.ErrChanged) {
		return err // it goes on, or failed
	}
	name, err := s.Names.Matter(ctx, x.Matter)
	if err != nil {
		return err
	}
	a := alarm{Matter: x.Matter, MatterName: name, Area: x.Area, AreaName: areaName, FirstAt: x.At.Add(-hour), LastAt: x.At, Count: n, Usual: usual}
	if err := database.Insert(ctx, tx, &a); err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, access.SystemActor("supervision"), s.Clock.Now(), Surged{ID: a.ID, Matter: name, Area: areaName, Count: n}); err != nil {
		return err
	}
	place := areaName
	if place == "" {
		place = "未注明区域"
	}
	return s.Messages.Tell(ctx, tx, fmt.Sprintf("surge:%d", a.ID), "supervision.surge", "/supervision/alarms", map[string]string{
		"name": name, "text": place, "number": strconv.Itoa(n), "reason": strconv.FormatFloat(usual, 'f', 1, 64)})
}

func (s *Service) rule(ctx context.Context, db bun.IDB) (Rule, error) {
	var r Rule
	err := database.QueryOne(ctx, db, []any{&r.Least, &r.Factor, &r.Weeks, &r.On, &r.Version}, "SELECT least, factor, weeks, active, version FROM supervision_rules WHERE id = 1")
	return r, database.Found(err)
}

// Rule returns what a surge is. It takes supervision.view.
func (s *Service) Rule(ctx context.Context, actor access.Actor) (Rule, error) {
	if err := actor.Need(PermView); err != nil {
		return Rule{}, err
	}
	return s.rule(ctx, s.DB.Read())
}

// SetRule says what a surge is from now on; Version is the one the actor saw. It takes supervision.manage.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, r Rule) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE supervision_rules SET least = ?, factor = ?, weeks = ?, active = ?, version = version + 1 WHERE id = 1 AND version = ?",
			r.Least, r.Factor, r.Weeks, r.On, r.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "supervision.rule", Object: Object, Summary: "设置突增预警规则", Detail: r})
	})
}

// AlarmView is an alarm as it is shown.
type AlarmView struct {
	ID      int64        `json:"id"`
	Matter  string       `json:"matter"`
	Area    string       `json:"area" doc:"Empty when the requests name none."`
	FirstAt time.Time    `json:"firstAt"`
	LastAt  time.Time    `json:"lastAt"`
	Count   int          `json:"count"`
	Usual   float64      `json:"usual" doc:"Of the same hour in the weeks before."`
	AckedBy string       `json:"ackedBy"`
	AckedAt *time.Time   `json:"ackedAt,omitempty"`
	Note    string       `json:"note"`
	Tickets []TicketView `json:"tickets,omitempty"`
}

func (s *Service) alarms(ctx context.Context, open bool, before int64, limit int) ([]AlarmView, error) {
	// An alarm all of whose tickets became confidential says nothing to anybody.
	q := s.DB.Read().NewSelect().Where("a.n > 0").OrderExpr("a.id DESC").Limit(int64(limit))
	if open {
		q = q.Where("a.acked_at IS NULL")
	}
	if before > 0 {
		q = q.Where("a.id < ?", before)
	}
	var rows []alarm
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]AlarmView, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view())
	}
	return out, nil
}

func (a *alarm) view() AlarmView {
	v := AlarmView{ID: a.ID, Matter: a.MatterName, Area: a.AreaName, FirstAt: a.FirstAt.UTC(), LastAt: a.LastAt.UTC(), Count: a.Count, Usual: a.Usual, AckedBy: a.AckedBy, Note: a.Note}
	if a.AckedAt != nil {
		at := a.AckedAt.UTC()
		v.AckedAt = &at
	}
	return v
}

// Alarms lists the alarms, newest first. It takes supervision.view.
func (s *Service) Alarms(ctx context.Context, actor access.Actor, cursor string, limit int) ([]AlarmView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, err := text.Cursor(cursor)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	list, err := s.alarms(ctx, false, before, limit+1)
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = strconv.FormatInt(list[limit-1].ID, 10)
	}
	return list, next, err
}

// Alarm returns one with those of its tickets that the actor sees.
func (s *Service) Alarm(ctx context.Context, actor access.Actor, id int64) (AlarmView, error) {
	if err := actor.Need(PermView); err != nil {
		return AlarmView{}, err
	}
	a := new(alarm)
	db := s.DB.Read()
	if err := database.Found(db.NewSelect().Model(a).Where("a.id = ? AND a.n > 0", id).Scan(ctx)); err != nil {
		return AlarmView{}, err
	}
	var ids []int64
	err := db.NewSelect().Model((*seen)(nil)).Column("ticket_id").Where("e.matter = ? AND e.area = ? AND e.at > ? AND e.at <= ? AND NOT e.hushed", a.Matter, a.Area, a.FirstAt, a.LastAt).
		OrderExpr("e.at DESC").Limit(200).Scan(ctx, &ids)
	if err != nil {
		return AlarmView{}, err
	}
	v := a.view()
	v.Tickets, err = s.Tickets.List(ctx, actor, ids)
	return v, err
}

// Ack takes an alarm on, with what is done about it. It takes supervision.manage; ErrStale when somebody was faster.
func (s *Service) Ack(ctx context.Context, actor access.Actor, id int64, note string) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	note, err := text.Line("note", note, 2, 200)
	if err != nil {
		return text.Named(err, "处置说明")
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE supervision_alarms SET acked_by = ?, acked_at = ?, note = ? WHERE id = ? AND acked_at IS NULL", actor.Name, now, note, id))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale.With("该预警不存在，或已由他人确认，请刷新查看")
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "supervision.ack", Object: Object, ObjectID: id, Summary: "确认突增预警", Detail: map[string]any{"note": note, "at": clock.Show(now)}})
	})
}
