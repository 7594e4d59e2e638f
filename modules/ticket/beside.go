package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// beside tells which kinds of rows hang on a ticket. Most tickets have few of them, so one question before opening saves the
// many that would find nothing.
type beside struct {
	fields, files, hops, requests, evidence, near, holders, tags, notes, memory bool
}

// besideOf asks for all kinds at once; each is one look into an index.
func besideOf(ctx context.Context, db bun.IDB, t *Ticket) (b beside, err error) {
	id := t.ID
	err = database.QueryOne(ctx, db, []any{&b.fields, &b.files, &b.hops, &b.requests, &b.evidence, &b.near, &b.holders, &b.tags, &b.notes, &b.memory}, `SELECT
		EXISTS (SELECT 1 FROM ticket_fields WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_files WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_hops WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_requests WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_evidence WHERE ticket_id = ?) OR EXISTS (SELECT 1 FROM ticket_evidence_rules WHERE type_code = ?),
		EXISTS (SELECT 1 FROM tickets WHERE merged_into = ?) OR EXISTS (SELECT 1 FROM ticket_links WHERE low_id = ?) OR EXISTS (SELECT 1 FROM ticket_links WHERE high_id = ?),
		EXISTS (SELECT 1 FROM ticket_holders WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_tags WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_notes WHERE ticket_id = ?),
		EXISTS (SELECT 1 FROM ticket_memory WHERE ticket_id = ? AND version = ?)`,
		id, id, id, id, id, t.Type, id, id, id, id, id, id, id, t.Version)
	b.near = b.near || t.MergedInto != 0
	return b, err
}
