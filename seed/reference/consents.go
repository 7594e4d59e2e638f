package reference

import "fmt"

// ConsentText is what companies are asked to agree to for a purpose, as a draft.
type ConsentText struct {
	Purpose, Title, Body string
	Groups               []string
	Days                 int // how long a grant lasts, 0 until it is revoked
}

// ConsentBasis is a rule that lets readers with a role read without consent.
type ConsentBasis struct {
	Code, Name, Law         string
	Roles, Purposes, Groups []string
}

// ConsentList holds both.
type ConsentList struct {
	Texts []ConsentText
	Bases []ConsentBasis
}

// Consents returns the drafts and the bases an installation begins with.
func Consents() (ConsentList, error) {
	var out ConsentList
	if err := load("consents.yaml", &out); err != nil {
		return ConsentList{}, err
	}
	for _, t := range out.Texts {
		if t.Purpose == "" || t.Title == "" || t.Body == "" || len(t.Groups) == 0 || t.Days < 0 {
			return ConsentList{}, fmt.Errorf("consent text %q is incomplete", t.Title)
		}
	}
	for _, b := range out.Bases {
		if b.Code == "" || b.Name == "" || b.Law == "" || len(b.Roles) == 0 || len(b.Purposes) == 0 || len(b.Groups) == 0 {
			return ConsentList{}, fmt.Errorf("basis %q is incomplete", b.Code)
		}
	}
	return out, nil
}
