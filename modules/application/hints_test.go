package application_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
)

// TestEveryStepCanHaveAHint: each command of the table that a person gives and that opens a form, and each state in which an
// applicant waits, is a place.
func TestEveryStepCanHaveAHint(t *testing.T) {
	t.Parallel()
	places := map[string]bool{}
	for _, s := range application.HintSteps() {
		if places[string(s.For)+s.Step] || s.Label == "" || s.Where == "" {
			t.Errorf("%+v is there twice or says too little", s)
		}
		places[string(s.For)+s.Step] = true
	}
	for _, step := range application.Lifecycle() {
		if application.RightOf(step.Action).Side == application.Institution && !places["handler"+string(step.Action)] {
			t.Errorf("%s has no place for a hint", step.Action)
		}
		for _, s := range []application.Status{step.From, step.To} {
			if s != application.Unsent && s != application.Earlier && !places["applicantat-"+string(s)] {
				t.Errorf("%s has no place for a hint", s)
			}
		}
	}
}

func hintIn(list []application.Hint, step string) application.Hint {
	if i := slices.IndexFunc(list, func(h application.Hint) bool { return h.Step == step }); i >= 0 {
		return list[i]
	}
	return application.Hint{}
}

func TestHintsOfAKindComeFirst(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.Kinds = []application.Kind{{Code: "financing", Name: "融资服务"}, {Code: "tax", Name: "财税服务"}}
	editor := access.Actor{UserID: 90, Name: "运营周", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{application.PermLimits}}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	picture := base64.StdEncoding.EncodeToString(b.Bytes())
	v := f.mustSubmit(t, baker, want(""))
	if h := hintIn(v.Hints, "at-accepted"); h.Text == "" || h.SetBy != "" || h.For != application.ForApplicant {
		t.Errorf("an installation begins with some: %+v", v.Hints)
	}
	general := application.SetHint{Key: "a", For: application.ForHandler, Step: "accept", Set: hint.Set{Text: "各类产品的", Version: 1}}
	own := application.SetHint{Key: "b", Kind: "financing", For: application.ForHandler, Step: "accept", Set: hint.Set{Text: "融资的", LinkText: "指引", LinkURL: "/help/3", Picture: &picture, Alt: "流程图"}}
	for _, set := range []application.SetHint{general, own, own} { // a repeat makes one change
		if err := f.SetHint(ctx, editor, set); err != nil {
			t.Fatal(err)
		}
	}
	read := func() application.Hint {
		t.Helper()
		v, err := f.Get(ctx, banker, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range v.Hints {
			if h.For != application.ForHandler || h.SetBy != "" {
				t.Errorf("a handler reads %+v", h)
			}
		}
		return hintIn(v.Hints, "accept")
	}
	if h := read(); h.Text != "融资的" || h.LinkURL != "/help/3" || !strings.HasPrefix(h.PictureURL, "/applications/hints/financing/handler/accept/picture?v=") {
		t.Errorf("%+v", h)
	}
	stale := own
	stale.Key = "c"
	if err := f.SetHint(ctx, editor, stale); fault.KindOf(err) != fault.Conflict {
		t.Error("a stale version:", err)
	}
	none := ""
	if err := f.SetHint(ctx, editor, application.SetHint{Key: "d", Kind: "financing", For: application.ForHandler, Step: "accept", Set: hint.Set{Picture: &none, Version: 1}}); err != nil {
		t.Fatal(err)
	}
	if h := read(); h.Text != "各类产品的" {
		t.Errorf("without its own a kind has that of all: %+v", h)
	}
	all, err := f.Hints(ctx, editor)
	if err != nil || len(all.Kinds) == 0 || !slices.ContainsFunc(all.Items, func(h application.Hint) bool {
		return h.Kind == "financing" && h.Version == 2 && h.Text == "" && h.SetBy == "运营周"
	}) {
		t.Errorf("%+v %v", all, err)
	}
	for field, bad := range map[string]application.SetHint{
		"step": {For: application.ForApplicant, Step: "accept", Set: hint.Set{Text: "x"}}, "kind": {Kind: "没有", For: application.ForHandler, Step: "accept", Set: hint.Set{Text: "x"}},
		"linkUrl": {For: application.ForHandler, Step: "accept", Set: hint.Set{LinkText: "a", LinkURL: "javascript:alert(1)"}}, "picture": {For: application.ForHandler, Step: "accept", Set: hint.Set{Picture: &broken, Alt: "图"}},
		"text": {For: application.ForHandler, Step: "accept", Set: hint.Set{Text: strings.Repeat("长", 301)}},
	} {
		if f, ok := fault.As(f.SetHint(ctx, editor, bad)); !ok || len(f.Fields) != 1 || f.Fields[0].Name != field {
			t.Errorf("%s: %+v", field, f)
		}
	}
	for _, who := range []access.Actor{baker, banker, {}} {
		if err := f.SetHint(ctx, who, general); fault.KindOf(err) != fault.Forbidden && fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("%s sets a hint: %v", who.Name, err)
		}
		if _, err := f.Hints(ctx, who); err == nil {
			t.Errorf("%s reads them all", who.Name)
		}
		if _, err := f.HintsWhole(ctx, who); !errors.Is(err, fault.ErrForbidden) && !errors.Is(err, fault.ErrUnauthorized) {
			t.Errorf("%s carries them away: %v", who.Name, err)
		}
	}
}

// broken is no picture.
var broken = "bm90IGEgcGljdHVyZQ=="
