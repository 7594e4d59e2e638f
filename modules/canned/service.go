package canned

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Tickets tells what the placeholders need of a ticket that the actor may see, fault.ErrNotFound of others.
type Tickets interface {
	Told(ctx context.Context, actor access.Actor, id int64) (Ticket, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Tickets Tickets
}

// Service keeps the phrases.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	tickets Tickets
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Tickets == nil {
		panic("canned: Deps is not complete")
	}
	return &Service{db: d.DB, clock: d.Clock, tickets: d.Tickets}
}

// View is a phrase as the actor may use and change it.
type View struct {
	ID       int64  `json:"id"`
	Version  int64  `json:"version"`
	Holder   Holder `json:"holder" enum:"personal,unit,desk"`
	UnitName string `json:"unitName"`
	Code     string `json:"code"`
	Title    string `json:"title"`
	Body     string `json:"body"`
	Category string `json:"category"`
	Uses     int64  `json:"uses" doc:"How often everybody used it."`
	OwnUses  int64  `json:"ownUses" doc:"How often the actor used it."`
	Editable bool   `json:"editable"`
}

func (p *phrase) view(a access.Actor, own int64) View {
	return View{p.ID, p.Version, p.Holder, p.UnitName, p.Code, p.Title, p.Body, p.Category, p.Uses, own, p.writes(a)}
}

// staff returns a fault for everybody who handles no tickets. The system keeps the phrases of the desk.
func staff(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party == access.System {
		return nil
	}
	if a.UserID == 0 || a.Party != access.Platform && a.Party != access.Government {
		return ErrForbidden
	}
	return nil
}

// limit is how many phrases a person is offered; nobody remembers more.
const limit = 500

// List returns the phrases the actor may use, those they use most first. Query narrows them by title, text, category and
// code. Staff of government and platform may.
func (s *Service) List(ctx context.Context, actor access.Actor, query string) ([]View, error) {
	if err := staff(actor); err != nil {
		return nil, err
	}
	var rows []struct {
		phrase
		Own int64 `bun:"own"`
	}
	q := s.db.Read().NewSelect().TableExpr("canned_replies AS c").ColumnExpr("c.*").ColumnExpr("coalesce(n.uses, 0) AS own").
		Join("LEFT JOIN canned_uses AS n ON n.phrase_id = c.id AND n.user_id = ?", actor.UserID).OrderExpr("own DESC, n.last_at DESC, c.uses DESC, c.id").Limit(limit)
	if err := visible(q, actor).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list phrases: %w", err)
	}
	query = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(query), "/"))
	out := make([]View, 0, len(rows))
	for i := range rows {
		p := &rows[i].phrase
		if query == "" || strings.HasPrefix(p.Code, query) || strings.Contains(strings.ToLower(p.Title+"\n"+p.Category+"\n"+p.Body), query) {
			out = append(out, p.view(actor, rows[i].Own))
		}
	}
	return out, nil
}

// Get returns one phrase the actor may use.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := staff(actor); err != nil {
		return View{}, err
	}
	p, err := find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	var own int64
	err = s.db.Read().NewSelect().Model((*used)(nil)).ColumnExpr("coalesce(max(uses), 0)").Where("phrase_id = ? AND user_id = ?", id, actor.UserID).Scan(ctx, &own)
	return p.view(actor, own), err
}

func find(ctx context.Context, db bun.IDB, a access.Actor, id int64) (*phrase, error) {
	p := new(phrase)
	return p, database.Found(visible(db.NewSelect().Model(p).Where("c.id = ?", id), a).Scan(ctx))
}

// Save asks to keep a phrase. ID 0 makes a new one; otherwise Version is the one the actor saw.
type Save struct {
	ID      int64
	Version int64
	Key     string `json:"-"`
	Text
}

// Save makes or changes a phrase. It returns ErrHolder for a shared one without canned.share, ErrNotFound for one the actor
// does not see, ErrForbidden for one that is not theirs to change, ErrCode for a code that is taken.
func (s *Service) Save(ctx context.Context, actor access.Actor, cmd Save) (View, error) {
	if err := staff(actor); err != nil {
		return View{}, err
	}
	t, err := cmd.Text.cleaned()
	if err != nil {
		return View{}, err
	}
	var id int64
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "canned.save", Key: cmd.Key, Request: cmd, Now: s.clock.Now()},
			func() (int64, error) { return s.save(ctx, tx, actor, cmd, t) })
		return err
	})
	if database.IsDuplicate(err) {
		return View{}, ErrCode
	}
	if err != nil {
		return View{}, fmt.Errorf("save phrase: %w", err)
	}
	return s.Get(ctx, actor, id)
}

