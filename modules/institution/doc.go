// Package institution keeps the service institutions of the platform: banks, law firms, agencies and the like, whose
// operators publish products.
//
// # Words
//
// An institution (机构) is active or suspended (暂停服务). While it is suspended its products are not shown and its operators
// cannot submit any. A qualification (资质) is the permit it works under, with the day it ends; its people and those who
// manage institutions are reminded 30 and 7 days before and on the day.
//
// A person applies for 入驻 on the portal with particulars and documents (执照与许可). The application is kept as it is typed,
// sent, and decided by an operator in rounds (提交): each keeps what was sent, and what had changed since the one before. On
// approval the institution and the account of its administrator come into being in one transaction; the applicant becomes
// the administrator, who keeps the accounts of the institution's own operators.
//
// # States of an application
//
//	draft ── submit ──► waiting ── approve ──► approved
//	                    │  ▲   └── refuse ───► refused
//	              return▼  │submit
//	                  returned
//
// A person has one open application, and a credit code one that waits. Nobody decides their own. A round is due in the
// time of Deps.Desk; the reviewers are told once when it is past.
//
// # Tables
//
// institutions, institution_applications, institution_documents, institution_rounds, institution_reminders.
//
// # Needs
//
// Files that keep documents, a Desk that reckons the time of a review, Accounts that make applicants administrators, and
// Operators that keep the accounts of an institution's people. Hooks.Changed lets the catalogue follow a change of name or
// state in the same transaction.
//
// # Announces
//
// Opened, Edited, Paused, Resumed, Expiring, and of an application OnboardingSubmitted, OnboardingReturned,
// OnboardingApproved, OnboardingRefused, OnboardingOverdue: see events.go.
package institution
