package message

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the outboxes that only open with a key.
func Sealed() secret.Keepers {
	var k secret.Keepers
	for _, c := range []carrier{{channel: SMS, table: "sms_messages"}, {channel: Wechat, table: "wechat_messages"}} {
		to := secret.Column{Table: c.table, Key: []string{"id"}, Name: "recipient", Place: secret.Fixed(c.place("recipient"))}
		if c.channel == SMS {
			to.Indexes = secret.PhoneIndexes("phone_blind", "")
		}
		k.Columns = append(k.Columns, to, secret.Column{Table: c.table, Key: []string{"id"}, Name: "params", Place: secret.Fixed(c.place("params"))})
	}
	return k
}
