package page

import (
	"net/url"
	"strings"
)

// View is what the layout needs to know about this request, apart from the page's own data.
type View struct {
	Title       string // of the page; the platform's and district's names are appended
	Description string
	Active      string // Key of the navigation entry
	ActiveMe    string // Key of the entry in the side menu of 我的
	Breadcrumb  []Crumb
	User        *User // nil: nobody is signed in
	CSRF        string
	Meta        Meta
	ElderMode   bool
	Path        string // path and query of this request, for returning after signing in
	Query       string // what stands in the search box
	Flash       Flash
	Nonce       string
	NoIndex     bool // keeps search engines away: anything personal
}

// Crumb is one step of the breadcrumb. The last one, the page itself, has no URL.
type Crumb struct {
	Text string
	URL  string
}

// User is the person signed in, as the top bar shows them.
type User struct {
	Name         string
	Company      string
	Verification Tag
	Unread       int
}

// Meta are the page labels that the rules for government sites ask of columns and articles. Empty ones are left out;
// SiteName, SiteDomain and SiteIDCode default to the installation's.
type Meta struct {
	SiteName      string
	SiteDomain    string
	SiteIDCode    string
	ColumnName    string
	ColumnType    string
	ArticleTitle  string
	PubDate       string // 2026-11-22 14:05
	ContentSource string
}

// Flash is the one message shown at the top of the page after something was done. The zero Flash shows nothing.
type Flash struct {
	Tone Tone
	Text string
}

// Labels returns the page labels with the installation's facts filled in.
func (p *Page) Labels() Meta {
	m := p.View.Meta
	if m.SiteName == "" {
		m.SiteName = p.SiteName()
	}
	if m.SiteDomain == "" {
		m.SiteDomain = p.Site.Domain
	}
	if m.SiteIDCode == "" {
		m.SiteIDCode = p.Site.IDCode
	}
	return m
}

// SiteName is the district's name followed by the platform's.
func (p *Page) SiteName() string { return p.District + p.Site.Name }

// FullTitle is what the browser shows on its tab.
func (p *Page) FullTitle() string {
	if p.View.Title == "" {
		return p.SiteName()
	}
	return p.View.Title + " - " + p.SiteName()
}

// ElderURL switches 长者模式 to the other state and returns to this page.
func (p *Page) ElderURL() string {
	on := "1"
	if p.View.ElderMode {
		on = "0"
	}
	return withQuery(p.Links.Elder, url.Values{"on": {on}, "return": {p.here()}})
}

// LoginURL leads to the sign-in page and back to this one.
func (p *Page) LoginURL() string {
	if p.View.Path == "" || p.View.Path == "/" {
		return p.Links.Login
	}
	return withQuery(p.Links.Login, url.Values{"return": {p.View.Path}})
}

// here is the address to come back to.
func (p *Page) here() string {
	if p.View.Path == "" {
		return "/"
	}
	return p.View.Path
}

func withQuery(base string, v url.Values) string {
	if strings.Contains(base, "?") {
		return base + "&" + v.Encode()
	}
	return base + "?" + v.Encode()
}
