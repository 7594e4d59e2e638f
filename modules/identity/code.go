package identity

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/dchest/captcha"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Purpose is what a code is for; it works for nothing else.
type Purpose string

// The purposes of a code.
const (
	ForRegister     Purpose = "register"
	ForSignIn       Purpose = "login"
	ForSecondFactor Purpose = "second_factor"
	ForSigning      Purpose = "sign"
)

const (
	captchaLife  = 10 * time.Minute
	codeLife     = 5 * time.Minute
	codeAttempts = 5
)

// NewCaptcha makes a puzzle and returns its id.
func (s *Service) NewCaptcha(ctx context.Context) (string, error) {
	id := secret.Token()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&captchaRow{ID: id, Digits: secret.Digits(4), ExpiresAt: s.Clock.Now().Add(captchaLife)}).Exec(ctx)
		return err
	})
	return id, err
}

// Captcha renders a puzzle as a picture, or spoken when audio is set.
func (s *Service) Captcha(ctx context.Context, id string, audio bool) ([]byte, error) {
	var row captchaRow
	err := s.DB.Read().NewSelect().Model(&row).Where("id = ? AND used_at IS NULL AND expires_at > ?", id, s.Clock.Now()).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	digits := make([]byte, len(row.Digits))
	for i := range digits {
		digits[i] = row.Digits[i] - '0'
	}
	var b bytes.Buffer
	if audio {
		_, err = captcha.NewAudio(id, digits, "zh").WriteTo(&b)
	} else {
		_, err = captcha.NewImage(id, digits, 180, 60).WriteTo(&b)
	}
	return b.Bytes(), err
}

// spendCaptcha uses the puzzle up, right or wrong, in a transaction of its own.
func (s *Service) spendCaptcha(ctx context.Context, id, answer string) error {
	right := false
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		right = false
		now := s.Clock.Now()
		var row captchaRow
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
			if fault.KindOf(database.Found(err)) == fault.NotFound {
				return nil
			}
			return err
		}
		res, err := tx.NewUpdate().Model((*captchaRow)(nil)).Set("used_at = ?", now).Where("id = ? AND used_at IS NULL AND expires_at > ?", id, now).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		right = n == 1 && secret.Equal(row.Digits, answer)
		return err
	})
	if err == nil && !right {
		return ErrCaptcha
	}
	return err
}

// SolveCaptcha uses the puzzle up, right or wrong, for another module that asks one. It returns ErrCaptcha for a wrong answer.
func (s *Service) SolveCaptcha(ctx context.Context, id, answer string) error {
	return s.spendCaptcha(ctx, id, answer)
}

// SendCode asks for a code to be sent to a phone.
type SendCode struct {
	Phone         string
	Purpose       Purpose
	CaptchaID     string
	CaptchaAnswer string
}

// SendCode sends a code after the captcha was solved. The answer is the same whether the phone is registered or not. It
// returns ErrCaptcha, phone.ErrBad, ErrCodeTooSoon or ErrCodeTooMany; of any number of requests at once one sends.
func (s *Service) SendCode(ctx context.Context, actor access.Actor, cmd SendCode) (sentTo string, err error) {
	number, err := phone.Normalize(cmd.Phone)
	if err != nil {
		return "", err
	}
	if cmd.Purpose != ForRegister && cmd.Purpose != ForSignIn {
		return "", fault.InvalidField("purpose", "BAD_PURPOSE", "请从注册或登录页面获取验证码")
	}
	if err := s.spendCaptcha(ctx, cmd.CaptchaID, cmd.CaptchaAnswer); err != nil {
		return "", err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.sendCode(ctx, tx, actor, number, cmd.Purpose) })
	return text.MaskPhone(number), err
}

func (s *Service) sendCode(ctx context.Context, tx bun.Tx, actor access.Actor, number string, purpose Purpose) error {
	now := s.Clock.Now()
	blinds := s.Box.Blinds("phone", number)
	blind := blinds[0]
	if err := s.limit(ctx, tx, actor, blinds, purpose); err != nil {
		return err
	}
	code := secret.Digits(6)
	row := smsCode{Phone: blind, Purpose: string(purpose), IP: actor.IP, Device: s.visitor(actor), CreatedAt: now, ExpiresAt: now.Add(codeLife),
		Code: s.Box.MAC("sms-code", blind, string(purpose), code)}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return err
	}
	if err := audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.code", Object: "sms_code", ObjectID: row.ID,
		Summary: "发送短信验证码至 " + text.MaskPhone(number), Detail: map[string]string{"purpose": string(purpose)}}); err != nil {
		return err
	}
	return s.Texter.TextCode(ctx, tx, number, code)
}

// withCode runs fn in a transaction in which the code is used up. A wrong try is counted for good; when fn fails, the
// code is as good as before, with everything else undone.
func (s *Service) withCode(ctx context.Context, number string, purpose Purpose, code string, fn func(ctx context.Context, tx bun.Tx) error) error {
	var verdict error
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if verdict, err = s.checkCode(ctx, tx, number, purpose, code); err != nil || verdict != nil {
			return err // nil keeps the counted try
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return err
	}
	return verdict
}

func (s *Service) checkCode(ctx context.Context, tx bun.Tx, number string, purpose Purpose, code string) (verdict, err error) {
	now := s.Clock.Now()
	var row smsCode
	q := tx.NewSelect().Model(&row).Where("phone IN ? AND purpose = ?", bun.Tuple(s.Box.Blinds("phone", number)), string(purpose)).OrderExpr("id DESC").Limit(1)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	if err := database.Found(q.Scan(ctx)); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return ErrCodeWrong, nil
		}
		return nil, fmt.Errorf("read code: %w", err)
	}
	switch {
	case row.UsedAt != nil:
		verdict = ErrCodeUsed
	case row.Attempts >= codeAttempts:
		verdict = ErrCodeLocked
	case now.After(row.ExpiresAt):
		verdict = ErrCodeExpired
	case !s.Box.VerifyMAC(row.Code, "sms-code", row.Phone, string(purpose), code):
		verdict = ErrCodeWrong
		row.Attempts++
	default:
		row.UsedAt = &now
	}
	if _, err := tx.NewUpdate().Model(&row).Column("attempts", "used_at").WherePK().Exec(ctx); err != nil || verdict != nil {
		return verdict, err
	}
	// Whoever has read a code may have the next one at once; only unread ones must not pile up on a phone.
	return nil, hold(ctx, tx, s.Box.Blind("phone", number), now)
}
