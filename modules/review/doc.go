// Package review keeps the ready reasons with which reviewers send things back (退回原因).
//
// Each list belongs to one review: of companies, of changes of name, of institutions. Its owner gives the list with the
// reasons it begins with; afterwards operators add, change, order and retire them in the back office. A reason is never
// deleted: what was decided by it names it by its code. One that needs words is completed by the reviewer's own; the code
// "other" says nothing by itself.
//
// Tables: return_reasons. Needs: the lists. Announces nothing: a change is in the audit log and counts for the next decision.
package review
