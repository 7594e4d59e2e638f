package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// PermConfidential is the right to make tickets confidential, and to see those that are.
const PermConfidential access.Permission = "ticket.confidential"

// Colleague is somebody who may be named to handle a confidential ticket.
type Colleague struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Unit string `json:"unit" doc:"Empty for staff of the desk."`
}

// Colleagues tells who works where.
type Colleagues interface {
	// Handlers lists those of a unit, or of the units below it, who may read tickets; of unit 0 those of the desk.
	Handlers(ctx context.Context, db bun.IDB, unit int64) ([]Colleague, error)
}

// Secrecy is a degree of confidentiality; they are data of the installation.
type Secrecy struct {
	Level int    `bun:"level,pk" json:"level"`
	Name  string `bun:"name" json:"name"`
	Note  string `bun:"note" json:"note" doc:"What it is for."`
}

type levelRow struct {
	bun.BaseModel `bun:"table:ticket_secrecy_levels,alias:v"`
	Secrecy
}

// secretRow says why a ticket is confidential.
type secretRow struct {
	bun.BaseModel `bun:"table:ticket_secrets,alias:x"`

	TicketID int64     `bun:"ticket_id,pk"`
	AskedBy  string    `bun:"asked_by,notnull"`
	Reason   string    `bun:"reason,notnull"`
	SetBy    int64     `bun:"set_by,notnull"`
	SetName  string    `bun:"set_name,notnull"`
	SetAt    time.Time `bun:"set_at,notnull"`
}

// confidant is a person who sees a confidential ticket, if they would see it were it not one.
type confidant struct {
	bun.BaseModel `bun:"table:ticket_confidants,alias:q"`

	TicketID int64  `bun:"ticket_id,pk"`
	UserID   int64  `bun:"user_id,pk"`
	Name     string `bun:"name,notnull"`
}

// Confided is announced when a ticket becomes confidential, is so no longer, or other people are named.
type Confided struct {
	Head
	Level  int    `json:"level"`
	Reason string `json:"reason"`
}

// Event names the fact.
func (f Confided) Event() (string, string, int64) { return "ticket.confided", Object, f.ID }

// confided is the condition under which the actor sees a confidential ticket that they would see anyway.
func confided(a access.Actor) (where string, args []any) {
	switch {
	case a.Party == access.System, isDesk(a) && a.Can(PermConfidential):
		return "", nil
	case a.Party == access.Enterprise: // the person who asked, and not their company
		return " AND (t.secrecy = 0 OR t.user_id IS NULL OR t.user_id = ?)", []any{a.UserID}
	}
	return " AND (t.secrecy = 0 OR EXISTS (SELECT 1 FROM ticket_confidants AS q WHERE q.ticket_id = t.id AND q.user_id = ?))", []any{a.UserID}
}

// trusted is confided for a ticket in hand.
func trusted(a access.Actor, secrecy int, user int64, people []int64) bool {
	switch {
	case secrecy == 0, a.Party == access.System, isDesk(a) && a.Can(PermConfidential):
		return true
	case a.Party == access.Enterprise:
		return user == 0 || user == a.UserID
	}
	return slices.Contains(people, a.UserID)
}

