// Package sandbox stands in for the outside systems: SMS provider, WeChat, company registry, mail server, virus scanner and partner. It
// speaks their real protocols, checks the real signatures, answers the real error codes, and can be told to be slow, to
// fail, to refuse, to cut the line, to do its work and lose the answer, or to answer nonsense.
//
// Everything it was told survives kill and restart: it is kept in sandbox.db under Options.DataDir. Every address begins
// with /sandbox/, so that the product can hand that prefix on to this process in a demo. It has no sign-in and must never
// be reachable in production; the product's server refuses to start with it there.
//
// Addresses of the protocols:
//
//	/sandbox/sms/                        Aliyun Dysmsapi RPC: SendSms, QuerySendDetails
//	/sandbox/wechat/…                    cgi-bin, sns and connect as WeChat has them
//	/sandbox/registry/v1/…               the protocol of package registry
//	/sandbox/partner/{name}/events       Standard Webhooks receiver
//	SMTP on Options.SMTPListen, IMAP on Options.IMAPListen: the mailbox that people write to
//	clamd (PING, VERSION, INSTREAM) on Options.ClamdListen; it finds the EICAR test file
//
// For people: /sandbox/, /sandbox/phone, /sandbox/mailbox, /sandbox/registry, /sandbox/partner, /sandbox/scanner. For tests: /sandbox/api/….
package sandbox
