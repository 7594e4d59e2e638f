package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Paper is a licence of the company that may be handed in with an application.
type Paper struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"` // of its kind: 营业执照
	Number string `json:"number"`
	Word   string `json:"word"` // how it stands: 有效, 还有 12 天到期
}

// Papers are the licences a company keeps once and hands in again.
type Papers interface {
	// Current lists those of the actor's company that are valid; none when the actor may not keep them.
	Current(ctx context.Context, actor access.Actor) ([]Paper, error)
	// Use hands one in with an object, in the caller's transaction; what cannot be handed in is a fault that says why.
	Use(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, object string, objectID int64) error
	// FilesOf lists the pictures of those that were handed in with an object.
	FilesOf(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Sharing says whether the company lets institutions that handle its applications read what is known of it.
type Sharing struct {
	Holds bool   `json:"holds"`
	Word  string `json:"word"`
	// WhyNot says why the person cannot agree to it themselves; empty when they can, or need not.
	WhyNot string `json:"whyNot,omitempty"`
}

// Dossier tells a company's own people what an institution would read of it.
type Dossier interface {
	// Known lists what is known of the actor's company, in words, with source and day.
	Known(ctx context.Context, actor access.Actor) ([]ProfileFact, error)
	Sharing(ctx context.Context, actor access.Actor) (Sharing, error)
}

// Prefill is what a form begins with: what was typed the last time, and the papers that the product asks for.
type Prefill struct {
	ContactName string  `json:"contactName"`
	Phone       string  `json:"phone" doc:"Of the person's own last application of the company; empty without one."`
	Papers      []int64 `json:"papers" nullable:"false"`
}

// addKnown fills in what is known before anything is typed.
func (s *Service) addKnown(ctx context.Context, db bun.IDB, actor access.Actor, f *Form) error {
	f.Known, f.Papers = []ProfileFact{}, []Paper{}
	hints, err := hintsFor(ctx, db, ForApplicant, f.Product.Kind)
	if err != nil {
		return err
	}
	f.Hint = hintAt(hints, string(ToSubmit))
	f.Prefill = Prefill{ContactName: f.ContactName, Papers: []int64{}}
	if s.Dossier != nil {
		known, err := s.Dossier.Known(ctx, actor)
		if err != nil {
			return fmt.Errorf("what is known of the company: %w", err)
		}
		sharing, err := s.Dossier.Sharing(ctx, actor)
		if err != nil {
			return fmt.Errorf("whether it is shared: %w", err)
		}
		f.Known, f.Sharing = append(f.Known, known...), &sharing
	}
	if s.Papers != nil {
		papers, err := s.Papers.Current(ctx, actor)
		if err != nil {
			return fmt.Errorf("papers of the company: %w", err)
		}
		f.Papers = append(f.Papers, papers...)
		f.Prefill.Papers = fitting(papers, f.Product.Materials)
	}
	last := new(Application)
	err = db.NewSelect().Model(last).Where("a.user_id = ? AND a.enterprise_id = ?", actor.UserID, actor.EnterpriseID).OrderExpr("a.id DESC").Limit(1).Scan(ctx)
	if err = database.Found(err); errors.Is(err, fault.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	phone, err := s.Box.Open(last.PhoneSealed, phonePlace(last.Number))
	if err != nil {
		return fmt.Errorf("phone of application %d: %w", last.ID, err)
	}
	f.Prefill.ContactName, f.Prefill.Phone = last.ContactName, string(phone)
	return nil
}

// fitting are the papers whose kind a product names among its materials.
func fitting(papers []Paper, materials []string) []int64 {
	out := []int64{}
	for _, p := range papers {
		if slices.ContainsFunc(materials, func(m string) bool { return strings.Contains(m, p.Name) }) {
			out = append(out, p.ID)
		}
	}
	return out[:min(len(out), maxPapers)]
}

// maxPapers bounds the licences handed in with one application.
const maxPapers = 9

// handIn hands the chosen licences in with the application.
func (s *Service) handIn(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, papers []int64) error {
	if len(papers) == 0 {
		return nil
	}
	if s.Papers == nil || len(papers) > maxPapers {
		return fault.InvalidField("paperIds", "TOO_MANY_PAPERS", fmt.Sprintf("最多使用 %d 份证照，请减少后提交", maxPapers))
	}
	for _, p := range papers {
		err := s.Papers.Use(ctx, tx, actor, p, Object, id)
		f, ok := fault.As(err)
		switch {
		case ok && f.Kind == fault.NotFound:
			return fault.InvalidField("paperIds", "PAPER_GONE", "所选证照不在本企业证照库中，请刷新后重新选择")
		case ok && f.Kind == fault.Conflict:
			return fault.InvalidField("paperIds", f.Code, f.Message)
		case err != nil:
			return fmt.Errorf("hand in paper %d: %w", p, err)
		}
	}
	return nil
}
