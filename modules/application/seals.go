package application

import "github.com/huiqi/huiqi/platform/secret"

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{
		{Table: "applications", Key: []string{"id"}, Name: "phone_sealed", With: []string{"number"}, Place: func(r secret.Row) string { return phonePlace(r.Text("number")) },
			Indexes: secret.PhoneIndexes("phone_blind", "phone_tail")},
		{Table: "application_drafts", Key: []string{"user_id", "enterprise_id", "product_id"}, Name: "sealed", Place: func(r secret.Row) string {
			return (&draftRow{UserID: r.Int("user_id"), EnterpriseID: r.Int("enterprise_id"), ProductID: r.Int("product_id")}).place()
		}},
	}}
}
