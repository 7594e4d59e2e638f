// Package calendar keeps the district's working calendar: when people work, which days are off and which are worked in
// exchange (调休). Deadlines in working time are reckoned with it by platform/worktime.
//
// # Words
//
// A version (版本) is a calendar as a whole: periods of the weekdays, exceptions by day, and the years whose holidays are
// known. One version is in force. A change is made in a draft (草稿), of which there is one at most; before it is published,
// a preview shows the deadlines that it moves.
//
// # States of a version
//
// draft → published → superseded. A version that was published never changes: an old deadline can be explained by the one it
// was reckoned with.
//
// # Table
//
// calendar_versions.
//
// # Needs
//
// Deadlines: whoever has deadlines shows which of them a version moves, and puts the version in force in the transaction in
// which it is published.
package calendar
