package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/huiqi/huiqi/bench/floor"
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
	self, err := os.Executable()
	if err != nil {
		return err
	}
	file := filepath.Join(e.data.dir, "huiqi.db")
	// #nosec G204 -- runs this program itself
	bare, err := begin("/search?match=x", func(addr string) *exec.Cmd { return exec.Command(self, "floor-search", addr, file) })
	if err != nil {
		return err
	}
	defer bare.stop()
	var ours, least []request
	for _, typed := range searched {
		words, err := search.Parse(typed)
		if err != nil {
			return err
		}
		ours = append(ours, request{Weight: 1, Method: "GET", Path: "/api/tickets?q=" + url.QueryEscape(typed)})
		least = append(least, request{Weight: 1, Method: "GET", Path: "/search?match=" + url.QueryEscape(words.FTS5())})
	}
	usual := e.floor
	e.floor = bare
	defer func() { e.floor = usual }()
	return e.against("search_tickets", plan{Clients: readers, Sessions: []session{e.people.agent}, Mix: ours}, plan{Clients: readers, Mix: least})
}

// searchFloorProcess serves the bare full-text statement over file at addr.
func searchFloorProcess(addr, file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return floor.ServeSearch(ctx, l, file)
}
