package demand

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Save asks to keep what was typed: a new draft without an ID, in place of what was kept before with one.
type Save struct {
	Ref
	Typed
}

// Save keeps a draft and returns it. A demand that is with the reviewers, or public, is not changed (ErrState); what is wrong is
// said when it is submitted.
func (s *Service) Save(ctx context.Context, actor access.Actor, cmd Save) (View, error) {
	if err := poster(actor); err != nil {
		return View{}, err
	}
	if err := cmd.bound(); err != nil {
		return View{}, err
	}
	request := cmd
	request.FileIDs = nil // a form without scripts sends them anew with each click
	if cmd.ID != 0 {
		err := s.change(ctx, actor, "save", "保存需求草稿", cmd.Ref, request, func(d *Demand) bool { return mine(actor, d) },
			func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
				if d.State != Draft && d.State != SentBack {
					return nil, ErrState.With("需求当前为“%s”，不能修改，请刷新后查看", d.State.Label())
				}
				return nil, s.write(ctx, tx, actor, d, cmd.Typed, now)
			})
		if err != nil {
			return View{}, err
		}
		return s.Get(ctx, actor, cmd.ID)
	}
	now := s.Clock.Now()
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "demand.draft", Key: cmd.Key, Request: request, Now: now}, func() (int64, error) {
			return s.begin(ctx, tx, actor, cmd.Typed, now)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("draft a demand: %w", err)
	}
	return s.Get(ctx, actor, id)
}

// maxDrafts bounds what a company leaves behind.
const maxDrafts = 50

func (s *Service) begin(ctx context.Context, tx bun.Tx, actor access.Actor, t Typed, now time.Time) (int64, error) {
	drafts, err := tx.NewSelect().Model((*Demand)(nil)).Where("d.enterprise_id = ? AND d.state = ?", actor.EnterpriseID, Draft).Count(ctx)
	if err != nil {
		return 0, err
	}
	if drafts >= maxDrafts {
		return 0, ErrMany.With("贵企业的需求草稿已达 %d 件，请先删除不再需要的草稿", maxDrafts)
	}
	company, err := s.Companies.Brief(ctx, tx, actor.EnterpriseID)
	if err != nil {
		return 0, err
	}
	d := &Demand{State: Draft, Version: 1, EnterpriseID: actor.EnterpriseID, EnterpriseName: company.Name, UserID: actor.UserID, CreatedAt: now}
	serial := now.In(clock.Beijing).Format("20060102")
	n, err := database.NextOfDay(ctx, tx, "demand_numbers", serial)
	if err != nil {
		return 0, fmt.Errorf("number a demand: %w", err)
	}
	d.Number = fmt.Sprintf("XQ%s-%06d", serial, n)
	if err := database.Insert(ctx, tx, d); err != nil {
		return 0, err
	}
	if err := s.write(ctx, tx, actor, d, t, now); err != nil {
		return 0, err
	}
	if err := save(ctx, tx, d); err != nil {
		return 0, err
	}
	return d.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "demand.draft", Object: Object, ObjectID: d.ID, Summary: "开始填写需求 " + d.Number})
}

