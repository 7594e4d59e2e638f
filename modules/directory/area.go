package directory

// Areas lists the streets and towns.
func (s *Service) Areas() []Named { return s.areas }

// Area names the street or town a text speaks of, by code and name; both are empty when it speaks of none, or of several.
func (s *Service) Area(words string) (code, name string) {
	code = s.areaIn(words)
	for _, a := range s.areas {
		if a.Code == code {
			return code, a.Name
		}
	}
	return "", ""
}
