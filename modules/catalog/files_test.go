package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// shelf holds uploads: of each id its owner and what it is. Claimed ones are tied to a product's file.
type shelf struct {
	mime    map[int64]string
	owner   map[int64]int64
	claimed map[int64]int64
	fails   error        // of making small pictures
	made    atomic.Int64 // small pictures
}

func (s *shelf) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, object string, objectID int64) error {
	if s.owner[id] != a.UserID || s.claimed[id] != 0 || object != catalog.ObjectFile {
		return fault.ErrNotFound
	}
	s.claimed[id] = objectID
	return nil
}

func (s *shelf) Known(_ context.Context, a access.Actor, ids []int64) (map[int64]catalog.FileRef, error) {
	out := map[int64]catalog.FileRef{}
	for _, id := range ids {
		if s.mime[id] != "" && (s.owner[id] == a.UserID || s.claimed[id] != 0) {
			out[id] = catalog.FileRef{ID: id, Name: "文件" + strings.ReplaceAll(s.mime[id], "/", "."), Size: id, Mime: s.mime[id]}
		}
	}
	return out, nil
}

func (s *shelf) Open(_ context.Context, id int64) (web.Download, error) {
	return web.Download{Mime: s.mime[id], Size: 1}, nil
}

func (s *shelf) Small(_ context.Context, id int64, width, height int) ([]byte, error) {
	s.made.Add(1)
	return fmt.Appendf(nil, "%d at %d by %d", id, width, height), s.fails
}

func mustShelve(t *testing.T) (fixture, *shelf) {
	t.Helper()
	f := mustNew(t)
	s := &shelf{mime: map[int64]string{1: "image/png", 2: "application/pdf", 3: "image/png", 4: "text/plain", 9: "image/png"},
		owner: map[int64]int64{1: 11, 2: 11, 3: 11, 4: 11, 9: 12}, claimed: map[int64]int64{}}
	f.Files = s
	return f, s
}

func files(c catalog.Content, cover int64, attached ...int64) catalog.Content {
	if cover != 0 {
		c.Cover = []catalog.FileRef{{ID: cover}}
	}
	for _, id := range attached {
		c.Files = append(c.Files, catalog.FileRef{ID: id, Name: "说的不算"})
	}
	return c
}

func TestFilesFollowTheEditionThatHasThem(t *testing.T) {
	t.Parallel()
	f, s := mustShelve(t)
	ctx := context.Background()
	v := f.mustDraft(t, banker, files(loan(), 1, 2))
	if got := v.Content.Files; len(got) != 1 || got[0].Name != "文件application.pdf" || got[0].Size != 2 {
		t.Fatalf("kept %+v", got)
	}
	opens := func(file int64) bool {
		_, err := f.PublicFile(ctx, nobody, v.ID, file)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) {
			t.Error(err)
		}
		return err == nil
	}
	reads := func(who access.Actor, file int64) bool { return f.SeesFile(ctx, who, s.claimed[file]) == nil }
	if opens(1) || reads(baker, 1) || reads(lawyer, 1) || !reads(banker, 1) || !reads(first, 2) {
		t.Error("who reads the files of a draft")
	}
	v = f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)))
	d := must(f.Show(ctx, nobody, v.ID))(t)
	if d.Cover != "/products/1/files/1" || len(d.Files) != 1 || d.Files[0].URL != "/products/1/files/2" || !opens(1) || !opens(2) || opens(3) || opens(9) || !reads(baker, 2) {
		t.Errorf("public: %+v", d)
	}
	// The next edition has another picture: it is told in the difference and not given out before it is approved.
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: files(loan(), 3, 2)}))(t)
	if len(v.Changes) != 1 || v.Changes[0].Label != "封面图" || !strings.HasSuffix(v.Changes[0].After, "（重新上传）") {
		t.Errorf("difference %+v", v.Changes)
	}
	if opens(3) || reads(baker, 3) || !opens(1) || !reads(second, 3) {
		t.Error("the new picture is public before it is approved, or the old one is gone")
	}
	v = must(f.TakeDown(ctx, first, catalog.TakeDownProduct{Ref: ref(v), Reason: "利率不实"}))(t)
	if opens(1) || opens(2) || reads(baker, 2) || !reads(banker, 2) {
		t.Error("files of a product that was taken down")
	}
}

func TestFilesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	f, _ := mustShelve(t)
	ctx := context.Background()
	mine := f.mustDraft(t, banker, files(loan(), 1, 2))
	other := loan()
	other.Name = "另一个贷款"
	for name, c := range map[string]struct {
		who     access.Actor
		content catalog.Content
		field   string
	}{
		"a text":                     {banker, files(other, 0, 4), "files"},
		"a PDF as picture":           {banker, files(other, 2), "cover"},
		"somebody else's":            {banker, files(other, 9), "cover"},
		"none":                       {banker, files(other, 0, 77), "files"},
		"the same twice":             {banker, files(other, 3, 3), "files"},
		"of another product":         {banker, files(other, 0, 2), "files"},
		"too many":                   {banker, files(other, 0, 1, 1, 1, 1, 1, 1), "files"},
		"of another institution now": {lawyer, files(service(), 1), "cover"},
	} {
		_, err := f.Draft(ctx, c.who, catalog.DraftProduct{Content: c.content})
		got, ok := fault.As(err)
		if !ok || got.Kind != fault.Invalid || !slices.ContainsFunc(got.Fields, func(x fault.Field) bool { return x.Name == c.field }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := f.db.Read().NewSelect().TableExpr("products").Count(ctx); err != nil || n != 1 {
		t.Errorf("%d products, %v", n, err)
	}
	must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(mine), Content: files(loan(), 1)}))(t) // what is tied already may stay
}

