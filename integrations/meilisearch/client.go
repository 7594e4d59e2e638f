// Package meilisearch speaks to a Meilisearch server for platform/search: it makes indexes with the settings that let
// them find what the databases find, fills and swaps them, and finds ids. It needs Meilisearch 1.18 or later.
package meilisearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/meilisearch/meilisearch-go"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/search"
)

// Config is how the server is reached.
type Config struct {
	URL string // http://search.internal:7700
	Key string // an API key with the rights to search, documents, indexes, settings and tasks

	// Timeout is how long a search may take, 0 is 800 ms: then the database answers. Patience is how long a change may take
	// until it can be searched, 0 is a minute.
	Timeout, Patience time.Duration
	Clock             clock.Clock // nil is the system's
}

// The breaker: after so many failures in a row the server is left alone for so long, then asked once.
const (
	failures = 3
	rest     = 10 * time.Second
)

// ErrResting is returned while the server is left alone after it failed several times.
var ErrResting = errors.New("meilisearch: left alone after failures")

// Client is one server.
type Client struct {
	api     api.ServiceManager
	config  Config
	mu      sync.Mutex
	failed  int
	closed  time.Time // until then the server is left alone
	probing bool
}

var _ search.Engine = (*Client)(nil)

// New makes a client. It asks nothing of the server. The address must be http or https with a host.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errors.New("meilisearch: the address must be as http://search.internal:7700")
	}
	if c.Timeout == 0 {
		c.Timeout = 800 * time.Millisecond
	}
	if c.Patience == 0 {
		c.Patience = time.Minute
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	// No redirect: the key goes to this server only.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{config: c, api: api.New(strings.TrimSuffix(c.URL, "/"), api.WithAPIKey(c.Key), api.WithCustomClient(client), api.DisableRetries())}, nil
}

// Create implements search.Engine.
func (c *Client) Create(ctx context.Context, name string) error {
	if err := c.Drop(ctx, name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Patience)
	defer cancel()
	task, err := c.api.CreateIndex(ctx, &api.IndexConfig{Uid: name, PrimaryKey: "id"})
	if err := c.done(ctx, "create", task, err); err != nil {
		return err
	}
	task, err = c.api.Index(name).UpdateSettings(ctx, settings())
	return c.done(ctx, "settings", task, err)
}

// settings let the index find what the databases find: no typing errors forgiven, no stop words, newest first. What is sent
// is split already, so proximity and ranking by words have nothing to add.
func settings() *api.Settings {
	return &api.Settings{
		SearchableAttributes: []string{"text", "words"},
		FilterableAttributes: []string{"id", "scope"},
		SortableAttributes:   []string{"id"},
		DisplayedAttributes:  []string{"id", "label"},
		RankingRules:         []string{"sort"},
		TypoTolerance: &api.TypoTolerance{Enabled: false, MinWordSizeForTypos: api.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords: []string{}, DisableOnAttributes: []string{}},
	}
}

// Put implements search.Engine.
func (c *Client) Put(ctx context.Context, name string, docs []search.Copy) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Patience)
	defer cancel()
	key := "id"
	task, err := c.api.Index(name).AddDocuments(ctx, docs, &api.DocumentOptions{PrimaryKey: &key})
	return c.done(ctx, "documents", task, err)
}

// Delete implements search.Engine.
func (c *Client) Delete(ctx context.Context, name string, ids []int64) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Patience)
	defer cancel()
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	task, err := c.api.Index(name).DeleteDocuments(ctx, texts, nil)
	return c.done(ctx, "delete", task, err)
}

// Swap implements search.Engine.
func (c *Client) Swap(ctx context.Context, a, b string) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Patience)
	defer cancel()
	// The first index must be there to be swapped; that it is there already is no error.
	task, err := c.api.CreateIndex(ctx, &api.IndexConfig{Uid: a, PrimaryKey: "id"})
	if err := c.done(ctx, "create", task, err); err != nil && !isCode(err, "index_already_exists") {
		return err
	}
	task, err = c.api.SwapIndexes(ctx, []*api.SwapIndexesParams{{Indexes: []string{a, b}}})
	return c.done(ctx, "swap", task, err)
}

