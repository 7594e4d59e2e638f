// Package demand is what companies look for and institutions offer for it: a company posts a need, matched institutions are invited,
// they quote, the company picks one, and what it picked becomes an application (requirement D3).
//
// # Words
//
// A demand (需求) is one company's need for a service of a kind, or for money. It stands in the public hall (需求大厅) once a reviewer of
// the platform has approved it, with the company's name or without. An invitation (邀请) tells an institution of a demand that fits a
// listed product of its own; why it was matched is kept. A quote (报价) is what one institution offers for one demand with a listed
// product of its own; it may be changed and withdrawn until one is picked (选定).
//
// # Who reads what
//
// The public reads what stands in the hall: no contact, no files, no number of quotes or of invitations, no name where the company
// keeps it back. An institution reads its own quote and never that another one is there. The contents of quotes are read by the two
// sides alone: staff of the district see who quoted and when.
//
// # States
//
//	draft ─submit→ review ─approve→ open ─pick→ picked
//	review ─return→ returned ─submit→ review        with reasons, in rounds
//	review ─recall→ draft
//	returned, open ─close→ closed                    by the company, with a reason
//	open ─expire→ expired                            when nobody quoted in time, or nobody picked
//
// Quotes are taken until a day; a quote is picked until some days later. A quote is live, withdrawn, picked, passed (another one was
// picked) or ended (the demand ended).
//
// # Tables
//
// demands, demand_quotes, demand_invitations, demand_files, demand_numbers. The course is read from the events. What a company typed is
// sealed: it holds a telephone number.
//
// # Needs
//
// Offers tells what is listed and what fits a company, Companies whether it is verified, Contacts how its person is reached, Applications
// makes the application in the transaction of the pick, Reviews what a review goes by, Files and Uploads keep files.
//
// # Announces
//
// Submitted, Recalled, Returned, Approved, ReviewOverdue, Invited, Uninvited, Quoted, QuoteWithdrawn, Unfit, QuotingOver, Picked,
// PassedOver, Closed, Expired, QuoteEnded: see events.go. Drafts announce nothing.
package demand
