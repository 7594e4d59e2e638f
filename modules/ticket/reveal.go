package ticket

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights to read a phone in clear, and to read who did.
const (
	PermReveal  access.Permission = "ticket.reveal"
	PermReveals access.Permission = "ticket.reveals"
)

// Numbers are revealed at most so many times an hour by one person: a desk that calls back needs one every two minutes; who
// copies the list needs more.
const revealsPerHour = 40

// ErrReveals: the person has read too many numbers within an hour.
var ErrReveals = fault.New(fault.TooMany, "TICKET_REVEALS", "一小时内查看的完整号码已达上限，请稍后再试；确有需要请联系班长").After(600)

// revealRow is one reading of a number.
type revealRow struct {
	bun.BaseModel `bun:"table:ticket_reveals,alias:w"`

	ID       int64     `bun:"id,pk,autoincrement"`
	TicketID int64     `bun:"ticket_id,notnull"`
	Number   string    `bun:"number,notnull"`
	UserID   int64     `bun:"user_id,notnull"`
	Name     string    `bun:"name,notnull"`
	Unit     string    `bun:"unit,notnull"`
	Reason   string    `bun:"reason,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// Reveal returns the phone of a ticket in clear and writes down who asked and why. The desk and the unit that has the ticket may,
// with ticket.reveal. It returns ErrNotFound for a ticket the actor does not see and ErrReveals after too many.
func (s *Service) Reveal(ctx context.Context, actor access.Actor, id int64, reason string) (string, error) {
	return s.RevealField(ctx, actor, id, "", reason)
}

// RevealField is Reveal for the number in an own field of the ticket's form, by its key; "" is the phone of the requester. A
// field that is no number, or was not filled in, is ErrNotFound.
func (s *Service) RevealField(ctx context.Context, actor access.Actor, id int64, key, reason string) (string, error) {
	if !actor.SignedIn() {
		return "", fault.ErrUnauthorized
	}
	reason, err := clean("reason", "查看原因", reason, 200, true)
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	var phone string
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		t, err := find(ctx, tx, visible(actor), id)
		if err != nil {
			return err
		}
		if !actor.Can(PermReveal) || !isDesk(actor) && !isLead(actor, t) {
			return ErrForbidden
		}
		recent, err := tx.NewSelect().Model((*revealRow)(nil)).Where("w.user_id = ? AND w.at > ?", actor.UserID, now.Add(-time.Hour)).Count(ctx)
		if err != nil {
			return err
		}
		if recent >= revealsPerHour {
			return ErrReveals
		}
		what := "联系电话"
		if key == "" {
			plain, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
			if err != nil {
				return err
			}
			phone = string(plain)
		} else if what, phone, err = s.fieldPhone(ctx, tx, t.ID, key); err != nil {
			return err
		}
		row := revealRow{TicketID: t.ID, Number: t.Number, UserID: actor.UserID, Name: actor.Name, Unit: actor.DepartmentName, Reason: reason, At: now}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.reveal", Object: Object, ObjectID: t.ID, Summary: "查看完整" + what + " " + t.Number, Detail: map[string]any{"reason": reason}})
	})
	if err != nil {
		return "", fmt.Errorf("reveal phone of ticket %d: %w", id, err)
	}
	return phone, nil
}

// fieldPhone is the number in an own field of a ticket, with what the form calls it.
func (s *Service) fieldPhone(ctx context.Context, db bun.IDB, id int64, key string) (label, phone string, err error) {
	filled, err := filledOf(ctx, db, []int64{id})
	if err != nil {
		return "", "", err
	}
	for _, f := range filled[id] {
		if f.Key != key || f.Kind != PhoneField || f.row.Sealed == "" {
			continue
		}
		plain, err := s.box.Open(f.row.Sealed, fieldPlace(id, f.Key))
		return f.Label, string(plain), err
	}
	return "", "", ErrNotFound
}

// RevealView is one reading of a number, for the security administrator, who learns nothing else of the ticket.
type RevealView struct {
	ID     int64     `json:"id"`
	Number string    `json:"number" doc:"Of the ticket."`
	Name   string    `json:"name"`
	Unit   string    `json:"unit" doc:"Empty for staff of the desk."`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Reveals lists who read which number why, newest first, and the cursor of the next page. It takes ticket.reveals.
func (s *Service) Reveals(ctx context.Context, actor access.Actor, cursor string, limit int) ([]RevealView, string, error) {
	if err := actor.Need(PermReveals); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	q := s.db.Read().NewSelect().Model((*revealRow)(nil)).OrderExpr("w.id DESC").Limit(int64(limit) + 1)
	if cursor != "" {
		before, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("w.id < ?", before)
	}
	var rows []revealRow
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]RevealView, 0, len(rows))
	for _, r := range rows {
		out = append(out, RevealView{r.ID, r.Number, r.Name, r.Unit, r.Reason, r.At.UTC()})
	}
	return out, next, nil
}
