// Package review keeps what the reviews of companies, products and institutions have in common: the ready reasons with which
// reviewers send things back (退回原因), and who reviews for a colleague on leave (委托审核).
//
// Each list of reasons belongs to one review: of companies, of changes of name, of institutions. Its owner gives the list with the
// reasons it begins with; afterwards operators add, change, order and retire them in the back office. A reason is never
// deleted: what was decided by it names it by its code. One that needs words is completed by the reviewer's own; the code
// "other" says nothing by itself.
//
// A delegation lends rights to review for some days, or until it is taken back. The modules that review ask Lent in the
// transaction of each decision, so that it ends at the moment it ends; what is done by a lent right names both people. Who may
// see nothing of what is reviewed borrows nothing, and who lost a right lends it no more.
//
// A hint (审核提示) is a text, a link or a picture that reviewers read in the window of a step, or that those whose matter is
// reviewed read where they fill it in and where it waits. Operators edit them by review, reader and step.
//
// Tables: return_reasons, review_delegations, review_hints. Needs: the lists, the kinds of review with their steps, the staff. Announces Delegated and
// DelegationEnded; a change of reasons is in the audit log and counts for the next decision.
package review
