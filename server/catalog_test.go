package server

import (
	"testing"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/seed/reference"
)

// TestKindsOfProducts compares the kinds of the catalogue with the public list.
func TestKindsOfProducts(t *testing.T) {
	t.Parallel()
	want, err := reference.ProductKinds()
	if err != nil {
		t.Fatal(err)
	}
	compare := func(ours []catalog.Kind, theirs []reference.Kind) {
		t.Helper()
		names := map[string]string{}
		for _, k := range ours {
			names[k.Code] = k.Name
		}
		if len(ours) != len(theirs) {
			t.Errorf("%d kinds, want %d", len(ours), len(theirs))
		}
		for _, k := range theirs {
			if names[k.Code] != k.Name {
				t.Errorf("%s is %q, want %q", k.Code, names[k.Code], k.Name)
			}
		}
	}
	compare(catalog.Kinds(), want.Services)
	compare(catalog.FinancingKinds(), want.Financing)
}
