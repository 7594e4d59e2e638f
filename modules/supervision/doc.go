// Package supervision shows a supervisor how the desk stands, raises an alarm when the same thing is reported again and again,
// and writes the reports of day, week and month.
//
// # Words
//
// The wallboard (大屏) shows calls, seats, tickets and deadlines of this moment. A surge (突增) is the same matter from the same area
// within an hour, more often than the rule allows and than the same hours of the last weeks had; it raises one alarm, which is
// acknowledged (确认) by a person and lists its tickets. The rule is data. A report (日报, 周报, 月报) is made once, kept as it was, and
// sent to the supervisors; each figure says how it is reckoned.
//
// # Tables
//
// supervision_seen (each ticket received, by matter, area and time), supervision_rules, supervision_alarms, supervision_reports.
//
// # Needs
//
// Tickets, Calls and Seats tell how things stand; Names the matters and areas; Messages reach the supervisors.
//
// # Announces
//
// Surged (supervision.surged) of the object "surge".
package supervision
