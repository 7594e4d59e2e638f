package server

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	forms "github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedCompanies writes the companies that have an account, their people, and what offices know of them. The others exist
// in the registry's stand-in only.
func (h *house) seedCompanies(ctx context.Context, s *seeded) error {
	system := access.SystemActor("seed")
	now := s.now
	people := map[string][]int64{}
	for _, o := range s.world.Owners {
		id, err := h.identity.CreateOwner(ctx, system, identity.Owner{Name: o.Name, Phone: o.Phone})
		if err != nil {
			return fmt.Errorf("%s: %w", o.Key, err)
		}
		s.ids["owner:"+o.Key] = id
		people[o.Company] = append(people[o.Company], id)
		if o.Also != "" {
			people[o.Also] = append(people[o.Also], id)
		}
	}
	var keys []string
	var list []enterprise.Known
	for i, c := range s.world.Companies {
		if !c.Registered {
			continue
		}
		facts, err := demoFacts(c, now)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Key, err)
		}
		keys = append(keys, c.Key)
		list = append(list, enterprise.Known{
			Claim: enterprise.Claim{Name: c.Name, CreditCode: c.CreditCode, LegalPerson: c.LegalPerson}, Verified: c.Verified,
			At: now.AddDate(0, 0, -20-(i*7)%160).Add(time.Duration(i%480) * time.Minute), Members: people[c.Key], Facts: facts,
		})
	}
	for from := 0; from < len(list); from += 20 { // a transaction ends within its deadline on a slow machine too
		to := min(from+20, len(list))
		ids, err := h.enterprises.Load(ctx, system, list[from:to])
		if err != nil {
			return err
		}
		for i, id := range ids {
			s.ids["company:"+keys[from+i]] = id
		}
	}
	if err := h.seedExtra(ctx, s, keys); err != nil {
		return err
	}
	return h.seedReviews(ctx, s)
}

// demoFields are the fields the demo district has defined for companies.
var demoFields = []enterprise.ExtraField{
	{Field: forms.OwnField{Key: "park", Label: "所属园区", Kind: forms.Choice, Options: []string{"台湖演艺小镇", "张家湾设计小镇", "宋庄艺术创意小镇", "中关村通州园", "不在园区"}, Help: "按实际经营地址选择"},
		Group: "service", Company: enterprise.CompanyReads, Sort: 10},
	{Field: forms.OwnField{Key: "visited", Label: "最近走访日期", Kind: forms.Date}, Group: "service", Company: enterprise.CompanyNothing, Sort: 20},
	{Field: forms.OwnField{Key: "flats", Label: "人才公寓需求", Kind: forms.Number, Unit: "套", Help: "走访时了解的需求数量"}, Group: "service", Company: enterprise.CompanyReads, Sort: 30},
	{Field: forms.OwnField{Key: "attention", Label: "关注事项", Kind: forms.Text, MaxLength: 200, Help: "仅有权限的工作人员可见"}, Group: "service", Restricted: true, Company: enterprise.CompanyNothing, Sort: 40},
	{Field: forms.OwnField{Key: "households", Label: "成员户数", Kind: forms.Number, Unit: "户"}, Group: "service", Types: []string{"93"}, Company: enterprise.CompanyReads, Sort: 50},
	{Field: forms.OwnField{Key: "exports", Label: "是否有出口业务", Kind: forms.YesNo}, Group: "operation", Company: enterprise.CompanyFills, Sort: 60},
	{Field: forms.OwnField{Key: "chains", Label: "所在重点产业链", Kind: forms.Choices, Options: []string{"网络安全", "元宇宙", "绿色建筑", "文化旅游", "医药健康"}}, Group: "operation", Company: enterprise.CompanyFills, Sort: 70},
}

// seedExtra defines the fields and fills what the desk has noted down of some companies. The fields that companies fill come
// last: before them there is nothing that needs a company's consent.
func (h *house) seedExtra(ctx context.Context, s *seeded, keys []string) error {
	desk, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	s.at.Set(s.now.AddDate(0, 0, -100))
	for _, f := range demoFields[:5] {
		if _, err := h.enterprises.SaveExtraField(ctx, desk, enterprise.SaveExtraField{ExtraField: f}); err != nil {
			return err
		}
	}
	parks := demoFields[0].Field.Options
	for i, key := range slices.Backward(keys[:min(24, len(keys))]) { // the first companies were visited last
		s.at.Set(s.now.AddDate(0, 0, -3-i*4))
		values := map[string][]string{"park": {parks[i%len(parks)]}, "visited": {s.now.AddDate(0, 0, -3-i*4).In(clock.Beijing).Format(time.DateOnly)}}
		if i%3 == 0 {
			values["flats"] = []string{fmt.Sprint(2 + i)}
		}
		if i%8 == 1 {
			values["attention"] = []string{"房租到期在即，关注续租情况" + demo.Mark}
		}
		if _, err := h.enterprises.SetExtra(ctx, desk, enterprise.SetExtra{ID: s.ids["company:"+key], Values: values}); err != nil {
			return fmt.Errorf("extra fields of %s: %w", key, err)
		}
	}
	for _, f := range demoFields[5:] {
		if _, err := h.enterprises.SaveExtraField(ctx, desk, enterprise.SaveExtraField{ExtraField: f}); err != nil {
			return err
		}
	}
	return nil
}

