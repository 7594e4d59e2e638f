// Package seat keeps who sits at the desk, in what state, and who is meant to sit there when.
//
// # Words
//
// A seat (坐席) is a person who holds seat.sit and signed in at the desk. It is free (空闲), on a call (通话), finishing one
// (话后处理), on a break (小休), away with a reason (离席) or off (离线). Each change ends a spell and begins another: spells with
// their lengths are what the figures are reckoned from. An open page says again and again that it is there; a seat whose page
// has been silent for Lease goes off by itself, and counts as off from that moment whoever asks.
//
// A skill is a matter (a type of ticket or a group of types) that a person is trained for. A person without any takes every
// matter. A team (班组) has a leader and members; a shift (班次) has a team work from and to on a day. A change of a shift says
// its reason. Hours in which the desk is open and too few people are on are gaps.
//
// # Tables
//
// seats, seat_spells, seat_skills, seat_teams, seat_members, seat_shifts, seat_shift_changes, seat_hours.
//
// # Needs
//
// People names those who hold a right; Matters lists what one can be trained for.
//
// # Announces
//
// Changed (seat.changed) for each change of state, of the object "seat", whose id is the person's; Rostered (seat.rostered).
package seat
