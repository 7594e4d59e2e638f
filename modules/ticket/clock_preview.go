package ticket

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Moved is a deadline that another calendar would move.
type Moved struct {
	TicketID int64
	Number   string
	Title    string
	UnitName string
	Label    string
	OldDueAt time.Time
	NewDueAt time.Time
}

// previewPage is how many running clocks one page of a preview reckons.
const previewPage = 500

const runningFrom = "SELECT " + clockColumns + " FROM ticket_clocks AS c WHERE c.stopped_at IS NULL AND (c.calendar, c.id) > (?, ?) ORDER BY c.calendar, c.id LIMIT ?"

// MovedBy reckons a page of the running clocks with a calendar and returns those whose deadline would move, how many it
// reckoned, and the cursor of the next page. Nothing is written. Who may see it is the caller's to check: it names tickets of the
// whole district, confidential ones excepted.
func (s *Service) MovedBy(ctx context.Context, cal *worktime.Calendar, cursor string) (moved []Moved, looked int, next string, err error) {
	var number, id int64 = -1, 0
	if cursor != "" {
		a, b, ok := strings.Cut(cursor, ".")
		var wrong error
		if number, err = strconv.ParseInt(a, 10, 64); err == nil {
			id, wrong = strconv.ParseInt(b, 10, 64)
		}
		if err != nil || wrong != nil || !ok {
			return nil, 0, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	db := s.db.Read()
	r, err := s.clockRules(ctx, db)
	if err != nil {
		return nil, 0, "", err
	}
	var page []Clock
	if err := database.QueryAll(ctx, db, &page, runningFrom, number, id, previewPage); err != nil || len(page) == 0 {
		return nil, 0, "", err
	}
	if last := page[len(page)-1]; len(page) == previewPage {
		next = fmt.Sprintf("%d.%d", last.Calendar, last.ID)
	}
	with := *r
	with.calendar = cal
	now := s.clock.Now()
	asked := map[int64]bool{}
	var ids []int64
	for _, c := range page {
		if !asked[c.TicketID] {
			ids = append(ids, c.TicketID)
		}
		asked[c.TicketID] = true
	}
	// The clocks of a ticket hang together, so each is reckoned with all of its ticket's.
	var all []Clock
	if err := db.NewSelect().Model(&all).Where("c.ticket_id IN (?) AND c.stopped_at IS NULL", bun.List(ids)).OrderExpr("c.id").Scan(ctx); err != nil {
		return nil, 0, "", err
	}
	var rows []Ticket
	if err := db.NewSelect().Model(&rows).Column("id", "number", "title", "unit_name", "due_at").Where("t.id IN (?) AND t.secrecy = 0", bun.List(ids)).OrderExpr("t.id").Scan(ctx); err != nil {
		return nil, 0, "", err
	}
	books := map[int64]*book{}
	for i := range all {
		c := &all[i]
		if books[c.TicketID] == nil {
			books[c.TicketID] = &book{rules: &with}
		}
		books[c.TicketID].clocks = append(books[c.TicketID].clocks, c)
	}
	here := map[int64]bool{}
	for _, c := range page {
		here[c.ID] = true
	}
	for i := range rows {
		t := &rows[i]
		b := books[t.ID]
		if b == nil { // stopped meanwhile
			continue
		}
		moves, _, err := b.move(t, now)
		if err != nil {
			return nil, 0, "", err
		}
		for _, m := range moves {
			if here[m.ClockID] {
				moved = append(moved, Moved{TicketID: t.ID, Number: t.Number, Title: t.Title, UnitName: t.UnitName, Label: m.Kind.Label(), OldDueAt: m.OldDueAt, NewDueAt: m.NewDueAt})
			}
		}
	}
	return moved, len(page), next, nil
}
