package server

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinEvidence makes what shows that services were given, of applications and of services given without the platform. Replies to
// tickets have their own, asked for by the type of the ticket (decision 0200).
func (h *house) joinEvidence(c Config) {
	d := evidence.Deps{
		DB: h.db, Clock: h.clock, Cases: map[string]evidence.Cases{application.Object: proven{h.applications}, offline.Object: provenOffline{h}}, Files: evidenceFiles{h.uploads},
		Places: map[string]evidence.Place{
			application.Object: {Path: "/applications", List: "我的申请", Active: "applications", Single: true, Back: "返回申请"},
			offline.Object:     {Path: "/offline-services", List: "线下服务", Active: "offline", Back: "返回线下服务"},
		},
		Operator: c.District + "惠企台运营",
		Before:   []evidence.Recorder{h.recordCase}, Behind: []evidence.Recorder{ofApplications(h.recordEvaluations)},
	}
	for _, k := range catalog.Kinds() {
		d.Kinds = append(d.Kinds, evidence.Kind{Code: k.Code, Name: k.Name})
	}
	d.Kinds = append(d.Kinds, evidence.Kind{Code: evidence.Offline, Name: "线下服务"})
	h.evidence = evidence.New(d)
	h.sees[evidence.Object] = h.evidence.Sees
	h.applications.ShowBeside(h.evidence.Panel(application.Object, "/applications"))
}

// proven are the applications as services that have evidence.
type proven struct{ *application.Service }

var _ evidence.Cases = proven{}

// Case returns an application that the actor may see.
func (p proven) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (evidence.Case, error) {
	v, err := p.Service.Case(ctx, db, actor, id)
	return evidence.Case{
		Object: application.Object, ID: v.ID, Number: v.Number, Title: v.ProductName, Kind: v.Kind, KindName: v.KindName, InstitutionID: v.InstitutionID,
		InstitutionName: v.InstitutionName, EnterpriseID: v.EnterpriseID, EnterpriseName: v.EnterpriseName, UserID: v.UserID,
		Begun: v.Status != application.Waiting && v.Status != application.Dropped, EndedAt: v.ClosedAt,
	}, err
}

// provenOffline are the services given without the platform as services that have evidence.
type provenOffline struct{ h *house }

var _ evidence.Cases = provenOffline{}

// Case returns a recorded service that the actor may see.
func (p provenOffline) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (evidence.Case, error) {
	v, err := p.h.offline.Case(ctx, db, actor, id)
	if err != nil {
		return evidence.Case{}, err
	}
	out := evidence.Case{
		Object: offline.Object, ID: v.ID, Number: v.Number, Title: v.ProductName, Kind: evidence.Offline, KindName: "线下服务", InstitutionID: v.InstitutionID,
		InstitutionName: v.InstitutionName, EnterpriseID: v.EnterpriseID, EnterpriseName: v.EnterpriseName, Begun: true, EndedAt: v.SettledAt,
	}
	if v.State == offline.Cancelled {
		out.Over = "登记已撤销，不再上传佐证和评估"
	}
	if v.InPlace {
		out.Side = evidence.Institution
	}
	owners, err := p.h.enterprises.Owners(ctx, db, v.EnterpriseID)
	out.UserID = owners[v.EnterpriseID]
	return out, err
}

// evidenceFiles keeps uploads for the evidence.
type evidenceFiles struct{ *file.Service }

var _ evidence.Files = evidenceFiles{}

// Save keeps a file that came with a form.
func (f evidenceFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (evidence.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return evidence.FileView(v), err
}

// Known returns files by id.
func (f evidenceFiles) Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]evidence.FileView, error) {
	all, err := f.Service.Known(ctx, db, ids)
	out := make(map[int64]evidence.FileView, len(all))
	for id, v := range all {
		out[id] = evidence.FileView(v)
	}
	return out, err
}

// ofApplications has a recorder tell of applications alone: what goes on beside a service is there only on the platform.
func ofApplications(tell evidence.Recorder) evidence.Recorder {
	return func(ctx context.Context, actor access.Actor, object string, id int64) ([]evidence.Section, error) {
		if object != application.Object {
			return nil, nil
		}
		return tell(ctx, actor, object, id)
	}
}

// recordCase is the service and its course on the printed record, as the actor may see them.
func (h *house) recordCase(ctx context.Context, actor access.Actor, object string, id int64) ([]evidence.Section, error) {
	if object == offline.Object {
		return h.recordOffline(ctx, actor, id)
	}
	return h.recordApplication(ctx, actor, id)
}

// recordOffline is a service given without the platform, and what the company says of it.
func (h *house) recordOffline(ctx context.Context, actor access.Actor, id int64) ([]evidence.Section, error) {
	v, err := h.offline.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	facts := []page.Fact{{Label: "登记编号", Value: v.Number}, {Label: "企业", Value: v.EnterpriseName}, {Label: "服务机构", Value: v.InstitutionName}, {Label: "服务", Value: v.ProductName},
		{Label: "服务日期", Value: v.Day}, {Label: "地点", Value: v.Place}, {Label: "参加人员", Value: v.Persons}, {Label: "服务内容", Value: v.Content}}
	who := v.InstitutionName
	if v.ByPlatform {
		who = h.evidence.Operator
	}
	course := evidence.Section{Title: "登记和确认", Steps: []page.Step{{Title: "登记", Who: who, When: v.At}}}
	if v.SettledAt != nil {
		by := v.EnterpriseName
		if v.State == offline.Cancelled {
			by = who
		}
		course.Steps = append(course.Steps, page.Step{Title: v.State.Label(), Who: by, When: *v.SettledAt, Text: v.Words})
	} else {
		course.Text = "企业还没有确认。"
	}
	return []evidence.Section{{Title: "服务信息", Facts: facts}, course}, nil
}

