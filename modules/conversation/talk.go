package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

const (
	maxWords = 1000
	maxFiles = 9
	perPage  = 50
)

// Send is one note.
type Send struct {
	Object  string
	ID      int64
	Words   string
	FileIDs []int64
	// Meant says that numbers in the words are meant to be there.
	Meant bool
	Key   string
}

// Send writes a note for the actor's side. It returns ErrNotFound when the actor cannot see the case, ErrForbidden for those of
// neither side, ErrClosed, and ErrNumbers when the words hold a phone or identity number that was not said to be meant.
func (s *Service) Send(ctx context.Context, actor access.Actor, cmd Send) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	least := 1
	if len(cmd.FileIDs) > 0 {
		least = 0
	}
	words, err := text.Block("words", cmd.Words, least, maxWords)
	if err != nil {
		return text.Named(err, "内容")
	}
	if len(cmd.FileIDs) > maxFiles {
		return fault.InvalidField("files", "CONVERSATION_FILES", fmt.Sprintf("一次最多发送 %d 个文件", maxFiles))
	}
	if _, found := text.MaskNumbers(words); found && !cmd.Meant {
		return ErrNumbers.On("words")
	}
	request := cmd
	request.FileIDs = nil // tied already when the same command comes again
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "conversation.send", Key: cmd.Key, Request: request, Now: now}, func() (bool, error) {
			return true, s.send(ctx, tx, actor, cmd, words, now)
		})
		return err
	})
}

func (s *Service) send(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Send, words string, now time.Time) error {
	c, err := s.caseOf(ctx, tx, actor, cmd.Object, cmd.ID)
	if err != nil {
		return err
	}
	side := sideOf(actor, c.InstitutionID, c.EnterpriseID)
	if side == "" {
		return ErrForbidden
	}
	r, err := ruleOf(ctx, tx)
	if err != nil {
		return err
	}
	if c.closed(r, now) {
		return ErrClosed
	}
	fresh := thread{CaseObject: c.Object, CaseID: c.ID, Number: c.Number, Title: c.Title, InstitutionID: c.InstitutionID, InstitutionName: c.InstitutionName,
		EnterpriseID: c.EnterpriseID, EnterpriseName: c.EnterpriseName, UserID: c.UserID, HandlerID: c.HandlerID, LastAt: now}
	if _, err := database.InsertNew(ctx, tx, &fresh, "object, object_id"); err != nil {
		return err
	}
	// The row is the lock: what both sides have not read is counted one note at a time.
	column := string(side.other())
	_, err = database.Run(ctx, tx, fmt.Sprintf(`UPDATE conversation_threads SET notes = notes + 1, last_at = ?, handler_id = ?, %[1]s_unread = %[1]s_unread + 1,
		%[1]s_since = coalesce(%[1]s_since, ?) WHERE object = ? AND object_id = ?`, column), now, c.HandlerID, now, c.Object, c.ID)
	if err != nil {
		return err
	}
	t, err := threadOf(ctx, tx, c.Object, c.ID)
	if err != nil {
		return err
	}
	n := note{ThreadID: t.ID, Side: side, ByID: actor.UserID, By: actor.Name, Words: words, At: now}
	if err := database.Insert(ctx, tx, &n); err != nil {
		return err
	}
	for _, id := range cmd.FileIDs {
		if err := s.Files.Claim(ctx, tx, actor, id, ObjectNote, n.ID); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&noteFile{NoteID: n.ID, FileID: id}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	unread := t.EnterpriseUnread
	if side == Enterprise {
		unread = t.InstitutionUnread
	}
	if _, err := event.Append(ctx, tx, actor, now, Sent{t.head(), n.ID, side, unread == 1}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "conversation.send", Object: Object, ObjectID: t.ID, Summary: "发送沟通消息 " + c.Number,
		Detail: map[string]any{"note": n.ID, "files": len(cmd.FileIDs)}})
}

// closed reports whether the thread of the case is read only.
func (c Case) closed(r Rule, now time.Time) bool {
	return c.EndedAt != nil && now.After(c.EndedAt.AddDate(0, 0, r.CloseDays))
}

// Withdraw takes a note back within two minutes. Only who wrote it may.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, id int64) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n, t := new(note), new(thread)
		if err := database.Found(tx.NewSelect().Model(n).Where("n.id = ?", id).Scan(ctx)); err != nil {
			return err
		}
		if err := database.Found(tx.NewSelect().Model(t).Where("t.id = ?", n.ThreadID).Scan(ctx)); err != nil {
			return err
		}
		side := sideOf(actor, t.InstitutionID, t.EnterpriseID)
		switch {
		case side == "":
			return ErrNotFound
		case side != n.Side || n.ByID != actor.UserID:
			return ErrForbidden
		case n.WithdrawnAt != nil:
			return nil
		case now.Sub(n.At) > WithdrawWithin:
			return ErrLate
		}
		err := database.Changed(database.Run(ctx, tx, "UPDATE conversation_notes SET withdrawn_at = ? WHERE id = ? AND withdrawn_at IS NULL", now, id))
		if errors.Is(err, fault.ErrChanged) {
			return nil
		}
		if err != nil {
			return err
		}
		// What was not read yet is not waited for any more.
		column := string(side.other())
		_, err = database.Run(ctx, tx, fmt.Sprintf(`UPDATE conversation_threads SET %[1]s_since = CASE WHEN %[1]s_unread <= 1 AND %[1]s_read < ? THEN NULL ELSE %[1]s_since END,
			%[1]s_unread = CASE WHEN %[1]s_unread > 0 AND %[1]s_read < ? THEN %[1]s_unread - 1 ELSE %[1]s_unread END WHERE id = ?`, column), id, id, t.ID)
		if err != nil {
			return err
		}
		if _, err := event.Append(ctx, tx, actor, now, Withdrawn{t.head(), id, side}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "conversation.withdraw", Object: Object, ObjectID: t.ID, Summary: "撤回沟通消息 " + t.Number, Detail: map[string]any{"note": id}})
	})
}

