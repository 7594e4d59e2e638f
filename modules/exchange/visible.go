package exchange

import (
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// The rights of the module.
const (
	PermView   access.Permission = "exchange.view"
	PermManage access.Permission = "exchange.manage"
)

// The scopes of partners' keys. Every key may ask whether it works.
const (
	ScopePing   access.Permission = "open.ping"
	ScopeEvents access.Permission = "open.events"
)

// Permissions describes the rights for the page of roles.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "数据回流", Label: "查看对接方和推送记录"},
		{Name: PermManage, Group: "数据回流", Label: "管理对接方、密钥，重推或跳过推送"},
		{Name: PermExport, Group: "数据回流", Label: "导出推送记录"},
	}
}

// visible narrows a query to what the actor may see: staff with the right see every partner, a partner sees its own rows.
// column is where the query's rows name their partner.
func visible(q *bun.SelectQuery, a access.Actor, column string) *bun.SelectQuery {
	switch {
	case a.Party == access.System, (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView):
		return q
	case a.Party == access.Partner && a.PartnerID != 0:
		return q.Where("? = ?", bun.Ident(column), a.PartnerID)
	}
	return q.Where("1 = 0")
}

// staff lets in people of the back office with the right; a partner's key is no way in here.
func staff(a access.Actor, p access.Permission) error {
	if err := a.Need(p); err != nil {
		return err
	}
	if a.Party != access.System && !a.Party.Staff() {
		return ErrForbidden
	}
	return nil
}
