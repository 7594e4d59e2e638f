package application

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
)

// effect is what a command did, for the books.
type effect struct {
	fact    func(Head) event.Fact
	summary string
	files   []int64
	detail  any
	// after writes what belongs to the step beside the application; seq is that of its event.
	after func(ctx context.Context, tx bun.Tx, seq int64) error
}

func withdrawn(reason string) effect {
	return effect{fact: func(h Head) event.Fact { return Withdrawn{Head: h, Reason: reason} }, summary: "撤回申请"}
}

func supplemented(note string, files []int64, changes []Mended) effect {
	return effect{fact: func(h Head) event.Fact { return Supplemented{Head: h, Note: note, FileIDs: files, Changes: changes} }, summary: "补充材料", files: files, detail: changes}
}

func accepted(note string) effect {
	return effect{fact: func(h Head) event.Fact { return Accepted{Head: h, Note: note} }, summary: "受理申请"}
}

func declined(from Status, reason string) effect {
	return effect{fact: func(h Head) event.Fact { return Declined{Head: h, From: from, Reason: reason} }, summary: "不予通过"}
}

func asked(reason string) effect {
	return effect{fact: func(h Head) event.Fact { return SupplementAsked{Head: h, Reason: reason} }, summary: "要求补正"}
}

func progressed(note string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact { return Progressed{Head: h, Note: note, FileIDs: files} }, summary: "登记进展", files: files}
}

func approved(l Loan, note string) effect {
	return effect{
		fact: func(h Head) event.Fact {
			return Approved{Head: h, Amount: l.Amount, Rate: l.Rate, Term: l.Term, Note: note}
		},
		summary: "登记审批结果", detail: l,
	}
}

func disbursed(a *Application, p *payment) effect {
	return effect{
		fact: func(h Head) event.Fact {
			return Disbursed{Head: h, Amount: p.Amount, No: p.No, PaidOn: p.PaidOn, Total: a.DisbursedAmount, Left: a.ApprovedAmount - a.DisbursedAmount, Note: p.Note}
		},
		summary: "登记放款", detail: map[string]any{"amount": p.Amount, "no": p.No, "paidOn": p.PaidOn},
	}
}

func completed(note string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact { return Completed{Head: h, Note: note, FileIDs: files} }, summary: "办结申请", files: files}
}

// submitted is announced when a company applies.
func submitted(a *Application) Submitted {
	return Submitted{Head: a.head(), Source: a.Source, Amount: a.Amount, Term: a.Term, DueAt: a.Due.At.UTC()}
}

// submitRecord is the line of the audit log for an application that came in.
func submitRecord(a *Application) audit.Record {
	return audit.Record{
		Action: "application.submit", Object: Object, ObjectID: a.ID, Summary: "提交申请 " + a.Number,
		Detail: map[string]any{"source": a.Source, "productId": a.ProductID, "institutionId": a.InstitutionID},
	}
}

// changeRecord is the line of the audit log for an action on an application.
func changeRecord(action Action, a *Application, e effect) audit.Record {
	return audit.Record{
		Action: "application." + string(action), Object: Object, ObjectID: a.ID, Summary: e.summary + " " + a.Number, Detail: e.detail,
	}
}
