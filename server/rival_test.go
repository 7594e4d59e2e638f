package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// secretWord stands in everything that a bank and a company keep between them.
const secretWord = "琉璃密"

// rivalry is a bank of the demo district with a case of its own, and who has no business with it.
type rivalry struct {
	*testing.T
	h       *house
	people  map[string]string // the token of each
	demand  int64             // what the company asks quotes for
	objects []struct {
		part string // of an address
		id   int64
	}
}

// TestNothingChangesForARival reads everything the program registers before and after a bank wrote a product, took an
// application, talked about it, looked at the company, drew up a contract, recorded a service, quoted for a demand and opened
// an account: for another bank with every right an institution can have, for another company and for a visitor each answer is
// the same to the letter. Then the other bank commands all of it, and everything is as it was; what it exports has none of it.
func TestNothingChangesForARival(t *testing.T) {
	t.Parallel()
	w := &rivalry{T: t, people: map[string]string{}}
	w.enter()
	w.need()
	before := w.walk()
	w.live()
	after := w.walk()
	seen := 0
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if after[key] == before[key] {
			continue
		}
		if strings.HasPrefix(key, "bank ") {
			seen++
			continue
		}
		a, b := before[key], after[key]
		at := 0
		for at < min(len(a), len(b)) && a[at] == b[at] {
			at++
		}
		at = max(0, at-60)
		t.Errorf("%s\nbefore: …%.200s\nafter:  …%.200s", key, a[at:], b[at:])
	}
	if seen < 15 || len(after) < 1500 {
		t.Errorf("%d answers walked, the bank sees a difference in %d: the walk proves little", len(after), seen)
	}
	w.guess()
	w.command()
	w.export()
}

// enter opens the district and signs everybody in.
func (w *rivalry) enter() {
	ctx := context.Background()
	d := newDistrict(w.T)
	db, c := d.open(w.T)
	w.h = must(build(ctx, c, db, d.key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}}))(w.T)
	if err := w.h.ensureDemo(ctx, c, d.key, io.Discard); err != nil {
		w.Fatal(err)
	}
	world := must(demo.Generate(time.Now()))(w.T)
	for name, account := range map[string]string{"bank": operatorOf(w.T, world, world.Walk.Bank), "rival": "", "operator": "operator01", "reviewer": "reviewer02"} {
		query := "SELECT id FROM users WHERE account = ?"
		if name == "rival" {
			// Another bank that offers loans and was asked for quotes as well.
			account = operatorOf(w.T, world, world.Walk.Bank)
			query = `SELECT min(u.id) FROM users u JOIN user_roles r ON r.user_id = u.id JOIN roles o ON o.id = r.role_id WHERE o.code = 'institution_admin'
				AND u.institution_id IN (SELECT institution_id FROM products WHERE shown > 0 AND kind = 'financing') AND u.institution_id <> (SELECT institution_id FROM users WHERE account = ?)`
		}
		w.people[name] = session(w.T, w.h, w.number(query, account), time.Now())
	}
	w.people["company"] = session(w.T, w.h, w.number("SELECT min(user_id) FROM applications WHERE institution_id = (SELECT institution_id FROM users WHERE account = ?)", operatorOf(w.T, world, world.Walk.Bank)), time.Now())
	w.people["stranger"] = session(w.T, w.h, w.number("SELECT max(u.id) FROM users u JOIN enterprises e ON e.id = u.enterprise_id WHERE e.verification = 'verified' AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.enterprise_id = e.id) AND '' = ?", ""), time.Now())
	w.people["visitor"] = ""
	for _, name := range []string{"bank", "rival"} {
		if a := must(w.h.identity.Authenticate(ctx, w.people[name]))(w.T); a.Party != access.Institution || !a.Can("application.export") {
			w.Fatalf("%s is %+v", name, a)
		}
	}
}

// need has the company post a demand, which stands in the hall for everybody before the first walk.
func (w *rivalry) need() {
	day := func(n int) string { return time.Now().In(clock.Beijing).AddDate(0, 0, n).Format(time.DateOnly) }
	id, version := w.post("company", "POST", "/api/demands", fields{"kind": "financing", "title": "流动资金贷款", "description": "采购原料，需要流动资金周转。", "budgetMin": "", "budgetMax": "20", "term": "12",
		"until": day(10), "wantedBy": day(20), "place": "", "named": false, "contactName": "", "phone": "", "contactNote": "", "fileIds": []int{}})
	at := fmt.Sprintf("/api/demands/%d/", id)
	_, version = w.post("company", "POST", at+"submit", fields{"version": version})
	w.post("operator", "POST", at+"approve", fields{"version": version})
	w.demand = id
}

