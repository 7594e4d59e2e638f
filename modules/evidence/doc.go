// Package evidence is what shows that a service was given, and what the government thinks of it (requirement D6).
//
// # Words
//
// A case (件) is a piece of service of another module, an application today. Both sides lay files beside it as evidence (佐证), each for an
// item of the checklist of its kind of service, or for none. What one side gives is for both, or for its own side and the government
// only. A checklist (佐证清单) says what is wanted of which side; what is missing is shown and hinders nothing.
//
// An assessment (政府评估) scores a case by a card, for the institution or for the operator of the platform, with a comment. There is one of
// each for a case; done again, it replaces what was there, and the audit log keeps both.
//
// # Tables
//
// evidence_lists and evidence_cards (versions), evidence_pieces, evidence_assessments.
//
// # Needs
//
// Cases tells what may be seen, Files keeps uploads. Record sections come from those who have something to say.
//
// # Announces
//
// Added, Assessed: see events.go.
package evidence
