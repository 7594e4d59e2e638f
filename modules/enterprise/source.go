package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// PermGolden is the right to settle conflicts between sources and to say what sources are worth.
const PermGolden access.Permission = "enterprise.golden"

// The keys of the groups of fields, by which a source is ranked.
const (
	keyBasic     = "basic"
	keyOperation = "operation"
	keyStanding  = "standing"
	keyAdmin     = "admin"
	keyJustice   = "justice"
	keySocial    = "social"
	keyTax       = "tax"
	keyIP        = "ip"
)

var groupKeys = map[string]string{groupBasic: keyBasic, groupOperation: keyOperation, groupStanding: keyStanding, groupAdmin: keyAdmin, groupJustice: keyJustice,
	groupSocial: keySocial, groupTax: keyTax, groupIP: keyIP}

// Worth is what a source is worth for one group of fields.
type Worth struct {
	// Rank orders the sources: 1 counts before 2.
	Rank int `json:"rank" minimum:"1" maximum:"99"`
	// Days is how long what it says stays fresh, from the day it is of; 0 is for good. What is not fresh gives way to what is.
	Days int `json:"days" minimum:"0" maximum:"3660"`
}

// SourceRow is one source of facts: who says something, and how much it is worth.
type SourceRow struct {
	bun.BaseModel `bun:"table:enterprise_sources,alias:src"`

	Code Source `bun:"code,pk"`
	Name string `bun:"name,notnull"`
	// Official says that an office speaks: of two words of the same rank and day its own counts.
	Official  bool      `bun:"official,notnull"`
	Worths    string    `bun:"worths,notnull,type:text"` // JSON: group key → Worth
	Version   int64     `bun:"version,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type source20261129 struct {
	bun.BaseModel `bun:"table:enterprise_sources"`

	Code      string    `bun:"code,pk"`
	Name      string    `bun:"name,notnull"`
	Official  bool      `bun:"official,notnull"`
	Worths    string    `bun:"worths,notnull,type:text"`
	Version   int64     `bun:"version,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

// settled is the word of a person who decided between sources; it is no row of the table.
const settled Source = "settled"

// FromRoll is a register of companies that came as a file.
const FromRoll Source = "roll"

const settledName = "人工核定"

// usual is what a source is worth where nobody has said it: behind all that are listed, for good.
var usual = Worth{Rank: 50}

// firstSources are the sources an installation begins with. The registry's own fields are the registry's before anybody's;
// in the others the later day counts, an office's before the company's own of the same day.
func firstSources() []source20261129 {
	row := func(code Source, official bool, basic, operation, standing Worth) source20261129 {
		raw, err := json.Marshal(map[string]Worth{keyBasic: basic, keyOperation: operation, keyStanding: standing})
		if err != nil {
			panic(err) // numbers always encode
		}
		return source20261129{Code: string(code), Name: sourceNames[code], Official: official, Worths: string(raw), Version: 1, UpdatedAt: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}
	}
	return []source20261129{
		row(FromRegistry, true, Worth{10, 0}, Worth{20, 600}, Worth{20, 0}),
		row(FromRoll, true, Worth{20, 0}, Worth{20, 600}, Worth{20, 0}),
		row(FromTax, true, Worth{20, 0}, Worth{20, 600}, Worth{20, 0}),
		row(FromSocial, true, Worth{20, 0}, Worth{20, 600}, Worth{20, 0}),
		row(FromBureau, true, Worth{20, 0}, Worth{20, 600}, Worth{10, 0}),
		row(FromCredit, true, Worth{20, 0}, Worth{20, 600}, Worth{10, 0}),
		row(FromSelf, false, Worth{20, 0}, Worth{20, 600}, Worth{30, 0}),
	}
}

func (r SourceRow) worths() map[string]Worth { return worthsOf(r.Worths) }

func worthsOf(raw string) map[string]Worth {
	out := map[string]Worth{}
	_ = json.Unmarshal([]byte(raw), &out) // written by us
	return out
}

// ruling reads what the sources are worth now.
func (s *Service) ruling(ctx context.Context, db bun.IDB) (ruling, error) {
	var rows []SourceRow
	if err := database.QueryAll(ctx, db, &rows, "SELECT code, name, official, worths FROM enterprise_sources"); err != nil {
		return ruling{}, fmt.Errorf("read the sources of facts: %w", err)
	}
	out := ruling{}
	for _, r := range rows {
		out[r.Code] = standing{name: r.Name, official: r.Official, worths: r.worths()}
	}
	return out, nil
}

// SourceView is a source as people see it.
type SourceView struct {
	Code      Source           `json:"code"`
	Name      string           `json:"name"`
	Official  bool             `json:"official" doc:"An office speaks: of the same rank and day its word counts before the company's own."`
	Worths    map[string]Worth `json:"worths" doc:"By group of fields: basic, operation, standing, admin, justice, social, tax, ip."`
	Version   int64            `json:"version"`
	UpdatedAt time.Time        `json:"updatedAt"`
}

// Sources lists the sources of facts. It needs enterprise.view.
func (s *Service) Sources(ctx context.Context, actor access.Actor) ([]SourceView, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	var rows []SourceRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("src.code").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]SourceView, 0, len(rows))
	for _, r := range rows {
		out = append(out, SourceView{r.Code, r.Name, r.Official, r.worths(), r.Version, r.UpdatedAt.UTC()})
	}
	return out, nil
}

