package ticket

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
)

// Typed is a request as far as it is typed.
type Typed struct {
	Type         string
	Title        string
	Body         string
	Phone        string // agents only
	CreditCode   string // agents only
	EnterpriseID int64  // agents only
}

// Alike is a ticket that may be about the same, and why.
type Alike struct {
	Item
	Reasons []string `json:"reasons" doc:"In words: 同一电话, 同一企业, 同一类型, 同一地点, 内容相似."`
	Open    bool     `json:"open" doc:"It is not ended: the new request could be added to it."`
	Score   int      `json:"score" doc:"0 to 100; only to order them."`
}

// The bounds of the work: how many days back, and how many tickets each way of looking gives.
const (
	alikeDays  = 30
	alikeReach = 40
	alikeMost  = 8
	// alikeEnough is the score from which a ticket of somebody else is shown.
	alikeEnough = 45
	// alikeOwn is the score from which a requester is shown a ticket of their own: the same type alone is not enough.
	alikeOwn = 35
)

// Similar suggests tickets of the last 30 days that may be about the same, best first. Agents with ticket.open are told of
// all they may see; a requester only of their own open ones. A request that is hardly begun has none.
func (s *Service) Similar(ctx context.Context, actor access.Actor, d Typed) ([]Alike, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	scopes := visible(actor)
	agent := isDesk(actor) && actor.Can(PermOpen)
	if !agent {
		if actor.Party != access.Enterprise {
			return nil, ErrForbidden
		}
		d.Phone, d.CreditCode, d.EnterpriseID = "", "", 0
		scopes = []scope{{where: "t.user_id = ?", args: []any{actor.UserID}}}
	}
	db := s.db.Read()
	now := s.clock.Now()
	from, err := firstSince(ctx, db, now.AddDate(0, 0, -alikeDays))
	if err != nil || from == 0 {
		return []Alike{}, err
	}
	ids, who, err := s.candidates(ctx, db, actor, agent, d, scopes, from)
	if err != nil {
		return nil, err
	}
	rows, err := s.seen(ctx, db, scopes, ids)
	if err != nil {
		return nil, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return nil, err
	}
	mine := newImprint(d.Title, d.Body)
	out := []Alike{}
	for i := range rows {
		t := &rows[i]
		done := slices.Contains(over, t.Status)
		if t.Status == Void || now.Sub(t.CreatedAt) > alikeDays*24*time.Hour || !agent && done {
			continue
		}
		a := Alike{Item: t.item(names), Open: !done, Reasons: []string{}}
		close := a.weigh(t, d, who, mine)
		enough := alikeEnough
		if !agent {
			enough = alikeOwn
		}
		if close && a.Score > 0 || a.Score >= enough {
			a.Score = min(a.Score, 100)
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Alike) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(len(out), alikeMost)], nil
}

// weigh says what the ticket has in common with the draft, and whether it is of the same person or company.
func (a *Alike) weigh(t *Ticket, d Typed, who identity, mine imprint) (close bool) {
	because := func(points int, why string) {
		a.Score += points
		a.Reasons = append(a.Reasons, why)
	}
	if slices.Contains(who.blinds, t.PhoneBlind) || who.user != 0 && t.UserID == who.user {
		close = true
		because(40, "同一来电人")
	}
	if who.firm != 0 && t.EnterpriseID == who.firm {
		close = true
		because(25, "同一企业")
	}
	theirs := newImprint(t.Title, t.Body)
	alike := mine.like(theirs)
	// Whoever asks again may ask something else: person alone is not enough once something is typed.
	if close && mine.pairs() >= 3 && alike < 0.15 && t.Type != d.Type {
		a.Score = 0
		return close
	}
	if d.Type != "" && t.Type == d.Type {
		because(20, "同一类型")
	}
	if place := mine.place(theirs); place != "" {
		because(20, "同一地点（"+place+"）")
	}
	if alike >= 0.3 {
		because(int(alike*45), fmt.Sprintf("内容相似（%d%%）", int(alike*100)))
	}
	return close
}

// identity is who a draft is of.
type identity struct {
	blinds     []string
	user, firm int64
}

