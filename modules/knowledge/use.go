package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Use counts that an answer was put into a ticket, once for each person and ticket, and returns how often it was used. The
// actor must see the entry, which is in force, and the ticket.
func (s *Service) Use(ctx context.Context, actor access.Actor, id, ticket int64) (int64, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return 0, err
	}
	if err := s.tickets.Sees(ctx, actor, ticket); err != nil {
		return 0, err
	}
	var uses int64
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		k, err := s.live(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		row := useRow{EntryID: id, TicketID: ticket, UserID: actor.UserID, No: k.Live, At: s.clock.Now()}
		res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE knowledge_entries SET uses = uses + ? WHERE id = ?", n, id); err != nil {
			return err
		}
		return database.QueryOne(ctx, tx, []any{&uses}, "SELECT uses FROM knowledge_entries WHERE id = ?", id)
	})
	if err != nil {
		return 0, fmt.Errorf("use knowledge %d: %w", id, err)
	}
	return uses, nil
}

// live finds an entry that the actor sees and that is in force.
func (s *Service) live(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Entry, error) {
	k, err := find(ctx, db, actor, s.today(), id)
	if err != nil {
		return nil, err
	}
	if k.Live == 0 {
		return nil, ErrState.With("知识条目当前没有现行版本，请选用其他答复")
	}
	return k, nil
}

// Outcome is what came of a report.
type Outcome string

// The outcomes.
const (
	Corrected Outcome = "corrected" // a new edition is or will be in force
	Kept      Outcome = "kept"      // the answer is right
)

var outcomes = map[Outcome]string{Corrected: "已更正", Kept: "核实无误"}

// Label is the Chinese word of the outcome, empty for one that does not exist.
func (o Outcome) Label() string { return outcomes[o] }

// feedback is what one person thinks of an edition. What is wrong is open until somebody answers.
type feedback struct {
	bun.BaseModel `bun:"table:knowledge_feedback,alias:f"`

	ID          int64      `bun:"id,pk,autoincrement"`
	EntryID     int64      `bun:"entry_id,notnull"`
	No          int        `bun:"edition_no,notnull"`
	Wrong       bool       `bun:"wrong,notnull"`
	Reason      string     `bun:"reason,notnull"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	UserID      int64      `bun:"user_id,notnull"`
	UserName    string     `bun:"user_name,notnull"`
	At          time.Time  `bun:"at,notnull"`
	Open        bool       `bun:"open,notnull"`
	Outcome     Outcome    `bun:"outcome,notnull"`
	Note        string     `bun:"note,notnull"`
	SettledBy   int64      `bun:"settled_by,notnull"`
	SettledName string     `bun:"settled_name,notnull"`
	SettledAt   *time.Time `bun:"settled_at"`
}

// ErrReported: a person says once that an entry is wrong until they are answered.
var ErrReported = fault.New(fault.Conflict, "KNOWLEDGE_REPORTED", "您已反馈过这个条目有误，责任人正在核实，请勿重复提交")

// Judge is what a reader says of an entry. Ticket is the one they were handling, 0 for none.
type Judge struct {
	ID       int64
	Wrong    bool
	Reason   string // needed for what is wrong
	TicketID int64
}

// Judge keeps whether the answer was useful, counted once for each person, or wrong and why, which the person responsible
// must answer. The actor must see the entry, which is in force. It returns ErrReported when a report of theirs is open.
func (s *Service) Judge(ctx context.Context, actor access.Actor, cmd Judge) error {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return err
	}
	why := ""
	if cmd.Wrong {
		var err error
		if why, err = reason(cmd.Reason); err != nil {
			return err
		}
	}
	if cmd.TicketID != 0 {
		if err := s.tickets.Sees(ctx, actor, cmd.TicketID); err != nil {
			return err
		}
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		k, err := s.live(ctx, tx, actor, cmd.ID)
		if err != nil {
			return err
		}
		row := feedback{EntryID: k.ID, No: k.Live, Wrong: cmd.Wrong, Reason: why, TicketID: cmd.TicketID, UserID: actor.UserID, UserName: actor.Name,
			At: s.clock.Now(), Open: cmd.Wrong}
		res, err := tx.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT DO NOTHING").Returning("NULL").Exec(ctx)
		if err != nil {
			return fmt.Errorf("insert feedback: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		switch {
		case n == 0 && cmd.Wrong:
			return ErrReported
		case n == 0:
			return nil
		case !cmd.Wrong:
			_, err := database.Run(ctx, tx, "UPDATE knowledge_entries SET useful = useful + 1 WHERE id = ?", k.ID)
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE knowledge_entries SET open_reports = open_reports + 1 WHERE id = ?", k.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, k, Reported{k.head(k.Live), why}, "report", "反馈有误：")
	})
	if err != nil && !errors.Is(err, ErrReported) {
		return fmt.Errorf("judge knowledge %d: %w", cmd.ID, err)
	}
	return err
}

// SettleReport answers a report.
type SettleReport struct {
	ID      int64
	Outcome Outcome
	Note    string
}

// Settle answers a report that an entry is wrong. It needs knowledge.edit for the entry; ErrNotFound for a report of an entry
// that is not theirs to write, ErrSettled for one that was answered.
func (s *Service) Settle(ctx context.Context, actor access.Actor, cmd SettleReport) error {
	if err := need(actor, PermEdit, PermReview); err != nil {
		return err
	}
	if cmd.Outcome.Label() == "" {
		return fault.InvalidField("outcome", "KNOWLEDGE_OUTCOME", "请选择处理结果")
	}
	note, err := reason(cmd.Note)
	if err != nil {
		return err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var f feedback
		if err := tx.NewSelect().Model(&f).Where("f.id = ? AND f.wrong", cmd.ID).Scan(ctx); err != nil {
			return database.Found(err)
		}
		k, err := find(ctx, tx, actor, s.today(), f.EntryID)
		if err != nil {
			return err
		}
		if !edits(actor, k) {
			return ErrNotFound
		}
		now := s.clock.Now()
		err = database.Changed(tx.NewUpdate().Model((*feedback)(nil)).Set("open = ?, outcome = ?, note = ?, settled_by = ?, settled_name = ?, settled_at = ?",
			false, cmd.Outcome, note, actor.UserID, actor.Name, now).Where("id = ? AND open", f.ID).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrSettled
		} else if err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE knowledge_entries SET open_reports = open_reports - 1 WHERE id = ?", k.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, k, Settled{k.head(f.No), cmd.Outcome, note}, "settle", "处理对条目的反馈：")
	})
	if err != nil {
		return fmt.Errorf("settle report %d: %w", cmd.ID, err)
	}
	return nil
}
