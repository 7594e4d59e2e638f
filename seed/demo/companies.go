package demo

import (
	"fmt"
	"strings"

	"github.com/huiqi/huiqi/seed/reference"
)

type companyFile struct {
	Profiles []struct {
		Count    int
		Industry string
		Trade    []string
		Form     string // shop: the name needs no company form
		Scope    string
		Staff    [2]int
		Rev      [2]int // 万元 per employee and year
		Assets   [2]int // 万元 per employee
		RD       [2]int // permille of revenue
		Years    [2]int
		Quals    []string
		Tags     []string
	}
	First, Second string
	Roads         map[string]string
}

// tenThousandYuan is 1 万元 in fen.
const tenThousandYuan = 1_000_000

func (g *generator) companies() error {
	var f companyFile
	if err := load("companies.yaml", &f); err != nil {
		return err
	}
	quals, err := reference.Qualifications()
	if err != nil {
		return err
	}
	titles := map[string]reference.Qualification{}
	for _, q := range quals {
		titles[q.Code] = q
	}
	var streets []string
	divisions, err := reference.Divisions()
	if err != nil {
		return err
	}
	for _, d := range divisions {
		if len(d.Code) == 9 {
			streets = append(streets, d.Code)
		}
	}

	n := 0
	add := func(c Company) *Company {
		n++
		c.Key = fmt.Sprintf("company-%03d", n)
		c.CreditCode = g.nextCode()
		c.LegalPerson = g.person()
		c.Phone = phone(4, n)
		if c.Address == "" {
			c.Address = fmt.Sprintf("北京市通州区%s%d号%s", f.Roads[c.Street], g.between(1, 220), pick(g, []string{"", "院2号楼", "院5号楼201室", "1层", "产业园B座", "底商"}))
		}
		c.Sections = g.sections(c)
		g.w.Companies = append(g.w.Companies, c)
		return &g.w.Companies[len(g.w.Companies)-1]
	}

	// The two bakeries of the guided tour come first, with fixed facts, so that a change of the lists does not move them.
	fixed := func(name string, registered bool, staff, revenue, assets int64) string {
		s, r, a := staff, revenue*tenThousandYuan, assets*tenThousandYuan
		c := add(Company{Name: name, Type: "有限责任公司(自然人投资或控股)", Street: "110112010", Industry: "1411",
			Address: fmt.Sprintf("北京市通州区九棵树示范路%d号底商", n*20+18), Scope: "糕点、面包制造；食品销售；现制现售饮品",
			Established: g.date(365*3 + 40), Capital: 50 * tenThousandYuan, Employees: &s, Revenue: &r, Assets: &a,
			Tags: []string{"烘焙", "小店经济"}, CreditStanding: "正常", Registered: registered, Verified: registered})
		c.Qualifications = []Held{{Code: "food_license", No: fmt.Sprintf("JY1110112%07d", n), From: g.date(365 * 3), To: g.date(-365 * 2)}}
		return c.Key
	}
	g.w.Walk.Unregistered = fixed("北京通州"+Mark+"麦田香烘焙有限公司", false, 9, 186, 74)
	g.w.Walk.Bakery = fixed("北京通州"+Mark+"禾谷坊烘焙有限公司", true, 14, 328, 120)

	used := map[string]bool{}
	first, second := []rune(f.First), []rune(f.Second)
	for _, p := range f.Profiles {
		for range p.Count {
			name := ""
			for name == "" || used[name] {
				name = string(pick(g, first)) + string(pick(g, second))
			}
			used[name] = true
			c := Company{
				Name:           "北京通州" + Mark + name + pick(g, p.Trade),
				Type:           pick(g, []string{"有限责任公司(自然人投资或控股)", "有限责任公司(自然人独资)", "其他有限责任公司"}),
				Street:         pick(g, streets),
				Industry:       p.Industry,
				Scope:          p.Scope,
				Established:    g.date(g.between(p.Years[0]*365, p.Years[1]*365)),
				Tags:           append([]string(nil), p.Tags...),
				CreditStanding: "正常",
				Registered:     g.chance(94),
			}
			if p.Form == "shop" && !strings.HasSuffix(c.Name, "有限公司") {
				c.Type = "个人独资企业"
			}
			c.Verified = c.Registered && g.chance(85)
			// Small ones are far more frequent than large ones.
			staff := int64(p.Staff[0]) + int64(float64(p.Staff[1]-p.Staff[0])*g.rand.Float64()*g.rand.Float64())
			revenue := staff * int64(g.between(p.Rev[0], p.Rev[1])) * tenThousandYuan / 100 * int64(g.between(85, 115))
			assets := staff * int64(g.between(p.Assets[0], p.Assets[1])) * tenThousandYuan / 100 * int64(g.between(85, 115))
			c.Capital = int64(pick(g, []int{10, 50, 100, 200, 500, 1000, 2000})) * tenThousandYuan
			if p.RD[1] > 0 {
				rd := revenue / 1000 * int64(g.between(p.RD[0], p.RD[1]))
				if !g.chance(12) {
					c.RDSpend = &rd
				}
			}
			// Some facts are missing on purpose: matching must live with what nobody supplied.
			if !g.chance(10) {
				c.Employees = &staff
			}
			if !g.chance(14) {
				c.Revenue = &revenue
			}
			if !g.chance(18) {
				c.Assets = &assets
			}
			if g.chance(5) {
				c.CreditStanding = "经营异常"
			} else if g.chance(2) {
				c.CreditStanding = "严重失信"
			}
			for _, code := range p.Quals {
				percent := 38
				if code == "food_license" {
					percent = 95
				}
				if code == "above_scale" && revenue < 2000*tenThousandYuan || !g.chance(percent) {
					continue
				}
				from := g.between(20, 330)
				if years := titles[code].ValidYears; years > 1 {
					from = g.between(30, years*365+120) // a few have run out
				}
				if grade, ok := strings.CutPrefix(code, "tax_"); ok {
					_ = g.between(1, 99999) // the number of a title, which a grade has not
					c.Sections.TaxGrade = strings.ToUpper(grade)
					continue
				}
				h := Held{Code: code, No: fmt.Sprintf("YS%s%05d", strings.ToUpper(code[:2]), g.between(1, 99999)), From: g.date(from)}
				if years := titles[code].ValidYears; years > 0 {
					h.To = g.date(from - years*365)
				}
				c.Qualifications = append(c.Qualifications, h)
				if code == "srdi" || code == "little_giant" {
					c.Tags = append(c.Tags, titles[code].Name)
				}
			}
			add(c)
		}
	}
	return nil
}

