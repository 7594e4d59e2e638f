// Package worktime reckons deadlines in working time. It is pure: what it needs is given, nothing is read or kept.
//
// A Calendar says when people work: several periods on each weekday, holidays, make-up working days (调休), and the years whose
// holidays it knows. A Budget says how much time there is, and Deadline says when it runs out, with the reckoning that a
// person can follow.
//
// # How time is counted
//
// Clock minutes run day and night. Working minutes run inside the periods only; a start outside of them counts from the next
// period, and what is used up with the last minute of a period ends there and not at the beginning of the next.
//
// Working days are counted as the Civil Code of the People's Republic of China counts days, articles 201 and 203: the day of
// the start is not counted, whatever its hour and whether it is a working day; day N ends with the last period of the Nth
// working day after it. Received on Thursday at 10:00 or at 20:00, one working day ends on Friday at 18:00; received on
// Saturday, on Monday at 18:00.
//
// A pause (挂起) stops the clock. The deadline moves so that the time that runs is the same as without the pause: clock time
// for clock minutes, working time for working minutes and working days. A pause over a holiday therefore moves nothing that
// is counted in working time.
package worktime