// NoteView is a note as one side sees it.
type NoteView struct {
	ID        int64      `json:"id"`
	Side      Side       `json:"side" enum:"institution,enterprise"`
	Own       bool       `json:"own" doc:"Of the asker's side."`
	By        string     `json:"by" doc:"The institution's name for the company."`
	Words     string     `json:"words"`
	Files     []FileView `json:"files"`
	At        time.Time  `json:"at"`
	Read      bool       `json:"read" doc:"The other side has read it."`
	Withdrawn bool       `json:"withdrawn"`
	Withdraws bool       `json:"withdraws" doc:"The asker may still take it back."`
}

// View is a thread as one actor sees it.
type View struct {
	ID         int64      `json:"id" doc:"0 while nothing was said."`
	Number     string     `json:"number"`
	Title      string     `json:"title"`
	With       string     `json:"with" doc:"The other side."`
	Side       Side       `json:"side" enum:",institution,enterprise" doc:"Empty for an operator who reads it."`
	Writes     bool       `json:"writes"`
	Closed     bool       `json:"closed"`
	Unread     int        `json:"unread"`
	Count      int        `json:"count"`
	Notes      []NoteView `json:"notes" doc:"Oldest first."`
	NextCursor string     `json:"nextCursor,omitempty" doc:"For what was said before."`
}

// Of returns a page of what was said, the newest for "". The actor speaks for one of the sides; operators use Peek.
func (s *Service) Of(ctx context.Context, actor access.Actor, object string, id int64, cursor string) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	c, err := s.caseOf(ctx, db, actor, object, id)
	if err != nil {
		return View{}, err
	}
	side := sideOf(actor, c.InstitutionID, c.EnterpriseID)
	if side == "" {
		return View{}, ErrForbidden
	}
	return s.view(ctx, db, actor, c, side, cursor)
}

// Peek is Of for an operator of the platform, who says why; the reason is kept in the audit log before anything is shown.
func (s *Service) Peek(ctx context.Context, actor access.Actor, object string, id int64, why, cursor string) (View, error) {
	if err := actor.Need(PermRead); err != nil {
		return View{}, err
	}
	if !peeks(actor) {
		return View{}, ErrForbidden
	}
	reason, err := text.Line("reason", why, 5, 200)
	if err != nil {
		return View{}, text.Named(err, "查阅理由")
	}
	c, err := s.caseOf(ctx, s.DB.Read(), actor, object, id)
	if err != nil {
		return View{}, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "conversation.peek", Object: c.Object, ObjectID: c.ID, Summary: "查阅沟通记录 " + c.Number,
			Detail: map[string]any{"reason": reason, "cursor": cursor}})
	})
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.DB.Read(), actor, c, "", cursor)
}

