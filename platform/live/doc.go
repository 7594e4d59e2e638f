// Package live tells open pages at once that something they show has changed.
//
// A page holds one stream. What comes on it names an object, its id and its version, and nothing else: the page fetches
// what it wants to show by the ways that check who asks. Even so no stream ever names an object that its actor cannot
// see: each kind of object brings its own say about that (Audience), and a kind that has none is never told of.
//
// One reader in each process follows the positions of the event table and hands each change to every stream that may have
// it. A page that comes back says which position it had last, and gets what it missed from the same table, from any
// process; nothing is kept for it meanwhile. A page that was away too long, or that does not read, is told to fetch all it
// shows anew (resync) and costs nothing more.
//
// What ends a stream: the client, the process, a session that ended, rights that changed, too many streams of a session.
package live
