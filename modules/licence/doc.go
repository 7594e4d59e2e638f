// Package licence keeps the papers of companies (证照库, requirement B1): uploaded once, used again where a paper is asked for.
//
// # Words
//
// A kind (证照种类) is data: its name, whether it expires, and how many days before its end its holders are reminded. A licence
// is one paper of one company: kind, number, who issued it, from and until when, and its pictures. A newer paper replaces an
// older one of its kind; the older stays with its pictures and what it was used for. A use is where a paper was handed in:
// whoever may see that may see the paper, also after it was replaced.
//
// # Who may
//
// The company's owner and members mandated for licences; others of the company see nothing. Staff see a paper only where it
// was handed in.
//
// # Tables
//
// licence_kinds, licences, licence_uses, licence_reminders.
//
// # Needs
//
// Companies says who may act for a company in this, Files keeps the pictures, Sees says who may see where a paper was used.
//
// # Announces
//
// Kept, Removed, Used, Expiring: see events.go.
package licence
