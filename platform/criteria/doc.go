// Package criteria reads the conditions of a policy as a tree, holds them against what is known of an enterprise, and says
// for each clause what it asks, what the enterprise has, how far apart they are and where that was learnt.
//
// # Conditions
//
// A condition is JSON: a group or a clause.
//
//	{"all": [ … ]}                         every item holds
//	{"any": [ … ]}                         one item holds
//	{"not": { … }}                         the item does not hold
//	{"atLeast": {"k": 2, "of": [ … ]}}     k items hold
//	{"field": "employees", "op": "gte", "value": 20, "unit": "人", "label": "从业人员", "quote": "从业人员20人以上"}
//
// The operators, by the kind of field (以上, 不低于 and 达到 include the bound: gte; 超过 and 高于 exclude it: gt; likewise
// 以下 and 不超过 are lte, 不足 and 低于 are lt):
//
//	Count, Money, Ratio   eq ne gt gte lt lte between; ratio_gte with "of" compares field ÷ of
//	Date                  eq ne gt gte lt lte between, years_since_gte (满), years_since_lte (不超过), years_since_lt (不满)
//	Category              eq ne in under (a code below another in its hierarchy)
//	Flag                  eq ne
//	Holdings              has (held and valid on the day of judging), notOn (not held)
//	any, or no field      human: no data can decide it
//
// A between takes "ends", "[]" when left out; "(" and ")" leave that bound out. has and notOn ask for the day of judging, with
// "on" for that day, with "within" for the last so many years: has then for what was obtained in them, notOn for what was
// not held at any time of them. "quote" is the sentence a clause rests on and "span" its place in the text, in characters.
//
// "years" and "over" ask what single years had: of the last so many full years before the day of judging each ("each"), one
// ("any"), their mean ("mean") or their sum ("total"). A year that is not known leaves the clause open unless the others
// decide it.
//
// Years count whole years to the day of judging. Amounts carry their unit (元, 万元, 亿元; %, ‰), are kept as scaled
// integers, never as floating point, and are shown in the largest unit that loses nothing.
//
// # Three values
//
// A clause is true, false or unknown, or needs a human; groups combine them after Kleene, a human clause counting as
// unknown. So what is decided stays decided whatever else becomes known. Unknown always says why. A category may be known
// only as a set of possible codes: in is then true when the whole set is inside, false when none is, unknown otherwise.
// Likewise a date known only as a span decides what every day of the span decides.
//
// # Many enterprises
//
// Evaluate judges one enterprise and says why. Columns judges all of them at once and says which: it keeps the facts field by
// field, as bitmaps of codes and titles and as numbers cut into buckets, and comes to the same decisions.
package criteria
