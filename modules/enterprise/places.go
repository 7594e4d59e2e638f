package enterprise

import (
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
)

// places finds streets and industries by what people write, for registers of hundreds of thousands of rows: what Terms finds
// by looking at every name, kept by name.
type places struct {
	terms      Terms
	regions    map[string]string // name → code
	bare       map[string]string // name without 街道, 镇, 办事处 → code, "" where several fit
	industries map[string]string // name of a four-digit class → code
}

func placesOf(t Terms) places {
	p := places{terms: t, regions: map[string]string{}, bare: map[string]string{}, industries: map[string]string{}}
	for code, name := range t.Regions {
		if other, twice := p.regions[name]; !twice || code < other {
			p.regions[name] = code
		}
		if len(code) > 6 {
			if _, twice := p.bare[bareTown(name)]; twice {
				code = ""
			}
			p.bare[bareTown(name)] = code
		}
	}
	for code, name := range t.Industries {
		if other, twice := p.industries[name]; len(code) == 4 && (!twice || code < other) {
			p.industries[name] = code
		}
	}
	return p
}

// bareTown is the name of a street or town without what people leave out.
func bareTown(s string) string {
	s = bareSource(s)
	for _, end := range []string{"街道办事处", "人民政府", "办事处"} {
		s = strings.TrimSuffix(s, end)
	}
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(s, "街道"), "地区"), "镇")
}

// region reads a code or a name of a street or town.
func (p places) region(typed string) (string, error) {
	if p.terms.Regions[typed] != "" {
		return typed, nil
	}
	if code, ok := p.regions[typed]; ok {
		return code, nil
	}
	code, ok := p.bare[bareTown(typed)]
	switch {
	case !ok:
		return "", fault.InvalidField("region", "REGION", "没有找到这个街道（镇），请填写全称，例如“临河里街道”，或区划代码")
	case code == "":
		return "", fault.InvalidField("region", "REGION", "有多个街道（镇）符合，请填写全称或区划代码")
	}
	return code, nil
}

// industry reads a code or a name.
func (p places) industry(typed string) (string, error) {
	if code, ok := p.industries[typed]; ok {
		return code, nil
	}
	return p.terms.industry(typed)
}
