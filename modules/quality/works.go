package quality

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/event"
)

// work is something an agent did.
type work struct {
	bun.BaseModel `bun:"table:quality_works,alias:w"`

	EventID   int64     `bun:"event_id,pk"`
	TicketID  int64     `bun:"ticket_id,notnull"`
	Number    string    `bun:"number,notnull"`
	Kind      Kind      `bun:"kind,notnull"`
	AgentID   int64     `bun:"agent_id,notnull"`
	AgentName string    `bun:"agent_name,notnull"`
	At        time.Time `bun:"at,notnull"`
}

// ListenerName is the name of the cursor of the listener.
const ListenerName = "quality.works"

// Listener keeps what agents did on tickets. Whose work is checked is asked when it is done, not when it is drawn.
func (s *Service) Listener() event.Listener {
	return event.Listener{Name: ListenerName, Batch: func(ctx context.Context, tx bun.Tx, list []event.Event) error {
		var agents []Person
		var rows []work
		for _, e := range list {
			kind, ok := strings.CutPrefix(e.Type, "ticket.")
			if !ok || e.ActorID == 0 || Kind(kind).Label() == "" {
				continue
			}
			if agents == nil {
				var err error
				if agents, err = s.Agents.With(ctx, tx, PermOwn); err != nil {
					return err
				}
			}
			if !slices.ContainsFunc(agents, func(p Person) bool { return p.ID == e.ActorID }) {
				continue
			}
			var f struct {
				Number string `json:"number"`
			}
			if err := e.Decode(&f); err != nil {
				return err
			}
			rows = append(rows, work{EventID: e.ID, TicketID: e.ObjectID, Number: f.Number, Kind: Kind(kind), AgentID: e.ActorID, AgentName: e.ActorName, At: e.At})
		}
		if len(rows) == 0 {
			return nil
		}
		_, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	}}
}
