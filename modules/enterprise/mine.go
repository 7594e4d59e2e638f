package enterprise

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Mine returns the company the actor acts for, as its people see it.
func (s *Service) Mine(ctx context.Context, actor access.Actor) (Mine, error) {
	if err := needOwner(actor); err != nil {
		return Mine{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, actor.EnterpriseID)
	if err != nil {
		return Mine{}, err
	}
	return s.mine(ctx, db, actor, e)
}

// Companies lists the companies the actor may act for, the current one first. Companies their owner has left for another
// are not among them.
func (s *Service) Companies(ctx context.Context, actor access.Actor) ([]MyCompany, error) {
	if actor.Party != access.Enterprise || actor.UserID == 0 {
		return nil, ErrForbidden
	}
	var rows []struct {
		Enterprise
		Role string `bun:"role"`
	}
	err := s.db.Read().NewSelect().Model((*Enterprise)(nil)).ColumnExpr("ent.id, ent.name, ent.credit_code, ent.verification, m.role").Join("JOIN enterprise_members AS m ON m.enterprise_id = ent.id").
		Where("m.user_id = ?", actor.UserID).Where("ent.replaced_by IS NULL OR ent.id = ?", actor.EnterpriseID).OrderExpr("ent.id").Limit(100).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	list := make([]MyCompany, 0, len(rows))
	for _, r := range rows {
		c := MyCompany{ID: r.ID, Name: r.Name, CreditCode: r.code(), Verification: r.Verification, Role: r.Role, Current: r.ID == actor.EnterpriseID}
		if c.Current {
			list = append([]MyCompany{c}, list...)
		} else {
			list = append(list, c)
		}
	}
	return list, nil
}

// Counted reports whether the person belongs to any company that is verified or being verified; for the decision whether
// their account may become another's.
func (s *Service) Counted(ctx context.Context, db bun.IDB, userID int64) (bool, error) {
	return db.NewSelect().Model((*Enterprise)(nil)).Join("JOIN enterprise_members AS m ON m.enterprise_id = ent.id").
		Where("m.user_id = ? AND ent.verification IN (?, ?)", userID, Pending, Verified).Exists(ctx)
}

// Switch makes the actor act for another of their companies, from their next request on. A company they are no member of
// is ErrNotFound.
func (s *Service) Switch(ctx context.Context, actor access.Actor, id int64) error {
	if actor.Party != access.Enterprise || actor.UserID == 0 {
		return ErrForbidden
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := roleOf(ctx, tx, id, actor.UserID); err != nil {
			return err
		}
		if err := s.accounts.ActFor(ctx, tx, actor.UserID, id); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.switch", Object: Object, ObjectID: id, Summary: "切换办理业务的企业"})
	})
	if err != nil {
		return fmt.Errorf("switch to enterprise %d: %w", id, err)
	}
	return nil
}

// Members returns the members of the company the actor acts for, and, to its owner, the requests that wait.
func (s *Service) Members(ctx context.Context, actor access.Actor) (Members, error) {
	if err := needOwner(actor); err != nil {
		return Members{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, actor.EnterpriseID)
	if err != nil {
		return Members{}, err
	}
	role, err := roleOf(ctx, db, e.ID, actor.UserID)
	if err != nil {
		return Members{}, err
	}
	out := Members{Role: role, Requests: []JoinView{}}
	if out.Items, err = s.members(ctx, db, e.ID); err != nil {
		return out, err
	}
	if err := s.withMandates(ctx, db, e.ID, &out); err != nil || role != Owner {
		return out, err
	}
	out.Requests, err = s.joins(ctx, actor, 50, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("j.enterprise_id = ? AND j.state IN (?, ?)", e.ID, JoinOpen, JoinInDispute).OrderExpr("j.id")
	})
	return out, err
}

// List returns a page of the companies the actor may see, newest first, and the cursor of the next page. It needs
// enterprise.view.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	if f.Verification != "" && f.Verification.Label() == "" {
		return nil, "", fault.InvalidField("verification", "ENTERPRISE_VERIFICATION", "没有这种认证状态，请重新选择")
	}
	before, err := cursorOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	f.Limit = limitOf(f.Limit)
	rows, next, err := s.listReadable(ctx, s.db.Read(), actor, f, before)
	if err != nil {
		return nil, "", err
	}
	items := make([]Item, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item())
	}
	return items, next, withFormer(ctx, s.db.Read(), items)
}

// Get returns a company with what staff may know of it: what is known of it only as far as the company agreed, or as the
// basis covers that the reader claims by its code. It needs enterprise.view; each call is one reading in the company's log.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64, basis string) (View, error) {
	if err := actor.Need(PermView); err != nil {
		return View{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, id)
	if err != nil {
		return View{}, err
	}
	groups, why, err := s.withheld(ctx, actor, id, Reading{forPortrait, basis, "企业详情"})
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, db, actor, e, groups, why)
}

func (s *Service) members(ctx context.Context, db bun.IDB, enterpriseID int64) ([]MemberView, error) {
	var rows []member
	if err := db.NewSelect().Model(&rows).Where("m.enterprise_id = ?", enterpriseID).OrderExpr("m.role DESC, m.user_id").Limit(200).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]MemberView, 0, len(rows))
	for _, m := range rows {
		c, err := s.people.Contact(ctx, db, m.UserID)
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", m.UserID, database.Found(err))
		}
		out = append(out, memberView(m, c))
	}
	return out, nil
}

// CountVerified counts the companies that are verified, for everybody.
func (s *Service) CountVerified(ctx context.Context) (int, error) {
	n, err := s.db.Read().NewSelect().Model((*Enterprise)(nil)).Where("ent.verification = ? AND ent.replaced_by IS NULL", Verified).Count(ctx)
	return int(n), err
}