// demoFacts is what the offices of the demo know of a company. Only verified companies have the registry's facts.
func demoFacts(c demo.Company, now time.Time) ([]enterprise.Fact, error) {
	today := now.In(clock.Beijing)
	yearEnd := time.Date(today.Year()-1, 12, 31, 0, 0, 0, 0, clock.Beijing).UTC()
	lastMonth := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, clock.Beijing).UTC()
	var out []enterprise.Fact
	add := func(field string, value any, source enterprise.Source, asOf time.Time) {
		f := enterprise.NewFact(field, value, source, asOf)
		f.SourceName += demo.Mark
		out = append(out, f)
	}
	if c.Verified {
		add("status", "存续", enterprise.FromRegistry, lastMonth)
		add("established", c.Established, enterprise.FromRegistry, lastMonth)
		add("capital", c.Capital, enterprise.FromRegistry, lastMonth)
		add("industry", c.Industry, enterprise.FromRegistry, lastMonth)
		add("region", c.Street, enterprise.FromRegistry, lastMonth)
		add("address", c.Address, enterprise.FromRegistry, lastMonth)
		add("scope", c.Scope, enterprise.FromRegistry, lastMonth)
		for field, n := range map[string]*int64{"revenue": c.Revenue, "assets": c.Assets, "rdSpend": c.RDSpend} {
			if n != nil {
				add(field, *n, enterprise.FromTax, yearEnd)
			}
		}
		if c.Employees != nil {
			add("employees", *c.Employees, enterprise.FromSocial, lastMonth)
			if *c.Employees%4 == 1 { // the tax office counts people on loan too: a conflict to look at
				add("employees", *c.Employees*3/2+3, enterprise.FromTax, yearEnd)
			}
		}
		for back, share := range []int64{92, 85} { // the years before, for conditions that ask of several
			if c.RDSpend != nil {
				add("rdSpend", *c.RDSpend/100*share, enterprise.FromTax, yearEnd.AddDate(-1-back, 0, 0))
			}
			if c.Employees != nil {
				add("employees", *c.Employees*share/100, enterprise.FromSocial, yearEnd.AddDate(-1-back, 0, 0))
			}
		}
		if c.Revenue != nil { // the years before, for the chart, and whether it stands in the statistical register
			add("revenue", *c.Revenue/100*c.Sections.Before, enterprise.FromTax, yearEnd.AddDate(-1, 0, 0))
			add("revenue", *c.Revenue/100*(c.Sections.Before*84/100), enterprise.FromTax, yearEnd.AddDate(-2, 0, 0))
			add("aboveScale", *c.Revenue >= 4_000_000_000, enterprise.FromBureau, yearEnd)
		}
		held := []enterprise.Holding{}
		for _, q := range c.Qualifications {
			held = append(held, enterprise.Holding{Code: q.Code, No: q.No, From: q.From, To: q.To})
		}
		add("qualification", held, enterprise.FromBureau, lastMonth)
		tags := []enterprise.Holding{}
		for _, t := range c.Tags {
			tags = append(tags, enterprise.Holding{Code: t})
		}
		add("tag", tags, enterprise.FromBureau, lastMonth)
		lists := []enterprise.Holding{}
		if c.CreditStanding != "正常" {
			lists = append(lists, enterprise.Holding{Code: c.CreditStanding})
		}
		add("creditStanding", lists, enterprise.FromCredit, lastMonth)
		addSections(c, add, yearEnd, lastMonth)
	}
	slices.SortStableFunc(out, func(a, b enterprise.Fact) int { return bytes.Compare([]byte(a.Field), []byte(b.Field)) })
	return out, nil
}

