package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
	"github.com/huiqi/huiqi/seed/reference"
)

// hoursOf turns a published limit into clock hours; working time becomes calendars' business in a later step.
func hoursOf(l reference.Limit) int {
	switch l.Unit {
	case "working_days", "days":
		return l.Amount * 24
	}
	return l.Amount
}

func (h *house) ensureTicketTypes(ctx context.Context) error {
	m, err := reference.TicketTypes()
	if err != nil {
		return err
	}
	var types []ticket.Type
	for i, t := range m.Leaves() {
		urgency := ticket.Urgency(t.Urgency)
		if t.Urgency == "emergency" {
			urgency = "critical"
		}
		types = append(types, ticket.Type{Code: t.Code, Name: t.Name, Category: m.Scheme + "/" + m.Version, Urgency: urgency, Hours: hoursOf(t.Answer), Sort: i + 1})
	}
	return h.tickets.EnsureTypes(ctx, access.SystemActor("seed"), types)
}

// demoPassword opens every demo account; the second factor still goes to the account's phone.
const demoPassword = "Tongzhou-2026-demo"

// demoStaff are the accounts printed at the start of a demo. The phones lie in a block used for the demo only.
var demoStaff = []struct {
	account, name, phone, title, role, department string
	party                                         access.Party
}{
	{"agent", "周敏〔演示〕", "19900000001", "热线坐席", "agent", "", access.Platform},
	{"chengguan", "刘强〔演示〕", "19900000002", "区城市管理委员会 经办人", "dept_handler", "TZ-CGW", access.Government},
	{"jingxin", "陈静〔演示〕", "19900000003", "区经济和信息化局 经办人", "dept_handler", "TZ-JXJ", access.Government},
	{"jingxinld", "赵磊〔演示〕", "19900000004", "区经济和信息化局 领导", "dept_leader", "TZ-JXJ", access.Government},
	{"sysadmin", "孙宏〔演示〕", "19900000005", "系统管理员", "platform_admin", "", access.Platform},
	{"secadmin", "吴洁〔演示〕", "19900000006", "安全管理员", "security_admin", "", access.Platform},
	{"auditor", "郑明〔演示〕", "19900000007", "审计管理员", "audit_admin", "", access.Platform},
}

// seedDemo fills an empty demo with the district's departments, its 22 streets and towns, and an account of each role.
func (h *house) seedDemo(ctx context.Context) error {
	actor := access.SystemActor("seed")
	world, err := demo.Generate(time.Now())
	if err != nil {
		return err
	}
	ids := map[string]int64{}
	for i, d := range world.Departments {
		if ids[d.Code], err = h.identity.CreateDepartment(ctx, actor, ids[d.Parent], d.Code, d.Name, i); err != nil {
			return err
		}
	}
	for _, s := range demoStaff {
		_, err := h.identity.CreateStaff(ctx, actor, identity.Staff{Name: s.name, Account: s.account, Password: demoPassword, Phone: s.phone,
			Party: s.party, DepartmentID: ids[s.department], Roles: []string{s.role}})
		if err != nil {
			return fmt.Errorf("demo account %s: %w", s.account, err)
		}
	}
	return nil
}

// firstAdministrator makes the administrator of a new installation, with a password shown once.
func (h *house) firstAdministrator(ctx context.Context, c Config, out io.Writer) error {
	if c.FirstAdminPhone == "" {
		return configErrorf("first_admin_phone is missing: the first administrator's second factor is sent to it")
	}
	password := "Aa1-" + secret.Token()
	_, err := h.identity.CreateStaff(ctx, access.SystemActor("first start"), identity.Staff{Name: "首位管理员", Account: "admin", Password: password,
		Phone: c.FirstAdminPhone, Party: access.Platform, Roles: []string{"platform_admin"}})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n首位管理员：账号 admin，密码 %s（只显示这一次）\n", password)
	return nil
}
