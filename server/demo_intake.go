package server

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/access"
)

// seedIntake offers some matters to partners, has one of them report, and puts letters into the inbox, one for each thing that
// can become of them.
func (h *house) seedIntake(ctx context.Context, s *seeded) error {
	operator, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	s.at.Set(s.now.AddDate(0, 0, -40))
	for _, o := range []intake.SetService{
		{Code: "050203", Offered: true, Published: true, Keywords: "路灯,井盖,道路"}, {Code: "070102", Offered: true, Published: true, Keywords: "垃圾,清运"},
		{Code: "070101", Offered: true, Keywords: "噪声,扬尘,异味"}, {Code: "010101", Offered: true, Keywords: "政策,补贴"},
	} {
		if _, err := h.intake.SetService(ctx, operator, o); err != nil {
			return fmt.Errorf("offer %s: %w", o.Code, err)
		}
	}
	key, err := h.intake.Issue(ctx, operator, intake.IssueKey{Partner: "〔演示〕通州城市管家小程序", Services: []string{"050203", "070102"}})
	if err != nil {
		return err
	}
	watched, err := h.intake.Issue(ctx, operator, intake.IssueKey{Partner: "〔演示〕园区物业联盟", Review: true, PerMinute: 20, PerDay: 500})
	if err != nil {
		return err
	}
	at := func(lat, long float64) (a, b *float64) { return &lat, &long }
	for i, r := range []intake.Report{
		{Code: "050203", Description: "园区东门外人行道井盖松动，行人经过时晃动。", Address: "张家湾镇光华路", FirstName: "海", LastName: "孙", Phone: "13800139001"},
		{Code: "070102", Description: "商业街后巷垃圾两天没有清运，影响餐饮企业经营。", Address: "新华街道新华西街", Email: "demo-guanjia@example.com"},
	} {
		s.at.Set(s.now.Add(-time.Duration(30-9*i) * time.Hour))
		r.Datum = intake.GCJ02
		r.Lat, r.Long = at(39.9052+float64(i)/500, 116.6631)
		if _, err := h.intake.Take(ctx, key.Plain, r); err != nil {
			return err
		}
	}
	s.at.Set(s.now.Add(-5 * time.Hour))
	if _, err := h.intake.Take(ctx, watched.Plain, intake.Report{Code: "010101", Datum: intake.WGS84, LastName: "钱", FirstName: "丽", Phone: "13800139003",
		Description: "园区内三家企业想集中了解稳岗补贴的申报条件，能否安排一次讲解？"}); err != nil {
		return err
	}
	return h.demoLetters(ctx, s)
}

func (h *house) demoLetters(ctx context.Context, s *seeded) error {
	for i, m := range []intake.Incoming{
		{From: "lihong@example.com", Name: "李红", Subject: "请教发票问题", Text: "您好，我公司刚搬到通州，原来的电子发票额度还能用吗？需要到哪里办理？\n\n〔演示〕北京禾木家居有限公司 李红 13800139011"},
		{From: "zhaoqiang@example.com", Name: "赵强", Subject: "项目款拖欠半年", Text: "我们给区内一家单位做的装修工程去年 12 月就验收了，尾款 18 万元一直没有支付，多次催要没有结果，希望帮助协调。\n\n〔演示〕通州建安装饰 赵强"},
		{From: "noreply@example.net", Name: "会议服务", Subject: "2026 企业家峰会邀请函", Text: "诚邀您参加……", Machine: "邮件列表或群发邮件"},
		{From: "wangmin@example.com", Name: "王敏", Subject: "回复：您的诉求已受理", Text: "材料已经补齐，请查收。", References: []string{"t12.0123456789abcdef01234567.ack@example.gov.cn"}},
	} {
		s.at.Set(s.now.Add(-time.Duration(26-6*i) * time.Hour))
		m.MessageID = fmt.Sprintf("demo-%d@example.com", i)
		if err := h.intake.Load(ctx, access.SystemActor("demo"), []intake.Incoming{m}); err != nil {
			return err
		}
	}
	return nil
}
