// Package enterprise keeps the companies: who acts for them, whether they are what they say (B1), and what is known of
// them (B3, B4).
//
// # Words
//
// Registering opens an unverified company. Its owner claims a name, a credit code and a legal person; the claim is held
// against the company registry, or, when the registry gives no answer, against a licence by a person (人工审核). Each try is
// an attempt, a row that stays. A verified credit code belongs to one company only: whoever claims it afterwards asks its
// owner to let them join (加入申请), and may take a refusal to the operator. A fact is one value of one field with its source
// and its day; facts are added, never changed.
//
// # States
//
//	unverified, returned ─registry agrees→ verified
//	unverified, returned ─licence sent→ pending ─approved→ verified
//	                                    pending ─returned→ returned
//	verified ─changed→ verified
//
// A verified company takes another name or legal person by an attempt of its own kind (change.go): the registry is asked, and
// where it does not agree the same attempt waits for a person. What it was registered as stays (names.go), and the names it had
// (曾用名) are found.
//
// An attempt begins as asking and ends with an outcome (verification.go). The registry is asked outside any transaction:
// the row is written before and settled after, so a crash in between is seen and the same key asks again.
//
// # Tables
//
// enterprises, enterprise_names, enterprise_members, enterprise_verifications, enterprise_joins, enterprise_facts, and an index of
// names; enterprise_extra_fields and enterprise_extra_values (what administrators ask beside, extra.go); enterprise_size_editions
// and enterprise_size_drafts (thresholds, size.go, size_draft.go); enterprise_reports (credit reports, report.go); and of tags
// enterprise_tag_editions, enterprise_tag_drafts, enterprise_tagged, enterprise_tag_walks (tag.go, tag_hold.go, tag_task.go).
//
// # Needs
//
// Consents says what a reader may read of a company, Registry is the company registry (nil where there is none), People how a person is reached, Accounts switches the company
// a person acts for, Files keeps licences.
//
// # Announces
//
// Registered, Verified, Refused, Pending about the company; JoinAsked, JoinDisputed, JoinAdmitted, JoinRefused about a
// request to join: see events.go; WasChanged, IsChanging, WasNotChanged about a change of name or legal person: see change.go; TagChanged about a tag:
// see tag.go.
package enterprise
