package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type hint20261129 struct {
	bun.BaseModel `bun:"table:ticket_hints"`

	For      string     `bun:"reader,pk"`
	Step     string     `bun:"step,pk"`
	Text     string     `bun:"text,notnull,type:text"`
	LinkText string     `bun:"link_text,notnull"`
	LinkURL  string     `bun:"link_url,notnull"`
	Picture  string     `bun:"picture,notnull,type:text"`
	Digest   string     `bun:"picture_digest,notnull"`
	Alt      string     `bun:"alt,notnull"`
	Version  int64      `bun:"version,notnull"`
	SetAt    *time.Time `bun:"set_at"`
	SetBy    string     `bun:"set_by,notnull"`
}

// firstHints are what an installation begins with; afterwards they are edited in the back office.
var firstHints = []hint20261129{
	{For: "staff", Step: "open", Text: "先看来电人的在办工单，同一件事不重复登记；一件事登记一件。涉及人身、财产安全的，请来电人同时拨打 110、119 或 120，紧急程度选“特急”。"},
	{For: "staff", Step: "decline", Text: "只有列出的情形才可以不予受理，须告知法定渠道。能当场解释清楚的用“直接答复”，重复的用“并单”。"},
	{For: "staff", Step: "void", Text: "只用于测试件、误登记和骚扰件。重复的用“并单”，不属于受理范围的用“不予受理”。"},
	{For: "staff", Step: "sign", Text: "签收前请核对是否属于本单位职责；不属于的，在退单时限内申请退单，写明依据和建议的承办单位。"},
	{For: "staff", Step: "return", Text: "写明不属于本单位职责的依据和建议的承办单位。审批期间仍由本单位负责，时限照常计算。"},
	{For: "staff", Step: "extend", Text: "写明已经做了什么、为什么不能按期办结、预计何时办结。批准后企业会收到新的时限。"},
	{For: "staff", Step: "suspend", Text: "只有等待企业补充材料或作出决定时才可以挂起；等待其他部门回复的不得挂起。"},
	{For: "staff", Step: "reply", Text: "先联系企业，再反馈。写明查明的事实、依据和办理结果；暂时不能解决的，写明理由和其他渠道。"},
	{For: "staff", Step: "close", Text: "按来电人的原话如实登记，不得代填。不满意或没有解决的，优先退回重办。"},
	{For: "requester", Step: "rate", Text: "评价只用于改进服务和考核承办单位，不影响您今后办事。"},
	{For: "requester", Step: "judge", Text: "评价只用于改进服务和考核承办单位，不影响您今后办事。"},
	{For: "requester", Step: "at-dispatched", Text: "已转交承办单位，工作人员会与您联系，请保持电话畅通。"},
	{For: "requester", Step: "at-replied", Text: "工作人员可能来电回访。回访不会索要验证码、密码，也不会要求转账。"},
	{For: "requester", Step: "at-callback", Text: "工作人员可能来电回访。回访不会索要验证码、密码，也不会要求转账。"},
	{For: "requester", Step: "at-declined", Text: "请按告知的法定渠道办理；对不予受理有不同意见的，可以拨打 12345 说明情况。"},
}

var hintStep = database.Migration{
	ID: "20261129193000_ticket_hints",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*hint20261129)(nil)); err != nil {
			return err
		}
		rows := make([]hint20261129, len(firstHints))
		for i, h := range firstHints {
			h.Version = 1
			rows[i] = h
		}
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	},
}
