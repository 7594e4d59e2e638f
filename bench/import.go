package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/importing"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/seed/reference"
	"github.com/huiqi/huiqi/server"
)

// importName is the figure of importing a register of 150,000 companies from a CSV: upload, staging with checks, rules of
// quality and the search for duplicates, publishing with the search index, audit log and events. Beside it the bare batched
// insert of the same rows of companies and facts, with the same indexes and the same durability, 500 rows in a transaction.
const importName = "import_companies"

const importRows = 150_000

// importer is who imports.
var importer = access.Actor{UserID: 1, Name: "导入", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermImport}}

// outsiders stand in for the people and files of other modules, of which an import of companies asks nothing.
type outsiders struct{}

var errUnasked = errors.New("bench: an import asks for nobody")

func (outsiders) Now(context.Context, int64) (access.Actor, error) { return importer, nil }
func (outsiders) Contact(context.Context, bun.IDB, int64) (enterprise.Contact, error) {
	return enterprise.Contact{}, errUnasked
}
func (outsiders) ActFor(context.Context, bun.Tx, int64, int64) error { return errUnasked }
func (outsiders) Keep(context.Context, access.Actor, string, io.Reader) (int64, error) {
	return 0, errUnasked
}
func (outsiders) Claim(context.Context, bun.Tx, access.Actor, int64, string, int64) error {
	return errUnasked
}
func (outsiders) Of(context.Context, bun.IDB, string, int64) ([]enterprise.FileView, error) {
	return nil, errUnasked
}

// importTerms are the names of codes that the rows hold.
func importTerms() (enterprise.Terms, []string, []string, error) {
	t := enterprise.Terms{Industries: map[string]string{}, Regions: map[string]string{}}
	var codes, towns []string
	industries, err := reference.Industries()
	if err != nil {
		return t, nil, nil, err
	}
	for _, i := range industries {
		if t.Industries[i.Code] = i.Name; len(i.Code) == 4 {
			codes = append(codes, i.Code)
		}
	}
	divisions, err := reference.Divisions()
	for _, d := range divisions {
		if t.Regions[d.Code] = d.Name; len(d.Code) == 9 {
			towns = append(towns, d.Name)
		}
	}
	return t, codes, towns, err
}

// importFile is a register with every tenth number missing, as they are.
func importFile(codes, towns []string) []byte {
	var b bytes.Buffer
	b.WriteString("企业名称,统一社会信用代码,法定代表人,所在街道（镇）,所属行业,成立日期,注册资本（万元）,从业人员,上年营业收入（万元）,登记状态,登记住所\n")
	surnames := strings.Split("王李张刘陈杨赵黄周吴", "")
	for i := range importRows {
		staff, revenue := fmt.Sprint(i*7%400+1), fmt.Sprintf("%d.%02d", i*13%9000+10, i%100)
		if i%10 == 0 {
			staff = ""
		}
		if i%10 == 5 {
			revenue = ""
		}
		fmt.Fprintf(&b, "京通%s第%d号%s有限公司,%s,%s小明,%s,%s,%d-%02d-%02d,%d,%s,%s,存续,北京市通州区示范街 %d 号\n", surnames[i%10], i, surnames[i/10%10], uscc.Demo(i+1), surnames[i%10],
			towns[i%len(towns)], codes[i%len(codes)], 1995+i%30, i%12+1, i%28+1, i%5000+10, staff, revenue, i%900+1)
	}
	return b.Bytes()
}

func runImport(ctx context.Context, work string) error {
	if !wanted(importName) {
		return nil
	}
	terms, codes, towns, err := importTerms()
	if err != nil {
		return err
	}
	open := func(name string) (*database.DB, error) {
		db, err := database.Open(ctx, filepath.Join(work, name))
		if err == nil {
			err = database.Migrate(ctx, db, server.Migrations())
		}
		return db, err
	}
	db, err := open("import.db")
	if err != nil {
		return err
	}
	defer db.Close()
	content := importFile(codes, towns)
	began := time.Now()
	note, err := importInto(ctx, db, work, terms, content)
	if err != nil {
		return err
	}
	ours := time.Since(began).Seconds()
	bare, err := open("bare.db")
	if err != nil {
		return err
	}
	defer bare.Close()
	least, rows, err := bareInsert(ctx, db, bare)
	if err != nil {
		return err
	}
	ratio := ours / least
	emit(figure{Bench: importName, Size: "150k", Value: ours, Unit: "s", Floor: &least, Ratio: &ratio, Note: fmt.Sprintf("%s; %d rows of companies and facts", note, rows)})
	return nil
}

