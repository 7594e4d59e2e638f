package enterprise

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
)

// The lists of ready reasons of this module's reviews.
const (
	ReasonsOfClaims  = "enterprise"
	ReasonsOfChanges = "enterprise_name"
)

// Reasons are the ready reasons of reviews, where they are edited.
type Reasons interface {
	// Offered returns those of a list that are in use, in their order.
	Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error)
}

// HintsOfVerification is the review of companies among those that have hints.
const HintsOfVerification = "enterprise"

// FirstReasons are the reasons an installation begins with, of a list.
func FirstReasons(list string) []reason.Reason {
	what := "营业执照"
	differs, expired := "填写的企业名称、统一社会信用代码或法定代表人与营业执照不一致，请核对后重新提交", "营业执照已过期或企业登记状态异常，请先到登记机关办理"
	if list == ReasonsOfChanges {
		what = "变更后的营业执照"
		differs, expired = "填写的变更内容与营业执照不一致，请核对后重新提交", "登记机关尚未完成变更登记，请取得新的营业执照后再办理"
	}
	return []reason.Reason{
		{Code: "unclear", Text: what + "照片不清晰或不完整，请重新拍摄后提交", Sort: 10},
		{Code: "differs", Text: differs, Sort: 20},
		{Code: "not_licence", Text: "上传的文件不是" + what + "，请上传正本或副本", Sort: 30},
		{Code: "expired", Text: expired, Sort: 40},
		{Code: reason.Other, Text: "其他原因", Words: true, Sort: 900},
	}
}

// plainReasons are the first ones, where nobody edits them.
type plainReasons struct{}

func (plainReasons) Offered(_ context.Context, _ bun.IDB, list string) ([]reason.Reason, error) {
	return FirstReasons(list), nil
}

func reasonList(kind string) string {
	if kind == byChange {
		return ReasonsOfChanges
	}
	return ReasonsOfClaims
}

// ReturnReasons are the ready reasons for sending an attempt back. It needs enterprise.review, or a delegation of somebody who
// has it.
func (s *Service) ReturnReasons(ctx context.Context, actor access.Actor, changing bool) ([]reason.Reason, error) {
	db := s.db.Read()
	if _, err := s.reviewer(ctx, db, actor); err != nil {
		return nil, err
	}
	if changing {
		return s.reasons.Offered(ctx, db, ReasonsOfChanges)
	}
	return s.reasons.Offered(ctx, db, ReasonsOfClaims)
}