// Drop implements search.Engine.
func (c *Client) Drop(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Patience)
	defer cancel()
	task, err := c.api.DeleteIndex(ctx, name)
	if err := c.done(ctx, "drop", task, err); err != nil && !isCode(err, "index_not_found") {
		return err
	}
	return nil
}

// Label implements search.Engine.
func (c *Client) Label(ctx context.Context, name string) (string, error) {
	var doc struct {
		Label string `json:"label"`
	}
	err := c.guarded(ctx, func(ctx context.Context) error {
		err := c.api.Index(name).GetDocument(ctx, "0", &api.DocumentQuery{Fields: []string{"id", "label"}}, &doc)
		if err := told("label", err); err != nil && !isCode(err, "document_not_found") && !isCode(err, "index_not_found") {
			return err
		}
		return nil
	})
	return doc.Label, err
}

// Find implements search.Engine.
func (c *Client) Find(ctx context.Context, name string, words search.Query, scope []string, before int64, limit int) ([]int64, error) {
	phrases := words.Phrases()
	for i, p := range phrases {
		phrases[i] = `"` + p + `"`
	}
	filter := []string{"id > 0"}
	if before > 0 {
		filter = []string{fmt.Sprintf("id > 0 AND id < %d", before)}
	}
	if len(scope) > 0 {
		marks := make([]string, len(scope))
		for i, s := range scope {
			marks[i] = strconv.Quote(s)
		}
		filter = append(filter, "scope IN ["+strings.Join(marks, ", ")+"]")
	}
	request := &api.SearchRequest{
		Limit: int64(limit), AttributesToRetrieve: []string{"id"}, MatchingStrategy: api.All, Sort: []string{"id:desc"}, Filter: filter,
	}
	var ids []int64
	err := c.guarded(ctx, func(ctx context.Context) error {
		res, err := c.api.Index(name).Search(ctx, strings.Join(phrases, " "), request)
		if err != nil {
			return told("search", err)
		}
		if res.IndexUID != "" && res.IndexUID != name || len(res.Hits) > limit {
			return errors.New("meilisearch: the answer is to another question")
		}
		last := before
		for _, h := range res.Hits {
			var id int64
			if err := json.Unmarshal(h["id"], &id); err != nil || id <= 0 || last > 0 && id >= last {
				return errors.New("meilisearch: the answer is not in the form that was asked for")
			}
			ids, last = append(ids, id), id
		}
		return nil
	})
	return ids, err
}

// guarded runs a question within its time, and not at all while the server is left alone.
func (c *Client) guarded(ctx context.Context, ask func(ctx context.Context) error) error {
	c.mu.Lock()
	if c.failed >= failures {
		if c.probing || c.config.Clock.Now().Before(c.closed) {
			c.mu.Unlock()
			return ErrResting
		}
		c.probing = true
	}
	c.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	err := ask(within)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
	switch {
	case err == nil:
		c.failed = 0
	case ctx.Err() == nil: // the asker who left is not the server's fault
		c.failed++
		c.closed = c.config.Clock.Now().Add(rest)
	}
	return err
}

// done waits until the change can be searched.
func (c *Client) done(ctx context.Context, what string, task *api.TaskInfo, err error) error {
	if err != nil {
		return told(what, err)
	}
	t, err := c.api.WaitForTask(ctx, task.TaskUID, 50*time.Millisecond)
	if err != nil {
		return told(what, err)
	}
	if t.Status != api.TaskStatusSucceeded {
		return Error{What: what, Code: string(t.Error.Code)}
	}
	return nil
}

// Error is what the server refused or could not do. It holds none of what was sent: that is what citizens wrote.
type Error struct {
	What   string // create, settings, documents, delete, swap, drop, label, search
	Status int    // of HTTP, 0 when there was no answer or the task failed
	Code   string // Meilisearch's own, "index_not_found"
}

// Error tells it in one line.
func (e Error) Error() string {
	return fmt.Sprintf("meilisearch: %s: status %d %s", e.What, e.Status, e.Code)
}

// told leaves out of the library's error what was sent.
func told(what string, err error) error {
	if err == nil {
		return nil
	}
	e := Error{What: what}
	var from *api.Error
	if errors.As(err, &from) {
		e.Status, e.Code = from.StatusCode, string(from.APIError.Code)
	}
	return e
}

func isCode(err error, code string) bool {
	var e Error
	return errors.As(err, &e) && e.Code == code
}
