package enterprise

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/sheet"
)

// ImportedMany is announced once for the companies that one step of an import added or brought up to date.
type ImportedMany struct {
	Import  int64   `json:"import"`
	Source  string  `json:"source"`
	Created []int64 `json:"created"`
	Updated []int64 `json:"updated"`
}

// Event names the fact. Its object is the import, so that what hears of single companies is not called for each of them.
func (f ImportedMany) Event() (string, string, int64) {
	return "enterprise.imported_many", "import", f.Import
}

// many is what one step of an import is about to write.
type many struct {
	terms    Terms
	batch    sheet.Batch
	source   Source
	by       int64
	now      time.Time
	records  []sheet.Record
	outcomes []sheet.Outcome
	held     map[string]Enterprise // by code
	facts    []Fact
	told     ImportedMany
}

// importMany publishes records of a register in few statements. What is not plain (a code that appears while we write, a
// company that is renamed) goes the way of one record.
func (s *Service) importMany(ctx context.Context, tx bun.Tx, actor access.Actor, b sheet.Batch, records []sheet.Record) ([]sheet.Outcome, error) {
	if err := actor.Need(PermImport); err != nil {
		return nil, err
	}
	m := &many{terms: s.terms, batch: b, source: Source(b.Source), by: actor.UserID, now: s.clock.Now(), records: records, outcomes: make([]sheet.Outcome, len(records)),
		told: ImportedMany{Import: b.Import, Source: b.Source, Created: []int64{}, Updated: []int64{}}}
	if err := m.findHeld(ctx, tx); err != nil {
		return nil, err
	}
	single, err := s.addMany(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	if single, err = s.updateMany(ctx, tx, m, single); err != nil {
		return nil, err
	}
	if err := database.InsertMany(ctx, tx, m.facts, "", nil); err != nil {
		return nil, err
	}
	if err := s.contactMany(ctx, tx, m); err != nil {
		return nil, err
	}
	slices.Sort(single)
	for _, i := range single {
		if err := s.importOne(ctx, tx, actor, m, i); err != nil {
			return nil, err
		}
	}
	return m.outcomes, s.tellMany(ctx, tx, actor, m)
}

func (m *many) findHeld(ctx context.Context, tx bun.Tx) error {
	codes := make([]string, 0, len(m.records))
	for _, r := range m.records {
		codes = append(codes, r.Values["creditCode"])
	}
	m.held = map[string]Enterprise{}
	query := "SELECT e.id, e.name, e.credit_code, e.legal_person, e.verification, e.version FROM " + database.List(tx) + " CROSS JOIN enterprises AS e WHERE e.credit_code = list.value"
	if database.KindOf(tx) == database.Postgres {
		query += " ORDER BY e.id FOR UPDATE OF e"
	}
	return database.Each(ctx, tx, func(rows *sql.Rows) error {
		var e Enterprise
		err := rows.Scan(&e.ID, &e.Name, &e.CreditCode, &e.LegalPerson, &e.Verification, &e.Version)
		m.held[e.code()] = e
		return err
	}, query, database.Texts(codes))
}

// addMany adds the companies that are not there and returns the rows that must go singly.
func (s *Service) addMany(ctx context.Context, tx bun.Tx, m *many) ([]int, error) {
	var fresh []Enterprise
	var single []int
	at := map[string]int{}
	for i, r := range m.records {
		code := r.Values["creditCode"]
		if _, ok := m.held[code]; ok {
			continue
		}
		if _, twice := at[code]; twice {
			single = append(single, i)
			continue
		}
		at[code] = i
		fresh = append(fresh, Enterprise{Name: r.Values["name"], CreditCode: &code, LegalPerson: r.Values["legalPerson"], Verification: Unverified, Version: 1, CreatedAt: m.now})
	}
	docs := make([]search.Doc, 0, len(fresh))
	err := database.InsertMany(ctx, tx, fresh, "ON CONFLICT (credit_code) DO NOTHING RETURNING id, credit_code", func(rows *sql.Rows) error {
		var id int64
		var code string
		if err := rows.Scan(&id, &code); err != nil {
			return err
		}
		i := at[code]
		delete(at, code)
		m.outcomes[i] = sheet.Outcome{Change: sheet.Created, ObjectID: id}
		m.told.Created = append(m.told.Created, id)
		docs = append(docs, search.Doc{ID: id, Texts: []string{m.records[i].Values["name"]}})
		return m.say(i, id, nil)
	})
	if err != nil {
		return nil, err
	}
	for _, i := range at { // somebody added them at this moment
		single = append(single, i)
	}
	return single, fullText.PutMany(ctx, tx, docs)
}

// say collects the facts of a record.
func (m *many) say(i int, id int64, before []Fact) error {
	facts, err := news(m.terms, before, m.records[i].Values, m.source, m.now)
	if err != nil {
		return err
	}
	for _, f := range facts {
		f.EnterpriseID, f.RecordedAt, f.RecordedBy = id, m.now, m.by
		m.facts = append(m.facts, f)
	}
	return nil
}

// updateMany settles the rows whose companies are there.
func (s *Service) updateMany(ctx context.Context, tx bun.Tx, m *many, single []int) ([]int, error) {
	var ids []int64
	var at []int
	seen := map[int64]bool{}
	for i, r := range m.records {
		e, ok := m.held[r.Values["creditCode"]]
		switch {
		case !ok:
		case m.batch.Duplicates == sheet.Skip:
			m.outcomes[i] = sheet.Outcome{Change: sheet.Skipped, ObjectID: e.ID}
		case m.batch.Duplicates != sheet.Update:
			m.outcomes[i] = sheet.Outcome{Problem: &sheet.RowProblem{Field: "creditCode", Code: sheet.ErrExists.Code, Message: sheet.ErrExists.Message}}
		case seen[e.ID], e.renamedBy(r.Values):
			single = append(single, i)
		default:
			seen[e.ID] = true
			ids, at = append(ids, e.ID), append(at, i)
		}
	}
	if len(ids) == 0 {
		return single, nil
	}
	before, err := factsOf(ctx, tx, ids...)
	if err != nil {
		return nil, err
	}
	for n, id := range ids {
		m.outcomes[at[n]] = sheet.Outcome{Change: sheet.Updated, ObjectID: id}
		m.told.Updated = append(m.told.Updated, id)
		if err := m.say(at[n], id, before[id]); err != nil {
			return nil, err
		}
	}
	return single, nil
}

// renamedBy reports whether a register changes what an unverified company is called.
func (e *Enterprise) renamedBy(v map[string]string) bool {
	return e.Verification != Verified && (v["name"] != e.Name || v["legalPerson"] != "" && v["legalPerson"] != e.LegalPerson)
}

// contactMany keeps how the companies are reached; what a record leaves empty stays as it is.
func (s *Service) contactMany(ctx context.Context, tx bun.Tx, m *many) error {
	if s.box == nil {
		return nil
	}
	var ids []int64
	var at []int
	for i, r := range m.records {
		if x := m.outcomes[i]; x.Change != sheet.Skipped && x.ObjectID != 0 && (r.Values["contactName"] != "" || r.Values["contactPhone"] != "") {
			ids, at = append(ids, x.ObjectID), append(at, i)
		}
	}
	kept, err := contactsOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	rows := make([]contact, 0, len(ids))
	for n, id := range ids {
		rows = append(rows, s.contactOf(kept[id], id, m.records[at[n]].Values, m.now))
	}
	return database.InsertMany(ctx, tx, rows, contactUpsert, nil)
}

const contactUpsert = "ON CONFLICT (enterprise_id) DO UPDATE SET name = EXCLUDED.name, phone_sealed = EXCLUDED.phone_sealed, updated_at = EXCLUDED.updated_at"

// importOne publishes one record in a savepoint; a fault is its own problem.
func (s *Service) importOne(ctx context.Context, tx bun.Tx, actor access.Actor, m *many, i int) error {
	r := m.records[i]
	var x sheet.Outcome
	err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		x.Change, x.ObjectID, err = s.publishOne(ctx, tx, actor, r, m.batch.Duplicates, m.source, fmt.Sprintf("import:%d:%d", m.batch.Import, r.Row))
		return err
	})
	if f, ok := fault.As(err); ok && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
		x = sheet.Outcome{Problem: &sheet.RowProblem{Code: f.Code, Message: f.Message}}
		if len(f.Fields) > 0 {
			x.Problem.Field = f.Fields[0].Name
		}
		err = nil
	}
	m.outcomes[i] = x
	return err
}

// tellMany announces and logs the step once.
func (s *Service) tellMany(ctx context.Context, tx bun.Tx, actor access.Actor, m *many) error {
	if len(m.told.Created)+len(m.told.Updated) == 0 {
		return nil
	}
	slices.Sort(m.told.Created)
	if _, err := event.Append(ctx, tx, actor, m.now, m.told); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, m.now, audit.Record{Action: "enterprise.import", Object: "import", ObjectID: m.batch.Import,
		Summary: fmt.Sprintf("名录导入：新增 %d 家、更新 %d 家企业", len(m.told.Created), len(m.told.Updated)), Detail: m.told})
}