// write puts what was typed into a draft.
func (s *Service) write(ctx context.Context, tx bun.Tx, actor access.Actor, d *Demand, t Typed, now time.Time) error {
	if err := s.tie(ctx, tx, actor, d.ID, 0, t.FileIDs); err != nil {
		return err
	}
	d.SavedAt = now
	if d.State == Draft {
		d.UserID = actor.UserID
		d.Title = cut(t.Title, maxTitle)
		d.Kind, d.KindName, d.Lends = "", "", false
		for _, k := range s.Kinds {
			if k.Code == t.Kind {
				d.Kind, d.KindName, d.Lends = k.Code, k.Name, k.Lends
			}
		}
	}
	return s.seal(d, t)
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// tie makes these the files of a demand, or of a quote: new ones are claimed, those left out are put aside.
func (s *Service) tie(ctx context.Context, tx bun.Tx, actor access.Actor, demandID, quoteID int64, files []int64) error {
	var rows []fileRow
	if err := tx.NewSelect().Model(&rows).Where("f.demand_id = ? AND f.quote_id = ?", demandID, quoteID).OrderExpr("f.id").Scan(ctx); err != nil {
		return err
	}
	kept := map[int64]bool{}
	for _, r := range rows {
		kept[r.FileID] = true
		if gone := !slices.Contains(files, r.FileID); gone != r.Gone {
			if _, err := database.Run(ctx, tx, "UPDATE demand_files SET gone = ? WHERE id = ?", gone, r.ID); err != nil {
				return err
			}
		}
	}
	for _, f := range files {
		if kept[f] {
			continue
		}
		kept[f] = true
		r := &fileRow{DemandID: demandID, QuoteID: quoteID, FileID: f}
		if err := database.Insert(ctx, tx, r); err != nil {
			return err
		}
		err := s.Files.Claim(ctx, tx, actor, f, ObjectFile, r.ID)
		if fault.KindOf(err) == fault.NotFound {
			return fault.InvalidField("fileIds", "FILE_GONE", "有附件不存在或不是您上传的，请重新上传")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Submit asks to send what was saved to the reviewers.
func (s *Service) Submit(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	if err := poster(actor); err != nil {
		return View{}, err
	}
	err := s.change(ctx, actor, "submit", "提交需求", ref, ref, func(d *Demand) bool { return mine(actor, d) },
		func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
			company, err := s.Companies.Brief(ctx, tx, actor.EnterpriseID)
			if err != nil {
				return nil, err
			}
			if !company.Verified {
				return nil, ErrUnverified
			}
			open, err := tx.NewSelect().Model((*Demand)(nil)).Where("d.enterprise_id = ? AND d.state IN (?, ?)", actor.EnterpriseID, Review, Open).Count(ctx)
			if err != nil {
				return nil, err
			}
			if open >= maxOpen {
				return nil, ErrMany
			}
			due, err := s.Reviews.ReviewDue(ctx, tx, now)
			if err != nil {
				return nil, fmt.Errorf("time limit of the review: %w", err)
			}
			if err := d.Submit(now, due); err != nil {
				return nil, err
			}
			t, err := s.typed(d)
			if err != nil {
				return nil, err
			}
			number, err := d.fill(t, s.Kinds, now)
			if err != nil {
				return nil, err
			}
			name, phone, err := s.Contacts.Contact(ctx, tx, actor.UserID)
			if err != nil {
				return nil, err
			}
			if d.ContactName == "" {
				d.ContactName = name
			}
			if number == "" {
				if number, err = telephone(phone); err != nil {
					return nil, err
				}
			}
			d.EnterpriseName, d.UserID = company.Name, actor.UserID
			d.PhoneSealed = s.Box.Seal([]byte(number), phonePlace(d.Number))
			return &Submitted{Round: d.Round, DueAt: due.UTC()}, nil
		})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, ref.ID)
}

// Recall takes a demand back from the reviewers, to be changed.
func (s *Service) Recall(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	if err := poster(actor); err != nil {
		return View{}, err
	}
	err := s.change(ctx, actor, "recall", "撤回需求", ref, ref, func(d *Demand) bool { return mine(actor, d) },
		func(_ context.Context, _ bun.Tx, d *Demand, _ time.Time) (event.Fact, error) {
			return &Recalled{}, d.Recall()
		})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, ref.ID)
}

// Discard forgets a draft that was never submitted.
func (s *Service) Discard(ctx context.Context, actor access.Actor, ref Ref) error {
	if err := poster(actor); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "demand.discard", Key: ref.Key, Request: ref, Now: now}, func() (bool, error) {
			d, err := s.hold(ctx, tx, actor, ref.ID)
			if err != nil {
				return false, err
			}
			if d.Version != ref.Version {
				return false, stale(d)
			}
			if d.State != Draft || d.Round > 0 {
				return false, ErrState.With("只能删除没有提交过的草稿，提交过的需求请在审核结束后关闭")
			}
			if _, err := database.Run(ctx, tx, "UPDATE demand_files SET gone = ? WHERE demand_id = ?", true, d.ID); err != nil {
				return false, err
			}
			if _, err := database.Run(ctx, tx, "DELETE FROM demands WHERE id = ?", d.ID); err != nil {
				return false, err
			}
			return true, s.book(ctx, tx, actor, now, d, "discard", "删除需求草稿", nil)
		})
		return err
	})
}

// Close asks to end a demand that is not wanted any more.
type Close struct {
	Ref
	Reason string
}

// Close ends a demand that was returned or stands open. Its quotes end with it and their institutions are told.
func (s *Service) Close(ctx context.Context, actor access.Actor, cmd Close) (View, error) {
	if err := poster(actor); err != nil {
		return View{}, err
	}
	why, err := words("reason", "关闭原因", cmd.Reason, 2, 200)
	if err != nil {
		return View{}, err
	}
	err = s.change(ctx, actor, "close", "关闭需求", cmd.Ref, cmd, func(d *Demand) bool { return mine(actor, d) },
		func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
			if err := d.Close(now, why); err != nil {
				return nil, err
			}
			_, err := s.endQuotes(ctx, tx, actor, d, now)
			return &Closed{Reason: why}, err
		})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// endQuotes ends the quotes that stand, because the demand ended without a pick, and announces each.
func (s *Service) endQuotes(ctx context.Context, tx bun.Tx, actor access.Actor, d *Demand, now time.Time) (int, error) {
	var live []Quote
	if err := tx.NewSelect().Model(&live).Where("q.demand_id = ? AND q.state = ?", d.ID, Live).OrderExpr("q.id").Scan(ctx); err != nil {
		return 0, err
	}
	for i := range live {
		if err := settle(ctx, tx, &live[i], Over); err != nil {
			return 0, err
		}
		if _, err := event.Append(ctx, tx, actor, now, QuoteEnded{d.head(), live[i].offerer()}); err != nil {
			return 0, err
		}
	}
	return len(live), nil
}

// settle writes the last state of a quote that stands.
func settle(ctx context.Context, tx bun.Tx, q *Quote, to QuoteState) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE demand_quotes SET state = ?, version = version + 1 WHERE id = ? AND state = ? AND version = ?", to, q.ID, Live, q.Version))
	if errors.Is(err, fault.ErrChanged) {
		return ErrQuoteStale
	}
	q.State = to
	q.Version++
	return err
}