// SaveSource says anew what a source is called and worth.
type SaveSource struct {
	Code     Source           `json:"code"`
	Name     string           `json:"name"`
	Official bool             `json:"official"`
	Worths   map[string]Worth `json:"worths"`
	Version  int64            `json:"version"`
	Key      string           `json:"-"`
}

// SourceChanged is announced when a source is worth something else: what counts of every company may have changed.
type SourceChanged struct {
	Code Source `json:"code"`
	Name string `json:"name"`
}

// Event names the fact.
func (f SourceChanged) Event() (string, string, int64) {
	return "enterprise_source.changed", "enterprise_source", objectNumber(string(f.Code))
}

// objectNumber gives a thing that is known by a word a number for events and audit rows.
func objectNumber(code string) int64 {
	n := int64(0)
	for _, c := range []byte(code) {
		n = (n*31 + int64(c)) % 1_000_000_007
	}
	return n
}

// SaveSource changes a source. It needs enterprise.golden; a version that is not the newest is a conflict.
func (s *Service) SaveSource(ctx context.Context, actor access.Actor, cmd SaveSource) ([]SourceView, error) {
	if err := actor.Need(PermGolden); err != nil {
		return nil, err
	}
	name, err := line("name", "来源名称", cmd.Name, 2, 50)
	if err != nil {
		return nil, err
	}
	for _, key := range groupKeys {
		w, ok := cmd.Worths[key]
		if !ok || w.Rank < 1 || w.Rank > 99 || w.Days < 0 || w.Days > 3660 {
			return nil, fault.InvalidField("worths."+key, "SOURCE_WORTH", "优先级应为 1 至 99，有效天数应为 0 至 3660（0 表示长期有效）")
		}
	}
	if len(cmd.Worths) != len(groupKeys) {
		return nil, fault.InvalidField("worths", "SOURCE_WORTH", "请为每组数据分别填写："+groupWords())
	}
	raw, err := json.Marshal(cmd.Worths)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.source", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			var before SourceRow
			if err := tx.NewSelect().Model(&before).Where("src.code = ?", cmd.Code).Scan(ctx); err != nil {
				return started{}, database.Found(err)
			}
			err := database.Changed(tx.NewUpdate().Model((*SourceRow)(nil)).Set("name = ?, official = ?, worths = ?, version = version + 1, updated_at = ?", name, cmd.Official, string(raw), now).
				Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx))
			if err != nil {
				return started{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, SourceChanged{cmd.Code, name}); err != nil {
				return started{}, err
			}
			return started{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.source", Object: "enterprise_source", ObjectID: objectNumber(string(cmd.Code)),
				Summary: "修改数据来源：" + name, Detail: map[string]any{"before": before.worths(), "after": cmd.Worths, "official": cmd.Official}})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save source %s: %w", cmd.Code, err)
	}
	return s.Sources(ctx, actor)
}

// groupNames are the groups of fields with their keys, in the order in which they are shown.
func groupNames() [][2]string {
	out := [][2]string{}
	for _, f := range fields {
		if !slices.ContainsFunc(out, func(g [2]string) bool { return g[1] == f.group }) {
			out = append(out, [2]string{groupKeys[f.group], f.group})
		}
	}
	return out
}

// groupWords lists the groups in words.
func groupWords() string {
	var words []string
	for _, g := range groupNames() {
		words = append(words, g[1])
	}
	return strings.Join(words, "、")
}

// laterWorths are what the sources are worth for the groups that came after the first ones: of each the office whose own data
// they are comes first.
func laterWorths(code Source) map[string]Worth {
	first := map[string][]Source{keyAdmin: {FromBureau, FromCredit}, keyJustice: {FromCredit}, keySocial: {FromSocial}, keyTax: {FromTax}, keyIP: {FromBureau}}
	days := map[string]int{keySocial: 600, keyTax: 600, keyIP: 600}
	out := map[string]Worth{}
	for key, offices := range first {
		w := Worth{Rank: 20, Days: days[key]}
		switch {
		case slices.Contains(offices, code):
			w.Rank = 10
		case code == FromSelf:
			w.Rank = 30
		}
		out[key] = w
	}
	return out
}

// bareSource is the name of a source without the mark of the demo district.
func bareSource(name string) string { return strings.TrimSuffix(name, "〔演示〕") }
