package ticket

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
)

// DeskView is what colleagues keep beside a ticket: who has it, its tags and the notes the viewer may read. Requesters get
// none of it.
type DeskView struct {
	Holders []HolderView `json:"holders"`
	Tags    []string     `json:"tags"`
	Notes   []NoteView   `json:"notes"`
	// May lists what the viewer may do beside the steps of the ticket.
	May []string `json:"may" enum:"claim,release,assign,note,tag,urge,locate"`
	// HolderID is who has it at the viewer's own desk or unit, 0 for nobody.
	HolderID int64 `json:"holderId"`

	place int64
}

// own is who has the ticket at the viewer's own desk or unit, nil for nobody.
func (v *DeskView) own() *HolderView {
	if v == nil || v.HolderID == 0 {
		return nil
	}
	for i := range v.Holders {
		if h := &v.Holders[i]; h.UserID == v.HolderID && h.Place == v.place {
			return h
		}
	}
	return nil
}

// HolderView says who has a ticket at the desk or in a unit.
type HolderView struct {
	Place     int64     `json:"place" doc:"0 for the desk, otherwise the unit."`
	PlaceName string    `json:"placeName"`
	UserID    int64     `json:"userId"`
	UserName  string    `json:"userName"`
	At        time.Time `json:"at"`
}

// deskView gathers it. Who works in another unit on a part of the ticket is between those who see the whole: the desk.
func (s *Service) deskView(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket, has beside, all tree) (*DeskView, error) {
	v := &DeskView{Holders: []HolderView{}, Tags: []string{}, Notes: []NoteView{}, May: []string{}}
	var rows []holderRow
	var err error
	if has.holders {
		if rows, err = holdersOf(ctx, db, t.ID); err != nil {
			return nil, err
		}
	}
	place, elsewhere := placeOf(actor, t, all)
	for _, h := range rows {
		name := placeName(h.Place, t, all)
		if isDesk(actor) || elsewhere == nil && h.Place == place {
			v.Holders = append(v.Holders, HolderView{h.Place, name, h.UserID, h.UserName, h.At.UTC()})
		}
		if elsewhere == nil && h.Place == place {
			v.HolderID, v.place = h.UserID, place
		}
	}
	if has.tags {
		var tags []tagRow
		if err := database.QueryAll(ctx, db, &tags, "SELECT ticket_id, tag FROM ticket_tags WHERE ticket_id = ? ORDER BY tag", t.ID); err != nil {
			return nil, err
		}
		for _, g := range tags {
			v.Tags = append(v.Tags, g.Tag)
		}
	}
	if has.notes {
		if v.Notes, err = s.notesFor(ctx, db, actor, t, all); err != nil {
			return nil, err
		}
	}
	own := v.HolderID == actor.UserID && actor.UserID != 0
	add := func(what string, may bool) {
		if may {
			v.May = append(v.May, what)
		}
	}
	add("claim", elsewhere == nil && v.HolderID == 0 && actor.Can(PermClaim))
	add("release", elsewhere == nil && v.HolderID != 0 && (own && actor.Can(PermClaim) || actor.Can(PermAssign)))
	add("assign", elsewhere == nil && (own && actor.Can(PermClaim) || actor.Can(PermAssign)))
	add("note", actor.Can(PermNote))
	add("tag", actor.Can(PermNote))
	add("locate", s.areas != nil && locates(actor, t))
	add("urge", isDesk(actor) && actor.Can(PermUrge) && (t.Status == Sent || t.Status == Handling))
	return v, nil
}

// placeName is the word for a place of a ticket.
func placeName(place int64, t *Ticket, all tree) string {
	if place == DeskPlace {
		return "受理席"
	}
	for i := range all {
		if all[i].UnitID == place {
			return all[i].UnitName
		}
	}
	return t.UnitName
}

// besides is what a page of tickets shows beside their own rows.
type besides struct {
	holders map[int64]holderRow
	tags    map[int64][]string
	flags   map[int64][]Flag
}

