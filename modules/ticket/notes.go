package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// NoteEditable is how long its author may correct a note.
const NoteEditable = 10 * time.Minute

const (
	maxMentions = 20
	maxTags     = 10
	maxTag      = 20
)

// The faults of notes.
var (
	ErrNoteAuthor = fault.New(fault.Forbidden, "TICKET_NOTE_AUTHOR", "只有备注的作者可以修改")
	ErrNoteLate   = fault.New(fault.Conflict, "TICKET_NOTE_LATE", "备注发布超过 10 分钟，不能再修改；请另写一条备注")
	ErrNoteStale  = fault.New(fault.Conflict, "CHANGED", "备注已在别处修改，请刷新后再改")
)

type noteRow struct {
	bun.BaseModel `bun:"table:ticket_notes,alias:n"`

	ID         int64      `bun:"id,pk,autoincrement"`
	TicketID   int64      `bun:"ticket_id,notnull"`
	Place      int64      `bun:"place,notnull"`
	PlaceName  string     `bun:"place_name,notnull"`
	AuthorID   int64      `bun:"author_id,notnull"`
	AuthorName string     `bun:"author_name,notnull"`
	Text       string     `bun:"text,notnull"`
	Version    int64      `bun:"version,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	EditedAt   *time.Time `bun:"edited_at"`
}

// readerRow says who else a note is addressed to: the desk or a unit, or one person.
type readerRow struct {
	bun.BaseModel `bun:"table:ticket_note_readers,alias:r"`

	NoteID int64  `bun:"note_id,pk"`
	Kind   string `bun:"kind,pk"` // place or person
	ID     int64  `bun:"id,pk"`
	Name   string `bun:"name,notnull"`
}

const (
	readerPlace  = "place"
	readerPerson = "person"
)

// NoteView is an internal note.
type NoteView struct {
	ID        int64      `json:"id"`
	Version   int64      `json:"version"`
	PlaceName string     `json:"placeName"`
	Author    string     `json:"author"`
	Text      string     `json:"text"`
	CreatedAt time.Time  `json:"createdAt"`
	EditedAt  *time.Time `json:"editedAt,omitempty"`
	To        []string   `json:"to" doc:"Whom it is addressed to beside the author's own desk or unit."`
	Editable  bool       `json:"editable"`
}

// Noted is announced when somebody writes a note. It holds no word of it: not everybody who sees the ticket may read the note.
type Noted struct {
	Head
	NoteID    int64   `json:"noteId"`
	Mentioned []int64 `json:"mentioned,omitempty"`
}

// Event names the fact.
func (f Noted) Event() (string, string, int64) { return "ticket.noted", Object, f.ID }

// WriteNote asks to add a note, or to correct one's own when NoteID is set. Mentions are colleagues who may see the ticket;
// Places are units with a part in the ticket, or the desk as 0.
type WriteNote struct {
	ID       int64   `json:"id"`
	NoteID   int64   `json:"noteId,omitempty"`
	Version  int64   `json:"version,omitempty"` // of the note that is corrected
	Key      string  `json:"-"`
	Text     string  `json:"text"`
	Mentions []int64 `json:"mentions,omitempty"`
	Places   []int64 `json:"places,omitempty"`
}

// homes are the places whose notes the actor reads.
func homes(a access.Actor, t *Ticket, all tree) []int64 {
	if isDesk(a) {
		return []int64{DeskPlace}
	}
	out := []int64{a.DepartmentID}
	for i := range all {
		if h := &all[i]; h.handles(a) && !slices.Contains(out, h.UnitID) {
			out = append(out, h.UnitID)
		}
	}
	return out
}

// WriteNote keeps an internal note: the requester never reads it, another unit only when it is addressed. It returns
// ErrNotFound when the actor cannot see the ticket, ErrForbidden without ticket.note; of a correction ErrNoteAuthor,
// ErrNoteLate after ten minutes, and ErrNoteStale.
func (s *Service) WriteNote(ctx context.Context, actor access.Actor, cmd WriteNote) (View, error) {
	text, err := clean("text", "备注", cmd.Text, maxNote, true)
	if err != nil {
		return View{}, err
	}
	if err := colleagueMay(actor, PermNote); err != nil {
		return View{}, err
	}
	if len(cmd.Mentions) > maxMentions {
		return View{}, fault.InvalidField("mentions", "TICKET_MENTIONS", "一条备注最多提醒 20 人")
	}
	mentioned, err := s.mentioned(ctx, actor, cmd.Mentions)
	if err != nil {
		return View{}, err
	}
	now := s.clock.Now()
	err = s.besideWork(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.note", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if cmd.NoteID != 0 {
				return outcome{ID: t.ID}, s.editNote(ctx, tx, actor, now, t, cmd, text)
			}
			rows, err := hops(ctx, tx, t.ID)
			if err != nil {
				return outcome{}, err
			}
			return outcome{ID: t.ID}, addNote(ctx, tx, actor, now, t, rows, cmd.Places, mentioned, text)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("note on ticket %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// colleagueMay returns a fault for everybody but staff with the right.
func colleagueMay(a access.Actor, p access.Permission) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if !a.Party.Staff() || a.UserID == 0 || !a.Can(p) {
		return ErrForbidden
	}
	return nil
}

func addNote(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, all tree, places []int64, mentioned []access.Actor, text string) error {
	n := noteRow{TicketID: t.ID, Place: actor.DepartmentID, PlaceName: actor.DepartmentName, AuthorID: actor.UserID, AuthorName: actor.Name, Text: text, Version: 1, CreatedAt: now}
	if isDesk(actor) {
		n.Place, n.PlaceName = DeskPlace, "受理席"
	}
	var readers []readerRow
	for _, place := range places {
		if place != DeskPlace && !slices.ContainsFunc(all, func(h Hop) bool { return h.UnitID == place }) {
			return fault.InvalidField("places", "TICKET_NOTE_PLACE", "备注只能发给参与办理的单位")
		}
		if place != n.Place {
			readers = append(readers, readerRow{Kind: readerPlace, ID: place, Name: placeName(place, t, all)})
		}
	}
	ids := []int64{}
	for _, who := range mentioned {
		// Whoever may not see the ticket is as unknown as somebody who does not exist.
		if _, err := find(ctx, tx, visible(who), t.ID); errors.Is(err, ErrNotFound) || err == nil && !who.Party.Staff() {
			return errMention
		} else if err != nil {
			return err
		}
		readers, ids = append(readers, readerRow{Kind: readerPerson, ID: who.UserID, Name: who.Name}), append(ids, who.UserID)
	}
	if err := database.Insert(ctx, tx, &n); err != nil {
		return err
	}
	for i := range readers {
		readers[i].NoteID = n.ID
		if _, err := tx.NewInsert().Model(&readers[i]).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := event.Append(ctx, tx, actor, now, Noted{Head: t.head(), NoteID: n.ID, Mentioned: ids}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.note", Object: Object, ObjectID: t.ID, Summary: "添加内部备注 " + t.Number,
		Detail: map[string]any{"note": n.ID, "mentioned": ids}})
}

var errMention = fault.InvalidField("mentions", "TICKET_MENTION", "被提醒的人员看不到这件工单，请重新选择")

// mentioned reads the people who are mentioned, each once and not the author, with the rights of this moment.
func (s *Service) mentioned(ctx context.Context, actor access.Actor, ids []int64) ([]access.Actor, error) {
	var out []access.Actor
	for _, id := range ids {
		if id == actor.UserID || slices.ContainsFunc(out, func(a access.Actor) bool { return a.UserID == id }) {
			continue
		}
		if s.people == nil {
			return nil, errMention
		}
		who, err := s.people.Now(ctx, id)
		if errors.Is(err, fault.ErrNotFound) {
			return nil, errMention
		} else if err != nil {
			return nil, err
		}
		out = append(out, who)
	}
	return out, nil
}

func (s *Service) editNote(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, cmd WriteNote, text string) error {
	n := new(noteRow)
	if err := database.Found(tx.NewSelect().Model(n).Where("n.id = ? AND n.ticket_id = ?", cmd.NoteID, t.ID).Scan(ctx)); err != nil {
		return err
	}
	switch {
	case n.AuthorID != actor.UserID:
		return ErrNoteAuthor
	case now.Sub(n.CreatedAt) > NoteEditable:
		return ErrNoteLate
	}
	err := database.Changed(tx.NewUpdate().Model((*noteRow)(nil)).Set("text = ?, version = version + 1, edited_at = ?", text, now).
		Where("id = ? AND version = ?", n.ID, cmd.Version).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrNoteStale
	} else if err != nil {
		return err
	}
	// What it said before stays in the audit log.
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.note_edit", Object: Object, ObjectID: t.ID, Summary: "修改内部备注 " + t.Number,
		Detail: map[string]any{"note": n.ID, "was": n.Text}})
}

// notesFor lists the notes the actor may read, oldest first: those of their own desk or unit, and those addressed to it or to
// them.
func (s *Service) notesFor(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket, all tree) ([]NoteView, error) {
	out := []NoteView{}
	var rows []noteRow
	err := database.QueryAll(ctx, db, &rows, "SELECT id, ticket_id, place, place_name, author_id, author_name, text, version, created_at, edited_at FROM ticket_notes WHERE ticket_id = ? ORDER BY id LIMIT 500", t.ID)
	if err != nil || len(rows) == 0 {
		return out, err
	}
	var readers []readerRow
	err = database.QueryAll(ctx, db, &readers, "SELECT r.note_id, r.kind, r.id, r.name FROM ticket_note_readers AS r JOIN ticket_notes AS n ON n.id = r.note_id WHERE n.ticket_id = ? ORDER BY r.note_id, r.kind, r.id", t.ID)
	if err != nil {
		return nil, err
	}
	own := homes(actor, t, all)
	now := s.clock.Now()
	for _, n := range rows {
		v := NoteView{ID: n.ID, Version: n.Version, PlaceName: n.PlaceName, Author: n.AuthorName, Text: n.Text, CreatedAt: n.CreatedAt.UTC(), EditedAt: utc(n.EditedAt), To: []string{},
			Editable: n.AuthorID == actor.UserID && now.Sub(n.CreatedAt) <= NoteEditable}
		reads := slices.Contains(own, n.Place)
		for _, r := range readers {
			if r.NoteID != n.ID {
				continue
			}
			v.To = append(v.To, r.Name)
			reads = reads || r.Kind == readerPlace && slices.Contains(own, r.ID) || r.Kind == readerPerson && r.ID == actor.UserID
		}
		if reads {
			out = append(out, v)
		}
	}
	return out, nil
}
