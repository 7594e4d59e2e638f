// Package intake takes requests in where no page of ours is: from partners over Open311 GeoReport v2, from messages to the
// WeChat account, from e-mail.
//
// # Words
//
// A channel is one such way. A partner has a key (密钥) for the services it may report on; a service is a ticket type that the
// operator offers (开放), and may publish (公开): then everybody may read of the requests that partners made of it, never who
// made them. A talk is what a follower of the WeChat account writes until it is a ticket. A message (来件) is a mail, or a
// request of a partner whose requests are looked at first; it waits in the inbox until an agent makes it a ticket (转为工单),
// refuses it (不予受理) or puts it away as rubbish (垃圾).
//
//	message: pending → filed | declined | spam          joined: it belongs to a ticket already; ignored: a machine wrote it
//
// # What holds
//
// Whatever makes a ticket is written in the transaction of the ticket: a request, a talk or a message is a ticket once, or
// not yet, whatever ends in between. What comes twice is known by the sender's own mark: the MsgId of WeChat, Message-ID and
// digest of a mail, the Idempotency-Key of a partner.
//
// # Tables
//
// intake_keys, intake_services, intake_requests (the public side of tickets that partners brought, kept by a listener),
// intake_talks and intake_seen (WeChat), intake_messages, intake_mailboxes and intake_letters (mail, in and out).
//
// # Needs
//
// Desk opens tickets, names their types and tells how one stands; Files keeps what is attached; Accounts knows whose WeChat
// account it is; WechatLine and Mailer speak to the outside.
package intake
