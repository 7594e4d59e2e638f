package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// ticketBody is a request as people send it from H5, of an ordinary kind.
func ticketBody() string {
	b, _ := json.Marshal(map[string]any{"type": "050202", "title": "门口停车位不够第 {n} 次", "body": strings.Repeat("新华西街门前停车位不够，顾客的车没有地方停放。", 5), "source": "h5"})
	return string(b)
}

// ticketCreate opens tickets, each client as a company of its own, at 8 and at 64 clients.
func ticketCreate(_ context.Context, e *env) error {
	for _, n := range []int{8, 64} {
		name := map[int]string{8: "http_ticket_create@8", 64: "http_ticket_create@64"}[n]
		ours := plan{Clients: n, Sessions: e.people.owners, Mix: []request{{Weight: 1, Method: "POST", Path: "/api/tickets", Body: ticketBody()}}}
		least := plan{Clients: n, Mix: []request{{Weight: 1, Method: "POST", Path: "/tickets", Body: ticketBody()}}}
		if err := e.against(name, ours, least); err != nil {
			return err
		}
	}
	return nil
}

// readers is how many clients read at once.
const readers = 64

// ticketList reads the first page of the district's tickets as an agent.
func ticketList(_ context.Context, e *env) error {
	return e.against("http_ticket_list",
		plan{Clients: readers, Sessions: []session{e.people.agent}, Mix: []request{{Weight: 1, Method: "GET", Path: "/api/tickets"}}},
		plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: "/tickets"}}})
}

// ticketOpen reads tickets of the district with their timeline as an agent.
func ticketOpen(_ context.Context, e *env) error {
	ids := [][]int64{e.people.tickets}
	return e.against("http_ticket_open",
		plan{Clients: readers, Sessions: []session{e.people.agent}, Mix: []request{{Weight: 1, Method: "GET", Path: "/api/tickets/{id}", IDs: ids}}},
		plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: "/tickets/{id}", IDs: ids}}})
}

// page reads a page of the portal as a visitor.
func page(name, path string) func(context.Context, *env) error {
	return func(_ context.Context, e *env) error {
		return e.against(name, plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: path}}}, plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: "/page"}}})
	}
}

// mix has 500 people with sessions of their own look at their tickets, open new ones and save drafts, for a minute or, when
// SPAN asks for less, that long: 2 queries to 1.5 inserts to 1 update.
func mix(_ context.Context, e *env) error {
	p := plan{Addr: e.ours.addr, Clients: 500, Sessions: e.people.owners, Warm: time.Second, Span: 12 * e.span, First: e.numbers, Mix: []request{
		{Weight: 2, Method: "GET", Path: "/api/tickets"},
		{Weight: 2, Method: "GET", Path: "/api/tickets/{id}", IDs: e.people.own},
		{Weight: 3, Method: "POST", Path: "/api/tickets", Body: ticketBody()},
		{Weight: 2, Method: "POST", Path: "/api/application-drafts/{id}", IDs: e.people.free,
			Body: `{"amount":"50","term":"12","purpose":"购买原料，第 {n} 次保存","collateral":"","contactName":"林晓梅","phone":"","files":[]}`},
	}}
	r, err := send(p)
	if err != nil {
		return err
	}
	e.numbers = r.Last
	f := e.figure("mix_500", "requests/s")
	f.Value, f.P50, f.P95, f.P99, f.Errors, f.Note = r.PerSecond, r.P50, r.P95, r.P99, r.Errors, r.Failure
	emit(f)
	return nil
}

// start stops the server and starts it again: how long until it is ready, and how large it is at rest.
func start(_ context.Context, e *env) error {
	e.ours.stop()
	began := time.Now()
	var err error
	if e.ours, err = startOurs(e.data); err != nil {
		return err
	}
	f := e.figure("start", "s from start to ready")
	f.Value = time.Since(began).Seconds()
	emit(f)
	time.Sleep(3 * time.Second)
	f = e.figure("rest", "MiB resident at rest")
	if f.Value, err = e.ours.memory("VmRSS"); err != nil {
		return err
	}
	emit(f)
	return nil
}
