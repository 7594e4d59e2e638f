package institution

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{{
		Table: "institution_applications", Key: []string{"id"}, Name: "contact_sealed",
		Place: func(r secret.Row) string { return contactPlace(r.Int("id")) },
	}}}
}