// recordApplication is the application and its course.
func (h *house) recordApplication(ctx context.Context, actor access.Actor, id int64) ([]evidence.Section, error) {
	a, err := h.applications.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	facts := []page.Fact{{Label: "申请编号", Value: a.Number}, {Label: "企业", Value: a.EnterpriseName}, {Label: "服务产品", Value: a.ProductName}, {Label: "服务类别", Value: a.KindName},
		{Label: "服务机构", Value: a.InstitutionName}, {Label: "状态", Value: a.Status.Label()}, {Label: "提交时间", Value: page.DateTime(a.SubmittedAt)},
		{Label: "联系人", Value: a.ContactName + " " + a.Phone}, {Label: "需求或用途", Value: a.Purpose}}
	if a.HandlerName != "" {
		facts = append(facts, page.Fact{Label: "经办人", Value: a.HandlerName})
	}
	if a.Lends {
		facts = append(facts, page.Fact{Label: "申请金额", Value: page.Money(a.Amount)}, page.Fact{Label: "申请期限", Value: fmt.Sprintf("%d 个月", a.Term)})
	}
	for _, x := range a.Extra {
		if !x.Staff { // the record is handed to the company
			facts = append(facts, page.Fact{Label: x.Label, Value: x.Text})
		}
	}
	if a.ApprovedAmount > 0 {
		facts = append(facts, page.Fact{Label: "审批结果", Value: fmt.Sprintf("%s，年利率 %s，期限 %d 个月", page.Money(a.ApprovedAmount), page.Rate(int64(a.ApprovedRate)), a.ApprovedTerm)})
	}
	if a.DisbursedAt != nil {
		facts = append(facts, page.Fact{Label: "放款", Value: page.Money(a.DisbursedAmount) + "，" + page.DateTime(*a.DisbursedAt)})
	}
	course := evidence.Section{Title: "办理过程"}
	for _, st := range a.Timeline {
		course.Steps = append(course.Steps, page.Step{Title: st.Label, Who: st.Actor, When: st.At, Text: st.Text})
	}
	files := evidence.Section{Title: "申请材料", Head: []string{"文件", "大小"}}
	for _, f := range a.Files {
		files.Rows = append(files.Rows, []string{f.Name, page.Size(f.Size)})
	}
	if len(files.Rows) == 0 {
		files.Head, files.Text = nil, "没有上传申请材料。"
	}
	return []evidence.Section{{Title: "申请信息", Facts: facts}, course, files}, nil
}

// recordEvaluations is what was said of the service on the printed record.
func (h *house) recordEvaluations(ctx context.Context, actor access.Actor, object string, id int64) ([]evidence.Section, error) {
	if actor.Party != access.Enterprise && !actor.Can(evaluation.PermView) {
		return nil, nil
	}
	asked, err := h.evaluations.Of(ctx, actor, object, id)
	if err != nil {
		return nil, err
	}
	out := evidence.Section{Title: "服务评价"}
	for _, v := range asked.Given {
		said := fmt.Sprintf("%s（%d 分）", v.Label, v.Level)
		if len(v.Tags) > 0 {
			said += "\n" + strings.Join(v.Tags, "、")
		}
		if v.Words != "" {
			said += "\n" + v.Words
		}
		if v.Reply != "" {
			said += "\n机构回复：" + v.Reply
		}
		out.Facts = append(out.Facts, page.Fact{Label: v.Phase.Label() + " " + page.Date(v.GivenAt), Value: said})
	}
	if len(out.Facts) == 0 {
		out.Text = "企业还没有评价。"
	}
	return []evidence.Section{out}, nil
}

// ofEvidence tells the other side of evidence that it sees, and the institution of an assessment of its work.
func (n notices) ofEvidence(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f struct {
		evidence.Head
		Side   evidence.Side   `json:"side"`
		Item   string          `json:"item"`
		Shared bool            `json:"shared"`
		Target evidence.Target `json:"target"`
		Score  int             `json:"score"`
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: fmt.Sprintf("/applications/%d", f.ObjectID), Params: map[string]string{
		"title": f.Title, "number": f.Number, "name": f.EnterpriseName, "item": f.Item, "score": fmt.Sprint(f.Score),
	}}
	company := notice.Link + "/evidence"
	if f.Object == offline.Object {
		company, notice.Link = fmt.Sprintf("/offline-services/%d/evidence", f.ObjectID), fmt.Sprintf("/offline-services?open=%d", f.ObjectID)
	}
	switch {
	case e.Type == "evidence.added" && f.Shared && f.Side == evidence.Institution && f.UserID != 0:
		notice.UserID, notice.Link, notice.Params["name"] = f.UserID, company, f.InstitutionName
		return []message.Notice{notice}, nil
	case e.Type == "evidence.added" && f.Shared && f.Side == evidence.Enterprise, e.Type == "evidence.assessed" && f.Target == evidence.OfInstitution:
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	}
	return nil, nil
}
