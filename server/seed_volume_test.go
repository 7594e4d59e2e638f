package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/seed/volume"
)

// enlarged is a demo district with a loaded history, and a second house on it whose clock the test sets.
type enlarged struct {
	h, story *house
	at       *clock.Fake
	size     Size
	from     map[string]int64 // the last id of each table before the load
}

// storyTold is when every loaded history ends: what is under way at the end differs from day to day, and a test asks for all of it.
var storyTold = time.Date(2026, 11, 18, 10, 0, 0, 0, clock.Beijing)

func enlarge(t *testing.T, size Size) *enlarged {
	t.Helper()
	ctx := context.Background()
	d := newDistrict(t)
	db, c := d.open(t)
	e := &enlarged{size: size, at: clock.NewFake(time.Now()), from: map[string]int64{}}
	make := func(cl clock.Clock) *house {
		h, err := build(ctx, c, db, d.key, parts{log: slog.New(slog.DiscardHandler), clock: cl, outside: outside{sender: silent{}}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	e.h, e.story = make(clock.NewFake(storyTold)), make(e.at)
	for _, table := range []string{"users", "products", "enterprises", "tickets", "applications", "events", "audit_entries"} {
		e.from[table] = e.one(t, "SELECT coalesce(max(id), 0) FROM "+table)
	}
	if err := e.h.loadVolume(ctx, size, io.Discard); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *enlarged) one(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	if err := e.h.db.Read().NewRaw(query, args...).Scan(context.Background(), &n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// row reads rows as the database gives them; a moment is made a text of one form.
func (e *enlarged) rows(t *testing.T, query string, args ...any) []map[string]any {
	t.Helper()
	var list []map[string]any
	if err := e.h.db.Read().NewRaw(query, args...).Scan(context.Background(), &list); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	for _, r := range list {
		for k, v := range r {
			switch x := v.(type) {
			case time.Time:
				r[k] = x.UTC().Format(time.RFC3339Nano)
			case []byte:
				r[k] = string(x)
			case bool:
				r[k] = map[bool]int64{true: 1}[x]
			}
		}
	}
	return list
}

// own are the columns in which two rows that tell the same differ, with the form that both must have. An id is compared for
// being there.
var (
	anID   = regexp.MustCompile(`^[1-9]\d*$`)
	sealed = regexp.MustCompile(`^[A-Za-z0-9_-]{50,}$`)
	hashed = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	blind  = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)
	own    = map[string]*regexp.Regexp{"id": anID, "ticket_id": anID, "user_id": anID, "enterprise_id": anID, "opened_by": anID, "object_id": anID, "pos": anID,
		"actor_id": regexp.MustCompile(`^\d+$`), "recorded_by": regexp.MustCompile(`^\d+$`),
		"number":     regexp.MustCompile(`^(GD|SQ)\d{8}-\d{6}$`),
		"query_hash": hashed, "phone_sealed": sealed,
		"ip": regexp.MustCompile(`^(\d+\.\d+\.\d+\.\d+)?$`), "trace_id": regexp.MustCompile(`^([0-9a-f]{32})?$`)}
)

// same compares two rows of one table column by column: NULL where NULL, equal, or both of the form.
func same(t *testing.T, what string, loaded, made map[string]any, swap *strings.Replacer, forms map[string]*regexp.Regexp) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(loaded)), slices.Sorted(maps.Keys(made))) {
		t.Fatalf("%s: other columns", what)
	}
	for k, v := range loaded {
		w := made[k]
		if (v == nil) != (w == nil) {
			t.Errorf("%s.%s: loaded %v, made %v", what, k, v, w)
			continue
		}
		if v == nil {
			continue
		}
		a, b := fmt.Sprint(v), fmt.Sprint(w)
		form := forms[k]
		if form == nil {
			form = own[k]
		}
		switch {
		case form != nil:
			if !form.MatchString(a) || !form.MatchString(b) {
				t.Errorf("%s.%s: loaded %s, made %s, want the form %s", what, k, a, b, form)
			}
		case k == "facts" || k == "detail":
			sameJSON(t, what+"."+k, a, swap.Replace(b))
		case a != swap.Replace(b):
			t.Errorf("%s.%s:\nloaded %s\nmade   %s", what, k, a, b)
		}
	}
}

// sameJSON compares two documents; of ids only that both are there.
func sameJSON(t *testing.T, what, loaded, made string) {
	t.Helper()
	var a, b any
	if json.Unmarshal([]byte(loaded), &a) != nil || json.Unmarshal([]byte(made), &b) != nil {
		t.Fatalf("%s: %s is no JSON", what, loaded)
	}
	for _, doc := range []any{a, b} {
		if m, ok := doc.(map[string]any); ok {
			for _, k := range []string{"id", "userId", "enterpriseId", "ownerId"} {
				if _, there := m[k]; there {
					m[k] = "an id"
				}
			}
		}
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Errorf("%s:\nloaded %s\nmade   %s", what, x, y)
	}
}

// object compares all that is kept of one object beside its own row: events and audit rows.
func (e *enlarged) object(t *testing.T, object string, loaded, made int64, swap *strings.Replacer) {
	t.Helper()
	if err := event.Place(context.Background(), e.h.db); err != nil { // on PostgreSQL a fact gets its position a moment later
		t.Fatal(err)
	}
	for _, table := range []string{"events", "audit_entries"} {
		query := "SELECT * FROM " + table + " WHERE object = ? AND object_id = ? ORDER BY id"
		a, b := e.rows(t, query, object, loaded), e.rows(t, query, object, made)
		if len(a) != len(b) || len(a) == 0 && (object != "user" || table != "events") { // an account announces nothing
			t.Fatalf("%s %d: %d rows of %s loaded, %d made", object, loaded, len(a), table, len(b))
		}
		for i := range a {
			same(t, fmt.Sprintf("%s of %s %d/%d", table, object, loaded, i), a[i], b[i], swap, nil)
		}
	}
}

// TestLoadedRowsAreAsMade has the services live through the very history that the loader wrote, and compares what both left
// behind, row by row and column by column. Then the services go on with what was loaded.
func TestLoadedRowsAreAsMade(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := enlarge(t, Size{Enterprises: 25, Tickets: 160, Applications: 60, Products: 30, Seed: 3})
	after := map[string]int64{}
	for table := range e.from {
		after[table] = e.one(t, "SELECT coalesce(max(id), 0) FROM "+table)
	}
	// What is loaded was asked and answered before types had forms and evidence of their own.
	for _, table := range []string{"ticket_forms", "ticket_evidence_rules"} {
		if _, err := e.h.db.Writer().Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	tell, g := e.again(t)
	e.products(t, tell, g)
	companies := e.companies(t, tell, g)
	made, applied, stepped := 0, 0, map[string]bool{}
	for {
		next, apply, ok := g.Next()
		if !ok {
			break
		}
		if next != nil {
			made++
			e.ticket(t, tell, companies, next, e.from["tickets"]+int64(made), stepped)
		} else {
			applied++
			e.application(t, tell, companies, apply, e.from["applications"]+int64(applied), stepped)
		}
	}
	if made != 160 || applied < 20 {
		t.Fatalf("%d tickets, %d applications", made, applied)
	}
	for _, a := range []string{"ticket answer", "ticket dispatch", "ticket sign", "ticket reply", "ticket callback", "ticket close", "ticket rate", "ticket reopen", "ticket void",
		"application accept", "application progress", "application complete", "application approve", "application disburse"} {
		if !stepped[a] {
			t.Errorf("the history has no %s", a)
		}
	}
	// The three rates of what was loaded, for whoever opens the page.
	if n := e.one(t, "SELECT count(*) FROM appraisal_cases WHERE month <> '' AND ticket_id <= ?", after["tickets"]); n < 40 {
		t.Errorf("%d cases that have ended", n)
	}
	// The indexes are as the migrations made them, and nothing hangs in the air.
	e.whole(t)
	if err := e.h.sealer.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	if r, err := audit.Verify(ctx, e.h.db, audit.Options{}); err != nil || !r.OK() {
		t.Fatalf("audit: %v %v", r.Problems, err)
	}
}

// again makes the same history once more.
func (e *enlarged) again(t *testing.T) (*telling, *volume.Generator) {
	t.Helper()
	d := &telling{}
	if err := d.find(context.Background(), e.h); err != nil {
		t.Fatal(err)
	}
	d.offers = slices.DeleteFunc(d.offers, func(o application.Offer) bool { return o.ID > e.from["products"] }) // those come again
	g, err := d.history(e.h, e.size)
	if err != nil {
		t.Fatal(err)
	}
	return d, g
}

// products has the same people write and pass the products once more, and compares.
func (e *enlarged) products(t *testing.T, tell *telling, g *volume.Generator) {
	t.Helper()
	ctx := context.Background()
	kinds := map[string]bool{}
	for i := range e.size.Products {
		s := tell.offering(g.Offering())
		e.at.Set(s.At)
		v, err := e.story.catalog.Draft(ctx, s.By, catalog.DraftProduct{Content: s.Content})
		for _, step := range []func(catalog.Ref) (catalog.View, error){
			func(r catalog.Ref) (catalog.View, error) {
				e.at.Set(s.Submitted)
				return e.story.catalog.Submit(ctx, s.By, catalog.SubmitProduct{Ref: r})
			},
			func(r catalog.Ref) (catalog.View, error) {
				e.at.Set(s.Passed)
				return e.story.catalog.Pass(ctx, s.Reviewer, catalog.PassProduct{Ref: r})
			},
			func(r catalog.Ref) (catalog.View, error) {
				e.at.Set(s.Listed)
				return e.story.catalog.Pass(ctx, s.Government, catalog.PassProduct{Ref: r})
			},
		} {
			if err != nil {
				t.Fatal(err)
			}
			v, err = step(catalog.Ref{ID: v.ID, Version: v.Version})
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds[s.Content.Kind+s.Content.FinancingKind] = true
		loaded := e.from["products"] + int64(i) + 1
		swap := strings.NewReplacer()
		for _, table := range []string{"products WHERE id", "product_editions WHERE product_id"} {
			a, b := e.rows(t, "SELECT * FROM "+table+" = ?", loaded), e.rows(t, "SELECT * FROM "+table+" = ?", v.ID)
			if len(a) != 1 || len(b) != 1 {
				t.Fatalf("%s: %d and %d rows", table, len(a), len(b))
			}
			same(t, table, a[0], b[0], swap, map[string]*regexp.Regexp{"product_id": anID, "number": anID})
		}
		e.object(t, catalog.Object, loaded, v.ID, swap)
		// Applications go on to those that were loaded.
		offer, err := (offers{e.story.catalog}).Offer(ctx, e.h.db.Read(), loaded)
		if err != nil {
			t.Fatal(err)
		}
		tell.offers = append(tell.offers, offer)
	}
	if len(kinds) < 7 {
		t.Errorf("products of %d kinds only", len(kinds))
	}
	found, err := e.h.catalog.Browse(ctx, access.Actor{Party: access.Anonymous}, catalog.BrowseFilter{Query: "个工作日内答复", Limit: 50})
	if err != nil || len(found.Items) < e.size.Products {
		t.Errorf("%d loaded products are found by their text: %v", len(found.Items), err)
	}
}

// companies opens the companies once more by the services, under other codes and phones, and compares.
func (e *enlarged) companies(t *testing.T, tell *telling, g *volume.Generator) []access.Actor {
	t.Helper()
	ctx, system := context.Background(), access.SystemActor("seed")
	var owners []access.Actor
	user := e.from["users"]
	for i := range e.size.Enterprises {
		c := g.Company()
		e.at.Set(c.At)
		var members []int64
		for j, p := range c.People {
			id, err := e.story.identity.CreateOwner(ctx, system, identity.Owner{Name: p.Name, Phone: volume.Phone(8_000_000 + 2*i + j)})
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, id)
		}
		other := c
		other.CreditCode = volume.CreditCode(500_000 + i)
		ids, err := e.story.enterprises.Load(ctx, system, []enterprise.Known{known(other, members)})
		if err != nil {
			t.Fatal(err)
		}
		loaded, made := e.from["enterprises"]+int64(i)+1, ids[0]
		swap := strings.NewReplacer(other.CreditCode, c.CreditCode)
		for _, table := range []string{"enterprises WHERE id", "enterprise_members WHERE enterprise_id", "enterprise_verifications WHERE enterprise_id", "enterprise_facts WHERE enterprise_id"} {
			a, b := e.rows(t, "SELECT * FROM "+table+" = ? ORDER BY 1", loaded), e.rows(t, "SELECT * FROM "+table+" = ? ORDER BY 1", made)
			if len(a) != len(b) {
				t.Fatalf("%s: %d and %d rows", table, len(a), len(b))
			}
			for k := range a {
				same(t, table, a[k], b[k], swap, nil)
			}
		}
		e.object(t, "enterprise", loaded, made, swap)
		for _, id := range members {
			user++
			forms := map[string]*regexp.Regexp{"phone": sealed, "phone_blind": blind, "phone_tail": blind}
			same(t, "users", e.rows(t, "SELECT * FROM users WHERE id = ?", user)[0], e.rows(t, "SELECT * FROM users WHERE id = ?", id)[0], swap, forms)
			same(t, "user_roles", e.rows(t, "SELECT * FROM user_roles WHERE user_id = ?", user)[0], e.rows(t, "SELECT * FROM user_roles WHERE user_id = ?", id)[0], swap, nil)
			e.object(t, "user", user, id, swap)
		}
		tell.known = append(tell.known, requester{name: c.Name, phone: c.People[0].Phone, by: access.Actor{UserID: members[0], Name: c.People[0].Name, Party: access.Enterprise, EnterpriseID: made}})
		owners = append(owners, tell.known[i].by)
	}
	return owners
}

// ticket lives through one ticket by the services and compares it with the loaded one.
func (e *enlarged) ticket(t *testing.T, tell *telling, _ []access.Actor, next *volume.Ticket, loaded int64, stepped map[string]bool) {
	t.Helper()
	ctx := context.Background()
	s := tell.ticket(next)
	e.at.Set(s.At)
	v, err := e.story.tickets.Open(ctx, s.By, s.Open)
	for _, step := range s.Steps {
		if err != nil {
			t.Fatal(err)
		}
		stepped["ticket "+string(step.Action)] = true
		e.at.Set(step.At)
		ref := ticket.Ref{ID: v.ID, Version: v.Version}
		switch step.Action {
		case ticket.ToAnswer:
			v, err = e.story.tickets.Answer(ctx, step.By, ticket.AnswerTicket{Ref: ref, Text: step.Text})
		case ticket.ToDecline:
			v, err = e.story.tickets.Decline(ctx, step.By, ticket.DeclineTicket{Ref: ref, Code: "elsewhere", Reason: step.Text})
		case ticket.ToDispatch:
			v, err = e.story.tickets.Dispatch(ctx, step.By, ticket.DispatchTicket{Ref: ref, UnitID: step.Unit.ID, Note: step.Text})
		case ticket.ToSign:
			v, err = e.story.tickets.Sign(ctx, step.By, ticket.SignTicket{Ref: ref})
		case ticket.ToReply:
			v, err = e.story.tickets.Reply(ctx, step.By, ticket.ReplyTicket{Ref: ref, Text: step.Text})
		case ticket.ToCallBack:
			v, err = e.story.tickets.CallBack(ctx, step.By, ticket.CallBackTicket{Ref: ref, Outcome: *step.Outcome, Note: step.Text})
		case ticket.ToClose:
			v, err = e.story.tickets.Close(ctx, step.By, ticket.CloseTicket{Ref: ref, Outcome: step.Outcome, Note: step.Text})
		case ticket.ToReopen:
			v, err = e.story.tickets.Reopen(ctx, step.By, ticket.ReopenTicket{Ref: ref, Reason: step.Text})
		case ticket.ToVoid:
			v, err = e.story.tickets.Void(ctx, step.By, ticket.VoidTicket{Ref: ref, Reason: step.Text})
		case ticket.ToRate:
			v, err = e.story.tickets.Rate(ctx, step.By, ticket.RateTicket{Ref: ref, Rating: step.Rating, Opinion: step.Text})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	a, b := e.rows(t, "SELECT * FROM tickets WHERE id = ?", loaded)[0], e.rows(t, "SELECT * FROM tickets WHERE id = ?", v.ID)[0]
	swap := strings.NewReplacer(fmt.Sprint(b["number"]), fmt.Sprint(a["number"]))
	same(t, "tickets", a, b, swap, nil)
	for _, table := range []string{"ticket_hops", "ticket_clocks"} {
		query := "SELECT * FROM " + table + " WHERE ticket_id = ? ORDER BY id"
		x, y := e.rows(t, query, loaded), e.rows(t, query, v.ID)
		if len(x) != len(y) || table == "ticket_clocks" && len(x) == 0 {
			t.Fatalf("ticket %d: %d %s loaded, %d made", loaded, len(x), table, len(y))
		}
		for i := range x {
			same(t, table, x[i], y[i], swap, map[string]*regexp.Regexp{"hop_id": anID})
		}
	}
	e.object(t, ticket.Object, loaded, v.ID, swap)
	e.cases(t, loaded, v.ID, swap)
	// Both open with the key, and show the same to the desk.
	desk := tell.agents[0]
	p, err := e.h.tickets.Get(ctx, desk, loaded)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := e.h.tickets.Get(ctx, desk, v.ID); err != nil || p.Phone != q.Phone || len(p.Timeline) != len(q.Timeline) || !slices.Equal(p.Actions, q.Actions) {
		t.Errorf("ticket %d: shown as %+v, made as %+v, %v", loaded, p, q, err)
	}
}

// cases has the appraisal hear of what the services did, and compares its cases with the loaded ones.
func (e *enlarged) cases(t *testing.T, loaded, made int64, swap *strings.Replacer) {
	t.Helper()
	ctx := context.Background()
	events, err := event.Of(ctx, e.h.db.Read(), ticket.Object, made)
	if err == nil {
		err = e.h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return e.story.appraisal.Listener().Batch(ctx, tx, events) })
	}
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT * FROM appraisal_cases WHERE ticket_id = ? ORDER BY no"
	a, b := e.rows(t, query, loaded), e.rows(t, query, made)
	if len(a) != len(b) {
		t.Fatalf("ticket %d: %d cases loaded, %d made", loaded, len(a), len(b))
	}
	for i := range a {
		same(t, "appraisal_cases", a[i], b[i], swap, nil)
	}
}

// application lives through one application by the services and compares it with the loaded one.
func (e *enlarged) application(t *testing.T, tell *telling, _ []access.Actor, next *volume.Application, loaded int64, stepped map[string]bool) {
	t.Helper()
	ctx := context.Background()
	s := tell.application(next)
	e.at.Set(s.At)
	v, err := e.story.applications.Submit(ctx, s.By, s.Submit)
	for _, step := range s.Steps {
		if err != nil {
			t.Fatal(err)
		}
		stepped["application "+string(step.Action)] = true
		e.at.Set(step.At)
		ref := application.Ref{ID: v.ID, Version: v.Version}
		switch step.Action {
		case application.ToWithdraw:
			v, err = e.story.applications.Withdraw(ctx, step.By, application.Withdraw{Ref: ref, Reason: step.Text})
		case application.ToSupplement:
			v, err = e.story.applications.Supplement(ctx, step.By, application.Supplement{Ref: ref, Note: step.Text})
		case application.ToAccept:
			v, err = e.story.applications.Accept(ctx, step.By, application.Accept{Ref: ref, Note: step.Text})
		case application.ToDecline:
			v, err = e.story.applications.Decline(ctx, step.By, application.Decline{Ref: ref, Reason: step.Text})
		case application.ToAsk:
			v, err = e.story.applications.AskSupplement(ctx, step.By, application.AskSupplement{Ref: ref, Reason: step.Text})
		case application.ToProgress:
			v, err = e.story.applications.Progress(ctx, step.By, application.Progress{Ref: ref, Note: step.Text})
		case application.ToPlan:
			v, err = e.story.applications.MakePlan(ctx, step.By, application.MakePlan{Ref: ref, Steps: step.Plan, Note: step.Text})
		case application.ToDeliver:
			v, err = e.story.applications.Deliver(ctx, step.By, application.Deliver{Ref: ref, Note: step.Text})
		case application.ToConfirm:
			v, err = e.story.applications.Confirm(ctx, step.By, application.Confirm{Ref: ref, Note: step.Text})
		case application.ToInvestigate:
			d := step.Diligence
			d.Ref = ref
			v, err = e.story.applications.Investigate(ctx, step.By, d)
		case application.ToApprove:
			v, err = e.story.applications.Approve(ctx, step.By, application.Approve{Ref: ref, Loan: step.Loan, Note: step.Text})
		case application.ToDisburse:
			v, err = e.story.applications.Disburse(ctx, step.By, application.Disburse{Ref: ref, Amount: step.Amount, Note: step.Text})
		case application.ToComplete:
			v, err = e.story.applications.Complete(ctx, step.By, application.Complete{Ref: ref, Note: step.Text})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	a, b := e.rows(t, "SELECT * FROM applications WHERE id = ?", loaded)[0], e.rows(t, "SELECT * FROM applications WHERE id = ?", v.ID)[0]
	swap := strings.NewReplacer(fmt.Sprint(b["number"]), fmt.Sprint(a["number"]))
	same(t, "applications", a, b, swap, nil)
	e.object(t, application.Object, loaded, v.ID, swap)
}

// whole asks that every reference of the loaded rows leads somewhere and that the schema is as the migrations made it.
func (e *enlarged) whole(t *testing.T) {
	t.Helper()
	for what, query := range map[string]string{
		"dispatches of no ticket":     "SELECT count(*) FROM ticket_hops h WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.id = h.ticket_id)",
		"clocks of no ticket":         "SELECT count(*) FROM ticket_clocks c WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.id = c.ticket_id)",
		"clocks of no dispatch":       "SELECT count(*) FROM ticket_clocks c WHERE c.hop_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ticket_hops h WHERE h.id = c.hop_id AND h.ticket_id = c.ticket_id)",
		"dispatches to no department": "SELECT count(*) FROM ticket_hops h WHERE NOT EXISTS (SELECT 1 FROM departments d WHERE d.id = h.unit_id)",
		"tickets of nobody":           "SELECT count(*) FROM tickets t WHERE user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id)",
		"tickets of no company":       "SELECT count(*) FROM tickets t WHERE enterprise_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM enterprises x WHERE x.id = t.enterprise_id)",
		"tickets of no type":          "SELECT count(*) FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM ticket_types y WHERE y.code = t.type_code)",
		// those of the demo have events beside their steps
		"tickets without their events":   fmt.Sprintf("SELECT count(*) FROM tickets t WHERE t.id > %d AND version <> (SELECT count(*) FROM events x WHERE x.object = 'ticket' AND x.object_id = t.id)", e.from["tickets"]),
		"applications for no product":    "SELECT count(*) FROM applications a WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.id = a.product_id)",
		"applications without events":    "SELECT count(*) FROM applications a WHERE version <> (SELECT count(*) FROM events x WHERE x.object = 'application' AND x.object_id = a.id)",
		"members that do not act for it": "SELECT count(*) FROM enterprise_members m JOIN users u ON u.id = m.user_id WHERE u.enterprise_id IS NULL",
		"messages about the past":        "SELECT count(*) FROM messages",
	} {
		if n := e.one(t, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	fresh := databasetest.New(t, Migrations())
	list := "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
	if e.h.db.Kind() == database.Postgres {
		list = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() UNION SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
	}
	var want, have []string
	if err := fresh.Read().NewRaw(list).Scan(context.Background(), &want); err != nil {
		t.Fatal(err)
	}
	if err := e.h.db.Read().NewRaw(list).Scan(context.Background(), &have); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(want, have) {
		t.Errorf("schema after the load:\n%v\nwant\n%v", have, want)
	}
}

// TestServicesGoOnWithLoadedRows takes every state's next step on loaded tickets, opens a new one behind them and finds
// companies by name and code.
func TestServicesGoOnWithLoadedRows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := enlarge(t, Size{Enterprises: 30, Tickets: 4000, Applications: 50, Seed: 5})
	d := &telling{}
	if err := d.find(ctx, e.h); err != nil {
		t.Fatal(err)
	}
	desk := d.agents[0]
	open := func(s ticket.Status) ticket.View {
		id := e.one(t, "SELECT coalesce(max(id), 0) FROM tickets WHERE status = ? AND id > ?", s, e.from["tickets"])
		if id == 0 {
			t.Fatalf("no loaded ticket is %s", s)
		}
		v, err := e.h.tickets.Get(ctx, desk, id)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := open(ticket.Received)
	if v, err := e.h.tickets.Answer(ctx, desk, ticket.AnswerTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, Text: "已办"}); err != nil || v.Status != ticket.Direct {
		t.Fatal(v.Status, err)
	}
	v = open(ticket.Reported)
	done, err := e.h.tickets.Close(ctx, desk, ticket.CloseTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}})
	if err != nil || done.Status != ticket.Done {
		t.Fatal(done.Status, err)
	}
	var name, code, number string
	if err := e.h.db.Read().NewRaw("SELECT name, credit_code FROM enterprises WHERE verification = 'verified' ORDER BY id DESC LIMIT 1").Scan(ctx, &name, &code); err != nil {
		t.Fatal(err)
	}
	system := access.SystemActor("test")
	for _, q := range []string{name[len("北京通州〔演示〕"):], code[:16]} {
		if list, _, err := e.h.enterprises.List(ctx, system, enterprise.ListFilter{Query: q}); err != nil || len(list) == 0 || list[0].Name != name {
			t.Errorf("search %s: %d, %v", q, len(list), err)
		}
	}
	// A new ticket of a loaded owner comes behind the loaded ones, in id and in number.
	id := e.one(t, "SELECT max(user_id) FROM enterprise_members WHERE role = 'owner'")
	by, err := e.h.identity.ActorOf(ctx, system, id)
	if err != nil {
		t.Fatal(err)
	}
	last := e.one(t, "SELECT max(id) FROM tickets")
	mine, _, err := e.h.tickets.List(ctx, by, ticket.ListFilter{})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := e.h.tickets.Open(ctx, by, ticket.OpenTicket{Type: "050203", Title: "门口路灯不亮", Body: "已经三天", Source: ticket.FromH5})
	if err != nil || opened.ID <= last {
		t.Fatal(opened.ID, last, err)
	}
	if now, _, err := e.h.tickets.List(ctx, by, ticket.ListFilter{}); err != nil || now[0].ID != opened.ID || len(now) != min(len(mine)+1, 20) {
		t.Errorf("the owner's list: %d, %v", len(now), err)
	}
	if err := e.h.db.Read().NewRaw("SELECT number FROM tickets WHERE id = ?", last).Scan(ctx, &number); err != nil || number == opened.Number {
		t.Errorf("numbers %s and %s, %v", number, opened.Number, err)
	}
	for range 2 { // a message that arrives is announced too
		if err := e.h.feed.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.one(t, "SELECT min(pos) FROM event_cursors"); n != e.one(t, "SELECT max(pos) FROM events") {
		t.Errorf("the listeners stand at %d", n)
	}
	if n := e.one(t, "SELECT count(DISTINCT status) FROM tickets WHERE id > ?", e.from["tickets"]); n < 6 {
		t.Errorf("only %d states after years of life", n)
	}
	if n := e.one(t, "SELECT count(*) FROM events WHERE object = 'ticket' AND id > ?", e.from["events"]); n < 5*4000 {
		t.Errorf("%d events of 4000 tickets", n)
	}
	if n := e.one(t, "SELECT count(*) FROM events a JOIN events b ON b.id = a.id + 1 WHERE a.id > ? AND b.at < a.at AND b.id <= ?", e.from["events"], e.one(t, "SELECT max(id) FROM events WHERE trace_id <> ''")); n != 0 {
		t.Errorf("%d events stand before one that is older", n)
	}
	if err := e.h.loadVolume(ctx, e.size, io.Discard); err == nil || !strings.Contains(err.Error(), "已扩充过") {
		t.Errorf("a second load: %v", err)
	}
}

// TestLoadCutShort ends a load in its middle: nobody starts or loads on what it left.
func TestLoadCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	d := newDistrict(t)
	key := d.key
	db, c := d.open(t)
	h, err := build(ctx, c, db, key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}})
	if err != nil {
		t.Fatal(err)
	}
	size := Size{Enterprises: 300, Tickets: 100_000}
	if err := h.loadVolume(ctx, size, writerFunc(func(p []byte) { cancel() })); err == nil {
		t.Fatal("the load was not cut short")
	}
	ctx = context.Background()
	if err := h.prepare(ctx, c, key, io.Discard); err == nil || !unusable(err) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a start: %v", err)
	}
	if err := h.loadVolume(ctx, size, io.Discard); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a second load: %v", err)
	}
}

type writerFunc func(p []byte)

// Write calls the function.
func (w writerFunc) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}