func (w *rivalry) number(query string, args ...any) (n int64) {
	w.Helper()
	if err := w.h.db.Read().NewRaw(query, args...).Scan(context.Background(), &n); err != nil || n == 0 {
		w.Fatalf("%s: %d %v", query, n, err)
	}
	return n
}

// walk reads every address as the bank and as those who have no business with it.
func (w *rivalry) walk() map[string]string {
	answers := map[string]string{}
	for _, r := range w.h.web.Routes() {
		if r.Method != "GET" || r.Rule.Kind == "demo" || slices.ContainsFunc(unread, func(part string) bool { return strings.Contains(r.Path, part) }) {
			continue
		}
		for _, who := range []string{"bank", "rival", "stranger", "visitor"} {
			for _, query := range []string{"", "?q=%E7%90%89%E7%92%83%E5%AF%86"} {
				id := int64(1)
				if strings.Contains(r.Path, "demand") {
					id = w.demand
				}
				path := parameter.ReplaceAllString(r.Path, fmt.Sprint(id))
				if path != r.Path && query != "" {
					continue
				}
				status, text := ask(w.T, w.h, "GET", path+query, w.people[who], "")
				if status >= 500 && status != 503 {
					w.Errorf("%s as %s: %d %s", path+query, who, status, text)
				}
				answers[who+" "+path+query] = fmt.Sprint(status, " ", passing.ReplaceAllString(text, "…"))
			}
		}
	}
	return answers
}

type fields = map[string]any

// post commands as somebody and returns the id and version of what came of it.
func (w *rivalry) post(who, method, path string, body fields) (id, version int64) {
	w.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	status, text := ask(w.T, w.h, method, path, w.people[who], string(raw))
	if status >= 300 {
		w.Fatalf("%s %s as %s: %d %s", method, path, who, status, text)
	}
	var v struct{ ID, Version int64 }
	_ = json.Unmarshal([]byte(text), &v) // some answer with nothing
	return v.ID, v.Version
}

