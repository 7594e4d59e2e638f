// Package knowledge is what the desk knows: answers that were checked, with the policy or law they rest on.
//
// # Words
//
// An entry (知识条目) is one question with its answer. What it says is an edition (版本): editions are numbered, kept for
// good, and compared. The edition in force (现行版本) is what is found and put into answers; while a new one is written and
// reviewed, the old stays in force. An entry belongs to somebody (责任人) and to a unit (责任单位), who are told when it is
// said to be wrong (有误) or its time is over (待复核).
//
// # States
//
//	draft ─edit→ draft ─submit→ review ─publish→ published ─revise→ draft     (a new edition; the old stays in force)
//	review ─return→ draft                       (with what to mend)
//	draft ─discard→ published                   (the new edition is given up; only where one is in force)
//	published ─confirm→ published               (checked again: still right until a new day)
//	draft, review, published ─withdraw→ …       (nothing is in force any more; a published entry becomes withdrawn)
//	withdrawn ─revise→ draft
//
// Whoever wrote or submitted an edition may not publish it, and whoever wrote the one in force may not confirm it: a second
// person does (ErrOwnWork). That an entry's time is over follows from the clock when it is asked for; no job has to run.
//
// # Tables
//
// knowledge_entries (what is in force, or being written where nothing is), knowledge_editions, knowledge_units,
// knowledge_uses, knowledge_feedback, search_knowledge (the full text, kept by platform/search).
//
// # Needs
//
// Units names departments, Matters the ticket types, Tickets says whether the actor sees the ticket an answer was put into.
//
// # Announces
//
// Created, Edited, Submitted, Issued, Returned, Discarded, Confirmed, Withdrew, Revised, Reported, Settled: see events.go.
package knowledge