// confidantsOf reads who was named for the tickets.
func confidantsOf(ctx context.Context, db bun.IDB, ids []int64) (map[int64][]int64, error) {
	var rows []confidant
	if err := db.NewSelect().Model(&rows).Where("q.ticket_id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	out := map[int64][]int64{}
	for _, r := range rows {
		out[r.TicketID] = append(out[r.TicketID], r.UserID)
	}
	return out, nil
}

// Secret reports which of the tickets are confidential: for those who carry facts about tickets out of the house.
func (s *Service) Secret(ctx context.Context, db bun.IDB, ids []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	these := among(db, "t.id", ids)
	var secret []Ticket
	err := database.QueryAll(ctx, db, &secret, "SELECT t.id FROM tickets AS t WHERE "+these.where+" AND t.secrecy > 0", these.args...)
	for i := range secret {
		out[secret[i].ID] = true
	}
	return out, err
}

// Cleared says who besides the holders of ticket.confidential may hear of a ticket: nil and false for one that everybody
// concerned may. The requester is among the people.
func (s *Service) Cleared(ctx context.Context, db bun.IDB, id int64) (people []int64, confidential bool, err error) {
	var t Ticket
	err = database.Found(database.QueryOne(ctx, db, []any{&t.Secrecy, &t.UserID}, "SELECT secrecy, coalesce(user_id, 0) FROM tickets WHERE id = ?", id))
	if err != nil || t.Secrecy == 0 {
		return nil, false, err
	}
	all, err := confidantsOf(ctx, db, []int64{id})
	return append(all[id], t.UserID), true, err
}

// Confidence is what stands behind a confidential ticket, for whoever may change it.
type Confidence struct {
	Level      int         `json:"level" doc:"0 when it is not confidential."`
	AskedBy    string      `json:"askedBy"`
	Reason     string      `json:"reason"`
	SetName    string      `json:"setName"`
	SetAt      *time.Time  `json:"setAt,omitempty"`
	People     []int64     `json:"people" doc:"Who was named."`
	Levels     []Secrecy   `json:"levels"`
	Candidates []Colleague `json:"eligible" doc:"Who may be named: of the handling unit and of the desk."`
}

// Confidence returns it. It returns ErrNotFound for a ticket the actor does not see, ErrForbidden without ticket.confidential.
func (s *Service) Confidence(ctx context.Context, actor access.Actor, id int64) (Confidence, error) {
	if !actor.SignedIn() {
		return Confidence{}, fault.ErrUnauthorized
	}
	db := s.db.Read()
	t, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return Confidence{}, err
	}
	if !isDesk(actor) || !actor.Can(PermConfidential) {
		return Confidence{}, ErrForbidden
	}
	out := Confidence{Level: t.Secrecy, People: []int64{}, Levels: []Secrecy{}}
	if out.Levels, err = secrecies(ctx, db); err != nil {
		return Confidence{}, err
	}
	row := new(secretRow)
	err = database.Found(db.NewSelect().Model(row).Where("x.ticket_id = ?", id).Scan(ctx))
	switch {
	case err == nil:
		at := row.SetAt.UTC()
		out.AskedBy, out.Reason, out.SetName, out.SetAt = row.AskedBy, row.Reason, row.SetName, &at
	case !errors.Is(err, fault.ErrNotFound):
		return Confidence{}, err
	}
	named, err := confidantsOf(ctx, db, []int64{id})
	if err != nil {
		return Confidence{}, err
	}
	out.People = append(out.People, named[id]...)
	out.Candidates, err = s.eligible(ctx, db, t)
	return out, err
}

func secrecies(ctx context.Context, db bun.IDB) ([]Secrecy, error) {
	var rows []levelRow
	err := db.NewSelect().Model(&rows).OrderExpr("v.level").Scan(ctx)
	out := make([]Secrecy, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.Secrecy)
	}
	return out, err
}