func (s *Service) save(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Save, t Text) (int64, error) {
	now := s.clock.Now()
	p := &phrase{Version: 1, CreatedAt: now}
	if cmd.ID != 0 {
		var err error
		if p, err = find(ctx, tx, actor, cmd.ID); err != nil {
			return 0, err
		}
		if !p.writes(actor) {
			return 0, ErrForbidden
		}
	}
	if err := p.place(actor, t.Holder); err != nil {
		return 0, err
	}
	p.Title, p.Body, p.Category, p.Code, p.EditorID, p.UpdatedAt = t.Title, t.Body, t.Category, t.Code, actor.UserID, now
	if cmd.ID == 0 {
		if _, err := tx.NewInsert().Model(p).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
			return 0, err
		}
		return p.ID, s.note(ctx, tx, actor, p, "create", "新建")
	}
	p.Version = cmd.Version + 1
	err := database.Changed(tx.NewUpdate().Model(p).ExcludeColumn("id", "uses", "created_at").Where("id = ? AND version = ?", p.ID, cmd.Version).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return 0, ErrStale
	}
	if err != nil {
		return 0, err
	}
	return p.ID, s.note(ctx, tx, actor, p, "edit", "修改")
}

// note writes changes of shared phrases to the audit log; personal ones concern nobody.
func (s *Service) note(ctx context.Context, tx bun.Tx, actor access.Actor, p *phrase, action, word string) error {
	if p.Holder == Personal {
		return nil
	}
	return audit.Write(ctx, tx, actor, p.UpdatedAt, audit.Record{Action: "canned." + action, Object: Object, ObjectID: p.ID,
		Summary: word + p.Holder.Label() + "常用语“" + p.Title + "”", Detail: map[string]any{"code": p.Code, "body": p.Body}})
}

// Remove takes a phrase away from everybody. Errors as Save.
func (s *Service) Remove(ctx context.Context, actor access.Actor, id, version int64) error {
	if err := staff(actor); err != nil {
		return err
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		p, err := find(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if !p.writes(actor) {
			return ErrForbidden
		}
		p.UpdatedAt = s.clock.Now()
		err = database.Changed(tx.NewUpdate().Model((*phrase)(nil)).Set("removed = ?, version = version + 1, updated_at = ?, editor_id = ?", true, p.UpdatedAt, actor.UserID).
			Where("id = ? AND version = ? AND NOT removed", id, version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, actor, p, "remove", "删除")
	})
	if err != nil {
		return fmt.Errorf("remove phrase %d: %w", id, err)
	}
	return nil
}

// Filled is a phrase ready to be put into an answer.
type Filled struct {
	Text string `json:"text"`
	// Missing are the placeholders that the ticket could not fill.
	Missing []string `json:"missing"`
}

// Use fills a phrase from a ticket, 0 for none, and counts the use for the actor. It returns ErrNotFound for a phrase or a
// ticket that the actor does not see.
func (s *Service) Use(ctx context.Context, actor access.Actor, id, ticket int64) (Filled, error) {
	if err := staff(actor); err != nil {
		return Filled{}, err
	}
	var t Ticket
	if ticket != 0 {
		var err error
		if t, err = s.tickets.Told(ctx, actor, ticket); err != nil {
			return Filled{}, err
		}
	}
	out := Filled{}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		p, err := find(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		out.Text, out.Missing = Fill(p.Body, t, now)
		row := used{PhraseID: id, UserID: actor.UserID, Uses: 1, LastAt: now}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT (phrase_id, user_id) DO UPDATE").Set("uses = n.uses + 1, last_at = EXCLUDED.last_at").Exec(ctx); err != nil {
			return err
		}
		_, err = database.Run(ctx, tx, "UPDATE canned_replies SET uses = uses + 1 WHERE id = ?", id)
		return err
	})
	if err != nil {
		return Filled{}, fmt.Errorf("use phrase %d: %w", id, err)
	}
	if out.Missing == nil {
		out.Missing = []string{}
	}
	return out, nil
}
