package ticket_test

import (
	"context"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func TestRepliesNeedTheirEvidence(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	rule := ticket.SetEvidenceRule{Type: "labour", Items: []ticket.EvidenceItem{
		{Code: "measures", Name: "办理措施", Kind: "text", Required: true}, {Code: "before", Name: "现场照片（办理前）", Kind: "image", Min: 1, Required: true},
		{Code: "after", Name: "现场照片（办理后）", Kind: "image", Min: 2, Required: true}, {Code: "receipt", Name: "签收回执", Kind: "document", Min: 1},
	}}
	for _, a := range []access.Actor{bureau, baker, {}} {
		if err := f.SetEvidenceRule(ctx, a, rule); err == nil {
			t.Errorf("%s sets evidence", a.Name)
		}
	}
	wrong := rule
	wrong.Items = []ticket.EvidenceItem{{Code: "照片", Name: "", Kind: "video", Min: 0}}
	if err := f.SetEvidenceRule(ctx, desk, wrong); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	if err := f.SetEvidenceRule(ctx, desk, rule); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReview(ctx, desk, "labour", true); err != nil {
		t.Fatal(err)
	}
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	if v.Evidence == nil || len(v.Evidence.Items) != 4 {
		t.Fatalf("checklist %+v", v.Evidence)
	}
	reply := func(e ...ticket.GivenEvidence) error {
		got, err := f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已办结。", Evidence: e})
		if err == nil {
			v = got
		}
		return err
	}
	// Everything that is missing is told at once.
	told, _ := fault.As(reply(ticket.GivenEvidence{Item: "after", FileIDs: []int64{6002}}))
	if told == nil || told.Kind != fault.Invalid {
		t.Fatalf("refused with %v", told)
	}
	text := told.Message
	for _, fd := range told.Fields {
		text += fd.Message
	}
	for _, word := range []string{"办理措施", "办理前", "办理后", "现有 1 个"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not name %s", text, word)
		}
	}
	measures, before, after := ticket.GivenEvidence{Item: "measures", Text: "现场核查"}, ticket.GivenEvidence{Item: "before", FileIDs: []int64{6002}}, ticket.GivenEvidence{Item: "after", FileIDs: []int64{6004, 6006}}
	if err := reply(measures, ticket.GivenEvidence{Item: "before", FileIDs: []int64{6001}}, after); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "照片") {
		t.Fatalf("a document for a photograph: %v", err)
	}
	if err := reply(measures, before, after, ticket.GivenEvidence{Item: "else", Text: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("an item nobody asks for: %v", err)
	}
	if err := reply(measures, ticket.GivenEvidence{Item: "before", FileIDs: []int64{700}}, after); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("somebody else's file: %v", err)
	}
	if err := reply(measures, before, after); err != nil {
		t.Fatal(err)
	}
	if len(v.Evidence.Given) != 4 || len(v.Files) != 3 || v.Evidence.Given[0].Text != "现场核查" || v.Evidence.Given[1].FileID != 6002 {
		t.Fatalf("given %+v", v.Evidence.Given)
	}
	var fact ticket.Replied
	if err := f.facts(t, v.ID, "ticket.replied")[0].Decode(&fact); err != nil || fact.Evidence == nil || fact.Evidence.Required != 4 || fact.Evidence.Complete || len(fact.FileIDs) != 3 {
		t.Fatalf("fact %+v %v", fact.Evidence, err)
	}
	if v.Evidence == nil || f.see(t, baker, v).Evidence != nil {
		t.Fatal("a requester sees the checklist")
	}
	v = f.see(t, desk, v)
	bad := v.Evidence.Given[1].ID
	if err := failure(f.SendBack(ctx, desk, ticket.ReviewTicket{Ref: ref(v), Note: "照片不清", Evidence: []ticket.JudgeEvidence{{ID: bad}}})); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("invalid without a reason: %v", err)
	}
	if err := failure(f.Review(ctx, desk, ticket.ReviewTicket{Ref: ref(v), Evidence: []ticket.JudgeEvidence{{ID: 9999, Valid: true}}})); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("no such evidence: %v", err)
	}
	v = must(f.Review(ctx, desk, ticket.ReviewTicket{Ref: ref(v), Evidence: []ticket.JudgeEvidence{{ID: bad, Reason: "不是该现场"}, {ID: v.Evidence.Given[0].ID, Valid: true}}}))(t)
	var passed ticket.ReviewPassed
	if err := f.facts(t, v.ID, "ticket.reviewed")[0].Decode(&passed); err != nil || passed.Evidence == nil || passed.Evidence.Invalid != 1 {
		t.Fatalf("review %+v %v", passed, err)
	}
	if g := v.Evidence.Given; g[1].State != "invalid" || g[1].Reason != "不是该现场" || g[1].JudgedBy != "李敏" || g[0].State != "valid" || g[2].State != "given" {
		t.Fatalf("judged %+v", g)
	}
	v = must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "再看一次"}))(t)
	if v.Evidence.Given[1].State != "given" || v.Status != ticket.Reported {
		t.Fatalf("undone %+v", v.Evidence.Given[1])
	}
}
