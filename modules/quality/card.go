package quality

import "github.com/huiqi/huiqi/platform/scorecard"

// Full is the score of faultless work.
const Full = scorecard.Full

// The scorecards of the desk are cards as other work has them.
type (
	// Card is what a scorecard says.
	Card = scorecard.Card
	// Item is a line of a scorecard.
	Item = scorecard.Line
	// Mark is what a work got for an item.
	Mark = scorecard.Mark
	// Marks is how a work was scored.
	Marks = scorecard.Marks
)

// Standard is the scorecard an installation begins with: practice of municipal hotlines, a setting and no rule of law.
func Standard() Card {
	return Card{
		Items: []Item{
			{Name: "服务用语", Points: 15, Hint: "未用规范开头语、结束语每处扣 5 分；打断、反问企业每次扣 5 分"},
			{Name: "倾听与确认", Points: 15, Hint: "未复述确认诉求要点扣 5 分；遗漏关键信息每项扣 5 分"},
			{Name: "记录完整", Points: 25, Hint: "时间、地点、主体、诉求缺一项扣 5 分；与来电内容不符每处扣 10 分"},
			{Name: "分类准确", Points: 15, Hint: "事项类型选错扣 15 分，紧急程度选错扣 5 分"},
			{Name: "答复准确", Points: 20, Hint: "口径与知识库不一致扣 10 分；未说明办理时限或查询方式扣 5 分"},
			{Name: "时效", Points: 10, Hint: "话后处理超过 3 分钟扣 5 分，超过 10 分钟扣 10 分"},
		},
		Fatal: []string{"辱骂、讽刺来电人", "泄露来电人信息", "虚构、篡改工单内容", "应受理而拒绝受理"},
	}
}