func (g *generator) institutions() error {
	var list []struct {
		Key, Name, Kind, Licence, Summary string
		Operators                         int
	}
	if err := load("institutions.yaml", &list); err != nil {
		return err
	}
	n := 0
	for i, in := range list {
		it := Institution{
			Key: in.Key, Name: in.Name + Mark, Kind: in.Kind, CreditCode: g.nextCode(), LegalPerson: g.person(),
			Phone: phone(5, i+1), Summary: in.Summary,
			Address:        fmt.Sprintf("北京市通州区运河示范大道%d号院%d号楼", 10+i*6, i%4+1),
			Qualifications: []Licence{{Name: in.Licence, No: fmt.Sprintf("演示%04d号", 1001+i), To: g.date(-300 - i*40)}},
		}
		for k := range in.Operators {
			n++
			it.Operators = append(it.Operators, Operator{Key: fmt.Sprintf("%s-%d", in.Key, k+1), Name: g.person() + Mark,
				Phone: phone(6, n), Administrator: k == 0})
		}
		g.w.Institutions = append(g.w.Institutions, it)
	}
	g.w.Walk.Bank, g.w.Walk.Firm = "bank-yunhe", "tax-mingshu"
	return nil
}

// owners gives accounts to about forty registered companies; the bakery of the tour has two.
func (g *generator) owners() error {
	n := 0
	add := func(company *Company, name, role string) string {
		n++
		o := Owner{Key: fmt.Sprintf("owner-%02d", n), Name: name + Mark, Phone: phone(3, n), Company: company.Key, Role: role}
		g.w.Owners = append(g.w.Owners, o)
		return o.Key
	}
	for i := range g.w.Companies {
		c := &g.w.Companies[i]
		if c.Key == g.w.Walk.Bakery {
			g.w.Walk.BakeryOwner = add(c, c.LegalPerson, "owner")
			add(c, g.person(), "member")
			continue
		}
		if c.Registered && i%5 == 1 {
			add(c, c.LegalPerson, "owner")
		}
	}
	return nil
}
