package importing

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// TargetView is what a person may import into.
type TargetView struct {
	Name      string              `json:"name"`
	Title     string              `json:"title"`
	Note      string              `json:"note"`
	KeyTitle  string              `json:"keyTitle" doc:"The field that tells records apart."`
	Fields    []sheet.TargetField `json:"fields"`
	Updates   bool                `json:"updates" doc:"Records that are there already may be updated."`
	MaxRows   int                 `json:"maxRows"`
	HasResult bool                `json:"hasResult" doc:"Publishing makes something to hand out, as first passwords."`
}

// Item is an import in a list.
type Item struct {
	ID          int64            `json:"id"`
	Target      string           `json:"target"`
	TargetTitle string           `json:"targetTitle"`
	FileName    string           `json:"fileName"`
	State       State            `json:"state" enum:"mapping,reading,checked,publishing,done,failed,cancelled"`
	Message     string           `json:"message"`
	Duplicates  sheet.Duplicates `json:"duplicates" enum:"skip,update,refuse"`
	Total       int64            `json:"total" doc:"Rows of the sheet."`
	Read        int64            `json:"read"`
	Good        int64            `json:"good" doc:"New records that can be published."`
	Known       int64            `json:"known" doc:"Records that are there already and can be handled as chosen."`
	Bad         int64            `json:"bad"`
	Created     int64            `json:"created"`
	Updated     int64            `json:"updated"`
	Skipped     int64            `json:"skipped"`
	Refused     int64            `json:"refused" doc:"Good when checked, refused when published."`
	Review      int64            `json:"review" doc:"Rows that a person must decide before publishing."`
	Dropped     int64            `json:"dropped" doc:"Rows that a person decided against."`
	Feed        string           `json:"feed" doc:"The outside register the rows come from; empty for a file."`
	Purged      bool             `json:"purged" doc:"The rows were removed after their time."`
	CreatedAt   time.Time        `json:"createdAt"`
	CheckedAt   *time.Time       `json:"checkedAt,omitempty"`
	PublishedAt *time.Time       `json:"publishedAt,omitempty"`
	FinishedAt  *time.Time       `json:"finishedAt,omitempty"`
}

// View is an import with what its owner needs to go on.
type View struct {
	Item
	Sheets     []SheetView    `json:"sheets"`
	Sheet      int            `json:"sheet"`
	Head       int            `json:"head"`
	Columns    map[string]int `json:"columns" doc:"Field to column, once chosen."`
	CanPublish bool           `json:"canPublish"`
	HasResult  bool           `json:"hasResult"`
	CanResume  bool           `json:"canResume" doc:"Reading an outside register failed and can go on at its page."`
	Flags      []FlagView     `json:"flags" doc:"What people must decide, by kind."`
}

// SheetView is one sheet of the file.
type SheetView struct {
	Index     int            `json:"index"`
	Name      string         `json:"name"`
	Rows      int            `json:"rows"`
	Head      int            `json:"head"`
	Heads     []string       `json:"heads"`
	Sample    [][]string     `json:"sample"`
	First     []sheetRow     `json:"first"`
	Skipped   bool           `json:"skipped" doc:"Hidden or empty: not imported."`
	Suggested map[string]int `json:"suggested"`
}

// RowView is one row with what is wrong with it or what came of it.
type RowView struct {
	Number   int                `json:"number"`
	State    RowState           `json:"state" enum:"good,known,bad,created,updated,skipped,refused,review,dropped"`
	Flag     string             `json:"flag,omitempty" doc:"Why a person must decide, or had to."`
	Values   map[string]string  `json:"values"`
	Problems []sheet.RowProblem `json:"problems"`
	ObjectID int64              `json:"objectId,omitempty"`
}

