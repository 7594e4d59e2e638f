package identity

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/huiqi/huiqi/platform/secret"
)

// Where sealed text belongs.
const (
	phonePlace  = "users.phone"
	openIDPlace = "wechat.open_id"
)

// Sealed are the columns of the module that only open with a key, and the hashes of what people hold.
func Sealed() secret.Keepers {
	openID := []secret.Index{{Name: "blind", Make: func(b *secret.Box, r secret.Row, plain string) string {
		return b.Blind("wechat:"+r.Text("app"), plain)
	}}}
	return secret.Keepers{
		Columns: []secret.Column{
			{Table: "users", Key: []string{"id"}, Name: "phone", Place: secret.Fixed(phonePlace), Indexes: secret.PhoneIndexes("phone_blind", "phone_tail")},
			{Table: "wechat_accounts", Key: []string{"id"}, Name: "open_id", With: []string{"app"}, Place: secret.Fixed(openIDPlace), Indexes: openID},
			{Table: "wechat_pending", Key: []string{"visitor"}, Name: "open_id", With: []string{"app"}, Place: secret.Fixed(openIDPlace), Indexes: openID},
		},
		Hashes: []secret.Hash{
			{Table: "sessions", Name: "token_hash", Live: "revoked_at IS NULL AND expires_at > ?", Ends: "登录会话，最迟 30 天后全部到期"},
			{Table: "sms_codes", Name: "phone", Live: "used_at IS NULL AND expires_at > ?", Ends: "短信验证码，5 分钟后到期"},
			{Table: "wechat_states", Name: "state", Live: "used_at IS NULL AND expires_at > ?", Ends: "正在进行的微信登录，几分钟后到期"},
			{Table: "wechat_pending", Name: "visitor", Live: "expires_at > ?", Ends: "等待绑定的微信账号，一天内到期"},
		},
	}
}

// ErrForeignKeys is returned when the configured keys are not those of the database.
var ErrForeignKeys = errors.New("配置的密钥或算法与数据库中的数据不符，请检查 secrets 一节；更换密钥或算法请用 huiqi keys，不要直接修改")

// KeysFit returns ErrForeignKeys when the keys do not open and find the newest account. With other keys the program would
// write what nobody finds again.
func (s *Service) KeysFit(ctx context.Context) error {
	var u user
	err := s.DB.Read().NewSelect().Model(&u).Where("phone <> ''").OrderExpr("id DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	number, err := s.Box.Open(u.Phone, phonePlace)
	if err != nil || !slices.Contains(s.Box.Blinds("phone", string(number)), u.PhoneBlind) {
		return ErrForeignKeys
	}
	return nil
}
