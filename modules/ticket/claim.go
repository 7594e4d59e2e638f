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
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// The rights of working together on tickets.
const (
	PermClaim     access.Permission = "ticket.claim"
	PermAssign    access.Permission = "ticket.assign"
	PermNote      access.Permission = "ticket.note"
	PermShareView access.Permission = "ticket.share_view"
)

// The faults of claiming.
var (
	// ErrHeld: a colleague has the ticket already; the message names them.
	ErrHeld = fault.New(fault.Conflict, "TICKET_HELD", "工单已由他人领取，请刷新后查看")
	// ErrNotHeld: nobody, or somebody else, has the ticket.
	ErrNotHeld = fault.New(fault.Conflict, "TICKET_NOT_HELD", "工单不在您手中，请刷新后查看")
	// ErrNoPlace: the actor's desk or unit has nothing to do with the ticket now.
	ErrNoPlace = fault.New(fault.Conflict, "TICKET_NO_PLACE", "工单当前不由您所在的受理席或单位办理，不能领取或指派")
)

// Person is a member of staff.
type Person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// People tells who works at the desk and in the units.
type People interface {
	// Handlers lists who handles the tickets of a unit, of the desk for 0, in a fixed order.
	Handlers(ctx context.Context, db bun.IDB, unit int64) ([]Person, error)
	// Now returns the person with the rights of this moment, fault.ErrNotFound when they may not sign in any more.
	Now(ctx context.Context, userID int64) (access.Actor, error)
}

// DeskPlace is where tickets lie that the desk works on. Every other place is the id of a unit.
const DeskPlace int64 = 0

