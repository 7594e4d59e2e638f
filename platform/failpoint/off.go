//go:build !failpoints

package failpoint

// On says whether this program has failpoints.
const On = false

// Hit does nothing in a program without failpoints.
func Hit(string) error { return nil }
