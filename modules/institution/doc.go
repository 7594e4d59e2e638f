// Package institution keeps the service institutions of the platform: banks, law firms, agencies and the like, whose
// operators publish products.
//
// # Words
//
// An institution (机构) is active or suspended (暂停服务). While it is suspended its products are not shown and its operators
// cannot submit any. A qualification (资质) is the permit it works under, with the day it ends.
//
// # Tables
//
// institutions.
//
// # Needs
//
// Nobody. Hooks.Changed lets the catalogue follow a change of name or state in the same transaction.
//
// # Announces
//
// Opened, Edited, Paused, Resumed: see events.go.
package institution
