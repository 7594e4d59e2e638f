// Package quality checks how the agents of the desk work: work is drawn by chance, scored against a scorecard by somebody else,
// and the agent may appeal once.
//
// # Words
//
// A work (业务) is what an agent did on a ticket: took it, answered it, called back. A draw (抽检) picks some works of each agent by
// the hash of a seed that is kept with it, so it can be done over and explained, and nobody can foresee it. A check (质检单) is one
// work that was drawn. A scorecard (评分表) is a list of items with points, and of faults that cost them all (一票否决); it is changed by
// a new version, and a check keeps the one it was scored by. An appeal (申诉) is decided by a third person.
//
// # States
//
// 待评分 → 已评分 → 申诉中 → 已复核, and 待评分 → 无法评分 with a reason. A score is final when nobody appealed in time.
//
// # Tables
//
// quality_works, quality_rules, quality_draws, quality_cards, quality_checks.
//
// # Needs
//
// Agents names those whose work is checked; Tickets tells titles as far as the viewer sees them; Messages tells people.
//
// # Announces
//
// Moved (quality.drawn, scored, appealed, decided, skipped) of the object "quality_check".
package quality
