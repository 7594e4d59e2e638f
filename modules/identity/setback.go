package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// SetBack is told that the clock went back by so much: nothing that had ended begins again, and nothing lasts longer than
// it was given. Codes, captchas and trips to WeChat that are on their way end at once and are asked for anew; sessions that
// were over by the clock of before stay over, the others go on for as long as a new one at most.
func (s *Service) SetBack(ctx context.Context, by time.Duration) error {
	now := s.Clock.Now()
	was := now.Add(by)
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, t := range []struct {
			model any
			set   string
			where string
		}{
			{(*smsCode)(nil), "expires_at = ?0", "used_at IS NULL AND expires_at > ?0"},
			{(*captchaRow)(nil), "used_at = ?0", "used_at IS NULL AND expires_at > ?0"},
			{(*wechatState)(nil), "used_at = ?0", "used_at IS NULL AND expires_at > ?0"},
			{(*wechatPending)(nil), "expires_at = ?0", "expires_at > ?0"},
		} {
			if _, err := tx.NewUpdate().Model(t.model).Set(t.set, now).Where(t.where, now).Exec(ctx); err != nil {
				return err
			}
		}
		// a minute between two codes is one of the new clock
		if _, err := tx.NewUpdate().Model((*smsGuard)(nil)).Set("next = ?", now.Add(codeGap)).Where("next > ?", now.Add(codeGap)).Exec(ctx); err != nil {
			return err
		}
		for _, p := range []access.Party{access.Enterprise, access.Government, access.Institution, access.Platform} {
			life, idle := sessionLife(p)
			of := tx.NewSelect().Model((*user)(nil)).Column("id").Where("party = ?", p)
			if _, err := tx.NewUpdate().Model((*session)(nil)).Set("revoked_at = ?", now).
				Where("revoked_at IS NULL AND (expires_at <= ? OR seen_at < ?)", was, was.Add(-idle)).Where("user_id IN (?)", of).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewUpdate().Model((*session)(nil)).Set("seen_at = ?", now).Where("revoked_at IS NULL AND seen_at > ?", now).Where("user_id IN (?)", of).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewUpdate().Model((*session)(nil)).Set("expires_at = ?", now.Add(life)).Where("revoked_at IS NULL AND expires_at > ?", now.Add(life)).
				Where("user_id IN (?)", of).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the clock was set back: %w", err)
	}
	return nil
}
