package identity

import (
	"context"
	"slices"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// DepartmentNode is a department by codes, as settings carry it from one installation to another.
type DepartmentNode struct {
	ID                 int64
	Code, Name, Parent string // Parent is a code, "" at the top
	Sort               int
}

// DepartmentTree lists all departments, parents before their children. It needs identity.users.
func (s *Service) DepartmentTree(ctx context.Context, actor access.Actor) ([]DepartmentNode, error) {
	if err := actor.Need("identity.users"); err != nil {
		return nil, err
	}
	var rows []department
	// Fewer levels first: l4, l3, l2 are zero above.
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("CASE WHEN l4 > 0 THEN 4 WHEN l3 > 0 THEN 3 WHEN l2 > 0 THEN 2 ELSE 1 END, sort, id").Scan(ctx); err != nil {
		return nil, err
	}
	codes := map[int64]string{}
	for _, d := range rows {
		codes[d.ID] = d.Code
	}
	list := make([]DepartmentNode, 0, len(rows))
	for _, d := range rows {
		n := DepartmentNode{ID: d.ID, Code: d.Code, Name: d.Name, Sort: d.Sort}
		if d.ParentID != nil {
			n.Parent = codes[*d.ParentID]
		}
		list = append(list, n)
	}
	return list, nil
}

// CheckRole returns the fault that CreateRole would, as far as it can be told from the role alone.
func (s *Service) CheckRole(cmd NewRole) error {
	if _, err := text.Line("name", cmd.Name, 2, 30); err != nil {
		return err
	}
	if cmd.Party == access.Enterprise { // the program's own; its rights may be edited
		return s.checkRights(cmd.Party, cmd.Permissions)
	}
	scopes, ok := scopesOf[cmd.Party]
	if !ok {
		return fault.InvalidField("party", "BAD_PARTY", "请选择角色适用的人员")
	}
	if !slices.Contains(scopes, cmd.Scope) {
		return fault.InvalidField("scope", "BAD_SCOPE", "这类人员不能使用该数据范围，请重新选择")
	}
	return s.checkRights(cmd.Party, cmd.Permissions)
}
