package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/localsign"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinContracts makes the contracts on applications. A site with a signing service gives its own contract.Signer here; the local one
// signs with the installation's key.
func (h *house) joinContracts(c Config) {
	h.contracts = contract.New(contract.Deps{
		DB: h.db, Clock: h.clock, Cases: map[string]contract.Cases{application.Object: contracted{h.applications, h.clockDay}}, Confirmer: h.identity, Mandates: signers{h.enterprises},
		Files: contractFiles{h.uploads}, Paths: map[string]string{application.Object: "/applications"},
		Signer: contract.Local{Signer: &localsign.Signer{DB: h.db, Clock: h.clock, Box: h.box, Name: c.District + "惠企台"}},
	})
	h.sees[contract.Object] = h.contracts.Sees
	h.tasks = append(h.tasks, h.contracts.Tasks()...)
	h.applications.ShowBeside(h.contracts.Panel(application.Object, "/applications"))
	h.evidence.Behind = append(h.evidence.Behind, ofApplications(h.recordContracts))
}

var (
	_ contract.Confirmer = (*identity.Service)(nil)
	_ contract.Signer    = contract.Local{}
)

func (h *house) clockDay() string { return page.Date(h.clock.Now()) }

// contracted are the applications as what contracts are made on.
type contracted struct {
	*application.Service
	today func() string
}

var _ contract.Cases = contracted{}

// Case returns an application that the actor may see, with what fills the placeholders.
func (a contracted) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (contract.Case, error) {
	v, err := a.Service.Case(ctx, db, actor, id)
	if err != nil {
		return contract.Case{}, err
	}
	out := contract.Case{Object: application.Object, ID: v.ID, Number: v.Number, Title: v.ProductName, InstitutionID: v.InstitutionID, InstitutionName: v.InstitutionName, EnterpriseID: v.EnterpriseID,
		EnterpriseName: v.EnterpriseName, UserID: v.UserID}
	switch v.Status {
	case application.Unsent, application.Waiting, application.Refused, application.Dropped:
	default:
		out.Open = true
	}
	out.Values = map[string]string{"企业名称": v.EnterpriseName, "机构名称": v.InstitutionName, "申请编号": v.Number, "产品名称": v.ProductName, "联系人": v.ContactName, "经办人": v.HandlerName, "日期": a.today()}
	if v.Amount > 0 {
		out.Values["申请金额"], out.Values["申请期限"] = page.Money(v.Amount), fmt.Sprintf("%d 个月", v.Term)
	}
	if v.ApprovedAmount > 0 {
		out.Values["批准金额"], out.Values["批准期限"], out.Values["年利率"] = page.Money(v.ApprovedAmount), fmt.Sprintf("%d 个月", v.ApprovedTerm), page.Rate(int64(v.ApprovedRate))
	}
	return out, nil
}

// signers says who signs for a company.
type signers struct{ *enterprise.Service }

var _ contract.Mandates = signers{}

// MaySign returns nil for the owner and for members who were mandated.
func (s signers) MaySign(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error {
	return s.Entitled(ctx, db, enterpriseID, userID, enterprise.RightContracts)
}

// contractFiles lets contracts keep a PDF.
type contractFiles struct{ *file.Service }

var _ contract.Files = contractFiles{}

// Get returns what is known of a file.
func (f contractFiles) Get(ctx context.Context, actor access.Actor, id int64) (contract.FileView, error) {
	v, err := f.Service.Get(ctx, actor, id)
	return contract.FileView(v), err
}

// Digest reads the file through once.
func (f contractFiles) Digest(ctx context.Context, actor access.Actor, id int64) (string, error) {
	d, err := f.Read(ctx, actor, id)
	if err != nil {
		return "", err
	}
	defer d.Content.Close()
	h := sm3.New()
	if _, err := io.Copy(h, d.Content); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Known returns files by id.
func (f contractFiles) Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]contract.FileView, error) {
	all, err := f.Service.Known(ctx, db, ids)
	out := make(map[int64]contract.FileView, len(all))
	for id, v := range all {
		out[id] = contract.FileView(v)
	}
	return out, err
}

// recordContracts are the contracts on the printed record, as the actor may see them.
func (h *house) recordContracts(ctx context.Context, actor access.Actor, object string, id int64) ([]evidence.Section, error) {
	list, _, err := h.contracts.Of(ctx, actor, object, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	out := evidence.Section{Title: "电子合同", Head: []string{"合同", "状态", "签署", "校验码"}}
	for _, v := range list {
		signed := ""
		for _, g := range v.Signatures {
			signed += g.Side.Label() + "：" + g.Name + "，" + page.DateTime(g.At) + "\n"
		}
		out.Rows = append(out.Rows, []string{v.Title + "（" + v.Number + "）", v.State.Label(), signed, v.Code})
	}
	return []evidence.Section{out}, nil
}

var contractSteps = map[string]string{"sent": "已发送给贵企业，请在期限内查看并签署", "signed": "已由对方签署", "rejected": "被企业拒签", "withdrawn": "已由机构撤回", "expired": "超过签署期限，未生效",
	"void_asked": "对方申请作废，请答复", "void_refused": "对方不同意作废", "voided": "已由双方作废"}

// ofContract tells the other side of a step; of an end without a side, both.
func (n notices) ofContract(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f contract.Changed
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	words := contractSteps[f.Step]
	if f.Step == "signed" && f.State == contract.Effective {
		words = "双方均已签署，合同生效"
	}
	if f.Reason != "" {
		words += "（" + f.Reason + "）"
	}
	notice := message.Notice{Template: "contract.step", Link: fmt.Sprintf("/applications/%d", f.ObjectID), Params: map[string]string{"title": f.Title, "number": f.Number, "text": words}}
	company := notice
	company.UserID, company.Link = f.UserID, notice.Link+"/contracts"
	if f.By == contract.Institution {
		return []message.Notice{company}, nil
	}
	to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
	list := each(to, notice)
	if f.By == "" {
		list = append(list, company)
	}
	return list, err
}
