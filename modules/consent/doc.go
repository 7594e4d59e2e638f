// Package consent keeps what companies allow the platform to do with what it knows of them (数据授权, requirement B2), and
// who has looked.
//
// # Words
//
// A purpose (用途) is what data are used for. For each there is a text (授权书) with versions: the groups of company fields it
// covers, for how long, and the words themselves. The SM3 digest (GB/T 32905-2016) is over the exact document a company
// reads, in UTF-8. A grant (授权) is one company's yes to one version: who gave it, when, by which channel and from which
// address. It ends when it is revoked, when it is renewed by a newer one, or at its date. A basis (法定依据) is a rule that
// lets a reader with a certain role read without consent, such as 法定职责. An access is one reading, allowed or refused.
//
// # Rules
//
// A version is published by another person than who wrote it, and never changes afterwards. Its number follows the order of
// coming into force. Whether grants of earlier versions hold on is a property of the new version: a material change ends
// their effect from the moment it comes into force, any other does not; both are asked again. A company's own people read
// their own company without consent. Everybody else reads with a grant that holds, or with a basis that names their role
// and the purpose; what they get is the groups that grant or basis covers. An access is written down before anything is read,
// also a refused one; a reading that cannot be written down does not happen.
//
// # Tables
//
// consent_texts, consent_grants, consent_bases, consent_accesses.
//
// # Needs
//
// Companies says who may sign for a company and what it is called; Readers names a reader's unit and roles.
//
// # Announces
//
// Granted, Revoked, Published, BasisChanged: see events.go.
package consent
