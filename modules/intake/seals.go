package intake

import "github.com/huiqi/huiqi/platform/secret"

const openIDPlace = "intake.open_id"

// Sealed are the columns of the module that only open with a key, and the hashes of what partners hold.
func Sealed() secret.Keepers {
	return secret.Keepers{
		Columns: []secret.Column{
			{Table: "intake_requests", Key: []string{"id"}, Name: "contact", With: []string{"digest"}, Place: func(r secret.Row) string { return contactPlace(r.Text("digest")) }},
			{Table: "intake_talks", Key: []string{"id"}, Name: "open_id", Place: secret.Fixed(openIDPlace), Indexes: []secret.Index{{Name: "blind",
				Make: func(b *secret.Box, _ secret.Row, plain string) string { return b.Blind(talkPurpose, plain) }}}},
			{Table: "intake_messages", Key: []string{"id"}, Name: "sender", With: []string{"mark"}, Place: func(r secret.Row) string { return senderPlace(r.Text("mark")) },
				Indexes: []secret.Index{{Name: "blind", Make: func(b *secret.Box, r secret.Row, plain string) string {
					if r.Text("blind") == "" { // no mail
						return ""
					}
					return b.Blind("intake.sender", plain)
				}}}},
			{Table: "intake_letters", Key: []string{"id"}, Name: "recipient", With: []string{"mark"}, Place: func(r secret.Row) string { return letterPlace(r.Text("mark")) }},
		},
		Hashes: []secret.Hash{{Table: "intake_keys", Name: "hash", Live: "revoked_at IS NULL", Ends: "Open311 密钥，下次提交时自动换用新密钥；长期不用的请吊销后重新签发"}},
	}
}
