package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// asked is a version a company was asked for by a message: once.
type asked struct {
	bun.BaseModel `bun:"table:consent_asked,alias:q"`

	EnterpriseID int64     `bun:"enterprise_id,pk"`
	TextID       int64     `bun:"text_id,pk"`
	At           time.Time `bun:"at,notnull"`
}

// AskedAgain is announced when a company that agreed to an earlier version is asked for the one in force. Void says that its
// grant no longer holds.
type AskedAgain struct {
	EnterpriseID int64   `json:"enterpriseId"`
	Purpose      string  `json:"purpose"`
	PurposeName  string  `json:"purposeName"`
	TextNo       int     `json:"textNo"`
	Void         bool    `json:"void"`
	UserIDs      []int64 `json:"userIds"` // who may sign for it
}

// Event names the fact.
func (f AskedAgain) Event() (string, string, int64) {
	return "consent.asked_again", Object, f.EnterpriseID
}

// askBatch is how many companies one transaction asks.
const askBatch = 200

// AskAgain announces the companies whose standing grant is of an earlier version than the one in force, each once for each
// version; one that skipped versions is asked for the newest. Only the system may; run again it announces nothing anew.
func (s *Service) AskAgain(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	n := 0
	for _, p := range Purposes() {
		now := s.clock.Now()
		t, err := inForce(ctx, s.db.Read(), p.Code, now)
		if fault.KindOf(err) == fault.NotFound || err == nil && t.No == 1 {
			continue
		}
		if err != nil {
			return n, err
		}
		lowest, err := floor(ctx, s.db.Read(), p.Code, now)
		if err != nil {
			return n, err
		}
		for after := int64(0); ; {
			ids, told, err := s.askBatch(ctx, actor, p, t, lowest, after)
			if err != nil {
				return n, fmt.Errorf("ask again for %s version %d: %w", p.Code, t.No, err)
			}
			n += told
			if len(ids) < askBatch {
				break
			}
			after = ids[len(ids)-1]
		}
	}
	return n, nil
}

func (s *Service) askBatch(ctx context.Context, actor access.Actor, p Purpose, t *Text, lowest int, after int64) (ids []int64, told int, err error) {
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		told = 0
		var grants []Grant
		err := tx.NewSelect().Model(&grants).Where("g.purpose = ? AND g.text_no < ? AND g.enterprise_id > ? AND g.ended_at IS NULL", p.Code, t.No, after).
			Where("g.until IS NULL OR g.until > ?", now).
			Where("NOT EXISTS (SELECT 1 FROM consent_asked AS q WHERE q.enterprise_id = g.enterprise_id AND q.text_id = ?)", t.ID).
			OrderExpr("g.enterprise_id").Limit(askBatch).Scan(ctx)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, g := range grants {
			ids = append(ids, g.EnterpriseID)
			res, err := tx.NewInsert().Model(&asked{EnterpriseID: g.EnterpriseID, TextID: t.ID, At: now}).On("CONFLICT DO NOTHING").Exec(ctx)
			if err != nil {
				return err
			}
			if rows, err := res.RowsAffected(); err != nil || rows == 0 { // another process was faster
				if err != nil {
					return err
				}
				continue
			}
			people, err := s.companies.Signers(ctx, tx, g.EnterpriseID)
			if err != nil {
				return err
			}
			if len(people) == 0 {
				continue
			}
			fact := AskedAgain{EnterpriseID: g.EnterpriseID, Purpose: p.Code, PurposeName: p.Name, TextNo: t.No, Void: g.TextNo < lowest, UserIDs: people}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return err
			}
			told++
		}
		return nil
	})
	return ids, told, err
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "consent.ask_again", Title: "授权书更新后提醒企业", Every: 10 * time.Minute, Timeout: 10 * time.Minute,
		Failure: "授权书更新的提醒没有发出。请查看服务日志中的原因，处理后在“定时任务”重新执行；提醒不会重复发送。",
		Run: func(ctx context.Context) error {
			n, err := s.AskAgain(ctx, access.SystemActor("job:consent.ask_again"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 家企业", n)
			}
			return err
		}}}
}
