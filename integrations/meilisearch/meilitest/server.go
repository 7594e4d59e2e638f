// Package meilitest is a stand-in for a Meilisearch server in tests: it speaks the part of the HTTP interface that the
// client uses, works its tasks in order, and finds phrases as the real one documents it. It was written from the
// documentation, not copied from a running server.
package meilitest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/search"
)

// Server is one stand-in. Its state may be changed while it serves.
type Server struct {
	URL, Key string

	mu      sync.Mutex
	indexes map[string]*index
	tasks   []task
	down    int // status of every answer; 0 serves
	slow    time.Duration
	asked   int
}

type index struct {
	settings map[string]any
	docs     map[int64]search.Copy
}

type task struct {
	UID    int64          `json:"uid"`
	Index  string         `json:"indexUid"`
	Status string         `json:"status"`
	Type   string         `json:"type"`
	Error  map[string]any `json:"error"`
}

// New starts a stand-in that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{Key: "stand-in-key", indexes: map[string]*index{}}
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Fail has every answer be an error of the status, 0 ends that.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = status
}

// Stall has every answer wait for so long.
func (s *Server) Stall(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Asked is how many requests came in.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Docs are the documents of an index in the order of ids; nil when there is no such index.
func (s *Server) Docs(name string) []search.Copy {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.indexes[name]
	if x == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(x.docs), func(a, b search.Copy) int { return cmp.Compare(a.ID, b.ID) })
}

// Indexes are the names of all indexes.
func (s *Server) Indexes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.indexes))
}

// Tamper changes the documents of an index behind everybody's back.
func (s *Server) Tamper(name string, change func(docs map[int64]search.Copy)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.indexes[name].docs)
}

var (
	withDocs = regexp.MustCompile(`^/indexes/([\w-]+)/documents(?:/(.+))?$`)
	oneIndex = regexp.MustCompile(`^/indexes/([\w-]+)(/settings|/search)?$`)
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.slow > 0 {
		s.mu.Unlock()
		select {
		case <-time.After(s.slow):
		case <-r.Context().Done():
		}
		s.mu.Lock()
	}
	if s.down != 0 {
		refuse(w, s.down, "internal")
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.Key {
		refuse(w, http.StatusForbidden, "invalid_api_key")
		return
	}
	docs, one := withDocs.FindStringSubmatch(r.URL.Path), oneIndex.FindStringSubmatch(r.URL.Path)
	switch {
	case r.Method == "POST" && r.URL.Path == "/indexes":
		var in struct{ UID, PrimaryKey string }
		_ = json.Unmarshal(body, &in)
		s.enqueue(w, in.UID, "indexCreation", func() string {
			if s.indexes[in.UID] != nil {
				return "index_already_exists"
			}
			s.indexes[in.UID] = &index{docs: map[int64]search.Copy{}}
			return ""
		})
	case r.Method == "DELETE" && one != nil && one[2] == "":
		s.enqueue(w, one[1], "indexDeletion", func() string {
			if s.indexes[one[1]] == nil {
				return "index_not_found"
			}
			delete(s.indexes, one[1])
			return ""
		})
	case r.Method == "PATCH" && one != nil && one[2] == "/settings":
		s.enqueue(w, one[1], "settingsUpdate", func() string {
			if s.indexes[one[1]] == nil {
				return "index_not_found"
			}
			_ = json.Unmarshal(body, &s.indexes[one[1]].settings)
			return ""
		})
	case r.Method == "POST" && docs != nil && docs[2] == "":
		var in []search.Copy
		_ = json.Unmarshal(body, &in)
		s.enqueue(w, docs[1], "documentAdditionOrUpdate", func() string {
			if s.indexes[docs[1]] == nil { // the real one makes it, without our settings
				s.indexes[docs[1]] = &index{docs: map[int64]search.Copy{}}
			}
			for _, d := range in {
				s.indexes[docs[1]].docs[d.ID] = d
			}
			return ""
		})
	case r.Method == "POST" && docs != nil && docs[2] == "delete-batch":
		var in []string
		_ = json.Unmarshal(body, &in)
		s.enqueue(w, docs[1], "documentDeletion", func() string {
			if s.indexes[docs[1]] == nil {
				return "index_not_found"
			}
			for _, id := range in {
				n, _ := strconv.ParseInt(id, 10, 64)
				delete(s.indexes[docs[1]].docs, n)
			}
			return ""
		})
	case r.Method == "GET" && docs != nil && docs[2] != "":
		n, _ := strconv.ParseInt(docs[2], 10, 64)
		x := s.indexes[docs[1]]
		if x == nil {
			refuse(w, http.StatusNotFound, "index_not_found")
		} else if d, ok := x.docs[n]; !ok {
			refuse(w, http.StatusNotFound, "document_not_found")
		} else {
			answer(w, http.StatusOK, map[string]any{"id": d.ID, "label": d.Label})
		}
	case r.Method == "POST" && r.URL.Path == "/swap-indexes":
		var in []struct{ Indexes []string }
		_ = json.Unmarshal(body, &in)
		s.enqueue(w, "", "indexSwap", func() string {
			a, b := in[0].Indexes[0], in[0].Indexes[1]
			if s.indexes[a] == nil || s.indexes[b] == nil {
				return "index_not_found"
			}
			s.indexes[a], s.indexes[b] = s.indexes[b], s.indexes[a]
			return ""
		})
	case r.Method == "GET" && strings.HasPrefix(r.URL.Path, "/tasks/"):
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/tasks/"))
		if err != nil || n >= len(s.tasks) {
			refuse(w, http.StatusNotFound, "task_not_found")
			return
		}
		answer(w, http.StatusOK, s.tasks[n])
	case r.Method == "POST" && one != nil && one[2] == "/search":
		s.find(w, one[1], body)
	default:
		refuse(w, http.StatusNotFound, "not_found")
	}
}

func (s *Server) enqueue(w http.ResponseWriter, name, typ string, work func() string) {
	t := task{UID: int64(len(s.tasks)), Index: name, Status: "succeeded", Type: typ}
	if code := work(); code != "" {
		t.Status, t.Error = "failed", map[string]any{"message": code, "code": code, "type": "invalid_request", "link": ""}
	}
	s.tasks = append(s.tasks, t)
	answer(w, http.StatusAccepted, map[string]any{"taskUid": t.UID, "indexUid": name, "status": "enqueued", "type": typ, "enqueuedAt": "2026-11-28T11:00:00Z"})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"message": code, "code": code, "type": "invalid_request", "link": "https://docs.meilisearch.com/errors#" + code})
}