// live has the bank and the company do all that stays between them.
func (w *rivalry) live() {
	is := func(part string, id int64) {
		w.objects = append(w.objects, struct {
			part string
			id   int64
		}{part, id})
	}
	product, _ := w.post("bank", "POST", "/api/managed-products", fields{"name": secretWord + "贷", "kind": "financing", "financingKind": "debt", "summary": "", "description": "",
		"rateMin": 0, "rateMax": 0, "amountMin": 0, "amountMax": 0, "termMin": 0, "termMax": 0, "guarantees": []string{}, "cost": "", "priceText": "", "subsidy": "", "venues": []string{}, "duration": "",
		"deliverables": []string{}, "conditions": []string{}, "target": "", "materials": []string{}, "steps": []string{}, "days": 0, "listFrom": "", "validUntil": ""})
	is("/managed-products/", product)

	bank := must(w.h.identity.Authenticate(context.Background(), w.people["bank"]))(w.T)
	company := must(w.h.identity.Authenticate(context.Background(), w.people["company"]))(w.T)
	offered := w.number(`SELECT min(p.id) FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.institution_id = ? AND p.kind = 'financing' AND e.financing_kind <> 'equity' AND p.expires_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.product_id = p.id AND a.enterprise_id = ? AND a.closed_at IS NULL)`, bank.InstitutionID, company.EnterpriseID)
	amount := w.number("SELECT e.amount_max FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.id = ?", offered)
	term := w.number("SELECT e.term_max FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.id = ?", offered)
	application, version := w.post("company", "POST", "/api/applications", fields{"productId": offered, "amount": amount, "term": term, "purpose": secretWord + "用途", "source": "h5", "contactName": secretWord, "phone": "13800138066"})
	is("/applications/", application)
	at := fmt.Sprintf("/api/applications/%d/", application)
	_, version = w.post("bank", "POST", at+"accept", fields{"version": version, "note": secretWord + "受理"})
	talk := fmt.Sprintf("/api/conversations/application/%d", application)
	w.post("bank", "POST", talk, fields{"words": secretWord + "请补充流水"})
	w.post("company", "POST", talk, fields{"words": secretWord + "已补充"})
	is("/conversations/", application)
	is("/conversation-notes/", w.number("SELECT max(id) FROM conversation_notes WHERE '' = ?", ""))
	_, version = w.post("bank", "POST", at+"diligence", fields{"version": version, "day": time.Now().In(clock.Beijing).Format(time.DateOnly), "way": "phone", "people": secretWord, "findings": secretWord + "经营正常"})
	_, version = w.post("bank", "POST", at+"progress", fields{"version": version, "note": secretWord + "进展"})
	w.post("bank", "POST", at+"approve", fields{"version": version, "amount": amount, "rate": 385, "term": term, "note": secretWord + "批复"})
	contract, _ := w.post("bank", "POST", fmt.Sprintf("/api/case-contracts/application/%d", application), fields{"title": secretWord + "合同", "body": secretWord + "条款", "days": 7})
	is("/contracts/", contract)
	is("/case-contracts/", application)
	is("/evidence/", application)
	is("/evaluation-subjects/", application)

	fits := w.number(`SELECT min(p.id) FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.institution_id = ? AND p.kind = 'financing' AND e.amount_min <= 20000000
		AND (e.amount_max = 0 OR e.amount_max >= 20000000) AND e.term_min <= 12 AND (e.term_max = 0 OR e.term_max >= 12)`, bank.InstitutionID)
	rate := w.number("SELECT e.rate_max FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.id = ?", fits)
	w.post("bank", "PUT", fmt.Sprintf("/api/demands/%d/quote", w.demand), fields{"version": 0, "productId": fits, "price": "", "days": "", "amount": "20", "rate": fmt.Sprintf("%d.%02d", rate/100, rate%100), "term": "12",
		"text": secretWord + "报价", "validUntil": time.Now().In(clock.Beijing).AddDate(0, 0, 30).Format(time.DateOnly), "fileIds": []int{}})

	var code string
	if err := w.h.db.Read().NewRaw("SELECT credit_code FROM enterprises WHERE id = ?", company.EnterpriseID).Scan(context.Background(), &code); err != nil {
		w.Fatal(err)
	}
	service, _ := w.post("bank", "POST", "/api/offline-services", fields{"creditCode": code, "service": secretWord + "咨询", "day": time.Now().In(clock.Beijing).Format(time.DateOnly), "place": secretWord, "persons": secretWord, "content": secretWord + "内容", "sure": true})
	is("/offline-services/", service)
	operator, _ := w.post("bank", "POST", "/api/institution-operators", fields{"name": secretWord, "account": "liuli01", "phone": "13900139077", "role": "institution_operator"})
	is("/institution-operators/", operator)
}

// of is an address with the bank's own object in it, "" where it is none of those.
func (w *rivalry) of(path string, other int64) string {
	for _, o := range w.objects {
		if strings.Contains(path, o.part) && parameter.MatchString(path) {
			id := o.id
			if other != 0 {
				id = other
			}
			return parameter.ReplaceAllString(strings.Replace(path, "{object}", "application", 1), fmt.Sprint(id))
		}
	}
	return ""
}

// guess reads the bank's objects by their addresses: each answers what one that is not there answers.
func (w *rivalry) guess() {
	guessed := 0
	for _, r := range w.h.web.Routes() {
		own := w.of(r.Path, 0)
		if r.Method != "GET" || own == "" {
			continue
		}
		for _, who := range []string{"rival", "stranger", "visitor"} {
			guessed++
			status, text := ask(w.T, w.h, "GET", own, w.people[who], "")
			missing, _ := ask(w.T, w.h, "GET", w.of(r.Path, 987654), w.people[who], "")
			if status != missing || strings.Contains(text, secretWord) {
				w.Errorf("%s as %s: %d, one that is not there %d: %.300s", own, who, status, missing, text)
			}
		}
	}
	if guessed < 45 {
		w.Errorf("only %d guesses", guessed)
	}
}