func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, c Case, side Side, cursor string) (View, error) {
	r, err := ruleOf(ctx, db)
	if err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	out := View{Number: c.Number, Title: c.Title, With: c.InstitutionName, Side: side, Closed: c.closed(r, now), Notes: []NoteView{}}
	if side == Institution {
		out.With = c.EnterpriseName
	}
	out.Writes = side != "" && !out.Closed
	t, err := threadOf(ctx, db, c.Object, c.ID)
	if errors.Is(err, fault.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.ID, out.Count = t.ID, t.Notes
	theirs := t.InstitutionRead
	if side == Institution {
		out.Unread, theirs = t.InstitutionUnread, t.EnterpriseRead
	} else if side == Enterprise {
		out.Unread = t.EnterpriseUnread
	}
	before, err := text.Cursor(cursor)
	if err != nil {
		return out, err
	}
	var rows []note
	q := db.NewSelect().Model(&rows).Where("n.thread_id = ?", t.ID).OrderExpr("n.id DESC").Limit(perPage + 1)
	if before != 0 {
		q = q.Where("n.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return out, err
	}
	if len(rows) > perPage {
		rows = rows[:perPage]
		out.NextCursor = strconv.FormatInt(rows[perPage-1].ID, 10)
	}
	slices.Reverse(rows)
	files, err := s.filesOf(ctx, db, rows)
	if err != nil {
		return out, err
	}
	for _, n := range rows {
		v := NoteView{ID: n.ID, Side: n.Side, Own: n.Side == side, By: n.By, Words: n.Words, Files: files[n.ID], At: n.At.UTC(), Withdrawn: n.WithdrawnAt != nil}
		if v.Own {
			v.Read = n.ID <= theirs
			v.Withdraws = n.ByID == actor.UserID && !v.Withdrawn && now.Sub(n.At) <= WithdrawWithin
		} else if side == Enterprise {
			v.By = c.InstitutionName
		}
		if v.Withdrawn && side != "" {
			v.Words, v.Files = "", nil
		}
		if v.Files == nil {
			v.Files = []FileView{}
		}
		out.Notes = append(out.Notes, v)
	}
	return out, nil
}

func (s *Service) filesOf(ctx context.Context, db bun.IDB, rows []note) (map[int64][]FileView, error) {
	out := map[int64][]FileView{}
	if len(rows) == 0 {
		return out, nil
	}
	ids := make([]int64, 0, len(rows))
	for _, n := range rows {
		ids = append(ids, n.ID)
	}
	var tied []noteFile
	if err := db.NewSelect().Model(&tied).Where("nf.note_id IN ?", bun.Tuple(ids)).OrderExpr("nf.file_id").Scan(ctx); err != nil {
		return nil, err
	}
	wanted := make([]int64, 0, len(tied))
	for _, f := range tied {
		wanted = append(wanted, f.FileID)
	}
	known, err := s.Files.Known(ctx, db, wanted)
	for _, f := range tied {
		out[f.NoteID] = append(out[f.NoteID], known[f.FileID])
	}
	return out, err
}

// MarkRead keeps that the actor's side has read up to a note that it has seen.
func (s *Service) MarkRead(ctx context.Context, actor access.Actor, object string, id, upTo int64) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		c, err := s.caseOf(ctx, tx, actor, object, id)
		if err != nil {
			return err
		}
		side := sideOf(actor, c.InstitutionID, c.EnterpriseID)
		if side == "" {
			return ErrForbidden
		}
		t, err := threadOf(ctx, tx, object, id)
		if errors.Is(err, fault.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		err = database.Changed(database.Run(ctx, tx, fmt.Sprintf(`UPDATE conversation_threads SET %[1]s_read = ?,
			%[1]s_unread = (SELECT count(*) FROM conversation_notes WHERE thread_id = ? AND side = ? AND id > ? AND withdrawn_at IS NULL),
			%[1]s_since = (SELECT min(made_at) FROM conversation_notes WHERE thread_id = ? AND side = ? AND id > ? AND withdrawn_at IS NULL), %[1]s_reminded = FALSE
			WHERE id = ? AND %[1]s_read < ? AND ? <= (SELECT coalesce(max(id), 0) FROM conversation_notes WHERE thread_id = ?)`, string(side)),
			upTo, t.ID, side.other(), upTo, t.ID, side.other(), upTo, t.ID, upTo, upTo, t.ID))
		if errors.Is(err, fault.ErrChanged) {
			return nil // read already
		}
		if err != nil {
			return err
		}
		_, err = event.Append(ctx, tx, actor, now, Read{t.head(), side})
		return err
	})
}

// Waiting is a thread in which the actor's side has something to read.
type Waiting struct {
	Object   string    `json:"object"`
	ObjectID int64     `json:"objectId"`
	Number   string    `json:"number"`
	Title    string    `json:"title"`
	With     string    `json:"with"`
	Unread   int       `json:"unread"`
	LastAt   time.Time `json:"lastAt"`
}

// Unread lists the threads in which the actor's side has something to read, newest first, at most 200.
func (s *Service) Unread(ctx context.Context, actor access.Actor) ([]Waiting, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	var rows []thread
	q := s.DB.Read().NewSelect().Model(&rows).OrderExpr("t.last_at DESC").Limit(200)
	institution := actor.Party == access.Institution && actor.InstitutionID != 0 && actor.Can(PermTalk)
	switch {
	case institution:
		q = q.Where("t.institution_id = ? AND t.institution_unread > 0", actor.InstitutionID)
	case actor.Party == access.Enterprise && actor.EnterpriseID != 0:
		q = q.Where("t.enterprise_id = ? AND t.enterprise_unread > 0", actor.EnterpriseID)
	default:
		return []Waiting{}, nil
	}
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]Waiting, 0, len(rows))
	for _, t := range rows {
		w := Waiting{t.CaseObject, t.CaseID, t.Number, t.Title, t.InstitutionName, t.EnterpriseUnread, t.LastAt.UTC()}
		if institution {
			w.With, w.Unread = t.EnterpriseName, t.InstitutionUnread
		}
		out = append(out, w)
	}
	return out, nil
}

// Count is how many notes were written about a case, for those who may see the case.
func (s *Service) Count(ctx context.Context, actor access.Actor, object string, id int64) (int, error) {
	if _, err := s.caseOf(ctx, s.DB.Read(), actor, object, id); err != nil {
		return 0, err
	}
	t, err := threadOf(ctx, s.DB.Read(), object, id)
	if errors.Is(err, fault.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return t.Notes, nil
}
