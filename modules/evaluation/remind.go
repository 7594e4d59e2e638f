package evaluation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

const (
	linkPurpose = "evaluation"
	// LinkDays is how long the link of a reminder can be used.
	LinkDays = 14
	// remindWithin keeps services that ended long ago from being asked about when the rule changes.
	remindWithin = 30
	remindBatch  = 100
)

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{
		{Name: "evaluation.remind", Title: "提醒企业评价已结束的服务", Every: 15 * time.Minute, Run: s.Remind, Failure: "评价提醒没有发出；请查看失败原因，恢复后自动继续，不会重复提醒。"},
		{Name: "evaluation.forget_links", Title: "清理过期的短信链接", Cron: "20 3 * * *", Run: s.Links.Forget},
	}
}

// Remind sends each company whose service ended so many days ago and that said nothing since the link to evaluate it, once.
func (s *Service) Remind(ctx context.Context) error {
	if s.Texts == nil {
		return nil
	}
	r, err := rule(ctx, s.DB.Read(), 0)
	if err != nil || r.RemindDays == 0 {
		return err
	}
	sent := 0
	for {
		now := s.Clock.Now()
		due := now.AddDate(0, 0, -r.RemindDays)
		var rows []ended
		err := s.DB.Read().NewSelect().Model(&rows).Where("c.reminded_at IS NULL AND c.ended_at <= ? AND c.ended_at > ?", due, due.AddDate(0, 0, -remindWithin)).
			OrderExpr("c.ended_at, c.object, c.object_id").Limit(remindBatch).Scan(ctx)
		if err != nil || len(rows) == 0 {
			jobs.Note(ctx, "提醒 %d 家企业", sent)
			return err
		}
		for _, row := range rows {
			told, err := s.remind(ctx, row, now)
			if err != nil {
				return fmt.Errorf("remind of %s %d: %w", row.Object, row.ObjectID, err)
			}
			if told {
				sent++
			}
		}
	}
}

// remind marks the service as reminded of and, when nothing was said, sends the link in the same transaction.
func (s *Service) remind(ctx context.Context, row ended, now time.Time) (told bool, err error) {
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		told = false
		err := database.Changed(database.Run(ctx, tx, "UPDATE evaluation_cases SET reminded_at = ? WHERE object = ? AND object_id = ? AND reminded_at IS NULL", now, row.Object, row.ObjectID))
		if errors.Is(err, fault.ErrChanged) {
			return nil // another process was first
		}
		if err != nil {
			return err
		}
		if _, err := of(ctx, tx, row.Object, row.ObjectID, After); !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		subjects, ok := s.Subjects[row.Object]
		if !ok {
			return nil
		}
		subject, err := subjects.Subject(ctx, tx, access.SystemActor("evaluation.remind"), row.ObjectID)
		if err != nil || subject.Phase != After {
			if errors.Is(err, fault.ErrNotFound) {
				return nil
			}
			return err
		}
		phone, err := subjects.Mobile(ctx, tx, row.ObjectID)
		if err != nil || phone == "" {
			return err
		}
		token, err := s.Links.Make(ctx, tx, linkPurpose, row.Object, row.ObjectID, LinkDays)
		if err != nil {
			return err
		}
		told = true
		return s.Texts.Remind(ctx, tx, phone, subject.Title, token)
	})
	return told, err
}

// LinkView is what the page of a link shows: no names of people.
type LinkView struct {
	Number          string   `json:"number"`
	Title           string   `json:"title"`
	InstitutionName string   `json:"institutionName"`
	Form            FormView `json:"form"`
}

// AtLink returns what is evaluated with a link. It returns the faults of a link, and ErrGiven or ErrPhase when there is nothing to say.
func (s *Service) AtLink(ctx context.Context, actor access.Actor, token string) (LinkView, error) {
	link, err := s.Links.Find(ctx, actor, linkPurpose, token)
	if err != nil {
		return LinkView{}, err
	}
	db := s.DB.Read()
	subject, err := s.subject(ctx, db, access.SystemActor("evaluation.link"), link.Object, link.ObjectID)
	if err != nil {
		return LinkView{}, err
	}
	if subject.Phase == "" {
		return LinkView{}, ErrPhase
	}
	form, err := inForce(ctx, db, subject.Kind)
	return LinkView{subject.Number, subject.Title, subject.InstitutionName, form}, err
}

// GiveByLink keeps the word of whoever has the link, as Give keeps that of somebody who signed in. Of two at once one is kept.
func (s *Service) GiveByLink(ctx context.Context, actor access.Actor, token string, a Answer) error {
	link, err := s.Links.Find(ctx, actor, linkPurpose, token)
	if err != nil {
		return err
	}
	system := access.SystemActor("evaluation.link")
	system.IP = actor.IP
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		subject, err := s.subject(ctx, tx, system, link.Object, link.ObjectID)
		if err != nil {
			return err
		}
		if err := s.Links.Use(ctx, tx, link); err != nil {
			return err
		}
		_, err = s.give(ctx, tx, system, subject, a, true, s.Clock.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("evaluate %s %d by link: %w", link.Object, link.ObjectID, err)
	}
	return nil
}

func cursorOf(s string) (int64, error) { return text.Cursor(s) }

// comment is the evaluation as everybody may read it.
func (v *Evaluation) comment() Comment {
	words, _ := text.MaskNumbers(v.Words)
	reply, _ := text.MaskNumbers(v.Reply)
	return Comment{ID: v.ID, Level: v.Level, Label: v.Label, Phase: v.Phase, ProductName: v.Title, ProductID: v.ProductID, Company: maskCompany(v.EnterpriseName),
		Tags: tagsOf(v.Tags), Words: words, Reply: reply, GivenAt: v.GivenAt.UTC()}
}

// maskCompany keeps the first two characters of a name and says nothing of its length.
func maskCompany(name string) string {
	rs := []rune(name)
	return string(rs[:min(2, len(rs))]) + "****"
}
