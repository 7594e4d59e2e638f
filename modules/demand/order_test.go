package demand_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
)

// TestQuotesInOrder has two institutions quote and the company compare them by price, time and what companies say of the products.
func TestQuotesInOrder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	for _, q := range []struct{ who, product, price, days string }{{"3", "31", "9000", "5"}, {"4", "41", "8000", "20"}} {
		var who, product int64
		if _, err := fmt.Sscan(q.who, &who); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(q.product, &product); err != nil {
			t.Fatal(err)
		}
		o := offer(product)
		o.Price, o.Days = q.price, q.days
		if _, err := f.Quote(ctx, institution(who), demand.Bid{ID: v.ID, Offered: o}); err != nil {
			t.Fatal(err)
		}
	}
	in := func(order demand.QuoteOrder) string {
		t.Helper()
		d, err := f.GetIn(ctx, company(1), v.ID, order)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, q := range d.QuoteList {
			names = append(names, fmt.Sprint(q.ProductID))
		}
		return string(d.Order) + " " + strings.Join(names, " ")
	}
	for order, want := range map[demand.QuoteOrder]string{demand.ByTime: "time 31 41", demand.ByPrice: "price 41 31", demand.ByDays: "days 31 41", demand.ByRated: "rating 41 31", demand.ByAmount: "time 31 41", "": "time 31 41", "x": "time 31 41"} {
		if got := in(order); got != want {
			t.Errorf("%q: %s instead of %s", order, got, want)
		}
	}
	d := f.mustGet(t, company(1), v.ID)
	if q := d.QuoteList[1]; q.Rating != 450 || q.RatingCount != 6 || d.QuoteList[0].RatingCount != 0 {
		t.Errorf("%+v", d.QuoteList)
	}
	for _, q := range f.mustGet(t, operator(8), v.ID).QuoteList {
		if q.Rating != 0 || q.Price != 0 {
			t.Errorf("staff read %+v", q)
		}
	}
}

// TestMatchedByThePlaceOfTheDemand asks for a service in a town that a product is not offered in, though the company is elsewhere.
func TestMatchedByThePlaceOfTheDemand(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	there := tax()
	there.Place = "通州区漷县镇南阳村 8 号"
	for typed, want := range map[*demand.Typed]string{{}: "3 4", &there: "4"} {
		if typed.Kind == "" {
			*typed = tax()
		}
		v := f.mustSubmit(t, company(1), *typed)
		list, err := f.Matches(t.Context(), operator(8), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range list {
			ids = append(ids, fmt.Sprint(m.InstitutionID))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("at %q: %s instead of %s", typed.Place, got, want)
		}
	}
}

// TestTheSiteFindsWhatStandsInTheHall finds what everybody reads, by all of the words, and nothing else.
func TestTheSiteFindsWhatStandsInTheHall(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	hidden := tax()
	hidden.Title = "代理记账草稿"
	f.mustDraft(t, company(1), hidden)
	f.mustSubmit(t, company(2), tax())
	v := f.mustOpen(t, company(1), tax())
	for words, want := range map[string]int{"代理记账": 1, "记账 报税": 1, "报税 新华西街": 1, "记账 火箭": 0, "第1公司": 0, v.Number: 1, strings.ToLower(v.Number): 1, "100%": 0, "_": 0, "工作日上午": 0} {
		found, err := f.Search(ctx, words, 10)
		n, cerr := f.CountFound(ctx, words, 10)
		if err != nil || cerr != nil || len(found) != want || n != want {
			t.Errorf("%q: %d found, %d counted, %d wanted: %v %v", words, len(found), n, want, err, cerr)
		}
	}
	named := tax()
	named.Named = true
	f.mustOpen(t, company(1), named)
	if found, err := f.Search(ctx, "第1公司", 10); err != nil || len(found) != 1 || !found[0].Named {
		t.Errorf("%+v %v", found, err)
	}
	d := f.mustGet(t, company(1), v.ID)
	if _, err := f.Close(ctx, company(1), demand.Close{Ref: demand.Ref{ID: v.ID, Version: d.Version}, Reason: "已在线下解决"}); err != nil {
		t.Fatal(err)
	}
	if found, _ := f.Search(ctx, v.Number, 10); len(found) != 0 {
		t.Errorf("a closed one is found: %+v", found)
	}
	f.clock.Advance(20 * 24 * 3600 * 1e9)
	if found, _ := f.Search(ctx, "代理记账", 10); len(found) != 0 {
		t.Errorf("one whose days are over is found: %+v", found)
	}
}

// TestDemandsAreTakenOut exports what staff of the district list: no draft, nothing of what was quoted, and nobody else may.
func TestDemandsAreTakenOut(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	f.mustDraft(t, company(1), tax())
	f.mustSubmit(t, company(2), tax())
	v := f.mustOpen(t, company(1), tax())
	f.mustQuote(t, 4, v.ID, 41)
	src := f.ExportSource()
	if src.Name != "demands" || src.Permission != demand.PermExport {
		t.Fatalf("%+v", src)
	}
	var columns []string
	for _, c := range src.Columns {
		columns = append(columns, c.Key)
	}
	rows := func(who access.Actor, filter sheet.Filter) ([][]sheet.Cell, error) {
		var all [][]sheet.Cell
		after := ""
		for {
			page, next, err := src.Page(ctx, who, sheet.Query{Filter: filter, Columns: columns, After: after, Limit: 1})
			if err != nil {
				return nil, err
			}
			all = append(all, page...)
			if after = next; next == "" {
				return all, nil
			}
		}
	}
	taker := operator(8)
	taker.Permissions = append([]access.Permission{demand.PermExport}, taker.Permissions...)
	if _, err := rows(operator(8), sheet.Filter{}); !errors.Is(err, demand.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	all, err := rows(taker, sheet.Filter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	text := fmt.Sprintf("%+v", all)
	for word, is := range map[string]bool{v.Number: true, "第1公司": true, "不公开": true, "8000": false, "含税务申报": false, "第4事务所": false, "13800000001": false} {
		if strings.Contains(text, word) != is {
			t.Errorf("%s in the rows: %v", word, !is)
		}
	}
	if some, err := rows(taker, sheet.Filter{"state": "review"}); err != nil || len(some) != 1 {
		t.Errorf("%d under review, %v", len(some), err)
	}
	for _, bad := range []sheet.Filter{{"state": "draft"}, {"state": "lost"}, {"kind": "none"}, {"phone": "138"}} {
		if _, err := rows(taker, bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	for who, a := range map[string]access.Actor{"an institution": institution(4), "a company": company(1)} {
		if _, err := rows(a, sheet.Filter{}); !errors.Is(err, demand.ErrForbidden) {
			t.Errorf("%s exports: %v", who, err)
		}
	}
}