// addSections adds what offices know of a company's insurance, tax, property and records.
func addSections(c demo.Company, add func(field string, value any, source enterprise.Source, asOf time.Time), yearEnd, lastMonth time.Time) {
	x := c.Sections
	for _, n := range []struct {
		field  string
		value  *int64
		source enterprise.Source
		asOf   time.Time
	}{
		{"insured", x.Insured, enterprise.FromSocial, lastMonth}, {"liabilities", x.Liabilities, enterprise.FromTax, yearEnd}, {"loans", x.Loans, enterprise.FromCredit, yearEnd},
		{"patents", x.Patents, enterprise.FromBureau, lastMonth}, {"inventions", x.Inventions, enterprise.FromBureau, lastMonth},
		{"copyrights", x.Copyrights, enterprise.FromBureau, lastMonth}, {"trademarks", x.Trademarks, enterprise.FromBureau, lastMonth},
	} {
		if n.value != nil {
			add(n.field, *n.value, n.source, n.asOf)
		}
	}
	if x.Insured != nil { // the years before, for the chart and for conditions that ask of several
		for back, share := range []int64{94, 88, 80} {
			add("insured", *x.Insured*share/100, enterprise.FromSocial, yearEnd.AddDate(-back, 0, 0))
		}
	}
	if x.TaxGrade != "" {
		add("taxGrade", x.TaxGrade, enterprise.FromTax, time.Date(lastMonth.In(clock.Beijing).Year(), 4, 25, 0, 0, 0, 0, clock.Beijing).UTC())
	}
	for _, l := range []struct {
		field  string
		list   []demo.Record
		source enterprise.Source
	}{{"penalties", x.Penalties, enterprise.FromCredit}, {"judgments", x.Judgments, enterprise.FromCredit}, {"socialArrears", x.SocialArrears, enterprise.FromSocial}} {
		if l.list == nil {
			continue
		}
		held := []enterprise.Holding{}
		for _, r := range l.list {
			held = append(held, enterprise.Holding{Code: r.Code, No: r.No, From: r.From, To: r.To, By: r.By, Text: r.Text})
		}
		add(l.field, held, l.source, lastMonth)
	}
}

// demoReviews is how many unverified companies have sent their licence, and how many of those were sent back.
const demoReviews, demoReturned = 5, 1

// demoNotes are the applicants' own words to the reviewer.
var demoNotes = [demoReviews]string{"刚换发了营业执照，经营范围有变化。", "上个月变更了法定代表人，登记信息可能还没有更新。", "营业执照是副本，正本挂在店里。",
	"企业名称刚办理变更，照片是新执照。", "新设立的企业，上周刚领到执照。"}

// seedReviews lets some unverified owners send their licence, so that the reviewers have work.
func (h *house) seedReviews(ctx context.Context, s *seeded) error {
	sent := 0
	for _, o := range s.world.Owners {
		i := slices.IndexFunc(s.world.Companies, func(c demo.Company) bool { return c.Key == o.Company })
		c := s.world.Companies[i]
		if c.Verified || o.Role != "owner" || sent == demoReviews {
			continue
		}
		sent++
		s.at.Set(s.now.Add(-time.Duration(demoReviews-sent)*26*time.Hour - 3*time.Hour))
		owner, err := s.as(ctx, h, "owner", o.Key)
		if err != nil {
			return err
		}
		picture, err := demoLicence()
		if err != nil {
			return err
		}
		file, err := h.uploads.Save(ctx, owner, "licence", "营业执照"+demo.Mark+".png", bytes.NewReader(picture))
		if err != nil {
			return err
		}
		a, err := h.enterprises.Apply(ctx, owner, enterprise.ApplyForReview{
			Claim: enterprise.Claim{Name: c.Name, CreditCode: c.CreditCode, LegalPerson: c.LegalPerson}, Note: demoNotes[sent-1], FileIDs: []int64{file.ID}})
		if err != nil {
			return fmt.Errorf("%s: %w", o.Key, err)
		}
		if sent > demoReturned {
			continue
		}
		reviewer, err := s.as(ctx, h, "staff", "operator01")
		if err != nil {
			return err
		}
		s.at.Set(h.clock.Now().Add(5 * time.Hour))
		if _, err := h.enterprises.Return(ctx, reviewer, enterprise.ReturnReview{Decide: enterprise.Decide{ID: a.ID, Version: a.Version}, Code: "unclear"}); err != nil {
			return err
		}
	}
	return nil
}

// demoLicence draws a sheet that looks like a licence from afar and can be mistaken for none: a frame, an emblem's place
// and lines where the words would stand.
func demoLicence() ([]byte, error) {
	paper, frame, ink := color.RGBA{253, 248, 236, 255}, color.RGBA{176, 42, 48, 255}, color.RGBA{196, 188, 170, 255}
	img := image.NewRGBA(image.Rect(0, 0, 720, 500))
	fill := func(x0, y0, x1, y1 int, c color.RGBA) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				img.SetRGBA(x, y, c)
			}
		}
	}
	fill(0, 0, 720, 500, paper)
	for _, side := range [][4]int{{20, 20, 700, 28}, {20, 472, 700, 480}, {20, 20, 28, 480}, {692, 20, 700, 480}} {
		fill(side[0], side[1], side[2], side[3], frame)
	}
	fill(330, 48, 390, 108, frame)
	fill(250, 128, 470, 148, ink)
	for row := range 6 {
		y := 190 + row*42
		fill(80, y, 160, y+12, ink)
		fill(190, y, 420+(row*37)%180, y+12, ink)
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
