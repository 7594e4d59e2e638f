//go:build unix

package snapshot

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps other makings out of the target until the function it returns is called; the end of the process frees it too.
func lock(target string) (func(), error) {
	f, err := os.OpenFile(filepath.Join(target, ".lock"), os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, ErrBusy.Wrap(err)
	}
	return func() { _ = f.Close() }, nil
}
