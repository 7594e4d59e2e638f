// Package backup makes backup sets on schedule or on demand, has each restored and compared at once, copies it to a second
// place and tidies old ones away (requirement O4). How a set is made is platform/snapshot's business.
//
// Words: a run is one attempt to make a set; it is what the page lists. A set is what a run leaves in the target.
//
// States of a run: waiting → making → verifying → copying → done, or failed from any of them. Only a set that was restored
// into a scratch place and found equal is done. A run whose process died is failed after a minute; a failed run is tried
// again twice, a quarter of an hour apart.
//
// Table: backups. Needs: the installation as a snapshot.Source. Announces nothing; failures are in the audit log, and
// LastBackup tells the health rules how things stand.
//
// Sets are never handed out through the browser: who needs one fetches it from the target, and reads it with the identity
// that is kept elsewhere.
package backup