var (
	phrase = regexp.MustCompile(`"([^"]*)"`)
	below  = regexp.MustCompile(`id < (\d+)`)
	marks  = regexp.MustCompile(`"([^"]+)"`)
)

func (s *Server) find(w http.ResponseWriter, name string, body []byte) {
	var in struct {
		Q, MatchingStrategy        string
		Filter, Sort               []string
		AttributesToRetrieve       []string
		Limit                      int
		AttributesToHighlight, Sub json.RawMessage
	}
	_ = json.Unmarshal(body, &in)
	x := s.indexes[name]
	if x == nil {
		refuse(w, http.StatusNotFound, "index_not_found")
		return
	}
	// What is not declared in the settings cannot be filtered or sorted by.
	if fmt.Sprint(x.settings["sortableAttributes"]) != "[id]" || fmt.Sprint(x.settings["filterableAttributes"]) != "[id scope]" {
		refuse(w, http.StatusBadRequest, "invalid_search_filter")
		return
	}
	most, scope := int64(1)<<62, map[string]bool{}
	for _, f := range in.Filter {
		if m := below.FindStringSubmatch(f); m != nil {
			most, _ = strconv.ParseInt(m[1], 10, 64)
		}
		if strings.HasPrefix(f, "scope IN") {
			for _, m := range marks.FindAllStringSubmatch(f, -1) {
				scope[m[1]] = true
			}
		}
	}
	hits := []map[string]any{}
	ids := slices.Sorted(maps.Keys(x.docs))
	slices.Reverse(ids)
	for _, id := range ids {
		d := x.docs[id]
		ok := id > 0 && id < most && (len(scope) == 0 || slices.ContainsFunc(d.Scope, func(m string) bool { return scope[m] }))
		for _, p := range phrase.FindAllStringSubmatch(in.Q, -1) {
			ok = ok && (strings.Contains(" "+d.Text+" ", " "+p[1]+" ") || strings.Contains(" "+d.Words+" ", " "+p[1]+" "))
		}
		if ok && len(hits) < in.Limit {
			hits = append(hits, map[string]any{"id": id})
		}
	}
	answer(w, http.StatusOK, map[string]any{"hits": hits, "query": in.Q, "processingTimeMs": 0, "limit": in.Limit, "offset": 0, "estimatedTotalHits": len(hits)})
}
