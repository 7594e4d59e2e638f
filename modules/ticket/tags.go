package ticket

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Tagged is announced when the tags of a ticket change.
type Tagged struct {
	Head
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Event names the fact.
func (f Tagged) Event() (string, string, int64) { return "ticket.tagged", Object, f.ID }

type tagRow struct {
	bun.BaseModel `bun:"table:ticket_tags,alias:g"`

	TicketID int64     `bun:"ticket_id,pk"`
	Tag      string    `bun:"tag,pk"`
	ByID     int64     `bun:"by_id,nullzero"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// TagTicket asks to add and take away tags. All staff who see the ticket see them.
type TagTicket struct {
	ID     int64    `json:"id"`
	Key    string   `json:"-"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// Tag changes the tags of a ticket: at most ten, of twenty characters each. Errors as WriteNote.
func (s *Service) Tag(ctx context.Context, actor access.Actor, cmd TagTicket) (View, error) {
	if err := colleagueMay(actor, PermNote); err != nil {
		return View{}, err
	}
	for i, tag := range cmd.Add {
		tag = strings.Join(strings.Fields(tag), " ")
		if tag == "" || utf8.RuneCountInString(tag) > maxTag || strings.ContainsAny(tag, ",，") {
			return View{}, fault.InvalidField("add", "TICKET_TAG", "标签为 1 到 20 个字，不含逗号")
		}
		if cmd.Add[i], _ = clean("add", "标签", tag, maxTag, true); cmd.Add[i] == "" {
			return View{}, fault.InvalidField("add", "TICKET_TAG", "标签含有无法识别的字符")
		}
	}
	now := s.clock.Now()
	err := s.besideWork(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.tag", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			return outcome{ID: t.ID}, s.tag(ctx, tx, actor, now, t, cmd)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("tag ticket %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

func (s *Service) tag(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, cmd TagTicket) error {
	f := Tagged{Head: t.head()}
	for _, tag := range cmd.Remove {
		res, err := database.Run(ctx, tx, "DELETE FROM ticket_tags WHERE ticket_id = ? AND tag = ?", t.ID, tag)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			f.Removed = append(f.Removed, tag)
		}
	}
	for _, tag := range cmd.Add {
		row := tagRow{TicketID: t.ID, Tag: tag, ByID: actor.UserID, ByName: actor.Name, At: now}
		res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			f.Added = append(f.Added, tag)
		}
	}
	if len(f.Added)+len(f.Removed) == 0 {
		return nil
	}
	var n int64
	if err := database.QueryOne(ctx, tx, []any{&n}, "SELECT count(*) FROM ticket_tags WHERE ticket_id = ?", t.ID); err != nil {
		return err
	}
	if n > maxTags {
		return fault.InvalidField("add", "TICKET_TAGS", "一件工单最多 10 个标签，请先去掉不用的标签")
	}
	if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.tag", Object: Object, ObjectID: t.ID, Summary: "调整标签 " + t.Number,
		Detail: map[string]any{"added": f.Added, "removed": f.Removed}})
}
