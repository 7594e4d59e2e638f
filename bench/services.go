package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/search"
)

// soughtProducts are words that thousands of products hold, that hundreds do, and two at once.
var soughtProducts = []string{"小微企业", "商标注册", "信用贷 科技型企业", "厂房"}

// productSearch has visitors search the products by words, beside the same statement run bare over the same tables.
func productSearch(_ context.Context, e *env) error {
	put, err := e.beside("floor-products", "/products?match=x&name=x")
	if err != nil {
		return err
	}
	defer put()
	var ours, least []request
	for _, typed := range soughtProducts {
		words, err := search.Parse(typed)
		if err != nil {
			return err
		}
		match := words.FTS5()
		if e.data.database != "" {
			match = words.TSQuery()
		}
		ours = append(ours, request{Weight: 1, Method: "GET", Path: "/api/products?q=" + url.QueryEscape(typed)})
		least = append(least, request{Weight: 1, Method: "GET", Path: "/products?match=" + url.QueryEscape(match) + "&name=" + url.QueryEscape(words.Terms()[0])})
	}
	return e.against("product_search", plan{Clients: readers, Mix: ours}, plan{Clients: readers, Mix: least})
}

// applicationBody asks for half a million for a year, as people send it from H5.
func applicationBody() string {
	b, _ := json.Marshal(map[string]any{"amount": 50_000_000, "term": 12, "source": "h5", "purpose": "第 {n} 次：" + strings.Repeat("购买原料和包装，用于节前备货，", 4) + "还款来源为销售回款"})
	return `{"productId":{id},` + string(b[1:])
}

// loansAtOnce is how many products a client may apply for in one load.
const loansAtOnce = 400

// applicationSubmit has companies apply for loans, each client as a company of its own, at 8 and at 64 clients.
func applicationSubmit(_ context.Context, e *env) error {
	for _, n := range []int{8, 64} {
		name := map[int]string{8: "application_submit@8", 64: "application_submit@64"}[n]
		ours := plan{Clients: n, Sessions: e.people.owners[:n], renew: func(p *plan) {
			p.Mix = []request{{Weight: 1, Method: "POST", Path: "/api/applications", Body: applicationBody(), IDs: e.people.untried(n), Next: true}}
		}}
		least := plan{Clients: n, Mix: []request{{Weight: 1, Method: "POST", Path: "/applications", Body: applicationBody(), IDs: e.people.loans[:1]}}}
		if err := e.against(name, ours, least); err != nil {
			return err
		}
	}
	return nil
}

// untried takes loansAtOnce products for each of the first n owners that they have not applied for yet.
func (p *people) untried(n int) [][]int64 {
	out := make([][]int64, n)
	for i := range out {
		k := min(loansAtOnce, len(p.loans[i]))
		out[i], p.loans[i] = p.loans[i][:k], p.loans[i][k:]
	}
	return out
}

// unapplied are n products of each owner that no load applies for.
func (p *people) unapplied(n int) [][]int64 {
	out := make([][]int64, len(p.loans))
	for i, list := range p.loans {
		out[i] = list[len(list)-n:]
	}
	return out
}

// mixServices has 500 owners search products, open them, look at their applications, apply and save drafts, for a minute or,
// when SPAN asks for less, that long: 2 queries to 1.5 inserts to 1 update.
func mixServices(_ context.Context, e *env) error {
	r, err := send(plan{Addr: e.ours.addr, Clients: 500, Sessions: e.people.owners, Warm: time.Second, Span: 12 * e.span, First: e.numbers, Mix: []request{
		{Weight: 1, Method: "GET", Path: "/api/products?q=" + url.QueryEscape(soughtProducts[0])},
		{Weight: 1, Method: "GET", Path: "/api/products/{id}", IDs: e.people.loans[:1]},
		{Weight: 2, Method: "GET", Path: "/api/applications"},
		{Weight: 3, Method: "POST", Path: "/api/applications", Body: applicationBody(), IDs: e.people.untried(500), Next: true},
		{Weight: 2, Method: "POST", Path: "/api/application-drafts/{id}", IDs: e.people.unapplied(3),
			Body: `{"amount":"50","term":"12","purpose":"购买原料，第 {n} 次保存","collateral":"","contactName":"林晓梅","phone":"","files":[]}`},
	}})
	if err != nil {
		return err
	}
	e.numbers = r.Last
	f := e.figure("mix_500_services", "requests/s")
	f.Value, f.P50, f.P95, f.P99, f.Errors, f.Note = r.PerSecond, r.P50, r.P95, r.P99, r.Errors, r.Failure
	emit(f)
	return nil
}
