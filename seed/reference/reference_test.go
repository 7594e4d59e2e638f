package reference_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/seed/reference"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestDivisions(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, d := range must[[]reference.Division](t)(reference.Divisions()) {
		count[d.Level]++
		if d.Level == "street" || d.Level == "town" {
			if !strings.HasPrefix(d.Code, d.Parent) || d.Parent != "110112" {
				t.Errorf("%s %s does not lie in its district", d.Code, d.Name)
			}
		}
	}
	if count["city"] != 1 || count["district"] != 1 || count["street"]+count["town"] != 22 {
		t.Errorf("divisions by level: %v", count)
	}
}

func TestIndustries(t *testing.T) {
	t.Parallel()
	list := must[[]reference.Industry](t)(reference.Industries())
	level := map[int]int{}
	byCode := map[string]reference.Industry{}
	for _, in := range list {
		level[in.Level]++
		byCode[in.Code] = in
	}
	if level[1] != 20 || level[2] != 97 || level[3] != 473 || level[4] < 1380 || level[4] > 1382 {
		t.Errorf("classes by level: %v", level)
	}
	// These tell the edition of 2017 from the one of 2011.
	for code, name := range map[string]string{"6450": "互联网数据服务", "6513": "应用软件开发", "58": "多式联运和运输代理业", "59": "装卸搬运和仓储业"} {
		if byCode[code].Name != name {
			t.Errorf("%s is %q, want %q", code, byCode[code].Name, name)
		}
	}
	if bread := byCode["1411"]; bread.Section != "C" || bread.Parent != "141" || bread.Edition != "2017" {
		t.Errorf("1411 stands wrong: %+v", bread)
	}
}

func TestQualifications(t *testing.T) {
	t.Parallel()
	list := must[[]reference.Qualification](t)(reference.Qualifications())
	if len(list) < 25 {
		t.Errorf("only %d qualifications", len(list))
	}
	for _, code := range []string{"high_tech", "srdi", "little_giant", "tech_sme", "above_scale"} {
		if !slices.ContainsFunc(list, func(q reference.Qualification) bool { return q.Code == code }) {
			t.Errorf("%s is missing", code)
		}
	}
}

func TestProductKinds(t *testing.T) {
	t.Parallel()
	k := must[reference.Kinds](t)(reference.ProductKinds())
	if len(k.Services) != 8 || len(k.Financing) != 5 {
		t.Errorf("%d services, %d financing", len(k.Services), len(k.Financing))
	}
}

func TestTicketTypes(t *testing.T) {
	t.Parallel()
	m := must[reference.Matters](t)(reference.TicketTypes())
	if n := len(m.Leaves()); n < 20 {
		t.Errorf("only %d types", n)
	}
	urgency, own := map[string]int{}, 0
	for _, l := range m.Leaves() {
		urgency[l.Urgency]++
		if len(l.Fields) > 0 {
			own++
		}
		if l.Urgency == "emergency" && l.Answer != (reference.Limit{Amount: 2, Unit: "hours"}) {
			t.Errorf("%s: an emergency is answered within two hours, not %v", l.Name, l.Answer)
		}
	}
	if own < 20 {
		t.Errorf("only %d types have fields of their own", own)
	}
	if len(urgency) != 3 {
		t.Errorf("urgencies in use: %v", urgency)
	}
	if m.Desk.Reminder.Urgent != (reference.Limit{Amount: 1, Unit: "working_hours"}) || m.Desk.AnswerSeconds != 15 {
		t.Errorf("desk: %+v", m.Desk)
	}
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	days := must[[]reference.Holiday](t)(reference.Holidays())
	var off, work []string
	for _, d := range days {
		if !strings.HasPrefix(d.Date, "2026-") {
			continue
		}
		if d.Working {
			work = append(work, d.Date[5:])
		} else {
			off = append(off, d.Date[5:])
		}
	}
	if want := []string{"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}; !slices.Equal(work, want) {
		t.Errorf("make-up days of 2026: %v", work)
	}
	if len(off) != 3+9+3+5+3+3+7 || !slices.Contains(off, "02-15") || !slices.Contains(off, "10-07") {
		t.Errorf("days off of 2026: %v", off)
	}
	if years := must[[]int](t)(reference.MaintainedYears()); !slices.Equal(years, []int{2024, 2025, 2026}) {
		t.Errorf("years: %v", years)
	}
}
