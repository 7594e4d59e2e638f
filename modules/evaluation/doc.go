// Package evaluation is what a company says of a service it was given, and what comes of it (requirement D5).
//
// # Words
//
// A subject (评价对象) is a piece of service of another module, an application today: what it is, who gave it, who was given it, and
// which phase it is in. The company's people evaluate it once during the service and once after it, each with a level of five,
// opinion tags (意见标签) and words. A form (评价表) says what is asked at each level: label, prompt, tags, whether words are needed;
// a kind of service may have its own. Forms and the rule (评价规则) are data in versions.
//
// An evaluation is given anew once (改评); what was said first is kept. The institution replies once, and may change its reply until
// the company has read it. What abuses (攻击、隐私、不实、广告) is reported; an operator hides its words, and only two persons make its
// level not count.
//
// # Ranking
//
// Institutions are ranked by a Bayesian mean: the mean of their levels and, as if given so many times more, that of the district.
// An evaluation during the service counts while there is none after it. Fewer than the least number are not ranked. The numbers are
// those of the rule in force; docs/decisions/0140 says why.
//
// # Tables
//
// evaluation_forms, evaluation_rules, evaluations, evaluation_firsts, evaluation_reports, evaluation_cases (services that ended, for
// the reminder and the share that was evaluated).
//
// # Needs
//
// Subjects tells what is evaluated and how the person asked is reached, Texts sends the link of the reminder.
//
// # Announces
//
// Given, Revised, Replied, Reported, Decided: see events.go.
package evaluation
