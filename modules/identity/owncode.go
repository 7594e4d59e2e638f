package identity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// SendOwnCode sends a code to the phone of the actor's own account, for a step that a session alone does not suffice for. It
// returns the masked phone, and ErrCodeTooSoon or ErrCodeTooMany as every code does.
func (s *Service) SendOwnCode(ctx context.Context, actor access.Actor) (sentTo string, err error) {
	number, err := s.ownPhone(ctx, actor)
	if err != nil {
		return "", err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.sendCode(ctx, tx, actor, number, ForSigning) })
	return text.MaskPhone(number), err
}

// WithOwnCode runs fn in the transaction in which the code that SendOwnCode sent is used up. A wrong try is counted for good; when fn
// fails, the code is as good as before.
func (s *Service) WithOwnCode(ctx context.Context, actor access.Actor, code string, fn func(ctx context.Context, tx bun.Tx) error) error {
	number, err := s.ownPhone(ctx, actor)
	if err != nil {
		return err
	}
	return s.withCode(ctx, number, ForSigning, code, fn)
}

func (s *Service) ownPhone(ctx context.Context, actor access.Actor) (string, error) {
	if actor.UserID == 0 {
		return "", fault.ErrUnauthorized
	}
	var u user
	if err := database.Found(s.DB.Read().NewSelect().Model(&u).Where("id = ? AND disabled_at IS NULL", actor.UserID).Scan(ctx)); err != nil {
		return "", err
	}
	number, err := s.Box.Open(u.Phone, phonePlace)
	return string(number), err
}
