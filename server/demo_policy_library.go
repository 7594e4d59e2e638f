package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

// demoPolicyRevised is part of the title of the policy of the story that is being revised, and demoPolicyEntered the one that is being entered.
const (
	demoPolicyRevised = "促进烘焙餐饮小店提质发展"
	demoPolicyEntered = "通州区支持制造业企业设备更新补助办法〔演示〕"
)

// demoExamples are companies with the answers the revised policy must give.
var demoExamples = []policy.Example{
	{Name: "〔演示〕开业三年的面包店", Expected: policy.Possible, Note: "数据可判定的条件都满足，只剩需人工判定的一条",
		Facts: json.RawMessage(`{"region":"110112010","industry":"1411","employees":18,"established":"2022-05-10","qualification":["food_license"],"creditStanding":[]}`)},
	{Name: "〔演示〕被列入严重失信名单的餐馆", Expected: policy.NotEligible,
		Facts: json.RawMessage(`{"region":"110112010","industry":"6210","employees":30,"established":"2019-03-01","qualification":["food_license"],"creditStanding":["严重失信"]}`)},
	{Name: "〔演示〕没有填报人数的糕点店", Expected: policy.Possible, Note: "信息不全时不能判为不符合",
		Facts: json.RawMessage(`{"region":"110112010","industry":"1411","established":"2022-05-10","qualification":["food_license"],"creditStanding":[]}`)},
}

const demoDraftText = `# 第一章 总则
第一条 为推动制造业企业更新生产设备，制定本办法。
# 第二章 申报条件
第二条 申报企业应当符合下列条件：
（一）注册地在通州区；
（二）从业人员不低于20人；
（三）上年营业收入不低于500万元；
（四）设备技术水平国内领先。
# 第三章 支持标准
第三条 按设备投资额的15%给予补助，最高100万元。`

// seedPolicyDrafts leaves work in the library: a revision with example companies that waits for a second person, and a
// policy that is typed halfway.
func (h *house) seedPolicyDrafts(ctx context.Context, s *seeded) error {
	s.at.Set(s.now)
	writer, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	if err := h.seedEntered(ctx, writer); err != nil {
		return err
	}
	for _, p := range s.world.Policies {
		if strings.Contains(p.Title, demoPolicyRevised) {
			return h.seedRevised(ctx, writer, s.ids["policy:"+p.Key])
		}
	}
	return fmt.Errorf("there is no policy %s to revise", demoPolicyRevised)
}

func (h *house) seedRevised(ctx context.Context, writer access.Actor, id int64) error {
	v, err := h.policies.Begin(ctx, writer, id, "")
	if err != nil {
		return fmt.Errorf("revise policy %d: %w", id, err)
	}
	c := v.Content
	c.Text = strings.ReplaceAll(c.Text, "不超过100人", "不超过150人")
	c.Conditions = json.RawMessage(strings.ReplaceAll(strings.ReplaceAll(string(c.Conditions), "不超过100人", "不超过150人"), `"value":100,"unit":"人"`, `"value":150,"unit":"人"`))
	c.Kinds = []policy.Kind{policy.Reward}
	c.Benefits = []policy.Amount{{What: "单店补助", Fen: 5_000_000, Cap: true}, {What: "同一企业合计", Fen: 10_000_000, Cap: true}}
	v, err = h.policies.Save(ctx, writer, policy.SaveEdition{EditRef: policy.EditRef{PolicyID: id, Version: v.Version}, Base: v.Base, Content: c})
	if err != nil {
		return fmt.Errorf("save the revision of policy %d: %w", id, err)
	}
	for _, x := range demoExamples {
		if _, err := h.policies.SaveExample(ctx, writer, policy.SaveExample{PolicyID: id, Example: x}); err != nil {
			return fmt.Errorf("example %s: %w", x.Name, err)
		}
	}
	_, err = h.policies.Submit(ctx, writer, policy.EditRef{PolicyID: id, Version: v.Version, Note: "放宽人数上限，列明支持标准"})
	return err
}

func (h *house) seedEntered(ctx context.Context, writer access.Actor) error {
	v, err := h.policies.Enter(ctx, writer, "")
	if err != nil {
		return err
	}
	c := v.Content
	c.Title, c.Issuer, c.Level, c.Topic, c.Text = demoPolicyEntered, "区经济和信息化局", policy.District, policy.Innovation, demoDraftText
	_, err = h.policies.Save(ctx, writer, policy.SaveEdition{EditRef: policy.EditRef{PolicyID: v.PolicyID, Version: v.Version}, Base: v.Base, Content: c})
	return err
}
