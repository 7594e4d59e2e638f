package search_test

import (
	"database/sql"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/search"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"路灯不亮":                    "路灯 灯不 不亮",
		"A股，ＧＤ20261122-000123 办结": "a 股 gd20261122 000123 办结",
		"𠮷野家·区":                   "𠮷野 野家 。 区",
		"𰻝𰻝面":                     "𰻝𰻝 𰻝面",
		"葛\U000E0100城":            "葛城",
		"路\u200b灯":                "路灯",
		"3号楼B座":                   "3 号楼 b 座",
		"OR AND NOT \"'*:()^-":    "or and not",
		"":                        "",
		"，。！":                     "",
		"Café №5":                 "café no5",
	} {
		if got := search.Tokens(in); got != want {
			t.Errorf("Tokens(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := search.Vector("路灯。灯不亮", "it's"), `'路灯':1A '灯不':3A '不亮':4A 'it':6B 's':8B`; got != want {
		t.Errorf("Vector = %s, want %s", got, want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, fts, ts string }{
		{"路灯不亮", `"路灯 灯不 不亮"`, `'路灯' <-> '灯不' <-> '不亮'`},
		{"通州 路灯", `"通州" AND "路灯"`, `'通州' & '路灯'`},
		{"GD2026", `"gd2026"*`, `'gd2026':*`},
		{"区 路灯", `"路灯"`, `'路灯'`},
		{"3号楼", `"3" AND "号楼"`, `'3' & '号楼'`},
		{`"路灯" OR (x*)`, `"路灯" AND "or"* AND "x"`, `'路灯' & 'or':* & 'x'`},
	} {
		q, err := search.Parse(c.in)
		if err != nil || q.FTS5() != c.fts || q.TSQuery() != c.ts {
			t.Errorf("Parse(%q) = %s | %s, %v", c.in, q.FTS5(), q.TSQuery(), err)
		}
	}
	loose, err := search.Parse("面包店 想换烤箱 ERP")
	if err != nil {
		t.Fatal(err)
	}
	loose = loose.Loosen()
	if got, want := loose.FTS5(), `"面包" OR "包店" OR "想换" OR "换烤" OR "烤箱" OR "erp"*`; got != want {
		t.Errorf("loose FTS5 = %s", got)
	}
	if got, want := loose.TSQuery(), `'面包' | '包店' | '想换' | '换烤' | '烤箱' | 'erp':*`; got != want {
		t.Errorf("loose TSQuery = %s", got)
	}
	for in, want := range map[string]error{
		"": search.ErrShort, "区": search.ErrShort, "a": search.ErrShort, "区 灯": search.ErrShort, "-*\"": search.ErrShort, "\xff": search.ErrShort,
		strings.Repeat("路", 101): search.ErrLong,
	} {
		if _, err := search.Parse(in); !errors.Is(err, want) {
			t.Errorf("Parse(%q): %v", in, err)
		}
	}
	q, err := search.Parse(strings.Repeat("ab ", 33))
	if err != nil || len(q.Terms()) != search.MaxTerms {
		t.Errorf("%d terms, %v", len(q.Terms()), err)
	}
}

func mark(ps []search.Piece) string {
	var b strings.Builder
	for _, p := range ps {
		if p.Hit {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, text, want string }{
		{"路灯", "路灯坏了，新路灯也坏了", "[路灯]坏了，新[路灯]也坏了"},
		{"gd", "单号ＧＤ20261122，not agd", "单号[ＧＤ]20261122，not agd"},
		{"路灯 灯不亮", "路灯不亮", "[路灯不亮]"},
		{"3 号楼", "3号楼13号楼3a", "[3号楼]13[号楼]3a"},
		{"𠮷野", "<b>𠮷\u200b野家</b>", "<b>[𠮷\u200b野]家</b>"},
		{"没有", "路灯", "路灯"},
		{"没有", "", ""},
		{"5kg", "重５㎏", "重[５㎏]"},
	} {
		q, err := search.Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := mark(q.Mark(c.text)); got != c.want {
			t.Errorf("Mark(%q, %q) = %s, want %s", c.query, c.text, got, c.want)
		}
	}
	q, err := search.Parse("路灯")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("前", 50) + "路灯" + strings.Repeat("后", 50)
	if got, want := mark(q.Excerpt(long, 12)), "…前前前[路灯]后后后后后后后…"; got != want {
		t.Errorf("Excerpt = %s, want %s", got, want)
	}
	if got := mark(q.Excerpt(strings.Repeat("无", 20), 5)); got != "无无无无无…" {
		t.Errorf("Excerpt without a hit = %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("路灯不aA1 ，㎏\u200b𠮷"))).Draw(t, "text")
		q, err := search.Parse(rapid.StringOfN(rapid.SampledFrom([]rune("路灯不a1 ")), 2, 8, -1).Draw(t, "query"))
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range q.Mark(text) {
			b.WriteString(p.Text)
		}
		if b.String() != text {
			t.Fatalf("%q became %q", text, b.String())
		}
	})
}

// index is one text in a real full-text index.
type index func(t *rapid.T, text string, q search.Query) bool

func sqliteIndex(t *testing.T) index {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec(`CREATE VIRTUAL TABLE f USING fts5(t, content='', contentless_delete=1, tokenize='ascii')`); err != nil {
		t.Fatal(err)
	}
	return func(t *rapid.T, text string, q search.Query) bool {
		if _, err := db.Exec(`INSERT OR REPLACE INTO f(rowid, t) VALUES (1, ?)`, search.Tokens(text)); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM f WHERE f MATCH ?`, q.FTS5()).Scan(&n); err != nil {
			t.Fatalf("%s: %v", q.FTS5(), err)
		}
		return n == 1
	}
}

func postgresIndex(t *testing.T, url string) index {
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return func(t *rapid.T, text string, q search.Query) bool {
		var found bool
		if err := db.QueryRow(`SELECT $1::text::tsvector @@ $2::text::tsquery`, search.Vector(text), q.TSQuery()).Scan(&found); err != nil {
			t.Fatalf("%q %s: %v", text, q.TSQuery(), err)
		}
		return found
	}
}

// On the real databases: whatever is typed runs, every stretch of a text finds it, and what is not there is not found.
func TestDatabases(t *testing.T) {
	t.Parallel()
	indexes := map[string]index{"sqlite": sqliteIndex(t)}
	if url := os.Getenv("TEST_DATABASE_URL"); url != "" {
		indexes["postgres"] = postgresIndex(t, url)
	}
	letters := []rune("路灯不亮修𠮷葛あ한abGD09３Ａ")
	for name, found := range indexes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.StringOfN(rapid.SampledFrom(append(slices.Clone(letters), '，', ' ', '-', '"')), 2, 30, -1).Draw(t, "text")
				if q, err := search.Parse(rapid.String().Draw(t, "typed")); err == nil {
					found(t, text, q)
				}
				rs := []rune(text)
				from := rapid.IntRange(0, len(rs)-2).Draw(t, "from")
				if from > 0 && search.Tokens(string(rs[from-1:from+1])) != "" && !chineseStart(rs[from]) {
					return // the middle of a word is not found
				}
				part := string(rs[from : from+rapid.IntRange(2, min(len(rs)-from, 20)).Draw(t, "n")])
				q, err := search.Parse(part)
				if err != nil {
					return
				}
				if !found(t, text, q) && !cutWord(rs, part, from) {
					t.Fatalf("%q not found in %q: %s", part, text, q.FTS5())
				}
				if q, err := search.Parse("绝无此词"); err != nil || found(t, text, q) {
					t.Fatalf("found what is not in %q", text)
				}
			})
		})
	}
}

func chineseStart(r rune) bool { return strings.ContainsRune("路灯不亮修𠮷葛あ한", r) }

// cutWord reports that part ends with a lone letter inside a longer word, which is looked for as a whole word only.
func cutWord(rs []rune, part string, from int) bool {
	end := from + len([]rune(part))
	word := func(r rune) bool { return strings.ContainsRune("abGD09３Ａ", r) }
	p := []rune(part)
	return end < len(rs) && word(rs[end]) && word(p[len(p)-1]) && !word(p[len(p)-2])
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"路灯", `"a-b" OR *`, "it's \\ 'x':*", "\x00\xff", "ﷺ"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, s, text string) {
		q, err := search.Parse(s)
		if err != nil {
			return
		}
		if strings.Count(q.FTS5(), `"`)%2 != 0 || strings.ContainsAny(strings.Join(q.Terms(), ""), "\"'\\*:()&|! \x00") {
			t.Fatalf("%q: %s", s, q.FTS5())
		}
		q.Mark(text)
		q.Excerpt(text, 20)
	})
}