// besidesOf reads it in one query: of the holders those at the actor's own place.
func besidesOf(ctx context.Context, db bun.IDB, actor access.Actor, page []Ticket) (besides, error) {
	b := besides{map[int64]holderRow{}, map[int64][]string{}, map[int64][]Flag{}}
	if len(page) == 0 {
		return b, nil
	}
	ids := make([]int64, 0, len(page))
	for i := range page {
		ids = append(ids, page[i].ID)
		if page[i].Status == Reported && page[i].ReviewDue {
			b.flags[page[i].ID] = append(b.flags[page[i].ID], FlagReview)
		}
	}
	const holder, tag, flag = 1, 2, 3
	own, args := ownPlaces(actor)
	these := among(db, "ticket_id", ids)
	query := "SELECT 1 AS what, k.ticket_id, k.user_id AS who, k.user_name AS word FROM ticket_holders AS k JOIN tickets AS t ON t.id = k.ticket_id WHERE k." + these.where + " AND " + own +
		" UNION ALL SELECT 2, ticket_id, 0, tag FROM ticket_tags WHERE " + these.where +
		" UNION ALL SELECT DISTINCT 3, ticket_id, 0, kind FROM ticket_requests WHERE state IN ('filed', 'endorsed') AND " + these.where + " ORDER BY 1, 2, 4"
	err := database.Each(ctx, db, func(rows *sql.Rows) error {
		var what, id, who int64
		var word string
		if err := rows.Scan(&what, &id, &who, &word); err != nil {
			return err
		}
		switch what {
		case holder:
			b.holders[id] = holderRow{TicketID: id, UserID: who, UserName: word}
		case tag:
			b.tags[id] = append(b.tags[id], word)
		case flag:
			b.flags[id] = append(b.flags[id], Flag(word))
		}
		return nil
	}, query, slices.Concat(these.args, args, these.args, these.args)...)
	return b, err
}

func (b besides) put(i *Item) {
	if h, ok := b.holders[i.ID]; ok {
		i.HolderID, i.HolderName = h.UserID, h.UserName
	}
	i.Tags, i.Flags = b.tags[i.ID], b.flags[i.ID]
}

// deskKinds are the facts of working together: requesters see none of them, and they leave the version as it is.
var deskKinds = []string{"ticket.claimed", "ticket.handed", "ticket.released", "ticket.noted", "ticket.tagged", "ticket.located"}

// deskTimeline reads a fact of working together; notes are shown from their own rows, which say who may read them.
func deskTimeline(e event.Event, s *Step) (bool, error) {
	if !slices.Contains(deskKinds, e.Type) {
		return false, nil
	}
	s.hidden = true
	if e.Type == "ticket.located" {
		var f Located
		err := e.Decode(&f)
		if s.Label = "区域改为" + f.Name; f.Name == "" {
			s.Label = "区域改为未注明"
		}
		return true, err
	}
	if e.Type == "ticket.noted" || e.Type == "ticket.tagged" {
		s.Label = map[string]string{"ticket.noted": "添加内部备注", "ticket.tagged": "调整标签"}[e.Type]
		return true, nil
	}
	var f Held
	if err := e.Decode(&f); err != nil {
		return true, err
	}
	s.Text = f.Note
	switch {
	case f.Auto:
		s.Label, s.Actor = "自动分派给"+f.HolderName, ""
	case f.How == "claimed":
		s.Label = f.HolderName + "领取"
	case f.How == "handed":
		s.Label = "指派给" + f.HolderName
	default:
		s.Label = "退回待领取"
	}
	return true, nil
}

// tells reports whether the step is shown to the viewer: what goes on inside a desk or unit is theirs, and notes have rows of
// their own.
func tells(actor access.Actor, t *Ticket, e event.Event) bool {
	switch e.Type {
	case "ticket.noted", "ticket.tagged":
		return false
	case "ticket.claimed", "ticket.handed", "ticket.released":
		var f Held
		if err := e.Decode(&f); err != nil {
			return false
		}
		return actor.Party != access.Enterprise && (isDesk(actor) || f.Place == actor.DepartmentID || f.Place == t.UnitID && isLead(actor, t))
	}
	return true
}
