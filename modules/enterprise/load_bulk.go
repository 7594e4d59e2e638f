package enterprise

import (
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
)

// LoadTables are the tables that a Teller writes. The full text is made afterwards, by search.Rebuild.
var LoadTables = []string{"enterprises", "enterprise_members", "enterprise_verifications", "enterprise_facts"}

// Teller adds companies in a bulk load, as Load would.
type Teller struct{ load *bulk.Load }

// NewTeller makes the teller of a load.
func NewTeller(l *bulk.Load) *Teller { return &Teller{load: l} }

// NextID gives out the id of a company before it is told, for its people's accounts.
func (t *Teller) NextID() int64 { return t.load.NextID("enterprises") }

// Tell writes the company with the id. Its members' accounts act for it already.
func (t *Teller) Tell(actor access.Actor, id int64, k Known) error {
	e := Enterprise{ID: id, Name: k.Name, Verification: Unverified, Version: 1, CreatedAt: k.At}
	role := Owner
	var owner int64
	for _, user := range k.Members {
		if err := t.load.Add(&member{EnterpriseID: id, UserID: user, Role: role, JoinedAt: &k.At}); err != nil {
			return err
		}
		if role == Owner {
			owner, role = user, Member
		}
	}
	seq, summary := int64(1), loadedSummary
	first := Registered{ID: id, Name: e.Name, OwnerID: owner}
	if k.Verified {
		a := loadedAttempt(id, owner, k)
		a.ID = t.load.NextID("enterprise_verifications")
		if err := t.load.Add(&a); err != nil {
			return err
		}
		if err := e.verify(k.At, k.Claim); err != nil {
			return err
		}
		e.Version++
		summary = loadedVerifiedSummary
		if err := t.load.Announce(actor, k.At, seq, first); err != nil {
			return err
		}
		seq++
		last := WasVerified{Head: Head{ID: id, Name: e.Name, UserID: owner, By: byRegistry}, CreditCode: k.CreditCode}
		if err := t.load.Tell(actor, k.At, seq, last, loadedRecord(id, summary)); err != nil {
			return err
		}
	} else if err := t.load.Tell(actor, k.At, seq, first, loadedRecord(id, summary)); err != nil {
		return err
	}
	for _, f := range k.Facts {
		f.ID, f.EnterpriseID, f.RecordedAt = t.load.NextID("enterprise_facts"), id, k.At
		if err := t.load.Add(&f); err != nil {
			return err
		}
	}
	return t.load.Add(&e)
}

// loadedAttempt is how a company that was known already had been verified.
func loadedAttempt(id, owner int64, k Known) Attempt {
	a := Attempt{EnterpriseID: id, UserID: owner, Kind: byRegistry, Name: k.Name, CreditCode: k.CreditCode, LegalPerson: k.LegalPerson,
		Outcome: Asking, Version: 1, AskedAt: k.At}
	a.settle(k.At, Agreed, "found=true name=true person=true status=存续")
	return a
}
