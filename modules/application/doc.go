// Package application is what a company does with a product of an institution: it applies, the institution takes the
// application on, works on it and tells the result (requirements D1, D2, thin D4).
//
// # Words
//
// An application (申请) is one company's request for one listed product (产品). It keeps the product as it was when the company
// applied: later changes of the product do not touch it. The applicant is the company; any person who acts for it may go on
// where a colleague left off. The institution's operators handle it; one of them may be its handler (经办人). A financing
// application lends money: it is approved with an amount, a rate and a term, and then paid out (放款).
//
// What somebody has typed and not sent is a draft (草稿): a sealed row of its own that only its writer reads. Sending it makes
// the application and drops the draft in the same transaction.
//
// # States
//
//	draft ─submit→ submitted ─accept→ accepted
//	accepted ─plan→ in_progress ─deliver→ delivered ─confirm, or its time passes→ completed     services; delivered ─object→ in_progress
//	accepted ─diligence→ in_progress ─approve→ approved ─disburse, in instalments→ disbursed ─complete→ completed   financing
//	submitted, accepted, in_progress ─ask-supplement→ supplement ─supplement→ where it was
//	submitted, supplement, accepted, in_progress ─decline→ declined            with a reason
//	submitted, supplement, accepted, in_progress, approved ─withdraw→ withdrawn    by the company, before money or result
//
// The table is data in lifecycle.go; a test validates it. One deadline runs at a time (due.go), in working days: to accept, to
// come to a result, to confirm. It stands still while the company is to supply something; a supplement to an application that
// is not accepted yet starts it anew. remind.go reminds of it and announces that it passed. The last step of the institution
// can be taken back (undo.go).
//
// # Tables
//
// applications, application_drafts, application_files, application_numbers, application_limits, application_diligence,
// application_payments, application_memory, application_answers (what was filled into the fields that administrators define). The timeline is read from the events.
//
// # Needs
//
// Products tells what is publicly listed, Companies whether a company is verified, Institutions the telephone of an
// institution, Colleagues its operators, Contacts how a person is reached, Files ties uploads to applications. Phones are
// sealed with platform/secret. They are shown masked; an operator of the institution opens one by a command that is audited.
//
// # Announces
//
// Submitted, Accepted, Declined, Withdrawn, SupplementAsked, Supplemented, Progressed, Planned, StepDone, Delivered, Objected,
// Investigated, Approved, Disbursed, Completed, HandedOver, DueWarned, Overdue, DueMoved, Undone, ExtraFilled: see events.go. Drafts announce nothing.
package application
