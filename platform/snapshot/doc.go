// Package snapshot makes encrypted backup sets of an installation and restores them (requirement O4).
//
// A target is a folder:
//
//	TARGET/huiqi-20261127-023000Z/   one set
//	    manifest.json     what it is: parts, tables with row counts and row hashes, schema, program, time
//	    database.age      the database at one instant
//	    config.age        configuration, and what marks a demo
//	    files.jsonl       the files of that instant: where each lies in the pool, with its hashes
//	    SHA256SUMS        of the four above, in the form of sha256sum
//	    verified.json     written after the set was restored into a scratch place and found equal
//	TARGET/files/ab/<key>-<sum>.age  the pool: contents of files, each encrypted once and shared by sets
//
// Everything personal is encrypted with age for the recipients of the installation, whose identities are kept elsewhere.
// A set appears under its name whole or not at all: it is written beside it, made durable and renamed. Nothing is held in
// memory whole. Creating a set blocks no writer: SQLite is copied from a read transaction, PostgreSQL dumped from an
// exported snapshot, and the row hashes are taken of that same snapshot.
//
// Each set is also encrypted for one identity that exists only while it is made. With it the set is restored and compared
// at once, and afterwards nobody without the installation's identity can read it (decision 0025).
package snapshot
