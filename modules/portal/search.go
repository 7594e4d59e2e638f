package portal

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Hit is one thing that was found.
type Hit struct {
	Title   string
	URL     string
	Summary string   // the text around the words is cut out of it
	Meta    []string // what decides: level, issuer, date
	Icon    string   // with a picture: the sign that stands where there is none
	Thumb   string   // the address of a picture of 4 to 3
}

// Source is one kind of things the portal's search looks through.
type Source struct {
	Key  string // in the address: "policy"
	Name string // of the tab: "政策"
	// Search returns at most limit of what the actor may see, best first. q is what was typed; it has passed search.Parse.
	Search func(ctx context.Context, actor access.Actor, q string, limit int) ([]Hit, error)
	// Count counts what Search would find, to limit at most. Without it Search is asked for limit hits.
	Count func(ctx context.Context, actor access.Actor, q string, limit int) (int, error)
}

func (s Source) count(ctx context.Context, actor access.Actor, q string) (int, error) {
	if s.Count != nil {
		return s.Count(ctx, actor, q, countLimit)
	}
	hits, err := s.Search(ctx, actor, q, countLimit)
	return len(hits), err
}

const (
	countLimit   = 1000 // one more than is shown: 999+
	searchSize   = 15
	overviewSize = 4
	excerpt      = 120
)

type searchPage struct {
	Query  string
	Tabs   []searchTab
	Groups []searchGroup
	Pager  page.Pager
	Empty  page.Empty
	Tips   []string
}

type searchTab struct {
	page.Link

	Count string
}

type searchGroup struct {
	Name  string // only in the overview
	More  page.Link
	Items []searchHit
}

type searchHit struct {
	URL     string
	Title   []search.Piece
	Summary []search.Piece
	Meta    []string
	Picture *hitPicture // nil where hits have none
}

// hitPicture is what stands beside a hit.
type hitPicture struct{ Title, Icon, Thumb string }

func searchURL(q, in string, n int) string {
	v := url.Values{"q": {q}}
	if in != "" {
		v.Set("in", in)
	}
	if n > 1 {
		v.Set("page", strconv.Itoa(n))
	}
	return "/search?" + v.Encode()
}

// counted shows a bounded count.
func counted(n int) string {
	if n >= countLimit {
		return strconv.Itoa(countLimit-1) + "+"
	}
	return strconv.Itoa(n)
}

func (p *Portal) search(c *fiber.Ctx, pages *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	q := strings.TrimSpace(c.Query("q"))
	v, err := pages.View(c, "搜索")
	if err != nil {
		return err
	}
	v.NoIndex, v.Query, v.Breadcrumb = true, q, []page.Crumb{{Text: "搜索"}}
	data := searchPage{Query: q}
	words, err := search.Parse(q)
	if err != nil {
		f, ok := fault.As(err)
		if !ok {
			return err
		}
		data.Empty = page.Empty{Title: f.Message, Text: "可以输入政策名称、补贴事项、产品、机构或操作问题，例如“贷款贴息”“知识产权”。"}
		if q == "" {
			data.Empty.Title = "请输入要搜索的内容"
		}
		return pages.Render(c, fiber.StatusOK, "portal/search", v, data)
	}
	in, n := c.Query("in"), 1
	if s := c.Query("page"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 1 || n > page.MaxPage {
			return fault.ErrNotFound
		}
	}
	total, known := 0, in == ""
	data.Tabs = []searchTab{{Link: page.Link{Text: "全部", URL: searchURL(q, "", 1), Current: in == ""}}}
	for _, s := range p.parts.Sources {
		found, err := s.count(ctx, actor, q)
		if err != nil {
			if err := p.missing(ctx, &v, s, err); err != nil {
				return err
			}
			continue
		}
		total += found
		data.Tabs = append(data.Tabs, searchTab{Link: page.Link{Text: s.Name, URL: searchURL(q, s.Key, 1), Current: in == s.Key}, Count: counted(found)})
		known = known || in == s.Key
		if found == 0 || in != "" && in != s.Key {
			continue
		}
		limit, from := overviewSize, 0
		if in == s.Key {
			limit, from = n*searchSize, (n-1)*searchSize
			last := (found + searchSize - 1) / searchSize
			data.Pager = page.NewPager(n, last, func(n int) string { return searchURL(q, in, n) })
		}
		hits, err := s.Search(ctx, actor, q, limit)
		if err != nil {
			if err := p.missing(ctx, &v, s, err); err != nil {
				return err
			}
			continue
		}
		g := searchGroup{}
		if in == "" {
			g.Name = s.Name
			if found > overviewSize {
				g.More = page.Link{Text: "查看全部 " + counted(found) + " 条", URL: searchURL(q, s.Key, 1)}
			}
		}
		for _, h := range hits[min(from, len(hits)):min(limit, len(hits))] {
			hit := searchHit{URL: h.URL, Title: words.Mark(h.Title), Summary: words.Excerpt(h.Summary, excerpt), Meta: h.Meta}
			if h.Icon != "" {
				hit.Picture = &hitPicture{h.Title, h.Icon, h.Thumb}
			}
			g.Items = append(g.Items, hit)
		}
		if len(g.Items) > 0 {
			data.Groups = append(data.Groups, g)
		}
	}
	if !known {
		return fault.ErrNotFound
	}
	v.Title = "搜索“" + q + "”"
	if len(data.Groups) == 0 {
		data.Empty = page.Empty{Title: "没有找到与“" + q + "”有关的内容"}
		data.Tips = []string{"换一个说法，例如把“首贷补助”换成“贷款贴息”", "减少词语，只留最关键的一两个", "检查有没有错别字"}
		if in != "" && total > 0 {
			data.Empty.Text = "其他栏目里有相关内容。"
			data.Empty.Action = page.Link{Text: "查看全部结果", URL: searchURL(q, "", 1)}
		}
	}
	return pages.Render(c, fiber.StatusOK, "portal/search", v, data)
}

// missing lets a page go on without a source that fails, and says so on it. What the person typed is no such failure.
func (p *Portal) missing(ctx context.Context, v *page.View, s Source, err error) error {
	var f *fault.Fault
	if errors.As(err, &f) && f.Kind == fault.Invalid {
		return err
	}
	p.parts.Log.ErrorContext(ctx, "a source of the search fails", "source", s.Key, "error", err)
	v.Flash = page.Flash{Tone: page.Warning, Text: s.Name + "暂时无法搜索，其他内容不受影响，请稍后再试"}
	return nil
}
