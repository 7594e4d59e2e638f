package content

import "time"

// Object is the name of an article in events, audit rows and file links.
const Object = "article"

// Head is what every fact says about its article, after the change.
type Head struct {
	ID        int64      `json:"id"`
	Kind      Kind       `json:"kind"`
	Column    string     `json:"column,omitempty"`
	Title     string     `json:"title"`
	Status    Status     `json:"status"`
	Version   int64      `json:"version"`
	PublishAt *time.Time `json:"publishAt,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// Created is announced when somebody begins an article.
type Created struct{ Head }

// Edited is announced when somebody changes a draft.
type Edited struct{ Head }

// Submitted is announced when an article waits for its review.
type Submitted struct{ Head }

// Published is announced when a second person lets an article out; it is seen from PublishAt on.
type Published struct{ Head }

// Returned is announced when an article goes back to whoever wrote it.
type Returned struct {
	Head
	Reason string `json:"reason"`
}

// Withdrew is announced when a published article is taken down.
type Withdrew struct {
	Head
	Reason string `json:"reason"`
}

// Revised is announced when a withdrawn article becomes a draft again.
type Revised struct{ Head }

// Event names the fact.
func (f Created) Event() (string, string, int64) { return "content.created", Object, f.ID }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "content.edited", Object, f.ID }

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "content.submitted", Object, f.ID }

// Event names the fact.
func (f Published) Event() (string, string, int64) { return "content.published", Object, f.ID }

// Event names the fact.
func (f Returned) Event() (string, string, int64) { return "content.returned", Object, f.ID }

// Event names the fact.
func (f Withdrew) Event() (string, string, int64) { return "content.withdrawn", Object, f.ID }

// Event names the fact.
func (f Revised) Event() (string, string, int64) { return "content.revised", Object, f.ID }

func (a *Article) head() Head {
	return Head{ID: a.ID, Kind: a.Kind, Column: a.Column, Title: a.Title, Status: a.Status, Version: a.Version,
		PublishAt: utc(a.PublishAt), ExpiresAt: utc(a.ExpiresAt)}
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}
