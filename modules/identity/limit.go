package identity

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// How many codes are sent.
const (
	codeGap      = time.Minute
	hourLimit    = 5  // to one phone
	dayLimit     = 10 // to one phone
	addressLimit = 20 // an hour to one address
	deviceLimit  = 10 // an hour to one browser
)

// The faults of the limits that are not the phone's own.
var (
	ErrAddressTooMany = fault.New(fault.TooMany, "CODE_TOO_MANY_ADDRESS", "您所在的网络获取验证码过于频繁，请一小时后再试，或换一个网络")
	ErrDeviceTooMany  = fault.New(fault.TooMany, "CODE_TOO_MANY_DEVICE", "这台设备获取验证码过于频繁，请一小时后再试")
	ErrCodeBudget     = fault.New(fault.TooMany, "CODE_BUDGET", "今天发出的短信验证码已达上限，请明天再试，或联系平台工作人员")
)

// limit refuses a code that would be one too many for its phone, address, browser or day. The second factor of staff,
// who have shown a password before, is bound by the limits of the phone alone: many of them share an address, and a
// stranger who uses the others up must not lock them out.
func (s *Service) limit(ctx context.Context, tx bun.Tx, actor access.Actor, phone []string, purpose Purpose) error {
	now := s.Clock.Now()
	if free, err := guard(ctx, tx, phone[0], now); err != nil {
		return err
	} else if !free {
		return ErrCodeTooSoon.After(int(codeGap / time.Second))
	}
	if err := count(ctx, tx, "phone", phone, now.Add(-time.Hour), hourLimit, ErrCodeTooMany.After(3600)); err != nil {
		return err
	}
	if err := count(ctx, tx, "phone", phone, now.Add(-24*time.Hour), dayLimit, ErrCodeTooMany.After(24*3600)); err != nil {
		return err
	}
	if purpose != ForSecondFactor {
		// Always in this order, so that two requests never wait for each other.
		for _, l := range []struct {
			column, key string
			values      []string
			most        int
			full        *fault.Fault
		}{{"ip", "ip:", []string{actor.IP}, addressLimit, ErrAddressTooMany}, {"device", "device:", s.visitors(actor), deviceLimit, ErrDeviceTooMany}} {
			if l.values[0] == "" {
				continue
			}
			if err := hold(ctx, tx, l.key+l.values[0], now); err != nil {
				return err
			}
			if err := count(ctx, tx, l.column, l.values, now.Add(-time.Hour), l.most, l.full.After(3600)); err != nil {
				return err
			}
		}
	}
	return s.spend(ctx, tx, purpose, now)
}

// visitor is the browser's cookie as it may be kept.
func (s *Service) visitor(actor access.Actor) string { return s.visitors(actor)[0] }

// visitors are all forms in which the cookie may have been kept, today's first.
func (s *Service) visitors(actor access.Actor) []string {
	return s.Box.Blinds("visitor", actor.Visitor)
}

// guard lets one request for a code a minute pass, whatever number comes at once.
func guard(ctx context.Context, tx bun.Tx, phone string, now time.Time) (free bool, err error) {
	if _, err := tx.NewInsert().Model(&smsGuard{Phone: phone, Next: time.Unix(0, 0).UTC()}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return false, err
	}
	res, err := tx.NewUpdate().Model((*smsGuard)(nil)).Set("next = ?", now.Add(codeGap)).Where("phone = ? AND next <= ?", phone, now).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// hold takes the row of the key until the transaction ends: what is counted after it cannot change meanwhile.
func hold(ctx context.Context, tx bun.Tx, key string, now time.Time) error {
	_, err := tx.NewInsert().Model(&smsGuard{Phone: key, Next: now}).On("CONFLICT (phone) DO UPDATE").Set("next = EXCLUDED.next").Exec(ctx)
	return err
}

func count(ctx context.Context, tx bun.Tx, column string, values []string, since time.Time, most int, full error) error {
	q := tx.NewSelect().Model((*smsCode)(nil)).Where("? IN ? AND created_at > ?", bun.Ident(column), bun.Tuple(values), since)
	if column != "phone" {
		q = q.Where("purpose <> ?", string(ForSecondFactor))
	}
	n, err := q.Count(ctx)
	if err == nil && int(n) >= most {
		return full
	}
	return err
}

// spend takes one code from the budget of the day. It raises the alarm once at four fifths and once at the end of it.
func (s *Service) spend(ctx context.Context, tx bun.Tx, purpose Purpose, now time.Time) error {
	day := now.In(clock.Beijing).Format(time.DateOnly)
	var sent int64
	if err := tx.NewRaw("INSERT INTO sms_days (day, sent) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET sent = sms_days.sent + 1 RETURNING sent", day).Scan(ctx, &sent); err != nil {
		return err
	}
	budget := int64(s.CodesPerDay)
	if budget <= 0 {
		return nil
	}
	if sent > budget && purpose != ForSecondFactor {
		return ErrCodeBudget
	}
	switch sent {
	case budget:
		database.AfterCommit(tx, func() { s.Log.Error("the day's SMS codes are used up", "day", day, "sent", sent, "budget", budget) })
	case budget - budget/5:
		database.AfterCommit(tx, func() {
			s.Log.Warn("four fifths of the day's SMS codes are used", "day", day, "sent", sent, "budget", budget)
		})
	}
	return nil
}
