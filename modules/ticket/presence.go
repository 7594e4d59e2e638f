package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// PresenceTerm is how long somebody counts as being at a ticket after their page last said so; the page says it three times
// in that time.
const PresenceTerm = 45 * time.Second

// Doing is what somebody does at a ticket.
type Doing string

// What somebody does.
const (
	Viewing   Doing = "viewing"
	Answering Doing = "answering" // writes an answer that goes out
	Gone      Doing = "gone"
)

type presenceRow struct {
	bun.BaseModel `bun:"table:ticket_presence,alias:p"`

	TicketID int64     `bun:"ticket_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	UserName string    `bun:"user_name,notnull"`
	Place    string    `bun:"place_name,notnull"`
	Doing    Doing     `bun:"doing,notnull"`
	Until    time.Time `bun:"until,notnull"`
}

// Present is a colleague who has the ticket open.
type Present struct {
	UserID int64  `json:"userId"`
	Name   string `json:"name"`
	Place  string `json:"place"`
	Doing  Doing  `json:"doing" enum:"viewing,answering"`
}

// Attend says what the actor does at a ticket and returns who else of the staff is at it, whichever process they are served
// by. It returns ErrNotFound when the actor cannot see the ticket, ErrForbidden to everybody but staff.
func (s *Service) Attend(ctx context.Context, actor access.Actor, id int64, doing Doing) ([]Present, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return nil, err
	}
	if doing != Viewing && doing != Answering && doing != Gone {
		return nil, fault.InvalidField("doing", "TICKET_DOING", "状态应为查看、正在答复或离开")
	}
	if err := s.Sees(ctx, actor, id); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if doing == Gone {
			_, err := database.Run(ctx, tx, "DELETE FROM ticket_presence WHERE ticket_id = ? AND user_id = ?", id, actor.UserID)
			return err
		}
		place := actor.DepartmentName
		if isDesk(actor) {
			place = "受理席"
		}
		_, err := database.Run(ctx, tx, `INSERT INTO ticket_presence (ticket_id, user_id, user_name, place_name, doing, until) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (ticket_id, user_id) DO UPDATE SET user_name = EXCLUDED.user_name, place_name = EXCLUDED.place_name, doing = EXCLUDED.doing, until = EXCLUDED.until`,
			id, actor.UserID, actor.Name, place, string(doing), now.Add(PresenceTerm))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("attend ticket %d: %w", id, err)
	}
	var rows []presenceRow
	err = database.QueryAll(ctx, s.db.Read(), &rows, "SELECT ticket_id, user_id, user_name, place_name, doing, until FROM ticket_presence WHERE ticket_id = ? AND user_id <> ? AND until > ? ORDER BY user_name, user_id LIMIT 50",
		id, actor.UserID, now)
	out := make([]Present, 0, len(rows))
	for _, r := range rows {
		out = append(out, Present{r.UserID, r.UserName, r.Place, r.Doing})
	}
	return out, err
}

// sweepPresence forgets who has left long ago.
func (s *Service) sweepPresence(ctx context.Context) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "DELETE FROM ticket_presence WHERE until < ?", s.clock.Now().Add(-10*PresenceTerm))
		return err
	})
}
