// Package failpoint lets a test end or disturb the program at one exact place (reliability plan F-01, F-04, F-05).
//
// It works only in a program linked with -X github.com/huiqi/huiqi/platform/failpoint.linked=yes; in any other Hit does nothing.
// The environment says what happens where:
//
//	FAILPOINT=backup.page:3:kill,database.commit:1:error
//
// A rule is name:n:action: at the n-th time the place is reached. Actions: kill ends the process as kill -9 does, error
// makes Hit return ErrHit, panic panics.
//
// The places: database.before-commit, database.after-commit (committed, the caller not yet answered),
// database.migration-step (a step's changes made, not yet recorded), database.migration-commit (step and record
// committed), intake.report-kept, intake.talk-filing, intake.mail-kept (taken in, not yet
// written), intake.report-filed (committed, not yet answered), exchange.claimed (a delivery is ours, not yet sent),
// exchange.answered (the partner has answered, not yet recorded), snapshot.page, snapshot.before-rename, snapshot.after-rename, restore.database (restored, not yet checked),
// restore.aside (the old directory moved away, the new one not yet in place).
package failpoint

import "errors"

// ErrHit is what Hit returns for the action error.
var ErrHit = errors.New("failpoint")
