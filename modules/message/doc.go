// Package message is the message centre (requirements I1–I3): what people are told about their cases, and by which way.
//
// # Words
//
// A notice is what a listener wants one person to be told: a template, its values, where it leads. It becomes one message
// (站内消息) in that person's list, and letters: rows of the outbox of text messages and of the outbox of WeChat, as far as
// the template has such a form, the installation has the provider's template, and the person wants it. Everything is
// written in the transaction of the caller, so a person hears of a change exactly if it happened; nothing is sent while
// that transaction is open.
//
// A template is data (template.go): title, text, its form as a text message and in WeChat, its group (what a person can
// switch off) and whether it may come at night. Text messages that are not urgent wait in the quiet
// hours of the installation, 22:00 to 08:00 in Beijing unless it set others.
//
// # States of a letter
//
//	queued ─→ sending ─→ sent
//	             ├─→ refused   the provider's no, final; or it never left within its life
//	             ├─→ queued    nothing left: tried again
//	             └─→ unknown   the answer was lost: asked about, never sent again blindly
//	unknown ─→ sending ─→ sent, refused, queued (the provider has never had it), unknown
//	unknown ─release→ queued   a person has made sure that it did not arrive
//
// A text message is asked about by our id for a day. WeChat has no such question, but drops a repeat with the same id
// within ten minutes: within nine the repeat is the question, later the letter stays unknown until a person looks at it.
//
// # Tables
//
// messages, message_preferences, sms_messages, wechat_messages. Phones, open ids and what is sent are sealed.
//
// # Needs
//
// People tells how a person is reached; Sender and Poster are the providers.
//
// # Announces
//
// Released.
package message
