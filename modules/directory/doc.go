// Package directory says which unit handles what (派单目录): matter × area → unit.
//
// # Words
//
// A line (目录项) is one matter in one area: a ticket type, or a group of them, in a street or town, or in the whole district.
// A version (版本) of it names the unit that leads (主办), those that help (协办), from when and until when, why, and on what
// basis. A change makes a new version; the old one stays with the day it ended, so that what was valid when a ticket was
// dispatched can be told for good. A version begins now or later, never in the past: what was right yesterday is not
// rewritten. One that has not begun may be taken back.
//
// # The suggestion
//
// For a type and an area the narrowest valid line counts: the type in the area, the type in the district, then the groups the
// type stands in, each in the area and in the district. Where no line is valid, experience speaks: the units the type was
// dispatched to most in the last ninety days and that did not return it, and it is labelled as such.
//
// # Tables
//
// directory_lines (with the version number that settles two changes at once), directory_versions, directory_dispatches (each
// dispatch with what had been suggested, written by a listener on ticket.dispatched).
//
// # Needs
//
// Units names departments, Matters the ticket types and their groups, Areas the streets and towns.
//
// # Announces
//
// Changed, Ended, TakenBack.
package directory
