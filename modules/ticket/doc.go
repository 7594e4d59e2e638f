// Package ticket is the service desk: what companies ask of the district, from the first word to the rating.
//
// # Words
//
// A ticket (工单) is one request of one requester. The desk (受理席) receives it, answers it itself or dispatches it to a
// unit (承办单位). Each dispatch is a hop: a row with its own state and clock. The ticket's state follows its lead hop.
// After the unit's reply (反馈) the desk calls the requester back (回访) and closes the ticket (办结), or has it done again (重办).
//
// Beside the lead hop, which carries the ticket, stand co-handlers (协办) and tasks (任务), below it the units the work was passed
// on to (转办). Whoever passes on stays responsible and answers for the whole (首接负责). A unit may ask to give a hop back (退单),
// for more time (延期), or appeal against a bad call-back (申诉): rows on a hop, decided by the level that dispatched.
//
// # States
//
// The table is data in lifecycle.go, validated when the program loads; docs/ticket-lifecycle.md is drawn from it. In short:
//
//	received → answered → closed → archived
//	received → dispatched → signed → replied (→ reviewed) (→ callback) → closed → archived
//	signed ⇄ suspended          waits for the requester
//	replied … callback → dispatched   done again
//	received, dispatched, signed ⇄ merged    handled as part of another ticket, answered with it; its own units rest
//	… → declined, voided
//
// The last step may be undone by graded authority (undo.go).
//
// # Clocks
//
// A clock measures one span of a ticket against a budget: public (办理时限) from receipt to answer, sign and handle of a
// dispatch, urge from a reminder to its answer. Clocks are a fold over the facts of the ticket, in the transaction of each
// (clock.go); their deadlines are reckoned by platform/worktime, and the deadlines of the rows of ticket and hop are kept
// equal to them. Budgets and the ladder after a breach are data (clock_rules.go). Tasks warn, announce breaches, climb the
// ladder, and move deadlines when another calendar comes into force (clock_due.go).
//
// # Call-backs, evidence, timed closing
//
// Each reply that may be told puts the ticket into the queue of call-backs (callback.go), one row per ticket and round, also for
// those merged into another. Attempts, the share that is called and the script are data by type; whoever hears the requester
// first, an agent, the automatic call or the requester's own rating, settles it. A type may ask for evidence with a reply
// (evidence.go), judged in the review. Rules of timed closing (expire.go) end or take back what nobody goes on with; each act
// is done once and can be undone.
//
// A requester without an account judges a reply once by the link of a text message (judge.go); that counts as the call-back.
//
// # Areas
//
// A ticket lies in a street or town (area.go): chosen, or read from its words, and corrected by colleagues beside the work on it.
//
// # Tables
//
// tickets, ticket_hops, ticket_requests, ticket_links, ticket_memory (what a ticket was before its last step), ticket_files, ticket_clocks, ticket_budgets,
// ticket_types, ticket_numbers, ticket_forms (the own fields of a type, each version kept), ticket_fields (what was filled in; personal values sealed),
// ticket_schemes and ticket_categories (where the codes of types come from), ticket_type_places (what a type was filed under, and when), ticket_decline_reasons, ticket_hints (hints.go), ticket_arrivals (imported lines), ticket_query_tries,
// ticket_holders and ticket_turns (who works on what, claim.go, assign.go), ticket_views and ticket_view_defaults (views.go), ticket_bulks
// and ticket_bulk_rows (bulk.go), ticket_notes, ticket_note_readers and ticket_tags (notes.go), ticket_presence (presence.go), ticket_drafts
// (claim_direct.go), ticket_callbacks, ticket_callback_attempts, ticket_callback_plans, ticket_judge_links, ticket_evidence, ticket_evidence_rules, ticket_expire_rules,
// ticket_expire_acts, and search_ticket, the full text of tickets with phone and identity numbers masked, kept by
// platform/search in the transaction of the row. The timeline is read from the events of the ticket.
//
// # Needs
//
// Areas tells the streets and towns, Units the department tree, Requesters the contact of a signed-in person and the name of a company, Files ties an
// uploaded file to the ticket. People names colleagues and Seats who is ready. Calendars gives the working calendar by the number of its version. Phones are sealed with platform/secret and never leave in clear except to the desk.
//
// # Announces
//
// Opened, Answered, Declined, Dispatched, Signed, Replied, CalledBack, Closed, Reopened, Voided, Rated (events.go); Suspended,
// Resumed, ExtensionAsked, ExtensionDecided (events_hold.go); Classified (classify.go); ClockWarned,
// Held, Noted, Tagged, Located (claim.go, notes.go, area.go: requesters see none of them); ClockBreached, Urged, UrgeAnswered, Instructed, DeadlineMoved (clock_events.go); and what goes on between units (events_hop.go).
package ticket
