package database

// Lock names an advisory lock of PostgreSQL that the processes of an installation share. Every one of them is listed here,
// so that no two purposes take the same number and wait for each other.
type Lock int64

// The locks. Processes of the release before and of this one run side by side during a rolling restart: a new lock goes to
// the end.
const (
	LockMigrate Lock = 72173 + iota // one process changes the schema
	LockPlace                       // one process gives events their positions
	LockPrepare                     // one process prepares the data that every installation needs
	LockIndex                       // the first key of two: writers share the full text of a kind, a rebuild holds it alone
	LockSeal                        // one process seals the audit log
	LockShip                        // one process ships the audit log
)
