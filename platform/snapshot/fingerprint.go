package snapshot

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/database"
)

// queries is a connection within the transaction whose snapshot is taken.
type queries interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Progress is told how far a stage is; total is 0 when it is not known. It is called often and must be quick.
type Progress func(stage string, done, total int64)

// The stages.
const (
	StageDatabase = "复制数据库"
	StageTables   = "核对各表"
	StageEncrypt  = "加密数据库"
	StageFiles    = "备份附件"
	StageCheck    = "校验备份集"
	StageRestore  = "恢复数据库"
	StageContent  = "恢复附件"
	StageCopy     = "复制到第二位置"
)

func (p Progress) say(stage string, done, total int64) {
	if p != nil {
		p(stage, done, total)
	}
}

// fingerprint hashes every table as the connection sees it. Rows of one table may come in any order.
func fingerprint(ctx context.Context, kind database.Kind, q queries, progress Progress) ([]Table, error) {
	names, err := tables(ctx, kind, q)
	if err != nil {
		return nil, err
	}
	list := make([]Table, 0, len(names))
	var seen int64
	for _, name := range names {
		t, err := one(ctx, kind, q, name, func(n int64) { progress.say(StageTables, seen+n, 0) })
		if err != nil {
			return nil, fmt.Errorf("read table %s: %w", name, err)
		}
		seen += t.Rows
		list = append(list, t)
	}
	progress.say(StageTables, seen, seen)
	return list, nil
}

// tables lists what is hashed. Virtual tables are not: their rows lie in ordinary tables beside them, or can be made anew.
func tables(ctx context.Context, kind database.Kind, q queries) ([]string, error) {
	if kind == database.Postgres {
		return texts(ctx, q, `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%' ORDER BY n.nspname, c.relname`)
	}
	return texts(ctx, q, `SELECT '"' || replace(name, '"', '""') || '"' FROM sqlite_master
		WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`)
}

// schema hashes the definitions of tables, indexes and triggers.
func schema(ctx context.Context, kind database.Kind, q queries) (string, error) {
	query := `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY type, name`
	if kind == database.Postgres {
		// Not the text of expressions: a restored one says the same in other words (ANY (ARRAY[…]) with other casts).
		query = `SELECT d FROM (
			SELECT 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || (column_default IS NULL)::text AS d
				FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
			UNION ALL SELECT 'index ' || n.nspname || '.' || c.relname || ' on ' || t.relname || ' ' || i.indisunique::text || ' ' || (i.indpred IS NULL)::text || ' ' || coalesce((
					SELECT string_agg(coalesce(a.attname, '()'), ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k (num, n)
						LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num), '')
				FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
			UNION ALL SELECT 'constraint ' || n.nspname || '.' || c.conname || ' ' || c.contype::text
				FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
			UNION ALL SELECT 'trigger ' || c.relname || '.' || t.tgname || ' ' || t.tgtype::text || ' ' || t.tgenabled::text
				FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
		) all_of_it ORDER BY d COLLATE "C"`
	}
	lines, err := texts(ctx, q, query)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:]), nil
}

func texts(ctx context.Context, q queries, query string) ([]string, error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// one hashes a table: the sums of the first and second 8 bytes of each row's SHA-256. Damage to any row changes them; it
// is no proof against somebody who makes rows on purpose.
func one(ctx context.Context, kind database.Kind, q queries, name string, tell func(n int64)) (Table, error) {
	t := Table{Name: name}
	query, err := rowQuery(ctx, kind, q, name)
	if err != nil {
		return t, err
	}
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return t, err
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var a, b uint64
	h := sha256.New()
	var sum [sha256.Size]byte
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return t, err
		}
		h.Reset()
		for _, v := range values {
			if err := encode(h, v); err != nil {
				return t, err
			}
		}
		h.Sum(sum[:0])
		a += binary.BigEndian.Uint64(sum[:8])
		b += binary.BigEndian.Uint64(sum[8:16])
		if t.Rows++; t.Rows%10000 == 0 {
			tell(t.Rows)
		}
	}
	t.Hash = fmt.Sprintf("%016x%016x", a, b)
	return t, rows.Err()
}

// rowQuery reads each row as it is stored: PostgreSQL as one text, SQLite column by column without the driver's reading of
// declared types.
func rowQuery(ctx context.Context, kind database.Kind, q queries, name string) (string, error) {
	if kind == database.Postgres {
		return "SELECT t::text FROM ONLY " + name + " AS t", nil
	}
	columns, err := texts(ctx, q, `SELECT '+"' || replace(name, '"', '""') || '"' FROM pragma_table_info(`+
		"'"+strings.ReplaceAll(strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`), "'", "''")+"'"+`)`)
	if err != nil {
		return "", err
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + name, nil
}

// encode writes a value with its kind and length, so that no two rows read the same.
func encode(h hash.Hash, v any) error {
	var head [9]byte
	put := func(kind byte, n uint64) { head[0] = kind; binary.BigEndian.PutUint64(head[1:], n); h.Write(head[:]) }
	switch v := v.(type) {
	case nil:
		put('n', 0)
	case int64:
		put('i', uint64(v))
	case float64:
		put('f', math.Float64bits(v))
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		put('b', n)
	case string:
		put('s', uint64(len(v)))
		_, _ = io.WriteString(h, v)
	case []byte:
		put('x', uint64(len(v)))
		h.Write(v)
	case time.Time:
		put('t', uint64(v.UnixNano()))
	default:
		return fmt.Errorf("value of %T", v)
	}
	return nil
}

// differences names the tables that are not as the set says.
func differences(want, got []Table) []string {
	have := map[string]Table{}
	for _, t := range got {
		have[t.Name] = t
	}
	var list []string
	for _, w := range want {
		g, ok := have[w.Name]
		delete(have, w.Name)
		switch {
		case !ok:
			list = append(list, w.Name+" 缺失")
		case g.Rows != w.Rows:
			list = append(list, fmt.Sprintf("%s 应有 %d 行，实有 %d 行", w.Name, w.Rows, g.Rows))
		case g.Hash != w.Hash:
			list = append(list, w.Name+" 内容不同")
		}
	}
	for name := range have {
		list = append(list, name+" 多出")
	}
	return list
}
