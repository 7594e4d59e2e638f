package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/huiqi/huiqi/platform/search"
)

// searched are the words of the figure: one that very many tickets hold, rarer ones, and two at once.
var searched = []string{"企业", "停车", "噪声 夜间", "消防"}

// searchTickets has an agent search the district's tickets, each word as often, beside the bare full-text statement over the
// same file. The bare statement is written for SQLite only.
func searchTickets(_ context.Context, e *env) error {
	if e.data.database != "" {
		fmt.Fprintln(os.Stderr, "search_tickets has a floor on SQLite only: not run")
		return nil
	}
	put, err := e.beside("floor-search", "/search?match=x")
	if err != nil {
		return err
	}
	defer put()
	var ours, least []request
	for _, typed := range searched {
		words, err := search.Parse(typed)
		if err != nil {
			return err
		}
		ours = append(ours, request{Weight: 1, Method: "GET", Path: "/api/tickets?q=" + url.QueryEscape(typed)})
		least = append(least, request{Weight: 1, Method: "GET", Path: "/search?match=" + url.QueryEscape(words.FTS5())})
	}
	return e.against("search_tickets", plan{Clients: readers, Sessions: []session{e.people.agent}, Mix: ours}, plan{Clients: readers, Mix: least})
}
