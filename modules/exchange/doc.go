// Package exchange gives the district's events to outside systems (requirements L1 thin, L2, L3): it pushes them, signed and
// in order, and lets partners pull them with a key.
//
// # Words
//
// A partner (对接方) is an outside system. It subscribes to topics (事件) and gets the fields that were allowed to it, names
// masked unless allowed, phones never. A delivery (推送记录) is one event for one partner: its body is made when the event is
// read and stays as it is, whatever changes later. The deliveries of one object to one partner are a stream; the first of
// them that is not settled is its head.
//
// # States
//
//	queued → sending → delivered
//	sending → failed → sending            (again after a pause)
//	sending → dead                        (the partner refuses the content, or a day of trying is over)
//	queued, failed, dead → skipped        (a named person, with a reason)
//	failed, dead, delivered → queued      (pushed again by a named person)
//	kept                                  (the partner only pulls)
//
// Only heads are sent, so a partner meets the events of one object in order; other objects are not held up, and a dead head
// stops its own stream only. next_at is set on heads alone: it is when the head may be sent, and while it is sent, when
// another worker may take it over. Everything that makes a row a head or ends that does so under the lock of its partner's row.
//
// The row is the truth. A job (exchange.pump) only wakes somebody to look; Run wakes again whatever is due, each second.
// What the partner gets twice has the same id and the same bytes.
//
// # Tables
//
// exchange_partners, exchange_deliveries, exchange_attempts, exchange_keys, exchange_calls, exchange_usage.
//
// # Needs
//
// Pusher encodes events and carries them. Topics and fields are told at the wiring: the module knows no other module.
// The secret is sealed, keys are kept as keyed hashes; both are shown once.
//
// # Announces
//
// exchange.stopped when a delivery dies, once per partner until its dead are pushed again or skipped; exchange.down when a
// partner took none of several pushes in a row, once until it is back. What people do is in the audit log.
package exchange
