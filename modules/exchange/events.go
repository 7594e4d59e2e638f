package exchange

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// Object is the name of a partner in events.
const Object = "exchange_partner"

// Stopped is announced when a delivery of a partner dies and no other of its dead ones waits for a person.
type Stopped struct {
	ID         int64  `json:"id"`
	Code       string `json:"code"`
	Name       string `json:"name"`
	DeliveryID int64  `json:"deliveryId"`
	Number     string `json:"number"` // of the object the delivery is about
	Reason     string `json:"reason"`
}

// Down is announced when a partner took none of downAfter pushes in a row; again only after it was back.
type Down struct {
	ID     int64  `json:"id"`
	Code   string `json:"code"`
	Name   string `json:"name"`
	Reason string `json:"reason"` // of the last of them
}

// Event names the fact.
func (f Stopped) Event() (string, string, int64) { return "exchange.stopped", Object, f.ID }

// Event names the fact.
func (f Down) Event() (string, string, int64) { return "exchange.down", Object, f.ID }

// pumping is who announces what comes of a push.
var pumping = access.SystemActor("job:exchange.pump")

// announceStop tells that a delivery died, unless people were told of another that they have not settled yet. The partner's
// row is locked.
func (s *Service) announceStop(ctx context.Context, tx bun.Tx, p *Partner, d *Delivery, now time.Time) error {
	told, err := tx.NewSelect().Model((*Delivery)(nil)).Where("d.partner_id = ? AND d.state = ? AND d.id <> ?", p.ID, Dead, d.ID).Exists(ctx)
	if err != nil {
		return fmt.Errorf("dead deliveries of %s: %w", p.Code, err)
	}
	if told {
		return nil
	}
	_, err = event.Append(ctx, tx, pumping, now, Stopped{ID: p.ID, Code: p.Code, Name: p.Name, DeliveryID: d.ID, Number: d.Subject, Reason: d.Reason})
	return err
}
