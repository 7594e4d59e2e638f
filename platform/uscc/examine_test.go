package uscc_test

import (
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/uscc"
)

func TestExamine(t *testing.T) {
	t.Parallel()
	right := "914403001922038216"
	e := uscc.Examine(" ９１４４0300-1922 03821６")
	if !e.Valid || e.Code != right || e.Category != "企业" || e.Division != "440300" || e.Organ != "192203821" || e.CheckChar != "6" || len(e.Corrections) != 0 {
		t.Errorf("right code: %+v", e)
	}
	if e := uscc.Examine(right[:17]); e.Valid || !strings.Contains(e.Reason, "17 位") {
		t.Errorf("short code: %+v", e)
	}
	// every swap of neighbours and every single slip in the organisation code is led back to the right code
	for i := 8; i < 16; i++ {
		for _, wrong := range []string{right[:i] + right[i+1:i+2] + right[i:i+1] + right[i+2:], right[:i] + string('0'+(right[i]-'0'+3)%10) + right[i+1:]} {
			if wrong == right {
				continue
			}
			e := uscc.Examine(wrong)
			if e.Valid || e.Check == nil || e.Check.Position != 18 || e.InnerCheck == nil {
				t.Errorf("%s: %+v", wrong, e)
			}
			found := false
			for _, c := range e.Corrections {
				found = found || c.Code == right && c.Change != ""
				if !uscc.Examine(c.Code).Valid {
					t.Errorf("%s: correction %s is wrong itself", wrong, c.Code)
				}
			}
			if !found {
				t.Errorf("%s: %+v does not lead back", wrong, e.Corrections)
			}
		}
	}
	if e := uscc.Examine("91350100M000100Y4Z"); e.Valid || e.Code == "" {
		t.Errorf("a letter the standard leaves out: %+v", e)
	}
}
