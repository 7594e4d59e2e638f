package importing

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the module that only open with a key. The keyed hashes by which rows of one file are compared
// end with the import.
func Sealed() secret.Keepers {
	return secret.Keepers{
		Columns: []secret.Column{
			{Table: "imports", Key: []string{"id"}, Name: "sheets", With: []string{"owner_id"}, Place: func(r secret.Row) string { return sheetsPlace(r.Int("owner_id")) }},
			{Table: "imports", Key: []string{"id"}, Name: "file_seal", With: []string{"file_key"}, Place: func(r secret.Row) string { return filePlace(r.Text("file_key")) }},
			{Table: "import_rows", Key: []string{"import_id", "number"}, Name: "row_values",
				Place: func(r secret.Row) string { return valuesPlace(r.Int("import_id"), int(r.Int("number"))) }},
		},
		Hashes: []secret.Hash{{Table: "import_rows", Name: "key_blind", Ends: "导入中的行，最迟 90 天后随导入任务清理"},
			{Table: "import_rows", Name: "alike_blind", Ends: "导入中的行，最迟 90 天后随导入任务清理"}},
	}
}
