package server

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedServices has what goes on beside applications: companies and institutions write to each other, hand in evidence and draw
// contracts up, services are recorded that were given elsewhere, and papers and a newcomer wait for review.
func (h *house) seedServices(ctx context.Context, s *seeded) error {
	for _, part := range []func(context.Context, *seeded) error{h.seedTalks, h.seedContracts, h.seedEvidence, h.seedOffline, h.seedPapers, h.seedNewcomer} {
		if err := part(ctx, s); err != nil {
			return err
		}
	}
	s.at.Set(s.now)
	return nil
}

// sides are the company's owner and the first handler of an application.
type sides struct {
	application.Case
	company, institution access.Actor
}

// casesOf returns the newest applications in the states, each with its two sides.
func (h *house) casesOf(ctx context.Context, s *seeded, most int, states ...application.Status) ([]sides, error) {
	items, _, err := h.applications.List(ctx, access.SystemActor("seed"), application.ListFilter{Statuses: states, Limit: most})
	if err != nil {
		return nil, err
	}
	var out []sides
	for _, item := range items {
		c, err := h.applications.Case(ctx, h.db.Read(), access.SystemActor("seed"), item.ID)
		if err != nil {
			return nil, err
		}
		people, err := h.identity.Colleagues(ctx, h.db.Read(), c.InstitutionID, contract.PermSign)
		if err != nil || len(people) == 0 {
			return nil, fmt.Errorf("institution %d has nobody who signs: %w", c.InstitutionID, err)
		}
		one := sides{Case: c}
		for id, into := range map[int64]*access.Actor{c.UserID: &one.company, people[0].ID: &one.institution} {
			if *into, err = h.identity.ActorOf(ctx, access.SystemActor("seed"), id); err != nil {
				return nil, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

var demoTalks = [][]string{
	{"您好，材料已经收到。请问近三个月的流水是哪家银行的？", "是运河银行的对公账户，明天上午传给您。", "好的，收到后两个工作日内安排实地走访。"},
	{"请问上门的时间可以改到周四下午吗？", "可以，周四下午两点到您公司，到时请准备公章。"},
	{"合同里的服务期限写到明年六月，可以吗？", "可以，已按您的意见修改，请在电子合同里查看。"},
}

// seedTalks writes what was said on applications under way; everything was read.
func (h *house) seedTalks(ctx context.Context, s *seeded) error {
	cases, err := h.casesOf(ctx, s, len(demoTalks), application.Taken, application.Working, application.Granted)
	if err != nil {
		return err
	}
	for i, c := range cases {
		for n, words := range demoTalks[i] {
			s.at.Set(s.now.Add(time.Duration(n-30-i) * time.Hour))
			by := []access.Actor{c.institution, c.company}[(n+i)%2]
			if err := h.conversations.Send(ctx, by, conversation.Send{Object: application.Object, ID: c.ID, Words: words, Meant: true}); err != nil {
				return fmt.Errorf("talk on %s: %w", c.Number, err)
			}
		}
		for _, by := range []access.Actor{c.company, c.institution} {
			v, err := h.conversations.Of(ctx, by, application.Object, c.ID, "")
			if err != nil {
				return err
			}
			if err := h.conversations.MarkRead(ctx, by, application.Object, c.ID, v.Notes[len(v.Notes)-1].ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// seedContracts draws contracts up where the loan was granted: one waits for the company, one is a draft.
func (h *house) seedContracts(ctx context.Context, s *seeded) error {
	cases, err := h.casesOf(ctx, s, 2, application.Granted)
	if err != nil {
		return err
	}
	for i, c := range cases {
		s.at.Set(s.now.Add(-20 * time.Hour))
		v, err := h.contracts.Make(ctx, c.institution, contract.Make{Object: application.Object, ID: c.ID, Words: contract.Words{Title: c.ProductName + "合同", Days: 15,
			Body: "甲方（借款人）：" + c.EnterpriseName + "\n乙方（贷款人）：" + c.InstitutionName + "\n\n一、乙方按批准的金额、利率和期限向甲方发放贷款，贷款用于申请时所述用途。\n二、甲方按月付息、到期还本，可以提前还款，不收取违约金。\n三、争议由双方协商解决；协商不成的，向合同签订地人民法院起诉。"}})
		if err == nil && i == 0 {
			_, err = h.contracts.Send(ctx, c.institution, contract.Ref{ID: v.ID, Version: v.Version})
		}
		if err != nil {
			return fmt.Errorf("contract on %s: %w", c.Number, err)
		}
	}
	return nil
}

// demoPicture is a picture that somebody uploaded for a purpose.
func (h *house) demoPicture(ctx context.Context, by access.Actor, purpose, name string) (int64, error) {
	picture, err := demoLicence()
	if err != nil {
		return 0, err
	}
	f, err := h.uploads.Save(ctx, by, purpose, name+demo.Mark+".png", bytes.NewReader(picture))
	return f.ID, err
}

// seedEvidence has both sides hand something in on applications under way.
func (h *house) seedEvidence(ctx context.Context, s *seeded) error {
	cases, err := h.casesOf(ctx, s, 2, application.Working, application.Granted)
	if err != nil {
		return err
	}
	for _, c := range cases {
		for i, by := range []access.Actor{c.institution, c.company} {
			s.at.Set(s.now.Add(time.Duration(i-28) * time.Hour))
			file, err := h.demoPicture(ctx, by, "attachment", []string{"走访照片", "经营场所"}[i])
			if err != nil {
				return err
			}
			if err := h.evidence.Add(ctx, by, evidence.Add{Object: application.Object, ID: c.ID, FileIDs: []int64{file}, Note: []string{"实地走访时拍摄", "门店和仓库"}[i], Shared: true}); err != nil {
				return fmt.Errorf("evidence on %s: %w", c.Number, err)
			}
		}
	}
	return nil
}

// seedOffline records services that were given without the platform: one confirmed, one denied, two that wait. Nobody is
// sent a message of the past.
func (h *house) seedOffline(ctx context.Context, s *seeded) error {
	texts := h.offline.Texts
	h.offline.Texts = nil
	defer func() { h.offline.Texts = texts }()
	cases, err := h.casesOf(ctx, s, 4, application.Taken, application.Working, application.Granted)
	if err != nil {
		return err
	}
	services := []string{"上门讲解贷款办理要求", "财税政策辅导", "企业开办咨询", "展会对接"}
	for i, c := range cases {
		var code string
		if err := h.db.Read().NewRaw("SELECT credit_code FROM enterprises WHERE id = ?", c.EnterpriseID).Scan(ctx, &code); err != nil {
			return err
		}
		s.at.Set(s.now.AddDate(0, 0, -2-i))
		v, err := h.offline.Record(ctx, c.institution, offline.Record{CreditCode: code, Service: services[i], Day: s.now.AddDate(0, 0, -4-i).In(clock.Beijing).Format(time.DateOnly),
			Place: "企业会议室", Persons: c.institution.Name + "、企业经办人", Content: services[i] + "，约一小时，留下材料清单", Sure: true})
		if err != nil {
			return fmt.Errorf("a service for %s: %w", c.EnterpriseName, err)
		}
		s.at.Set(s.now.AddDate(0, 0, -1-i))
		if i < 2 {
			if _, err := h.offline.Answer(ctx, c.company, v.ID, []offline.Answer{{Yes: true}, {Words: "当天没有人来过，请核实"}}[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// seedPapers has the bank of the guided tour hand in the next edition of a licence.
func (h *house) seedPapers(ctx context.Context, s *seeded) error {
	for _, in := range s.world.Institutions {
		if in.Key != s.world.Walk.Bank || len(in.Qualifications) == 0 {
			continue
		}
		by, err := s.as(ctx, h, "operator", in.Operators[0].Key)
		if err != nil {
			return err
		}
		s.at.Set(s.now.Add(-26 * time.Hour))
		file, err := h.demoPicture(ctx, by, "licence", "新证照")
		if err != nil {
			return err
		}
		old := in.Qualifications[0]
		_, err = h.institutions.HandIn(ctx, by, institution.HandIn{Replaces: old.No, FileIDs: []int64{file},
			Paper: institution.Licence{Name: old.Name, No: old.No + "-2", To: s.now.AddDate(3, 0, 0).In(clock.Beijing).Format(time.DateOnly)}})
		return err
	}
	return nil
}

// seedNewcomer has a person apply for an institution that is not on the platform yet.
func (h *house) seedNewcomer(ctx context.Context, s *seeded) error {
	s.at.Set(s.now.Add(-22 * time.Hour))
	id, err := h.identity.CreateOwner(ctx, access.SystemActor("seed"), identity.Owner{Name: "韩律师" + demo.Mark, Phone: "19900060999"})
	if err != nil {
		return err
	}
	by, err := h.identity.ActorOf(ctx, access.SystemActor("seed"), id)
	if err != nil {
		return err
	}
	file, err := h.demoPicture(ctx, by, "licence", "执业许可证")
	if err != nil {
		return err
	}
	form := institution.Form{Name: "北京明澈律师事务所" + demo.Mark, Kind: "law", CreditCode: demo.CreditCode(9901), LegalPerson: "韩明澈", Phone: "010-60000088",
		Address: "北京市通州区玉带河示范东街18号", Summary: "擅长合同、劳动用工和应收账款纠纷，为小微企业提供年度法律顾问服务。",
		Offers: "合同审查、劳动用工合规、应收账款催收，首次咨询免费。", ContactName: "韩律师", ContactPhone: "19900060999", Account: "law-mingche"}
	v, err := h.institutions.AddDocument(ctx, by, institution.NewDocument{Apply: institution.Apply{Form: form}, FileIDs: []int64{file},
		Document: institution.Licence{Name: "律师事务所执业许可证", No: "31110000" + "MD0299901X"}})
	if err == nil {
		_, err = h.institutions.Submit(ctx, by, institution.Apply{Version: v.Version, Form: form})
	}
	return err
}
