package demand

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
)

// ReasonsOfDemands is the list of ready reasons for sending a demand back.
const ReasonsOfDemands = "demand"

// FirstReasons are the reasons an installation begins with.
func FirstReasons() []reason.Reason {
	return []reason.Reason{
		{Code: "unclear", Text: "需求说明不够具体，请写明要解决的问题、数量和交付要求", Sort: 10},
		{Code: "kind", Text: "需求类别与内容不符，请重新选择类别", Sort: 20},
		{Code: "budget", Text: "预算或日期不合理，请核对后修改", Sort: 30},
		{Code: "private", Text: "内容含有联系方式、个人信息或商业秘密，请删除后重新提交", Sort: 40},
		{Code: "improper", Text: "内容不属于企业服务需求，或含有广告、不当表述，请修改", Sort: 50},
		{Code: reason.Other, Text: "其他原因", Words: true, Sort: 900},
	}
}

// ReturnReasons lists the ready reasons. It needs demand.review.
func (s *Service) ReturnReasons(ctx context.Context, actor access.Actor) ([]reason.Reason, error) {
	if err := reviewer(actor); err != nil {
		return nil, err
	}
	return s.Reviews.Offered(ctx, s.DB.Read(), ReasonsOfDemands)
}

// reviewer checks that the actor reviews demands.
func reviewer(a access.Actor) error {
	if err := a.Need(PermReview); err != nil {
		return err
	}
	if a.Party != access.Platform || !wide(a) {
		return ErrForbidden
	}
	return nil
}

// Approve asks to put a demand into the hall. Without are the matched institutions that are not invited, With those that are
// invited although nothing of theirs was matched.
type Approve struct {
	Ref
	With    []int64
	Without []int64
}

// maxInvited bounds how many institutions a reviewer names.
const maxInvited = 50

// Approve is the reviewer's yes. It returns ErrOwn for a demand of the actor's own, ErrPast when its last day for quotes has
// passed, and a conflict that says what changed when the version is stale.
func (s *Service) Approve(ctx context.Context, actor access.Actor, cmd Approve) (View, error) {
	if err := reviewer(actor); err != nil {
		return View{}, err
	}
	if len(cmd.With) > maxInvited || len(cmd.Without) > 2*maxMatched {
		return View{}, fault.InvalidField("with", "INVITE_MANY", fmt.Sprintf("一次最多邀请 %d 家机构", maxInvited))
	}
	err := s.change(ctx, actor, "approve", "需求审核通过", cmd.Ref, cmd, anybody,
		func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
			if err := d.Approve(actor, now); err != nil {
				return nil, err
			}
			for _, id := range cmd.Without {
				if slices.Contains(cmd.With, id) {
					continue
				}
				name, err := s.Offers.Institution(ctx, tx, id)
				if fault.KindOf(err) == fault.NotFound {
					continue // it left meanwhile and is not invited anyway
				}
				if err != nil {
					return nil, err
				}
				if _, err := database.InsertNew(ctx, tx, &Invitation{DemandID: d.ID, InstitutionID: id, InstitutionName: name, Gone: true, By: actor.Name, At: now}, "demand_id, institution_id"); err != nil {
					return nil, err
				}
			}
			for _, id := range cmd.With {
				if err := s.invite(ctx, tx, actor, d, id, now); err != nil && !errors.Is(err, ErrInvited) {
					return nil, err
				}
			}
			return &Approved{}, nil
		})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

func anybody(*Demand) bool { return true }

// Return asks to send a demand back. Codes are of the ready reasons; some need Text.
type Return struct {
	Ref
	Codes []string
	Text  string
}

// Return is the reviewer's no, with the reasons the company reads. Errors as Approve.
func (s *Service) Return(ctx context.Context, actor access.Actor, cmd Return) (View, error) {
	if err := reviewer(actor); err != nil {
		return View{}, err
	}
	offered, err := s.Reviews.Offered(ctx, s.DB.Read(), ReasonsOfDemands)
	if err != nil {
		return View{}, err
	}
	_, why, err := reason.Compose(offered, cmd.Codes, cmd.Text)
	if errors.Is(err, reason.ErrChoose) {
		err = fault.InvalidField("codes", reason.ErrChoose.Code, reason.ErrChoose.Message)
	}
	if err != nil {
		return View{}, err
	}
	err = s.change(ctx, actor, "return", "退回需求", cmd.Ref, cmd, anybody,
		func(_ context.Context, _ bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
			return &Returned{Reason: why, Round: d.Round}, d.Return(actor, now, why)
		})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}