// TestCoversOnCards: a list says where the small picture is, everybody reads that of a public cover and of nothing else, and it is made
// once however many ask.
func TestCoversOnCards(t *testing.T) {
	t.Parallel()
	f, s := mustShelve(t)
	ctx := context.Background()
	v := f.mustDraft(t, banker, files(loan(), 1, 2))
	small := func(file int64) string {
		t.Helper()
		d, err := f.PublicThumb(ctx, nobody, v.ID, file)
		if errors.Is(err, catalog.ErrNotFound) {
			return ""
		}
		b, err := io.ReadAll(must(d, err)(t).Content)
		if err != nil || d.Mime != "image/jpeg" || d.Tag == "" || d.Size != int64(len(b)) {
			t.Errorf("%+v %v", d, err)
		}
		return string(b)
	}
	if got := small(1); got != "" || s.made.Load() != 0 {
		t.Errorf("a draft's: %q", got)
	}
	v = f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)))
	plain := loan()
	plain.Name = "没有封面的贷款"
	w := f.mustDraft(t, banker, plain)
	f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(w)}))(t)))
	for _, k := range must(f.Browse(ctx, nobody, catalog.BrowseFilter{}))(t).Items {
		want := ""
		if k.ID == v.ID {
			want = "/products/1/files/1/small"
		}
		if k.Thumb != want {
			t.Errorf("%s: %q", k.Name, k.Thumb)
		}
	}
	s.fails = errors.New("the storage is down")
	if _, err := f.PublicThumb(ctx, nobody, v.ID, 1); !errors.Is(err, s.fails) {
		t.Errorf("with the storage down: %v", err)
	}
	s.fails = nil
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := small(1); got != "1 at 400 by 300" {
				t.Errorf("%q", got)
			}
		})
	}
	all.Wait()
	if small(1); s.made.Load() > 21 {
		t.Errorf("made %d times", s.made.Load())
	}
	before := s.made.Load()
	for range 5 {
		small(1)
	}
	if n, err := f.db.Read().NewSelect().TableExpr("product_thumbs").Count(ctx); err != nil || n != 1 || s.made.Load() != before {
		t.Errorf("%d kept, %v; made %d times and then %d", n, err, before, s.made.Load())
	}
	if small(2) != "" || small(3) != "" || small(9) != "" {
		t.Error("a small picture of what is no cover of it")
	}
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: files(loan(), 3, 2)}))(t)
	if small(3) != "" || small(1) == "" {
		t.Error("the new cover is public before it is approved, or the old one is gone")
	}
	v = must(f.TakeDown(ctx, first, catalog.TakeDownProduct{Ref: ref(v), Reason: "利率不实"}))(t)
	if small(1) != "" {
		t.Error("the cover of a product that was taken down")
	}
}

// TestCoversBesideWhatIsFoundAndWhatSuits: the search of the site and what suits a company carry the public cover or the sign of the
// kind, and not the cover of an edition that waits for its reviews.
func TestCoversBesideWhatIsFoundAndWhatSuits(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	f, ctx := b.f, context.Background()
	f.Files = &shelf{mime: map[int64]string{1: "image/png", 3: "image/png"}, owner: map[int64]int64{1: 11, 3: 11}, claimed: map[int64]int64{}}
	f.mustEnable(t)
	b.mustPages()
	covered, plain := files(loan(), 1), service()
	covered.Suits, plain.Suits = catalog.Suits{Years: 1}, catalog.Suits{Years: 1}
	v := f.mustList(t, banker, covered)
	w := f.mustList(t, lawyer, plain)
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: files(covered, 3)}))(t)
	thumb := fmt.Sprintf("/products/%d/files/1/small", v.ID)
	for q, want := range map[string][2]string{"烘焙贷": {"finance", thumb}, "合同体检": {"law", ""}} {
		hits := must(f.Search(ctx, nobody, q, 5))(t)
		if len(hits) != 1 || hits[0].Icon != want[0] || hits[0].Thumb != want[1] {
			t.Errorf("%s: %+v", q, hits)
		}
	}
	r := must(f.Suitable(ctx, baker))(t)
	if len(r.Fits) != 2 {
		t.Fatalf("suits %+v", r)
	}
	for _, x := range r.Fits {
		if want := map[int64]string{v.ID: thumb, w.ID: ""}[x.ID]; x.Thumb != want {
			t.Errorf("%s: %q", x.Name, x.Thumb)
		}
	}
	status, html := b.page("baker", "/products/suitable")
	if status != 200 || strings.Count(html, `class="product-thumb"`) != 2 || strings.Count(html, `<img src="`+thumb) != 1 || !strings.Contains(html, `alt="〔演示〕烘焙贷的封面图"`) {
		t.Errorf("%d %s", status, html)
	}
}
