package export

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{
		{Table: "exports", Key: []string{"id"}, Name: "filters", With: []string{"owner_id"}, Place: func(r secret.Row) string { return filterPlace(r.Int("owner_id")) }},
		{Table: "exports", Key: []string{"id"}, Name: "file_seal", With: []string{"file_key"}, Place: func(r secret.Row) string { return filePlace(r.Text("file_key")) }},
		{Table: "export_parts", Key: []string{"export_id", "fence", "seq"}, Name: "seal", With: []string{"key"}, Place: func(r secret.Row) string { return filePlace(r.Text("key")) }},
	}}
}
