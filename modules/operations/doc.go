// Package operations is what the person on duty works with (requirements O2, O3): the tasks of the clock and their history,
// the queue of background work, the rules of health with their incidents and alarms, and the daily 《系统健康状态报告》.
//
// # Words
//
// A check is a rule of health as code: it measures something, and two limits turn the figure into 正常, 注意 or 异常. The
// limits are the program's until an administrator sets others. An inspection (巡检) measures every check.
//
// An incident (异常事件) is the time from which a check was 异常 until it has been 正常 for a minute. Its beginning, each
// repeat while nobody has acknowledged it (已知悉), and its end are told to whoever holds operations.duty.
//
// A backlog is how much work of one kind waits in a module.
//
// # States of an incident
//
//	open ─acknowledge→ open, known ─→ closed
//	  └──────────────────────────────→ closed
//
// # Several processes
//
// Any process may inspect; the states are rows, changed in one transaction that locks them, so that an incident is opened,
// repeated and closed once. The inspection is a task of the scheduler; a guard in each process does it when the scheduler
// does not. An alarm is written in that transaction and not announced as an event: what is broken may be the events.
//
// # Tables
//
// health_states, health_incidents, health_reports, request_counts.
//
// # Needs
//
// Duty tells the people on duty; checks, backlogs and the figures of the report come from the modules that know, joined in
// server/wire_operations.go.
package operations
