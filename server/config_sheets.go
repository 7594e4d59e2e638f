package server

// Exports bounds what people take out as spreadsheets.
type Exports struct {
	MaxRows  int `koanf:"max_rows"`  // of one file
	KeepDays int `koanf:"keep_days"` // until a file is removed
	PerDay   int `koanf:"per_day"`   // exports of one person within 24 hours
}

// Imports bounds what people bring in as spreadsheets.
type Imports struct {
	MaxRows  int `koanf:"max_rows"`  // of one file
	KeepDays int `koanf:"keep_days"` // until the rows of an import are removed
}

// sheetDefaults are the values of an installation that says nothing.
func sheetDefaults() map[string]any {
	return map[string]any{
		"exports.max_rows": 1_000_000, "exports.keep_days": 3, "exports.per_day": 30,
		"imports.max_rows": 50_000, "imports.keep_days": 7,
	}
}

func (c *Config) checkSheets() error {
	for key, v := range map[string]struct{ n, most int }{
		"exports.max_rows": {c.Exports.MaxRows, 5_000_000}, "exports.keep_days": {c.Exports.KeepDays, 30}, "exports.per_day": {c.Exports.PerDay, 10_000},
		"imports.max_rows": {c.Imports.MaxRows, 200_000}, "imports.keep_days": {c.Imports.KeepDays, 90},
	} {
		if v.n < 1 || v.n > v.most {
			return configErrorf("%s：应为 1 至 %d", key, v.most)
		}
	}
	return nil
}
