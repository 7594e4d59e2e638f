package consent

import "time"

// The names of the module's objects in events and audit rows.
const (
	Object      = "consent"
	ObjectText  = "consent_text"
	ObjectBasis = "consent_basis"
)

// Head is what every fact about a grant says.
type Head struct {
	ID           int64  `json:"id"`
	EnterpriseID int64  `json:"enterpriseId"`
	Purpose      string `json:"purpose"`
	TextNo       int    `json:"textNo"`
	Digest       string `json:"digest"`
	UserID       int64  `json:"userId"`
	Channel      string `json:"channel"`
}

// Granted is announced when a company agreed.
type Granted struct {
	Head
	Until *time.Time `json:"until,omitempty"`
}

// Revoked is announced when a company no longer agrees.
type Revoked struct {
	Head
	At time.Time `json:"at"`
}

// WasPublished is announced when a version was published. A material one ends the effect of grants of earlier ones at From.
type WasPublished struct {
	ID       int64     `json:"id"`
	Purpose  string    `json:"purpose"`
	No       int       `json:"no"`
	Material bool      `json:"material"`
	Digest   string    `json:"digest"`
	From     time.Time `json:"from"`
}

// BasisChanged is announced when a basis was declared, changed or switched off.
type BasisChanged struct {
	Code   string   `json:"code"`
	Name   string   `json:"name"`
	Roles  []string `json:"roles"`
	Active bool     `json:"active"`
}

// Event names the fact.
func (f Granted) Event() (string, string, int64) { return "consent.granted", Object, f.ID }

// Event names the fact.
func (f Revoked) Event() (string, string, int64) { return "consent.revoked", Object, f.ID }

// Event names the fact.
func (f WasPublished) Event() (string, string, int64) { return "consent.published", ObjectText, f.ID }

// Event names the fact.
func (f BasisChanged) Event() (string, string, int64) { return "consent.basis_changed", ObjectBasis, 0 }
