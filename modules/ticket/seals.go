package ticket

import (
	"slices"

	"github.com/huiqi/huiqi/platform/secret"
)

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	query := secret.Index{Name: "query_hash", Make: func(b *secret.Box, r secret.Row, _ string) string {
		// The code that was told to the person stays theirs: only its hash moves to today's key.
		number, have := r.Text("number"), r.Text("query_hash")
		if code := toldCode(b, number, have); code != "" {
			return b.HashToken(number + ":" + code)
		}
		return ""
	}}
	return secret.Keepers{Columns: []secret.Column{{
		Table: "tickets", Key: []string{"id"}, Name: "phone_sealed", With: []string{"number"}, Place: func(r secret.Row) string { return phonePlace(r.Text("number")) },
		Indexes: append(secret.PhoneIndexes("phone_blind", "phone_tail"), query),
	}, {
		Table: "ticket_fields", Key: []string{"ticket_id", "key"}, Name: "sealed", Place: func(r secret.Row) string { return fieldPlace(r.Int("ticket_id"), r.Text("key")) },
	}, {
		Table: "ticket_drafts", Key: []string{"user_id"}, Name: "sealed", Place: func(r secret.Row) string { return draftPlace(r.Int("user_id")) },
	}}, Hashes: []secret.Hash{{Table: "ticket_arrivals", Name: "blind", Ends: "已导入工单的识别标记，换钥后旧标记不再用于识别重复行"},
		{Table: "ticket_judge_links", Name: "hash", Ends: "短信中的评价链接，换钥后尚未使用的旧链接失效，诉求人可拨打热线评价"}}}
}

// toldCode returns the query code of the ticket whose hash is kept, "" when no known key made it.
func toldCode(b *secret.Box, number, hash string) string {
	for _, mac := range b.MACs("ticket.query", number) {
		code := digits(mac)
		if slices.Contains(b.TokenHashes(number+":"+code), hash) {
			return code
		}
	}
	return ""
}
