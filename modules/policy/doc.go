// Package policy is the library of policies, kept by people, and the answer to "which of them fit my company" (requirements
// F1, F3, F4, F6).
//
// # Words
//
// A policy (政策) is one published document: its text in numbered clauses, who issued it at which level, from when to when
// it takes applications (申报期) and until when it holds (有效期). Its conditions (申报条件) are a tree that platform/criteria
// reads; a policy may have none, and then only a person can say whom it fits.
//
// Matching (匹配) judges every policy that is in force and whose window is open or still to come, three-valued: fits
// (符合), may fit (待确认: information is missing, or a clause is for a human), nearly fits (接近), does not fit
// (不符合), and for a person to judge (需人工判定). Each condition says what it asks, what the company has, the gap, where
// that was learnt and which sentence of the policy asks it. What is not known stays not known.
//
// # States
//
//	draft ─publish→ published ─expire→ expired
//	draft, published ─revise→ same state, next version
//
// A published policy whose last day has passed counts as expired without anybody's doing.
//
// published ─withdraw→ draft takes a policy back from the public.
//
// People work on editions (edition.go): a policy says what its edition in force says, and at most one edition is being worked
// on. It is saved as one types, submitted, and released by somebody who did not edit it last. Example companies with the
// answers they must get, and the sentences that clauses quote, keep an edition from being published when they break.
//
// # Tables
//
// policies, and search_policy, its full text, kept by platform/search and written in the same transaction. policy_editions,
// policy_saves (who changed which parts of a draft), policy_examples; policy_subscriptions, policy_reminders. policy_runs (kept
// reverse matches), policy_verdicts (which policies fit which companies), policy_follow, policy_pushes with policy_push_items and
// policy_told, policy_answers with policy_answer_texts, policy_grants with policy_grant_items and policy_objections;
// policy_outcome_asked (which companies looked at how a policy fits them). Facts that were kept, evidence and who objected
// are sealed.
//
// # Needs
//
// Enterprises tells the facts of a company and its name. A person is only ever matched for the company they act for: no
// method for companies takes a company's id; example companies are made up. The schema of the facts comes with Deps. For
// editing: Drafter (the reader of texts), FactReader (made-up companies), Files; Reminding
// tells followers. Reach is what finding and telling companies needs: the register, consents, messages.
//
// # Announces
//
// Added, Published, Revised, Expired, Withdrawn, and of drafts Edited, Submitted, SentBack, Dropped, Exampled: see events.go.
// PushMoved, GrantMoved, Objected.
package policy
