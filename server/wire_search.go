package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/huiqi/huiqi/integrations/meilisearch"
	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/search"
)

// Search says which outside engine finds the words of long lists; without one the database does.
type Search struct {
	Meilisearch Meilisearch `koanf:"meilisearch"`
}

// Meilisearch is a server of that name.
type Meilisearch struct {
	URL string `koanf:"url"`
	Key string `koanf:"key"`
	// Prefix begins the names of our indexes; two installations on one server need two.
	Prefix string `koanf:"prefix"`
}

var indexPrefix = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

func (m Meilisearch) check(demo bool) error {
	if m.URL == "" {
		return nil
	}
	u, err := url.Parse(m.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return configErrorf("search.meilisearch.url：%q 不是地址，例如 http://127.0.0.1:7700", m.URL)
	}
	if !demo && m.Key == "" {
		return configErrorf("search.meilisearch.key：填写 url 时须同时填写，没有密钥的搜索服务会让任何人读到群众所写的内容")
	}
	if m.Prefix != "" && !indexPrefix.MatchString(m.Prefix) {
		return configErrorf("search.meilisearch.prefix：%q 只能含小写字母、数字、_ 和 -", m.Prefix)
	}
	return nil
}

// searchSources are all that is searched, for those who make an index anew.
func searchSources() []search.Source {
	return []search.Source{ticket.SearchSource(), application.SearchSource(), enterprise.SearchSource(), policy.SearchSource(), catalog.SearchSource(), content.SearchSource(), knowledge.SearchSource()}
}

// outsideSearch is the outside engine as modules ask it: each kind has a mirror of its own.
type outsideSearch map[string]*search.Mirror

var _ search.Outside = outsideSearch{}

// Hits asks the mirror of the kind.
func (o outsideSearch) Hits(ctx context.Context, kind string, words search.Query, scope []string, before int64, limit int) ([]int64, error) {
	m := o[kind]
	if m == nil {
		return nil, fmt.Errorf("no copy of %s outside", kind)
	}
	return m.Hits(ctx, kind, words, scope, before, limit)
}

// openSearch makes the mirrors of the kinds that an outside engine holds, and has indexes that another version made be
// rebuilt behind the start. It returns what modules ask, nil without an engine.
func (h *house) openSearch(c Config, p parts) (search.Outside, error) {
	h.background = append(h.background, func(ctx context.Context) error { return h.freshenSearch(ctx, p) })
	m := c.Search.Meilisearch
	if m.URL == "" {
		return nil, nil
	}
	engine, err := meilisearch.New(meilisearch.Config{URL: m.URL, Key: m.Key, Clock: p.clock})
	if err != nil {
		return nil, configErrorf("search.meilisearch：%v", err)
	}
	prefix := m.Prefix
	if prefix == "" {
		prefix = "huiqi"
	}
	h.mirrors = outsideSearch{}
	for _, s := range searchSources() {
		if s.Object == "" {
			continue
		}
		mirror := &search.Mirror{DB: h.db, Clock: p.clock, Log: p.log, Source: s, Engine: engine, Name: prefix + "_" + s.Kind}
		h.mirrors[s.Kind] = mirror
		h.listeners = append(h.listeners, mirror.Listener())
		h.background = append(h.background, mirror.Run)
	}
	return h.mirrors, nil
}

// freshenSearch rebuilds what the program's own version did not make. A failure is tried again, and never ends the program:
// lists answer meanwhile and say that they may not hold everything.
func (h *house) freshenSearch(ctx context.Context, p parts) error {
	for _, s := range searchSources() {
		for {
			stale, err := s.Stale(ctx, h.db.Read())
			if err == nil && stale {
				p.log.Info("search: the full text is made anew", "kind", s.Kind)
				err = search.Rebuild(ctx, h.db, s, nil)
			}
			if err == nil || errors.Is(err, search.ErrTaken) {
				break
			}
			if ctx.Err() != nil {
				return nil
			}
			p.log.Error("search: the full text is not made", "kind", s.Kind, "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Minute):
			}
		}
	}
	return nil
}

