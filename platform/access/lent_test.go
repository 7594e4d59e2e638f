package access_test

import (
	"testing"

	"github.com/huiqi/huiqi/platform/access"
)

func TestLentRightsAreUsedInTheNameOfTheirOwner(t *testing.T) {
	t.Parallel()
	lent := access.Lent{"product.review": {ID: 5, Name: "李审"}, "ticket.view": {ID: 6, Name: "王审"}}
	a := access.Actor{UserID: 7, Name: "赵强", Permissions: []access.Permission{"enterprise.view", "ticket.view"}}
	if b := lent.With(a); !b.Can("product.review") || !b.Can("enterprise.view") || a.Can("product.review") || b.InNameOf.ID != 0 || len(a.Permissions) != 2 {
		t.Errorf("%+v %+v", a, b)
	}
	if b := lent.Using(a, "product.review"); b.Name != "赵强（受李审委托）" || b.InNameOf.ID != 5 || b.UserID != 7 || !b.Is(5) || !b.Is(3, 7) || b.Is(0, 6) {
		t.Errorf("%+v", b)
	}
	if b := lent.Using(a, "ticket.view"); b.Name != "赵强" || b.InNameOf.ID != 0 || b.Is(6) || b.Is(0) {
		t.Errorf("a right of one's own was used in another's name: %+v", b)
	}
}
