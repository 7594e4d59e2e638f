package review_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
)

func mustHinted(t *testing.T) *review.Service {
	t.Helper()
	s := mustNew(t)
	s.Hinted = []review.Hinted{{Key: "product", Title: "产品审核", Steps: []review.HintStep{
		{For: review.ForReviewer, Step: "return", Label: "退回机构", Where: "审核窗口"}, {For: review.ForReviewer, Step: "batch", Label: "批量通过", Where: "审核窗口"},
		{For: review.ForSubmitter, Step: "at-returned", Label: "状态：已退回", Where: "产品页"}}}}
	return s
}

func TestEachReaderReadsTheirHints(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := mustHinted(t)
	reviewer := access.Actor{UserID: 6, Name: "审核钱", Party: access.Government}
	operator := access.Actor{UserID: 7, Name: "机构孙", Party: access.Institution, InstitutionID: 3}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	picture := base64.StdEncoding.EncodeToString(b.Bytes())
	fresh := review.SetHint{Key: "a", Review: "product", For: review.ForReviewer, Step: "batch", Set: hint.Set{Text: " 先看抽中的 ", LinkText: "规定", LinkURL: "/help/3", Picture: &picture, Alt: "流程图"}}
	for range 2 { // a repeat makes one change
		if err := s.SetHint(ctx, editor, fresh); err != nil {
			t.Fatal(err)
		}
	}
	at := func(who access.Actor, step string) review.Hint {
		t.Helper()
		list, err := s.Reads(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		var found review.Hint
		for _, h := range list {
			if want := map[access.Party]review.Reader{access.Government: review.ForReviewer, access.Institution: review.ForSubmitter}[who.Party]; h.For != want || h.SetBy != "" || h.SetAt != nil {
				t.Errorf("%s reads %+v", who.Name, h)
			}
			if h.Review == "product" && h.Step == step {
				found = h
			}
		}
		return found
	}
	if h := at(reviewer, "batch"); h.Text != "先看抽中的" || h.LinkURL != "/help/3" || !strings.HasPrefix(h.PictureURL, "/review-hints/product/reviewer/batch/picture?v=") {
		t.Errorf("%+v", h)
	}
	if h := at(operator, "batch"); h.Step != "" {
		t.Errorf("an institution reads what is for reviewers: %+v", h)
	}
	if h := at(operator, "at-returned"); h.Text == "" {
		t.Error("an installation begins with some")
	}
	said, err := s.ToSubmitter(ctx, s.DB.Read(), "product", "at-returned")
	if err != nil || said == nil || said.Text == "" {
		t.Errorf("%+v %v", said, err)
	}
	if said, err := s.ToSubmitter(ctx, s.DB.Read(), "product", "batch"); err != nil || said != nil {
		t.Errorf("a hint of reviewers goes out: %+v %v", said, err)
	}

	stale := fresh
	stale.Key = "b"
	if err := s.SetHint(ctx, editor, stale); fault.KindOf(err) != fault.Conflict {
		t.Error("a stale version:", err)
	}
	none := ""
	if err := s.SetHint(ctx, editor, review.SetHint{Key: "c", Review: "product", For: review.ForReviewer, Step: "batch", Set: hint.Set{Picture: &none, Version: 1}}); err != nil {
		t.Fatal(err)
	}
	if h := at(reviewer, "batch"); h.Step != "" {
		t.Errorf("taken away: %+v", h)
	}
	all, err := s.Hints(ctx, editor)
	if err != nil || len(all.Reviews) != 1 || !slices.ContainsFunc(all.Items, func(h review.Hint) bool {
		return h.Step == "batch" && h.Version == 2 && h.Text == "" && h.SetBy == "周洁"
	}) {
		t.Errorf("%+v %v", all, err)
	}
	whole, err := s.HintsWhole(ctx, editor)
	if err != nil || len(whole) != len(all.Items) {
		t.Errorf("%+v %v", whole, err)
	}
	broken := "bm90IGEgcGljdHVyZQ=="
	for field, bad := range map[string]review.SetHint{
		"step":     {Review: "product", For: review.ForSubmitter, Step: "return", Set: hint.Set{Text: "x"}},
		"linkText": {Review: "product", For: review.ForReviewer, Step: "return", Set: hint.Set{LinkURL: "https://a.example/"}},
		"linkUrl":  {Review: "product", For: review.ForReviewer, Step: "return", Set: hint.Set{LinkText: "a", LinkURL: "javascript:alert(1)"}},
		"picture":  {Review: "product", For: review.ForReviewer, Step: "return", Set: hint.Set{Picture: &broken, Alt: "图"}},
		"text":     {Review: "product", For: review.ForReviewer, Step: "return", Set: hint.Set{Text: strings.Repeat("长", 301)}},
	} {
		if f, ok := fault.As(s.SetHint(ctx, editor, bad)); !ok || len(f.Fields) != 1 || f.Fields[0].Name != field {
			t.Errorf("%s: %+v", field, f)
		}
	}
	for _, who := range []access.Actor{reviewer, operator, {}} {
		refused := func(err error) bool {
			return fault.KindOf(err) == fault.Forbidden || fault.KindOf(err) == fault.Unauthorized
		}
		if err := s.SetHint(ctx, who, fresh); !refused(err) {
			t.Errorf("%q sets a hint: %v", who.Name, err)
		}
		if _, err := s.Hints(ctx, who); !refused(err) {
			t.Errorf("%q reads them all: %v", who.Name, err)
		}
		if _, err := s.HintsWhole(ctx, who); !refused(err) {
			t.Errorf("%q carries them away: %v", who.Name, err)
		}
	}
	if _, err := s.Reads(ctx, access.Actor{}); fault.KindOf(err) != fault.Unauthorized {
		t.Error("a stranger reads them:", err)
	}
}
