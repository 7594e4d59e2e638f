package demo

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
)

// Sections are what offices know of a company besides its books: social insurance, tax, intellectual property, penalties and
// what courts say. A nil number is one that nobody has supplied; a nil list is not known, an empty one is knowledge.
type Sections struct {
	Insured       *int64
	TaxGrade      string // A, B, M, C, D; empty: not known
	Patents       *int64
	Inventions    *int64
	Copyrights    *int64
	Trademarks    *int64
	Liabilities   *int64 // fen
	Loans         *int64 // fen
	Before        int64  // revenue of the year before, percent of last year's
	Penalties     []Record
	Judgments     []Record
	SocialArrears []Record
}

// Record is one entry of a list that speaks against a company.
type Record struct{ Code, No, From, To, By, Text string }

// sections draws them from the company itself, so that they change nothing of what is drawn for the others.
func (g *generator) sections(c Company) Sections {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Key))                                             // never fails
	d := &generator{rand: rand.New(rand.NewPCG(h.Sum64(), 2026)), ref: g.ref} // #nosec G404 -- the same district every time
	number := func(missing int, n int64) *int64 {
		if d.chance(missing) {
			return nil
		}
		return &n
	}
	s := Sections{TaxGrade: c.Sections.TaxGrade, Penalties: []Record{}, Judgments: []Record{}, SocialArrears: []Record{}}
	if c.Employees != nil {
		s.Insured = number(8, *c.Employees*int64(d.between(82, 100))/100)
	}
	years := g.ref.Year() - atoi(c.Established[:4])
	if s.TaxGrade == "" && !d.chance(7) {
		switch n := d.between(1, 100); {
		case c.CreditStanding == "严重失信":
			s.TaxGrade = "D"
		case years < 2:
			s.TaxGrade = "M"
		case n <= 24:
			s.TaxGrade = "A"
		case n <= 84:
			s.TaxGrade = "B"
		default:
			s.TaxGrade = "C"
		}
	}
	if c.Assets != nil {
		if s.Liabilities = number(20, *c.Assets/100*int64(d.between(12, 82))); s.Liabilities != nil {
			owed := int64(0)
			if d.chance(60) {
				owed = *s.Liabilities / 100 * int64(d.between(10, 65)) / tenThousandYuan * tenThousandYuan
			}
			s.Loans = number(25, owed)
		}
	}
	s.Before = int64(d.between(76, 116))
	d.property(&s, c, number)
	d.records(&s, c)
	return s
}

// property draws what a company owns of inventions, programs and names.
func (g *generator) property(s *Sections, c Company, number func(int, int64) *int64) {
	patents, inventions, copyrights := int64(0), int64(0), int64(0)
	if c.RDSpend != nil {
		patents = int64(g.between(0, 4)) + *c.RDSpend/(60*tenThousandYuan)
		patents = min(patents, 60)
		inventions = patents * int64(g.between(10, 45)) / 100
	}
	if strings.HasPrefix(c.Industry, "6") && c.RDSpend != nil { // programs
		copyrights = int64(g.between(2, 8)) + *c.RDSpend/(40*tenThousandYuan)
		copyrights = min(copyrights, 80)
		patents /= 2
		inventions /= 2
	}
	s.Patents = number(12, patents)
	if s.Patents != nil {
		s.Inventions = &inventions
	}
	s.Copyrights = number(15, copyrights)
	s.Trademarks = number(15, int64(g.between(0, 3)+g.between(0, 2)))
}

// records draws what speaks against a company; most have nothing.
func (g *generator) records(s *Sections, c Company) {
	office := "通州区市场监督管理局"
	switch n := g.between(1, 100); {
	case n <= 4:
		ago := g.between(40, 1500)
		s.Penalties = append(s.Penalties, Record{"warning", g.document("京通市监罚", ago), g.date(ago), g.date(ago - 90), office, ""})
	case n <= 10:
		ago := g.between(60, 1500)
		s.Penalties = append(s.Penalties, Record{"fine", g.document("京通市监罚", ago), g.date(ago), g.date(ago - 365), office, "罚款1万元"})
	case n <= 13:
		ago := g.between(100, 1700)
		s.Penalties = append(s.Penalties, Record{"major_fine", g.document("京通环罚", ago), g.date(ago), g.date(ago - 3*365), "通州区生态环境局", "罚款20万元"})
	case n == 14:
		s.Penalties = nil
	}
	court := "通州区人民法院"
	switch n := g.between(1, 100); {
	case c.CreditStanding == "严重失信":
		s.Judgments = append(s.Judgments, Record{"dishonest", fmt.Sprintf("〔%d〕京0112执%d号", g.ref.Year()-1, g.between(1000, 9999)), g.date(g.between(60, 300)), "", court, ""})
	case n <= 5:
		ago := g.between(30, 400)
		s.Judgments = append(s.Judgments, Record{"defendant", fmt.Sprintf("〔%d〕京0112民初%d号", g.ref.AddDate(0, 0, -ago).Year(), g.between(1000, 9999)), g.date(ago), "", court, "买卖合同纠纷"})
	case n <= 7:
		ago := g.between(200, 700)
		s.Judgments = append(s.Judgments, Record{"enforced", fmt.Sprintf("〔%d〕京0112执%d号", g.ref.AddDate(0, 0, -ago).Year(), g.between(1000, 9999)), g.date(ago), g.date(ago - 150), court, ""})
	case n == 8:
		s.Judgments = nil
	}
	switch n := g.between(1, 100); {
	case n <= 2:
		s.SocialArrears = append(s.SocialArrears, Record{Code: "social", From: g.date(g.between(40, 200))})
	case n <= 12:
		s.SocialArrears = nil
	}
}

func (g *generator) document(of string, ago int) string {
	return fmt.Sprintf("%s〔%d〕%d号", of, g.ref.AddDate(0, 0, -ago).Year(), g.between(1, 480))
}

func atoi(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// twice gives one owner of a verified company a second one that has no account yet, so that somebody switches between two.
func (g *generator) twice() error {
	taken := map[string]bool{}
	for _, o := range g.w.Owners {
		taken[o.Company] = true
	}
	other := slices.IndexFunc(g.w.Companies, func(c Company) bool { return c.Registered && c.Verified && !taken[c.Key] })
	for i := range g.w.Owners {
		o := &g.w.Owners[i]
		at := slices.IndexFunc(g.w.Companies, func(c Company) bool { return c.Key == o.Company })
		if o.Role == "owner" && other >= 0 && at > other && g.w.Companies[at].Verified {
			o.Also = g.w.Companies[other].Key
			g.w.Walk.TwoCompanies = o.Key
			return nil
		}
	}
	return fmt.Errorf("no owner can have two companies")
}
