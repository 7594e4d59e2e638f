// Package ticket is the service desk: what companies ask of the district, from the first word to the rating.
//
// # Words
//
// A ticket (工单) is one request of one requester. The desk (受理席) receives it, answers it itself or dispatches it to a
// unit (承办单位). Each dispatch is a hop: a row with its own state and clock. The ticket's state follows its lead hop.
// After the unit's reply (反馈) the desk calls the requester back (回访) and closes the ticket (办结), or has it done again (重办).
//
// # States
//
//	received ─answer→ answered ─close→ closed ─rate→ closed
//	received ─decline→ declined
//	received ─dispatch→ dispatched ─sign→ signed ─reply→ replied ─close→ closed
//	replied ─callback→ callback ─close→ closed        (a call that did not reach the requester)
//	replied, callback ─reopen→ dispatched             (done again, by the same unit)
//	received, dispatched ─void→ voided
//
// The table is data in lifecycle.go; a test validates it.
//
// # Tables
//
// tickets, ticket_hops, ticket_files, ticket_types, ticket_numbers, and search_ticket, the full text of tickets with phone and
// identity numbers masked, kept by platform/search in the transaction of the row. The timeline is read from the events of the ticket.
//
// # Needs
//
// Units tells the department tree, Requesters the contact of a signed-in person and the name of a company, Files ties an
// uploaded file to the ticket. Phones are sealed with platform/secret and never leave in clear except to the desk.
//
// # Announces
//
// Opened, Answered, Declined, Dispatched, Signed, Replied, CalledBack, Closed, Reopened, Voided, Rated: see events.go.
package ticket
