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
//	draft ─submit→ submitted ─accept→ accepted ─progress→ in_progress ─complete→ completed                     services
//	                                                      in_progress ─approve→ approved ─disburse→ disbursed ─complete→ completed   financing
//	submitted, accepted, in_progress ─ask-supplement→ supplement ─supplement→ where it was
//	submitted, supplement, accepted, in_progress ─decline→ declined            with a reason
//	submitted, supplement, accepted, in_progress, approved ─withdraw→ withdrawn    by the company, before money or result
//
// The table is data in lifecycle.go; a test validates it. A submitted application must be accepted within AcceptHours on the
// clock; a supplement to one that is not accepted yet starts the hours anew.
//
// # Tables
//
// applications, application_drafts, application_files, application_numbers. The timeline is read from the events.
//
// # Needs
//
// Products tells what is publicly listed, Companies whether a company is verified, Institutions the telephone of an
// institution, Colleagues its operators, Contacts how a person is reached, Files ties uploads to applications. Phones are
// sealed with platform/secret. They are shown masked; an operator of the institution opens one by a command that is audited.
//
// # Announces
//
// Submitted, Accepted, Declined, Withdrawn, SupplementAsked, Supplemented, Progressed, Approved, Disbursed, Completed, HandedOver: see
// events.go. Drafts announce nothing.
package application
