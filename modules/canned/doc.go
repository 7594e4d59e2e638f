// Package canned keeps the phrases that people write again and again (常用语).
//
// A phrase belongs to a person (个人), to a unit (单位) or to the desk (平台): the first is its owner's alone, the others are
// read by all of the unit (and those below it) or by the desk, and written by whoever of them holds canned.share. A phrase
// has a category, and a code by which it is typed as “/code”. Its text may name what a ticket fills in ({{工单号}} and the
// like, see Placeholders). Everybody finds those they use most first.
//
// Tables: canned_replies, canned_uses. Needs: Tickets, which tells of a ticket what the placeholders need, as far as the
// actor may see it. Announces nothing: a phrase is nobody else's business. Changes of shared ones are in the audit log.
package canned