func (s *Service) item(r *row) Item {
	v := Item{ID: r.ID, Target: r.Target, TargetTitle: r.Target, FileName: r.FileName, State: r.State, Message: r.Message, Duplicates: r.Duplicates, Total: r.Total, Read: r.Read,
		Good: r.Good, Known: r.Known, Bad: r.Bad, Created: r.Created, Updated: r.Updated, Skipped: r.Skipped, Refused: r.Refused, Review: r.Review, Dropped: r.Dropped, Feed: r.Feed, Purged: r.Purged, CreatedAt: r.CreatedAt.UTC(),
		CheckedAt: utc(r.CheckedAt), PublishedAt: utc(r.PublishedAt), FinishedAt: utc(r.FinishedAt)}
	if i := slices.IndexFunc(s.Targets, func(t sheet.Target) bool { return t.Name == r.Target }); i >= 0 {
		v.TargetTitle = s.Targets[i].Title
	}
	return v
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func (s *Service) rowView(r staged) (RowView, error) {
	v := RowView{Number: r.Number, State: r.State, Values: map[string]string{}, Problems: []sheet.RowProblem{}, ObjectID: r.ObjectID, Flag: r.Flag}
	plain, err := s.Box.Open(r.Values, valuesPlace(r.ImportID, r.Number))
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(plain, &v.Values); err != nil {
		return v, err
	}
	if r.Problems == "" {
		return v, nil
	}
	return v, json.Unmarshal([]byte(r.Problems), &v.Problems)
}

// Rows returns a page of the rows of the actor's import in a state ("" for all), in the order of the file, and the cursor of
// the next.
func (s *Service) Rows(ctx context.Context, actor access.Actor, id int64, states []RowState, cursor string, limit int) ([]RowView, string, error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.target(actor, r.Target); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	after := 0
	if cursor != "" {
		if after, err = strconv.Atoi(cursor); err != nil || after <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	rows, err := s.some(ctx, r.ID, states, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.Itoa(rows[limit-1].Number)
	}
	return rows, next, nil
}

func (s *Service) some(ctx context.Context, id int64, states []RowState, after, limit int) ([]RowView, error) {
	var rows []staged
	q := s.DB.Read().NewSelect().Model(&rows).Where("r.import_id = ? AND r.number > ?", id, after).OrderExpr("r.number").Limit(int64(limit))
	if len(states) > 0 {
		q = q.Where("r.state IN ?", bun.Tuple(states))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("rows of import %d: %w", id, err)
	}
	out := make([]RowView, 0, len(rows))
	for _, r := range rows {
		v, err := s.rowView(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Report is a workbook of the rows that were not imported, each with what is wrong and how to mend it. Mended, it can be
// uploaded as it is: columns it does not know are left alone.
func (s *Service) Report(ctx context.Context, actor access.Actor, id int64) (name string, content []byte, err error) {
	return s.book(ctx, actor, id, "import.report", "问题清单", []RowState{RowBad, RowRefused, RowReview, RowDropped}, []string{"问题与修改办法"}, func(_ context.Context, v RowView, t sheet.Target) ([]string, error) {
		var words []string
		for _, p := range v.Problems {
			f, _ := t.Field(p.Field)
			if f.Title != "" && !strings.Contains(p.Message, "“"+f.Title+"”") {
				words = append(words, f.Title+"："+p.Message)
			} else {
				words = append(words, p.Message)
			}
		}
		return []string{strings.Join(words, "；")}, nil
	})
}

// Result is a workbook of the created records with what must be handed out to their people, as first passwords.
func (s *Service) Result(ctx context.Context, actor access.Actor, id int64) (name string, content []byte, err error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return "", nil, err
	}
	t, err := s.target(actor, r.Target)
	if err != nil {
		return "", nil, err
	}
	if t.Extra == nil {
		return "", nil, fault.ErrNotFound
	}
	return s.book(ctx, actor, id, "import.result", "发放清单", []RowState{RowCreated}, t.ExtraTitles, func(ctx context.Context, v RowView, t sheet.Target) ([]string, error) {
		return t.Extra(ctx, actor, sheet.Record{Row: v.Number, Values: v.Values}, v.ObjectID, origin(id, v.Number))
	})
}

func (s *Service) book(ctx context.Context, actor access.Actor, id int64, action, what string, states []RowState, extra []string,
	more func(ctx context.Context, v RowView, t sheet.Target) ([]string, error),
) (string, []byte, error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return "", nil, err
	}
	t, err := s.target(actor, r.Target)
	if err != nil {
		return "", nil, err
	}
	if r.Purged {
		return "", nil, ErrGone
	}
	mapped := r.mapping()
	fields := slices.DeleteFunc(slices.Clone(t.Fields), func(f sheet.TargetField) bool { _, ok := mapped[f.Key]; return !ok })
	o := sheet.Options{Sheet: what}
	for _, f := range fields {
		o.Columns = append(o.Columns, sheet.Column{Title: f.Title, Width: 20})
	}
	o.Columns = append(o.Columns, sheet.Column{Title: "原文件行号", Width: 12})
	for _, title := range extra {
		o.Columns = append(o.Columns, sheet.Column{Title: title, Width: 60})
	}
	var b bytes.Buffer
	x, err := sheet.NewXLSX(&b, o)
	if err != nil {
		return "", nil, err
	}
	for after := 0; ; {
		rows, err := s.some(ctx, id, states, after, 500)
		if err != nil {
			return "", nil, err
		}
		for _, v := range rows {
			cells := make([]sheet.Cell, 0, len(o.Columns))
			for _, f := range fields {
				cells = append(cells, sheet.Text(v.Values[f.Key]))
			}
			cells = append(cells, sheet.Int(int64(v.Number)))
			words, err := more(ctx, v, t)
			if err != nil {
				return "", nil, err
			}
			for _, w := range words {
				cells = append(cells, sheet.Text(w))
			}
			if err := x.Write(cells); err != nil {
				return "", nil, err
			}
			after = v.Number
		}
		if len(rows) < 500 {
			break
		}
	}
	if err := x.Close(); err != nil {
		return "", nil, err
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: action, Object: Object, ObjectID: id, Summary: "下载导入" + what + "：" + t.Title})
	})
	return fmt.Sprintf("%s_%s_%d.xlsx", t.Title, what, id), b.Bytes(), err
}

// Template is an empty workbook with the heads, and above them how to fill it in.
func (s *Service) Template(_ context.Context, actor access.Actor, target string) (name string, content []byte, err error) {
	t, err := s.target(actor, target)
	if err != nil {
		return "", nil, err
	}
	o := sheet.Options{Sheet: t.Title}
	words := []string{"填写说明：带 * 的为必填；请从第 3 行开始填写，不要改动表头"}
	for _, f := range t.Fields {
		title := f.Title
		if f.Required {
			title += "*"
		}
		o.Columns = append(o.Columns, sheet.Column{Title: title, Width: 20})
		if f.Help != "" || f.Example != "" {
			words = append(words, f.Title+"："+f.Help+"（例如 "+f.Example+"）")
		}
	}
	o.Mark = strings.Join(words, "；")
	var b bytes.Buffer
	x, err := sheet.NewXLSX(&b, o)
	if err != nil {
		return "", nil, err
	}
	if err := x.Close(); err != nil {
		return "", nil, err
	}
	return t.Title + "导入模板.xlsx", b.Bytes(), nil
}