// searchLag tells how the copies outside stand, for the health of the installation; empty without an engine.
func (h *house) searchLag(ctx context.Context) ([]search.Lag, error) {
	var out []search.Lag
	for _, s := range searchSources() {
		m := h.mirrors[s.Kind]
		if m == nil {
			continue
		}
		lag, err := m.Lag(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, lag)
	}
	return out, nil
}

// searchCommands look after the full text.
type searchCommands struct {
	Rebuild struct {
		common
		Only    []string `help:"Kinds: ticket, enterprise, policy, product, article, knowledge; all when left out."`
		Outside bool     `help:"Also make the copies in the outside engine anew."`
	} `cmd:"" help:"Make the full text anew while the program serves; ends with the new one in use."`
	Status struct{ common } `cmd:"" help:"Tell how the full text and its copies outside stand; ends with 1 when one is not in order."`
}

func (cli *careCommands) search(ctx context.Context, command, path string, out io.Writer) (int, error) {
	flags := map[string]any{}
	given := cli.Search.Rebuild.common
	if command == "search status" {
		given = cli.Search.Status.common
	}
	given.into(flags)
	c, err := load(path, flags)
	if err != nil {
		return 0, err
	}
	key, err := c.rootKey()
	if err != nil {
		return 0, err
	}
	h, closeHouse, err := unserved(ctx, c, key)
	if err != nil {
		return 0, err
	}
	defer closeHouse()
	if command == "search status" {
		return searchStatus(ctx, h, out)
	}
	return 0, rebuildSearch(ctx, h, cli.Search.Rebuild.Only, cli.Search.Rebuild.Outside, out)
}

func rebuildSearch(ctx context.Context, h *house, only []string, outside bool, out io.Writer) error {
	sources := searchSources()
	for _, kind := range only {
		if !slices.ContainsFunc(sources, func(s search.Source) bool { return s.Kind == kind }) {
			return configErrorf("--only：没有 %q 的全文索引", kind)
		}
	}
	if outside && len(h.mirrors) == 0 {
		return configErrorf("--outside：尚未配置 search.meilisearch.url")
	}
	for _, s := range sources {
		if len(only) > 0 && !slices.Contains(only, s.Kind) {
			continue
		}
		done := 0
		tell := func(what string) func(int) {
			return func(n int) {
				if n/10_000 > done/10_000 {
					fmt.Fprintf(out, "%s：%s已处理 %d 条\n", s.Title, what, n)
				}
				done = n
			}
		}
		if err := search.Rebuild(ctx, h.db, s, tell("")); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s：全文索引已重建并启用，共 %d 条\n", s.Title, done)
		if m := h.mirrors[s.Kind]; outside && m != nil {
			done = 0
			if err := m.Rebuild(ctx, tell("外部索引")); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s：外部索引已重建并切换，共 %d 条\n", s.Title, done)
		}
	}
	return nil
}

func searchStatus(ctx context.Context, h *house, out io.Writer) (int, error) {
	code := 0
	for _, s := range searchSources() {
		stale, err := s.Stale(ctx, h.db.Read())
		if err != nil {
			return 0, err
		}
		word := "正常"
		if stale {
			word, code = "需要重建（huiqi search rebuild），结果可能不全", 1
		}
		fmt.Fprintf(out, "%s：全文索引%s\n", s.Title, word)
	}
	lags, err := h.searchLag(ctx)
	for _, l := range lags {
		fmt.Fprintf(out, "外部索引 %s：待同步 %d 条", l.Kind, l.Waiting)
		if l.Oldest != nil {
			fmt.Fprintf(out, "，最早一条等待 %s", h.clock.Now().Sub(*l.Oldest).Round(time.Second))
		}
		if l.Trouble != "" {
			code = 1
			fmt.Fprintf(out, "；未使用，已改用数据库检索：%s", l.Trouble)
		}
		fmt.Fprintln(out)
	}
	return code, err
}
