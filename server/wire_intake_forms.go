package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/event"
)

// callers tells the desk who calls.
type callers struct {
	people    *identity.Service
	companies *enterprise.Service
}

var _ ticket.Callers = callers{}

// PersonByPhone finds the person of a company who has the phone.
func (c callers) PersonByPhone(ctx context.Context, db bun.IDB, phone string) (ticket.AccountHolder, error) {
	id, name, company, err := c.people.PersonByPhone(ctx, db, phone)
	return ticket.AccountHolder{UserID: id, Name: name, EnterpriseID: company}, err
}

// Firm tells about a company.
func (c callers) Firm(ctx context.Context, db bun.IDB, id int64) (ticket.Firm, error) {
	b, err := c.companies.Brief(ctx, db, id)
	return ticket.Firm{ID: b.ID, Name: b.Name, CreditCode: b.CreditCode, Verified: b.Verification == string(enterprise.Verified)}, err
}

var _ ticket.Puzzles = (*identity.Service)(nil)

// sendReceipt texts number and query code to a caller for whom an agent wrote a request down: they have no account to look
// into. A landline gets none.
func (h *house) sendReceipt(ctx context.Context, tx bun.Tx, e event.Event) error {
	if e.Object != ticket.Object || e.Type != "ticket.opened" {
		return nil
	}
	var f ticket.Opened
	if err := e.Decode(&f); err != nil {
		return fmt.Errorf("opening of ticket %d: %w", e.ObjectID, err)
	}
	if f.Source != ticket.FromAgent || f.UserID != 0 {
		return nil
	}
	r, err := h.tickets.Receipt(ctx, tx, f.ID)
	if err != nil || r.Code == "" || len(r.Phone) != 11 || r.Phone[0] != '1' {
		return err
	}
	return h.messages.Text(ctx, tx, message.Text{Phone: r.Phone, Template: message.ReceiptTemplate, Params: map[string]string{"number": r.Number, "code": r.Code}})
}
