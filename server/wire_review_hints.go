package server

import (
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/review"
)

// hinted are the reviews with the steps at which hints can stand. Reviewers read theirs in the window of the step, the others
// where they fill something in and where it waits.
func hinted() []review.Hinted {
	const window, product, own, portal = "审核窗口", "管理后台的产品页", "管理后台的本机构页", "门户的入驻申请页"
	reviewer := func(step, label string) review.HintStep {
		return review.HintStep{For: review.ForReviewer, Step: step, Label: label, Where: window}
	}
	submitter := func(step, label, where string) review.HintStep {
		return review.HintStep{For: review.ForSubmitter, Step: step, Label: label, Where: where}
	}
	products := review.Hinted{Key: "product", Title: "产品审核", Steps: []review.HintStep{
		reviewer("pass-first", "初审通过"), reviewer("pass-last", "终审通过"), reviewer("return", "退回机构"), reviewer("batch", "批量通过"),
		reviewer("take-down", "下架"), reviewer("undo", "撤销审核决定"),
		submitter("edit", "填写产品", "管理后台的产品表单"), submitter("unlist", "自行下架", "下架窗口"),
	}}
	for _, s := range []catalog.Status{catalog.Draft, catalog.PlatformReview, catalog.GovernmentReview, catalog.Scheduled, catalog.SentBack, catalog.TakenBack, catalog.Public, catalog.Down, catalog.Over} {
		products.Steps = append(products.Steps, submitter("at-"+string(s), "状态："+s.Label(), product))
	}
	onboarding := review.Hinted{Key: institution.HintsOfApplications, Title: "机构入驻审核", Steps: []review.HintStep{
		reviewer("check", "初审通过"), reviewer("approve", "终审通过"), reviewer("return", "退回补正"), reviewer("refuse", "不予通过"), reviewer("undo", "撤销审核决定"),
		submitter("form", "填写入驻申请", portal),
	}}
	for _, s := range []institution.State{institution.Waiting, institution.Checked, institution.Returned, institution.Refused, institution.Approved} {
		onboarding.Steps = append(onboarding.Steps, submitter("at-"+string(s), "状态："+s.Label(), portal))
	}
	renewals := review.Hinted{Key: "renewal", Title: "证照更新审核", Steps: []review.HintStep{
		reviewer("pass", "通过"), reviewer("return", "退回"), reviewer("undo", "撤销审核决定"), submitter("hand-in", "提交新证照", "提交新证照窗口"),
	}}
	for _, s := range []institution.State{institution.Waiting, institution.Returned} {
		renewals.Steps = append(renewals.Steps, submitter("at-"+string(s), "状态："+map[institution.State]string{institution.Waiting: "待审核", institution.Returned: "已退回"}[s], own))
	}
	verification := review.Hinted{Key: enterprise.HintsOfVerification, Title: "企业认证审核", Steps: []review.HintStep{
		reviewer("check", "核对认证申请"), reviewer("return", "退回认证申请"), reviewer("check-change", "核对变更登记申请"), reviewer("return-change", "退回变更登记申请"), reviewer("undo", "撤销审核决定"),
		submitter("form", "填写认证信息", "门户“我的企业”和手机端“企业认证”"),
	}}
	demands := review.Hinted{Key: "demand", Title: "企业需求审核", Steps: []review.HintStep{reviewer("approve", "审核通过"), reviewer("return", "退回修改")}}
	return []review.Hinted{products, onboarding, renewals, verification, demands}
}
