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

// TestPartsShowTheirEvidence passes a request on to a unit below, which shows what the type asks for with its own answer. The unit that
// answers for the whole sees it, sends it back, and does not show the same again.
func TestPartsShowTheirEvidence(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	rule := ticket.SetEvidenceRule{Type: "labour", Items: []ticket.EvidenceItem{
		{Code: "measures", Name: "办理措施", Kind: "text", Required: true}, {Code: "scene", Name: "现场照片", Kind: "image", Min: 2, Required: true},
	}}
	if err := f.SetEvidenceRule(ctx, desk, rule); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReview(ctx, desk, "labour", true); err != nil {
		t.Fatal(err)
	}
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	v = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: v.Hops[0].ID, UnitID: 100}))(t)
	hop := v.Hops[1].ID
	v = must(f.SignHop(ctx, squadClerk, ticket.SignHop{Ref: ref(v), HopID: hop}))(t)
	part := func(e ...ticket.GivenEvidence) error {
		got, err := f.ReplyHop(ctx, squadClerk, ticket.ReplyHop{Ref: ref(v), HopID: hop, Text: "已到店核实", Evidence: e})
		if err == nil {
			v = got
		}
		return err
	}
	measures := ticket.GivenEvidence{Item: "measures", Text: "现场核查"}
	scene := func(ids ...int64) ticket.GivenEvidence { return ticket.GivenEvidence{Item: "scene", FileIDs: ids} }
	for says, err := range map[string]error{"办理措施": part(), "现有 1 个": part(measures, scene(7202)), "须为照片": part(measures, scene(7201, 7202)), "没有这项": part(measures, scene(7202, 7204), ticket.GivenEvidence{Item: "else"})} {
		told, _ := fault.As(err)
		if told == nil || told.Kind != fault.Invalid {
			t.Fatalf("%s: %v", says, err)
		}
		text := told.Message
		for _, fd := range told.Fields {
			text += fd.Message
		}
		if !strings.Contains(text, says) {
			t.Errorf("%q does not say %s", text, says)
		}
	}
	shown := func() []ticket.EvidenceView {
		t.Helper()
		return f.see(t, bureauClerk, v).Evidence.Given
	}
	if err := part(measures, scene(7202, 7204)); err != nil {
		t.Fatal(err)
	}
	if g := shown(); len(g) != 3 || g[0].HopID != hop || g[0].UnitName != "劳动监察大队" || g[1].FileID != 7202 {
		t.Fatalf("the bureau sees %+v", g)
	}
	var answered ticket.PartAnswered
	if err := f.facts(t, v.ID, "ticket.hop_replied")[0].Decode(&answered); err != nil || answered.Evidence == nil || !answered.Evidence.Complete || len(answered.FileIDs) != 2 {
		t.Fatalf("fact %+v %v", answered, err)
	}
	// Taken back, and shown again.
	v = must(f.Undo(ctx, squadClerk, ticket.UndoTicket{Ref: ref(v), Reason: "照片传错"}))(t)
	if g := shown(); len(g) != 0 {
		t.Fatalf("undone: %+v", g)
	}
	if err := part(measures, scene(7206, 7208)); err != nil {
		t.Fatal(err)
	}
	if g := shown(); len(g) != 3 || g[1].FileID != 7206 {
		t.Fatalf("shown again: %+v", g)
	}
	// Sent back by the bureau, and answered with others; what was sent back is not shown any more.
	v = must(f.Rework(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: hop, Note: "照片不清"}))(t)
	if g := shown(); len(g) != 0 {
		t.Fatalf("sent back: %+v", g)
	}
	if err := part(measures, scene(7210, 7212, 7214)); err != nil {
		t.Fatal(err)
	}
	if g := shown(); len(g) != 4 || g[1].FileID != 7210 {
		t.Fatalf("after it was sent back: %+v", g)
	}
	// The bureau writes what it did; the photographs are there.
	if err := failure(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办结。"})); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "现场照片") {
		t.Fatalf("without its own words: %v", err)
	}
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办结。", Evidence: []ticket.GivenEvidence{{Item: "measures", Text: "督促补发"}}}))(t)
	var fact ticket.Replied
	if err := f.facts(t, v.ID, "ticket.replied")[0].Decode(&fact); err != nil || fact.Evidence == nil || fact.Evidence.Required != 2 || !fact.Evidence.Complete {
		t.Fatalf("fact %+v %v", fact.Evidence, err)
	}
	// The desk judges what the squad showed, and the requester sees none of it.
	v = f.see(t, desk, v)
	v = must(f.Review(ctx, desk, ticket.ReviewTicket{Ref: ref(v), Evidence: []ticket.JudgeEvidence{{ID: v.Evidence.Given[1].ID, Reason: "不是该店"}}}))(t)
	var passed ticket.ReviewPassed
	if err := f.facts(t, v.ID, "ticket.reviewed")[0].Decode(&passed); err != nil || passed.Evidence == nil || passed.Evidence.Invalid != 1 || v.Evidence.Given[1].State != "invalid" {
		t.Fatalf("review %+v %v", passed, err)
	}
	if f.see(t, baker, v).Evidence != nil {
		t.Error("a requester sees the evidence")
	}
}