// importInto does what the worker and the person do.
func importInto(ctx context.Context, db *database.DB, work string, terms enterprise.Terms, content []byte) (string, error) {
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		return "", err
	}
	box, err := secret.New(secret.Keys{Current: "k", Keys: map[string][]byte{"k": key}, Suite: "gm"})
	if err != nil {
		return "", err
	}
	folder, err := files.OpenFolder(filepath.Join(work, "imports"))
	if err != nil {
		return "", err
	}
	defer folder.Close()
	log := slog.New(slog.DiscardHandler)
	companies := enterprise.New(enterprise.Deps{DB: db, Clock: clock.System{}, People: outsiders{}, Accounts: outsiders{}, Files: outsiders{}, Terms: terms, Box: box, Demo: true}, jobs.NewWorkers())
	s := importing.New(importing.Deps{DB: db, Clock: clock.System{}, Box: box, Log: log, Files: files.New(folder, files.Purposes()), People: outsiders{},
		Targets: []sheet.Target{companies.ImportTarget()}, Limits: importing.Limits{Rows: importRows, Keep: time.Hour}}, jobs.NewWorkers())
	queue, err := jobs.New(ctx, db, nil, log)
	if err != nil {
		return "", err
	}
	defer queue.Close()
	s.Use(queue)
	t0 := time.Now()
	v, err := s.Upload(ctx, importer, "enterprises", "名录.csv", bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return "", err
	}
	if _, err := s.Map(ctx, importer, importing.MapImport{ID: v.ID, Sheet: v.Sheets[0].Index, Columns: v.Sheets[0].Suggested, Duplicates: sheet.Refuse}); err != nil {
		return "", err
	}
	t1 := time.Now()
	if _, err := s.Step(ctx); err != nil {
		return "", err
	}
	t2 := time.Now()
	if v, err = s.Get(ctx, importer, v.ID); err != nil || v.Good != importRows {
		return "", fmt.Errorf("%d rows are good, %d bad, %d to decide, %s: %w", v.Good, v.Bad, v.Review, v.Message, err)
	}
	if _, err := s.Publish(ctx, importer, importing.Ref{ID: v.ID}); err != nil {
		return "", err
	}
	if _, err := s.Step(ctx); err != nil {
		return "", err
	}
	if v, err = s.Get(ctx, importer, v.ID); err != nil || v.Created != importRows {
		return "", fmt.Errorf("%d companies were added, %s: %w", v.Created, v.Message, err)
	}
	return fmt.Sprintf("upload %.1f s, staging and checks %.1f s, publishing %.1f s", t1.Sub(t0).Seconds(), t2.Sub(t1).Seconds(), time.Since(t2).Seconds()), nil
}

// bareInsert puts the rows that the import left into an empty database of the same tables.
func bareInsert(ctx context.Context, from, into *database.DB) (seconds float64, rows int, err error) {
	const most = 500
	for _, table := range []struct {
		name    string
		columns []string
	}{
		{"enterprises", []string{"id", "name", "credit_code", "verification", "created_at", "legal_person", "version", "asked_on", "asked"}},
		{"enterprise_facts", []string{"id", "enterprise_id", "field", "value", "source", "source_name", "as_of", "recorded_at", "recorded_by"}},
	} {
		columns := strings.Join(table.columns, ", ")
		values := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(table.columns)), ", ") + ")"
		insert := func(n int) string {
			return "INSERT INTO " + table.name + " (" + columns + ") VALUES " + strings.TrimSuffix(strings.Repeat(values+", ", n), ", ")
		}
		for after := int64(0); ; {
			list, last, err := someRows(ctx, from, "SELECT "+columns+" FROM "+table.name+" WHERE id > ? ORDER BY id LIMIT ?", len(table.columns), after, most)
			if err != nil {
				return 0, 0, err
			}
			if len(list) == 0 {
				break
			}
			after = last
			n := len(list) / len(table.columns)
			rows += n
			began := time.Now()
			err = into.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.Tx.ExecContext(ctx, insert(n), list...)
				return err
			})
			seconds += time.Since(began).Seconds()
			if err != nil {
				return 0, 0, err
			}
		}
	}
	return seconds, rows, nil
}

// someRows reads rows as one list of values; the first column is the id.
func someRows(ctx context.Context, db *database.DB, query string, columns int, after int64, most int) (list []any, last int64, err error) {
	err = database.Each(ctx, db.Read(), func(rows *sql.Rows) error {
		values := make([]any, columns)
		into := make([]any, columns)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		last, _ = values[0].(int64)
		for i, v := range values {
			if at, ok := v.(time.Time); ok {
				values[i] = at.UTC().Format(database.TimeForm)
			}
		}
		list = append(list, values...)
		return nil
	}, query, after, most)
	return list, last, err
}