// holderRow is who has a ticket at one place: of 50 who claim it the primary key lets one in.
type holderRow struct {
	bun.BaseModel `bun:"table:ticket_holders,alias:k"`

	TicketID int64     `bun:"ticket_id,pk"`
	Place    int64     `bun:"place,pk"`
	UserID   int64     `bun:"user_id,notnull"`
	UserName string    `bun:"user_name,notnull"`
	ByID     int64     `bun:"by_id,nullzero"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// Held is announced when somebody gets a ticket to work on, or lets it go.
type Held struct {
	Head
	Place      int64  `json:"place"` // 0 for the desk, otherwise the unit
	HolderID   int64  `json:"holderId"`
	HolderName string `json:"holderName"`
	How        string `json:"how"` // claimed, handed, released
	Auto       bool   `json:"auto,omitempty"`
	Note       string `json:"note,omitempty"`
}

// Event names the fact.
func (f Held) Event() (string, string, int64) { return "ticket." + f.How, Object, f.ID }

// placeOf is the place at which the actor works on the ticket now: the desk, the lead unit, or a unit that has a part.
func placeOf(a access.Actor, t *Ticket, all tree) (int64, error) {
	if isDesk(a) {
		if t.ClosedAt != nil || t.Status == Merged {
			return 0, ErrNoPlace.With("工单当前为“%s”，不再领取或指派", t.Status.Label())
		}
		return DeskPlace, nil
	}
	if isLead(a, t) && (t.Status == Sent || t.Status == Handling || t.Status == OnHold) {
		return t.UnitID, nil
	}
	for i := range all {
		if h := &all[i]; !h.Lead && h.Open() && h.handles(a) {
			return h.UnitID, nil
		}
	}
	return 0, ErrNoPlace
}

// HoldTicket asks to take a ticket, to let it go, or to give it to a colleague.
type HoldTicket struct {
	ID   int64  `json:"id"`
	Key  string `json:"-"`
	Note string `json:"note,omitempty"`
	// UserID is the colleague of an assignment, Seen who had the ticket when the actor looked; 0 for nobody.
	UserID int64 `json:"userId,omitempty"`
	Seen   int64 `json:"seen,omitempty"`
}

// Claim makes the actor the one who works on the ticket at the desk or in their unit. Of several who claim at once one gets
// it, the others ErrHeld with the name. The version of the ticket stays, so that nobody who works on it is held up. It returns
// ErrNotFound when the actor cannot see the ticket, ErrForbidden without ticket.claim, ErrNoPlace when it lies elsewhere.
func (s *Service) Claim(ctx context.Context, actor access.Actor, cmd HoldTicket) (View, error) {
	return s.hold(ctx, actor, "claim", cmd, func(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket, place int64) (*Held, error) {
		if !actor.Can(PermClaim) || actor.UserID == 0 {
			return nil, ErrForbidden
		}
		to := Person{actor.UserID, actor.Name}
		got, err := take(ctx, tx, actor, now, t, place, to)
		if err != nil || got {
			return &Held{Head: t.head(), Place: place, HolderID: to.ID, HolderName: to.Name, How: "claimed"}, err
		}
		has, err := holderAt(ctx, tx, t.ID, place)
		if err != nil {
			return nil, err
		}
		if has != nil && has.UserID == actor.UserID {
			return nil, nil // it is theirs already
		}
		return nil, heldBy(has)
	})
}

// Release lets a ticket go: it waits to be claimed again. Whoever has it may, and who assigns. Errors as Claim; ErrNotHeld when
// somebody else has it.
func (s *Service) Release(ctx context.Context, actor access.Actor, cmd HoldTicket) (View, error) {
	return s.hold(ctx, actor, "release", cmd, func(ctx context.Context, tx bun.Tx, _ time.Time, t *Ticket, place int64) (*Held, error) {
		if !actor.Can(PermClaim) && !actor.Can(PermAssign) {
			return nil, ErrForbidden
		}
		has, err := holderAt(ctx, tx, t.ID, place)
		if err != nil {
			return nil, err
		}
		if has == nil {
			return nil, ErrNotHeld.With("工单没有人领取，无需退回")
		}
		if has.UserID != actor.UserID && !actor.Can(PermAssign) {
			return nil, ErrNotHeld.With("工单由%s办理，只有本人或可以指派的人员能退回待领取", has.UserName)
		}
		gone, err := tx.NewDelete().Model((*holderRow)(nil)).Where("ticket_id = ? AND place = ? AND user_id = ?", t.ID, place, has.UserID).Exec(ctx)
		if err := database.Changed(gone, err); errors.Is(err, fault.ErrChanged) {
			return nil, ErrNotHeld
		} else if err != nil {
			return nil, err
		}
		return &Held{Head: t.head(), Place: place, HolderID: has.UserID, HolderName: has.UserName, How: "released", Note: cmd.Note}, nil
	})
}

// Assign gives a ticket to a colleague of the same desk or unit. Who has it may pass it on; anybody's ticket, or one that
// waits, takes ticket.assign. Errors as Claim; ErrHeld when it changed hands since the actor looked.
func (s *Service) Assign(ctx context.Context, actor access.Actor, cmd HoldTicket) (View, error) {
	return s.hold(ctx, actor, "assign", cmd, func(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket, place int64) (*Held, error) {
		has, err := holderAt(ctx, tx, t.ID, place)
		if err != nil {
			return nil, err
		}
		own := has != nil && has.UserID == actor.UserID && actor.Can(PermClaim)
		if !own && !actor.Can(PermAssign) {
			return nil, ErrForbidden
		}
		if has == nil && cmd.Seen != 0 || has != nil && has.UserID != cmd.Seen {
			return nil, heldBy(has)
		}
		to, err := s.colleague(ctx, tx, place, cmd.UserID)
		if err != nil {
			return nil, err
		}
		switch {
		case has != nil && has.UserID == to.ID:
			return nil, nil
		case has == nil:
			var got bool
			if got, err = take(ctx, tx, actor, now, t, place, to); err == nil && !got {
				err = ErrHeld
			}
		default:
			err = database.Changed(tx.NewUpdate().Model((*holderRow)(nil)).
				Set("user_id = ?, user_name = ?, by_id = ?, by_name = ?, at = ?", to.ID, to.Name, actor.UserID, actor.Name, now).
				Where("ticket_id = ? AND place = ? AND user_id = ?", t.ID, place, has.UserID).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				err = ErrHeld
			}
		}
		return &Held{Head: t.head(), Place: place, HolderID: to.ID, HolderName: to.Name, How: "handed", Note: cmd.Note}, err
	})
}

// take writes who has the ticket, false when somebody has it already.
func take(ctx context.Context, tx bun.Tx, by access.Actor, now time.Time, t *Ticket, place int64, to Person) (bool, error) {
	row := holderRow{TicketID: t.ID, Place: place, UserID: to.ID, UserName: to.Name, ByID: by.UserID, ByName: by.Name, At: now}
	res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("take ticket %d: %w", t.ID, err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// holderAt reads who has the ticket at a place, nil when nobody.
func holderAt(ctx context.Context, db bun.IDB, id, place int64) (*holderRow, error) {
	rows, err := holdersOf(ctx, db, id)
	for i := range rows {
		if rows[i].Place == place {
			return &rows[i], nil
		}
	}
	return nil, err
}

func holdersOf(ctx context.Context, db bun.IDB, id int64) ([]holderRow, error) {
	var rows []holderRow
	err := database.QueryAll(ctx, db, &rows, "SELECT ticket_id, place, user_id, user_name, by_id, by_name, at FROM ticket_holders WHERE ticket_id = ? ORDER BY place", id)
	return rows, err
}

// heldBy names who has the ticket.
func heldBy(h *holderRow) error {
	if h == nil {
		return ErrHeld.With("工单已被退回待领取，请刷新后查看")
	}
	return ErrHeld.With("工单已由%s于%s领取，请刷新后查看", h.UserName, clock.Show(h.At))
}

// colleague returns the person if they work at the place.
func (s *Service) colleague(ctx context.Context, db bun.IDB, place, userID int64) (Person, error) {
	if s.people == nil {
		return Person{}, fault.InvalidField("userId", "TICKET_COLLEAGUE", "尚未配置人员，不能指派")
	}
	list, err := s.people.Handlers(ctx, db, place)
	if err != nil {
		return Person{}, err
	}
	i := slices.IndexFunc(list, func(p Person) bool { return p.ID == userID })
	if i < 0 {
		return Person{}, fault.InvalidField("userId", "TICKET_COLLEAGUE", "请选择本席或本单位可以办理工单的人员")
	}
	return list[i], nil
}

// Colleagues lists whom the actor may give the ticket to.
func (s *Service) Colleagues(ctx context.Context, actor access.Actor, id int64) ([]Person, error) {
	if !actor.Party.Staff() || s.people == nil {
		return nil, ErrForbidden
	}
	db := s.db.Read()
	t, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return nil, err
	}
	rows, err := hops(ctx, db, t.ID)
	if err != nil {
		return nil, err
	}
	place, elsewhere := placeOf(actor, t, rows)
	if elsewhere != nil {
		return []Person{}, nil // nothing is left to do at this place: nobody is chosen
	}
	list, err := s.people.Handlers(ctx, db, place)
	if list == nil {
		list = []Person{}
	}
	return list, err
}

// hold is the frame of the three: right, key, ticket, place, event, audit, in one transaction. A step that changes nothing
// returns no fact.
func (s *Service) hold(ctx context.Context, actor access.Actor, action string, cmd HoldTicket,
	step func(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket, place int64) (*Held, error),
) (View, error) {
	note, err := clean("note", "说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	if !actor.Party.Staff() {
		return View{}, ErrForbidden
	}
	cmd.Note = note
	now := s.clock.Now()
	err = s.besideWork(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket." + action, Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			rows, err := hops(ctx, tx, t.ID)
			if err != nil {
				return outcome{}, err
			}
			place, err := placeOf(actor, t, rows)
			if err != nil {
				return outcome{}, err
			}
			fact, err := step(ctx, tx, now, t, place)
			if err != nil || fact == nil {
				return outcome{ID: t.ID}, err
			}
			return outcome{ID: t.ID}, s.tellHeld(ctx, tx, actor, now, t, *fact)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s ticket %d: %w", action, cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// besideWork runs a transaction that stands beside the work on a ticket and does not touch its version: when somebody else
// announced about the ticket in the same moment it is simply run again.
func (s *Service) besideWork(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	var err error
	for range 5 {
		if err = s.db.RunInTx(ctx, fn); !errors.Is(err, fault.ErrChanged) {
			return err
		}
	}
	return err
}

// tellHeld announces and books that a ticket changed hands.
func (s *Service) tellHeld(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, f Held) error {
	if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
		return err
	}
	words := map[string]string{"claimed": "领取", "handed": "指派给" + f.HolderName + "：", "released": "退回待领取"}
	return audit.Write(ctx, tx, actor, now, audit.Record{
		Action: "ticket." + f.How, Object: Object, ObjectID: t.ID, Summary: words[f.How] + " " + t.Number,
		Detail: map[string]any{"place": f.Place, "holder": f.HolderID, "auto": f.Auto},
	})
}

// letGo forgets who had a ticket at the unit it left.
func letGo(ctx context.Context, tx bun.Tx, id, place int64) error {
	if place == DeskPlace {
		return nil
	}
	_, err := database.Run(ctx, tx, "DELETE FROM ticket_holders WHERE ticket_id = ? AND place = ?", id, place)
	return err
}

// ownPlaces is the condition of the rows of ticket_holders, as k, that are of the actor's own desk or unit.
func ownPlaces(a access.Actor) (where string, args []any) {
	switch {
	case isDesk(a):
		return "k.place = 0", nil
	case a.Scope == access.ScopeSubtree:
		return "(k.place = t.unit_id OR k.place = ?)", []any{a.DepartmentID}
	}
	return "k.place = ?", []any{a.DepartmentID}
}
