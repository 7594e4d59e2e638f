package server

import (
	"context"
	"fmt"
	"io"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/reference"
)

// hoursOf turns a published limit into clock hours: the span that is shown for a type. What counts are the budgets.
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
	var budgets []ticket.TypeBudgets
	var tree []ticket.Category
	for _, t := range m.Types {
		tree = append(tree, ticket.Category{Scheme: m.Scheme, Version: m.Version, Code: t.Code, Parent: t.Parent, Name: t.Name, Level: t.Level})
	}
	err = h.tickets.EnsureCategories(ctx, access.SystemActor("seed"), ticket.Scheme{Scheme: m.Scheme, Version: m.Version, Name: m.Name, Note: m.Note}, tree)
	if err != nil {
		return err
	}
	for i, t := range m.Leaves() {
		var fields []ticket.FormField
		for _, f := range t.Fields {
			fields = append(fields, ticket.FormField(f))
		}
		urgency := ticket.Urgency(t.Urgency)
		if t.Urgency == "emergency" {
			urgency = "critical"
		}
		types = append(types, ticket.Type{Code: t.Code, Name: t.Name, Category: m.Scheme + "/" + m.Version, CategoryCode: t.Code, Urgency: urgency,
			Hours: hoursOf(t.Answer), Sort: i + 1, Fields: fields})
		budgets = append(budgets, ticket.TypeBudgets{Type: t.Code, Sign: budgetOf(t.Sign), Answer: budgetOf(t.Answer)})
	}
	if err := h.tickets.EnsureTypes(ctx, access.SystemActor("seed"), types); err != nil {
		return err
	}
	return h.tickets.EnsureBudgets(ctx, access.SystemActor("seed"), budgets)
}

// firstAdministrator makes the administrator of a new installation, with a password shown once.
func (h *house) firstAdministrator(ctx context.Context, c Config, out io.Writer) error {
	if c.FirstAdminPhone == "" {
		return configErrorf("缺少 first_admin_phone：首位管理员登录时的验证码发到这个手机号")
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
