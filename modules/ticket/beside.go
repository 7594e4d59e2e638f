package ticket

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// beside tells which kinds of rows hang on a ticket. Most tickets have few of them, so asking for all kinds when the ticket
// is read saves the many questions that would find nothing.
type beside struct {
	fields, files, hops, requests, evidence, near, holders, tags, notes, memory bool
}

// besideColumns follow those of a ticket; each is one look into an index.
const besideColumns = `,
	EXISTS (SELECT 1 FROM ticket_fields WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_files WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_hops WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_requests WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_evidence WHERE ticket_id = t.id) OR EXISTS (SELECT 1 FROM ticket_evidence_rules WHERE type_code = t.type_code),
	EXISTS (SELECT 1 FROM tickets AS m WHERE m.merged_into = t.id) OR EXISTS (SELECT 1 FROM ticket_links WHERE low_id = t.id) OR EXISTS (SELECT 1 FROM ticket_links WHERE high_id = t.id),
	EXISTS (SELECT 1 FROM ticket_holders WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_tags WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_notes WHERE ticket_id = t.id),
	EXISTS (SELECT 1 FROM ticket_memory WHERE ticket_id = t.id AND version = t.version)`

// findToShow is find, with what hangs on the ticket.
func findToShow(ctx context.Context, db bun.IDB, scopes []scope, id int64) (t *Ticket, b beside, err error) {
	err = findWith(ctx, db, scopes, id, besideColumns, func(row *sql.Rows) error {
		t = new(Ticket)
		return row.Scan(append(t.dest(ticketColumns), &b.fields, &b.files, &b.hops, &b.requests, &b.evidence, &b.near, &b.holders, &b.tags, &b.notes, &b.memory)...)
	})
	if err == nil && t == nil {
		err = ErrNotFound
	}
	if err == nil {
		b.near = b.near || t.MergedInto != 0
	}
	return t, b, err
}
