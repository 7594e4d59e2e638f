// Package appraisal reckons how well the units handle what is asked of the district: the three rates (响应率, 解决率, 满意率),
// signing and answering in time, returns, evidence, and a ranking.
//
// # Words
//
// A case (考核件) is one dispatch of a ticket to one unit, from the dispatch to the judgement: closed, done again, given back
// or taken out of the books. It counts in the month in which it ended. Each case falls into one class for each rate; a
// formula (考核口径) says which classes count in the denominator and which of them in the numerator, what is left out
// altogether and why, and from which month on it holds. Figures name the formula they were reckoned with.
//
// A snapshot (月度快照) is the board of a month as it was frozen on the first day of the next. What changes after, such as an
// appeal that is granted, does not touch it: a correction is a new edition with its reason, and the old one stays.
//
// # Where the figures come from
//
// Cases are a fold over the events of a ticket (fold.go): a listener folds a ticket anew with each event that concerns it, and
// Rebuild folds all of them; both must come to the same.
//
// # Tables
//
// appraisal_cases, appraisal_formulas, appraisal_snapshots, appraisal_state.
//
// # Needs
//
// Units tells the tree of departments, Spans whether a unit signed and answered in time, Tickets which tickets a viewer may
// see. Announces Frozen.
package appraisal
