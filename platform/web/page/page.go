// Package page renders the server-side portal: one layout, a set of components and the error pages, in the look a visitor
// of a government service site expects and with nothing that needs a script.
//
// The package knows neither routes nor HTTP frameworks. The server makes one Renderer, each module adds its own templates
// with Parse, and a handler calls Render with a View (who is looking, where) and a named struct of its own. A template is
// parsed when it is added and linked and escaped when it is first shown. Link does that for all of them: the templates are
// part of the program, so the suite, which calls it, keeps a broken one from every visitor.
package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/huiqi/huiqi/platform/clock"
)

//go:embed templates/*.html
var sharedTemplates embed.FS

// Options are the facts of one installation that every page shows.
type Options struct {
	District string // the district's name, as in "滨江示范区"
	Demo     bool   // shows the banner 演示环境 on every page
	Site     SiteInfo
	Links    Links
	Nav      []NavItem // main navigation; only what a module registered
	Me       []NavItem // side menu of 我的; only what a module registered
	Clock    clock.Clock
}

// SiteInfo is what the rules for government sites want in the footer. Empty lines are left out.
type SiteInfo struct {
	Name         string // the platform's name, as in "惠企台"
	Domain       string
	Host         string // 主办单位
	Organizer    string // 承办单位
	Contact      string // 联系方式
	Address      string
	ServiceHours string
	ICP          string // ICP备案号
	PoliceRecord string // 公安备案号
	IDCode       string // 网站标识码
}

// Links are the addresses the layout refers to. What is empty is not shown.
type Links struct {
	Search        string // GET, parameter q
	Elder         string // GET, parameters on=1|0 and return=<path>; sets the cookie and returns
	Accessibility string
	Login         string // GET, parameter return=<path>
	Register      string
	Logout        string // POST with _csrf
	Me            string
	Messages      string
	SiteMap       string
	Correction    string // 网站找错
	Help          string
	Answers       string // what the desk answers, for everybody
	Ask           string // where a question becomes a request to the desk
	Privacy       string
	Connect       string // how a partner's system is connected
}

// NavItem is one entry of a menu. View.Active or View.ActiveMe names its Key.
type NavItem struct {
	Key  string
	Text string
	URL  string
	Icon string // only in the side menu
}

// Renderer holds the parsed templates. It is safe for concurrent use once the modules have added theirs.
type Renderer struct {
	opts   Options
	shared *template.Template                            // layout and components; cloned for each page, never executed
	pages  map[string]func() (*template.Template, error) // links it once
}

// Page is the dot of every template: the shared facts, the view, and the page's own struct in Data.
type Page struct {
	Options
	View View
	Data any
}

// New parses the layout, the components and the error page. An error means the programme is broken and must not start.
func New(opts Options) (*Renderer, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	icons, err := loadIcons()
	if err != nil {
		return nil, err
	}
	shared, err := template.New("shared").Funcs(functions(opts.Clock, icons)).Option("missingkey=error").
		ParseFS(sharedTemplates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse portal templates: %w", err)
	}
	r := &Renderer{opts: opts, shared: shared, pages: map[string]func() (*template.Template, error){}}
	return r, r.add("error", errorTemplate, shared)
}

// Parse adds the pages of a module: every *.html at the root of fsys becomes the page "<module>/<file without .html>" and
// must define "content". Files whose name begins with an underscore are no pages; what they define is shared by the
// module's pages. funcs are visible in this module only and may not replace a shared function. Parse must be called
// before the first Render and returns an error for a wrong syntax, a name that is taken and a page added twice; what is
// not defined or cannot be escaped is told by Link.
func (r *Renderer) Parse(module string, fsys fs.FS, funcs ...template.FuncMap) error {
	base, err := r.shared.Clone()
	if err != nil {
		return fmt.Errorf("clone portal templates: %w", err)
	}
	taken := functions(r.opts.Clock, nil)
	for _, m := range funcs {
		for name := range m {
			if _, ok := taken[name]; ok {
				return fmt.Errorf("templates of %s: function %q is already a shared one", module, name)
			}
		}
		base.Funcs(m)
	}
	files, err := fs.Glob(fsys, "*.html")
	if err != nil {
		return fmt.Errorf("templates of %s: %w", module, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("templates of %s: no *.html found", module)
	}
	for _, f := range files {
		if !strings.HasPrefix(f, "_") {
			continue
		}
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			return fmt.Errorf("templates of %s: %w", module, err)
		}
		if err := r.guard(f, string(text)); err != nil {
			return fmt.Errorf("templates of %s: %w", module, err)
		}
		if _, err := base.New(f).Parse(string(text)); err != nil {
			return fmt.Errorf("templates of %s: %w", module, err)
		}
	}
	for _, f := range files {
		if strings.HasPrefix(f, "_") {
			continue
		}
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			return fmt.Errorf("templates of %s: %w", module, err)
		}
		if err := r.add(path.Join(module, strings.TrimSuffix(f, ".html")), string(text), base); err != nil {
			return err
		}
	}
	return nil
}

// add keeps one page, to be linked with base and escaped.
func (r *Renderer) add(name, text string, base *template.Template) error {
	if _, ok := r.pages[name]; ok {
		return fmt.Errorf("page %s is added twice", name)
	}
	if err := r.guard(name, text); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	r.pages[name] = sync.OnceValues(func() (*template.Template, error) {
		t, err := r.link(name, text, base)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		return t, nil
	})
	return nil
}

// link joins a page with base and escapes it, which html/template otherwise does within the first visitor's Render.
func (r *Renderer) link(name, text string, base *template.Template) (*template.Template, error) {
	t, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if _, err := t.New(name).Parse(text); err != nil {
		return nil, err
	}
	if t.Lookup("content") == nil {
		return nil, errors.New("does not define \"content\"")
	}
	// Executing forces the escaper; that the empty Data then fails the execution itself is expected.
	var escape *template.Error
	if err := t.ExecuteTemplate(io.Discard, "layout", &Page{Options: r.opts}); errors.As(err, &escape) {
		return nil, err
	}
	return t, nil
}

// Link links every page and returns what is wrong with any of them, by name.
func (r *Renderer) Link() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.pages)) {
		if _, err := r.pages[name](); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// guard refuses a text that would quietly replace a component for its page; only the blocks are there to be filled.
func (r *Renderer) guard(name, text string) error {
	defined := map[string]*parse.Tree{}
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", defined); err != nil {
		return err
	}
	for d := range defined {
		switch d {
		case "title", "meta", "breadcrumb", "content":
		default:
			if r.shared.Lookup(d) != nil {
				return fmt.Errorf("%q is already a shared template", d)
			}
		}
	}
	return nil
}

// Has reports whether a page of that name was added.
func (r *Renderer) Has(name string) bool {
	_, ok := r.pages[name]
	return ok
}

// Render writes the page called name, as in "ticket/list". Nothing is written when it returns an error, so the caller can
// still answer with RenderError.
func (r *Renderer) Render(w io.Writer, name string, view View, data any) error {
	page, ok := r.pages[name]
	if !ok {
		return fmt.Errorf("render: no page %q", name)
	}
	t, err := page()
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, "layout", &Page{Options: r.opts, View: view, Data: data}); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	_, err = buf.WriteTo(w)
	return err
}

// Links returns the addresses the layout refers to.
func (r *Renderer) Links() Links { return r.opts.Links }
