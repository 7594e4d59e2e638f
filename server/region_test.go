package server

import "testing"

// TestTheStreetInAnAddress finds the street or town that a person names in the place where a service is wanted.
func TestTheStreetInAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"": "", "全区": "", "企业会议室": "", "通州区": "", "待定，可以上门": ""} {
		if got := regionIn(address); got != want {
			t.Errorf("%q is in %q", address, got)
		}
	}
	found := 0
	for code, name := range terms().Regions {
		if len(code) <= 6 {
			continue
		}
		found++
		if got := regionIn("北京市通州区" + name + "甲 8 号院"); terms().Regions[got] != name {
			t.Errorf("%s is found as %q", name, terms().Regions[got])
		}
	}
	if found < 10 {
		t.Errorf("only %d streets and towns are known", found)
	}
}