// command sends every command at the bank's objects, and finds that nothing came of it.
func (w *rivalry) command() {
	state := func() string {
		var all []string
		for _, q := range []string{
			"SELECT count(*) FROM events", "SELECT count(*) FROM conversation_notes", "SELECT count(*) FROM evidence_pieces", "SELECT count(*) FROM contracts", "SELECT count(*) FROM offline_services",
			"SELECT count(*) FROM demand_quotes", "SELECT sum(version) FROM demand_quotes", "SELECT sum(version) FROM demands",
			"SELECT sum(version) FROM applications", "SELECT sum(version) FROM products", "SELECT sum(version) FROM contracts", "SELECT count(*) FROM users WHERE disabled_at IS NOT NULL", "SELECT count(*) FROM messages",
		} {
			var n int64
			if err := w.h.db.Read().NewRaw(q).Scan(context.Background(), &n); err != nil {
				w.Fatalf("%s: %v", q, err)
			}
			all = append(all, fmt.Sprint(n))
		}
		return strings.Join(all, " ")
	}
	before, sent := state(), 0
	for _, version := range []int64{1, w.number("SELECT max(version) FROM applications WHERE purpose LIKE ?", secretWord+"%")} {
		body := fmt.Sprintf(`{"version":%d,"note":"好的","text":"好的","words":"好的","reason":"没有道理的理由","code":"123456","yes":true,"userId":1,"day":"2026-11-01","way":"phone","people":"张三","findings":"正常",
			"amount":100000000,"rate":385,"term":12,"steps":[{"title":"上门","day":"2027-01-01"}],"no":1,"fileIds":[],"title":"合同","body":"条款","days":3,"upTo":1,"level":5,"answer":"confirm","shared":true}`, version)
		for _, r := range w.h.web.Routes() {
			own := w.of(r.Path, 0)
			if r.Method == "GET" || own == "" {
				continue
			}
			for _, who := range []string{"rival", "stranger", "visitor"} {
				sent++
				status, text := ask(w.T, w.h, r.Method, own, w.people[who], body)
				missing, _ := ask(w.T, w.h, r.Method, w.of(r.Path, 987654), w.people[who], body)
				if status != missing || status < 300 || strings.Contains(text, secretWord) {
					w.Errorf("%s %s as %s: %d, one that is not there %d: %.300s", r.Method, own, who, status, missing, text)
				}
			}
		}
	}
	// The demand itself everybody sees in the hall: what is commanded at it is refused in other words.
	for _, version := range []int64{1, w.number("SELECT version FROM demands WHERE id = ?", w.demand)} {
		for _, r := range w.h.web.Routes() {
			if r.Method == "GET" || !strings.HasPrefix(r.Path, "/api/demands/{id}") {
				continue
			}
			for _, who := range []string{"rival", "stranger", "visitor"} {
				sent++
				path := strings.NewReplacer("{id}", fmt.Sprint(w.demand), "{institutionId}", "1").Replace(r.Path)
				body := fmt.Sprintf(`{"version":%d,"reason":"没有道理的理由","quoteId":1,"codes":["other"],"text":"没有道理的理由","institutionIds":[1]}`, version)
				if status, text := ask(w.T, w.h, r.Method, path, w.people[who], body); status < 400 || strings.Contains(text, secretWord) {
					w.Errorf("%s %s as %s: %d %.300s", r.Method, path, who, status, text)
				}
			}
		}
	}
	if after := state(); after != before {
		w.Errorf("what is kept went from %s to %s", before, after)
	}
	if sent < 200 {
		w.Errorf("only %d commands", sent)
	}
}

// export takes out every list that the rival may, and the bank's has what the rival's has not.
func (w *rivalry) export() {
	for who, has := range map[string]bool{"bank": true, "rival": false} {
		var sources struct{ Items []struct{ Name string } }
		status, text := ask(w.T, w.h, "GET", "/api/export-sources", w.people[who], "")
		if err := json.Unmarshal([]byte(text), &sources); status != 200 || err != nil || len(sources.Items) == 0 {
			w.Fatalf("%d %s %v", status, text, err)
		}
		all := ""
		for _, s := range sources.Items {
			id, _ := w.post(who, "POST", "/api/exports", fields{"source": s.Name, "format": "csv", "purpose": "核对"})
			if worked, err := w.h.exports.Step(context.Background()); !worked || err != nil {
				w.Fatal(s.Name, worked, err)
			}
			status, text := ask(w.T, w.h, "GET", fmt.Sprintf("/api/exports/%d/file", id), w.people[who], "")
			if status != 200 {
				w.Errorf("%s: %d %s", s.Name, status, text)
			}
			all += text
		}
		if strings.Contains(all, secretWord) != has || len(all) < 500 {
			w.Errorf("the exports of the %s hold %q: %t (%d bytes)", who, secretWord, !has, len(all))
		}
	}
}