// eligible are the people of the handling unit and of the desk.
func (s *Service) eligible(ctx context.Context, db bun.IDB, t *Ticket) ([]Colleague, error) {
	if s.colleagues == nil {
		return []Colleague{}, nil
	}
	out := []Colleague{}
	for _, unit := range []int64{t.UnitID, 0} {
		if unit == 0 && len(out) > 0 && t.UnitID == 0 {
			break
		}
		list, err := s.colleagues.Handlers(ctx, db, unit)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Confide asks to make a ticket confidential at a level, or, with level 0, not confidential any more.
type Confide struct {
	Ref
	Level   int     `json:"level"`
	AskedBy string  `json:"askedBy"`
	Reason  string  `json:"reason"`
	People  []int64 `json:"people"`
}

// Confide sets who besides the holders of ticket.confidential and the requester sees the ticket. A ticket that is merged, or
// that others are merged into, cannot be confidential: its answer goes to several requesters. Errors as Answer, with
// ticket.confidential.
func (s *Service) Confide(ctx context.Context, actor access.Actor, cmd Confide) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	reason, err1 := clean("reason", "原因", cmd.Reason, maxNote, true)
	asked, err2 := clean("askedBy", "提出人", cmd.AskedBy, 50, cmd.Level > 0)
	if err := fault.Merge(err1, err2); err != nil {
		return View{}, err
	}
	cmd.People = slices.Compact(slices.Sorted(slices.Values(cmd.People)))
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.confide", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if !isDesk(actor) || !actor.Can(PermConfidential) {
				return outcome{}, ErrForbidden
			}
			if t.Version != cmd.Version {
				return outcome{}, stale(ctx, tx, actor, t.ID)
			}
			names, err := s.mayConfide(ctx, tx, t, cmd)
			if err != nil {
				return outcome{}, err
			}
			row := secretRow{TicketID: t.ID, AskedBy: asked, Reason: reason, SetBy: actor.UserID, SetName: actor.Name, SetAt: now}
			err = s.confide(ctx, tx, actor, t, cmd, row, names)
			if errors.Is(err, fault.ErrChanged) {
				return outcome{}, stale(ctx, tx, actor, t.ID)
			}
			return outcome{ID: t.ID}, err
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("confide ticket %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// mayConfide returns the names of the people, or what stands against the command.
func (s *Service) mayConfide(ctx context.Context, tx bun.Tx, t *Ticket, cmd Confide) (map[int64]string, error) {
	known, err := secrecies(ctx, tx)
	if err != nil {
		return nil, err
	}
	if cmd.Level != 0 && !slices.ContainsFunc(known, func(l Secrecy) bool { return l.Level == cmd.Level }) {
		return nil, fault.InvalidField("level", "TICKET_LEVEL", "没有这个保密级别，请重新选择")
	}
	names := map[int64]string{}
	if cmd.Level == 0 {
		return names, nil
	}
	if others, err := merged(ctx, tx, t.ID); err != nil {
		return nil, err
	} else if len(others) > 0 || t.MergedInto != 0 {
		return nil, ErrMerge.With("该工单与其他工单并办，请先撤销并单再设为保密")
	}
	list, err := s.eligible(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		names[c.ID] = c.Name
	}
	for _, id := range cmd.People {
		if names[id] == "" {
			return nil, fault.InvalidField("people", "TICKET_PEOPLE", "指定的人员不属于承办单位或受理席，请重新选择")
		}
	}
	if t.UnitID != 0 && len(cmd.People) == 0 {
		return nil, fault.InvalidField("people", "TICKET_PEOPLE", "工单已派至"+t.UnitName+"，请指定至少一名可以办理的人员")
	}
	return names, nil
}

func (s *Service) confide(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, cmd Confide, row secretRow, names map[int64]string) error {
	t.Secrecy = cmd.Level
	err := database.Changed(database.Run(ctx, tx, "UPDATE tickets SET secrecy = ?, version = version + 1 WHERE id = ? AND version = ?", cmd.Level, t.ID, cmd.Version))
	if err != nil {
		return err
	}
	t.Version = cmd.Version + 1
	if _, err := database.Run(ctx, tx, "DELETE FROM ticket_confidants WHERE ticket_id = ?", t.ID); err != nil {
		return err
	}
	told := []string{}
	if cmd.Level > 0 {
		for _, id := range cmd.People {
			c := confidant{TicketID: t.ID, UserID: id, Name: names[id]}
			if _, err := tx.NewInsert().Model(&c).Exec(ctx); err != nil {
				return err
			}
			told = append(told, names[id])
		}
	}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (ticket_id) DO UPDATE").
		Set("asked_by = EXCLUDED.asked_by, reason = EXCLUDED.reason, set_by = EXCLUDED.set_by, set_name = EXCLUDED.set_name, set_at = EXCLUDED.set_at").Exec(ctx)
	if err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, row.SetAt, Confided{Head: t.head(), Level: cmd.Level, Reason: row.Reason}); err != nil {
		return err
	}
	summary := "设为保密工单 "
	if cmd.Level == 0 {
		summary = "解除保密 "
	}
	return audit.Write(ctx, tx, actor, row.SetAt, audit.Record{Action: "ticket.confide", Object: Object, ObjectID: t.ID, Summary: summary + t.Number,
		Detail: map[string]any{"level": cmd.Level, "askedBy": row.AskedBy, "reason": row.Reason, "people": told}})
}
