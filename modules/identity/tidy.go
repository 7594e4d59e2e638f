package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/jobs"
)

// Tasks are what the module does by the clock.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "identity.tidy", Title: "清理过期的验证码、会话与登录记录", Every: 10 * time.Minute, Run: s.Tidy}}
}

// Tidy removes what has served its purpose: captchas and trips to WeChat an hour after their end, codes once no limit
// counts them, guards that guard nothing, and sessions a quarter of a year after their end. What was done with them stays
// in the audit log.
func (s *Service) Tidy(ctx context.Context) error {
	now := s.Clock.Now()
	hour, codes, quarter := now.Add(-time.Hour), now.Add(-25*time.Hour), now.AddDate(0, -3, 0)
	for _, t := range []struct {
		name  string
		model any
		where string
		at    time.Time
	}{
		{"captchas", (*captchaRow)(nil), "expires_at < ?", hour},
		{"codes", (*smsCode)(nil), "created_at < ?", codes},
		{"guards", (*smsGuard)(nil), "next < ?", hour},
		{"trips", (*wechatState)(nil), "expires_at < ?", hour},
		{"pending", (*wechatPending)(nil), "expires_at < ?", now},
		{"sessions", (*session)(nil), "expires_at < ?", quarter},
	} {
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model(t.model).Where(t.where, t.at).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("tidy %s: %w", t.name, err)
		}
	}
	return nil
}
