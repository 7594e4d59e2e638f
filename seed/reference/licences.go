package reference

import "fmt"

// LicenceKind is one kind of paper a company keeps.
type LicenceKind struct {
	Code, Name, Hint string
	Dated            bool  // it must say until when it is valid
	Remind           []int // days before the end
	Sort             int
}

// LicenceKinds returns the kinds an installation begins with, in their order.
func LicenceKinds() ([]LicenceKind, error) {
	var out []LicenceKind
	if err := load("licences.yaml", &out); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, k := range out {
		if k.Code == "" || k.Name == "" || seen[k.Code] || k.Dated && len(k.Remind) == 0 {
			return nil, fmt.Errorf("licence kind %q is incomplete or stands twice", k.Code)
		}
		seen[k.Code] = true
	}
	return out, nil
}
