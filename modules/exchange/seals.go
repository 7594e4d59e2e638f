package exchange

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the module that only open with a key, and the hashes of what partners hold.
func Sealed() secret.Keepers {
	return secret.Keepers{
		Columns: []secret.Column{{
			Table: "exchange_partners", Key: []string{"id"}, Name: "secret", With: []string{"code"},
			Place: func(r secret.Row) string { return secretPlace(r.Text("code")) },
		}},
		Hashes: []secret.Hash{{Table: "exchange_keys", Name: "hash", Live: "revoked_at IS NULL", Ends: "对接方的接口密钥，下次调用时自动换用新密钥；长期不调用的请撤销后重新签发"}},
	}
}
