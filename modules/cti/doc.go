// Package cti is the seam to the telephone platform: three events of a call come in, and the seat concerned sees them at once.
//
// # Words
//
// The telephone platform tells of each call that it rings (来电), was answered (接通) and ended (挂机), and which key a
// requester pressed in a voice call-back (survey). Each event is one signed request (Standard Webhooks); what is older than five minutes is refused,
// and an event that comes again (the same call, event and extension) answers as the first time and changes nothing. A seat is
// named by its extension (分机). A call that rings without one waits in a queue.
//
// The events move the seat of the person (通话, 话后处理). The number is kept sealed, with a blind index and its tail; it is
// shown in clear to the seat while the call lasts. A ticket that the person opens during the call, or shortly after it, has the call
// attached. A recording is a link to a host of an allow-list; to follow it takes a right and is logged. The list of nuisance
// callers (骚扰来电) warns on the screen, and never refuses by itself.
//
// # Tables
//
// cti_calls, cti_events, cti_extensions, cti_surveys, cti_nuisance.
//
// # Needs
//
// Seats changes the state of a seat; Callers says who calls, as far as the asker may know; Tickets says whether a ticket may be
// seen; Surveys, which may be missing, takes the results of voice call-backs.
//
// # Announces
//
// LineChanged (cti.line_changed) of the object "line", whose id is the person's: something is new on their telephone. Nobody
// else is told.
package cti