// candidates gathers, each way by its own index and bounded, the tickets since the id from that could be about the same.
func (s *Service) candidates(ctx context.Context, db bun.IDB, actor access.Actor, agent bool, d Typed, scopes []scope, from int64) ([]int64, identity, error) {
	var who identity
	var ids []int64
	take := func(where string, args ...any) error {
		var some []int64
		err := db.NewSelect().Model((*Ticket)(nil)).Column("id").Where(where, args...).Where("t.id >= ?", from).OrderExpr("t.id DESC").Limit(alikeReach).Scan(ctx, &some)
		ids = append(ids, some...)
		return err
	}
	if !agent { // all are their own, which says nothing
		return ids, who, take("t.user_id = ?", actor.UserID)
	}
	var told Caller
	of, err := s.same(ctx, db, LookUp{d.Phone, d.CreditCode}, &told)
	if err != nil {
		return nil, who, err
	}
	if phone := of.phone(); phone != "" {
		who.blinds = s.box.Blinds("phone", phone)
	}
	if told.Person != nil {
		who.user = told.Person.UserID
	}
	if d.EnterpriseID != 0 {
		who.firm = d.EnterpriseID
		of = append(of, sameness{where: "t.enterprise_id = ?", args: []any{d.EnterpriseID}})
	} else if told.Firm != nil {
		who.firm = told.Firm.ID
	}
	for _, c := range of {
		if err := take(c.where, c.args...); err != nil {
			return nil, who, err
		}
	}
	if d.Type != "" {
		if err := take("t.type_code = ?", d.Type); err != nil {
			return nil, who, err
		}
	}
	for _, words := range probes(d.Title) {
		q, _ := search.Read(words)
		var walks []*bun.SelectQuery
		for _, sc := range scopes {
			walks = append(walks, db.NewSelect().Model((*Ticket)(nil)).Where(sc.where, sc.args...).Where("t.id >= ?", from))
		}
		found, err := fullText.Newest(ctx, db, search.List{Words: q, Walks: walks, ID: "t.id", Limit: alikeReach / 2})
		if err != nil {
			return nil, who, err
		}
		ids = append(ids, found.IDs...)
	}
	return ids, who, nil
}

// firstSince is the id of the first ticket that was numbered on the day of since or after it, 0 for none. Numbers carry their
// day and ids grow with them, so one step in the index of numbers finds it.
func firstSince(ctx context.Context, db bun.IDB, since time.Time) (int64, error) {
	var ids []int64
	err := db.NewSelect().Model((*Ticket)(nil)).Column("id").Where("t.number >= ?", "GD"+since.In(clock.Beijing).Format("20060102")+"-000000").
		OrderExpr("t.number").Limit(1).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

var hanRun = regexp.MustCompile(`\p{Han}{3,}`)

// probes are pieces of a title that a similar one would hold: up to four of four characters each, spread over the text.
func probes(title string) []string {
	var out []string
	for _, r := range hanRun.FindAllString(title, -1) {
		rs := []rune(r)
		for i := 0; i < len(rs) && len(out) < 4; i += 4 {
			if end := min(i+4, len(rs)); end-i >= 2 {
				out = append(out, string(rs[i:end]))
			}
		}
	}
	return out
}

// imprint is what two requests are compared by: the pairs of characters of title and text, and the words of places.
type imprint struct {
	title, all map[string]bool
	places     map[string]bool
}

// placeWord is the end of an address: two characters and what kind of place it is.
var placeWord = regexp.MustCompile(`\p{Han}{2}(?:大街|大道|胡同|园区|小区|工业园|产业园|大厦|广场|市场|街道|路|街|巷|桥|村|镇|站)`)

// plainWords never stand in the name of a place: 看不清路 is none.
const plainWords = "不的了在是这那有到上下条修被把和没让"

func newImprint(title, body string) imprint {
	p := imprint{title: pairsOf(title), all: pairsOf(title + "\n" + body), places: map[string]bool{}}
	for _, w := range placeWord.FindAllString(title+"\n"+body, -1) {
		if !strings.ContainsAny(w, plainWords) {
			p.places[w] = true
		}
	}
	return p
}

func pairsOf(s string) map[string]bool {
	out := map[string]bool{}
	for _, r := range hanRun.FindAllString(s, -1) {
		rs := []rune(r)
		for i := range len(rs) - 1 {
			out[string(rs[i:i+2])] = true
		}
	}
	return out
}

func (p imprint) pairs() int { return len(p.title) }

// like is the share of the title's pairs that the other request has as well, the better of both directions; 0 when there is
// too little to compare.
func (p imprint) like(o imprint) float64 {
	share := func(a, b map[string]bool) float64 {
		if len(a) < 3 {
			return 0
		}
		n := 0
		for w := range a {
			if b[w] {
				n++
			}
		}
		return float64(n) / float64(len(a))
	}
	return max(share(p.title, o.all), share(o.title, p.all))
}

// place is a place that both name, "" for none.
func (p imprint) place(o imprint) string {
	found := ""
	for w := range p.places {
		if o.places[w] && (found == "" || w < found) {
			found = w
		}
	}
	return found
}
