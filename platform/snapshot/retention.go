package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// Retention is how many sets stay: the newest of each of so many days, weeks and months that have one.
type Retention struct{ Daily, Weekly, Monthly int }

// young is how long every verified set stays, so that one made by hand before an upgrade is not tidied away the same day.
const young = 24 * time.Hour

// Keep says of each set, newest first as List gives them, why it stays; a set that is not in the map goes. Only verified sets
// fill a day, a week or a month. The newest set and the newest verified one always stay.
func (r Retention) Keep(sets []*Set, now time.Time) map[string]string {
	keep := map[string]string{}
	slots := []struct {
		why  string
		left int
		of   func(t time.Time) string
	}{
		{"每日", r.Daily, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{"每周", r.Weekly, func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, "-", w) }},
		{"每月", r.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	taken := map[string]bool{}
	verified := false
	for i, s := range sets {
		name := s.Name()
		if s.Verified == nil {
			if !verified { // newer than every verified one
				keep[name] = "最新"
			}
			continue
		}
		at := s.Manifest.At.In(clock.Beijing)
		switch {
		case !verified || i == 0:
			keep[name] = "最新"
		case now.Sub(s.Manifest.At) < young:
			keep[name] = "24 小时内"
		}
		verified = true
		for n := range slots {
			slot := slots[n].why + slots[n].of(at)
			if taken[slot] || slots[n].left == 0 {
				continue
			}
			taken[slot] = true
			slots[n].left--
			if keep[name] == "" {
				keep[name] = slots[n].why
			}
		}
	}
	return keep
}

// Apply removes the sets of the target that are not kept, and the files of the pool that no set needs any more. It returns
// the names of the sets removed.
func (r Retention) Apply(target string, now time.Time) ([]string, error) {
	unlock, err := lock(target)
	if err != nil {
		return nil, err
	}
	defer unlock()
	sets, broken, err := List(target)
	if err != nil {
		return nil, err
	}
	keep := r.Keep(sets, now)
	var removed []string
	var left []*Set
	for _, s := range sets {
		if keep[s.Name()] != "" {
			left = append(left, s)
			continue
		}
		// Under another name first: half a set must never look like one.
		gone := filepath.Join(target, partPrefix+s.Name())
		if err := os.Rename(s.Dir, gone); err != nil {
			return removed, err
		}
		removed = append(removed, s.Name())
		if err := os.RemoveAll(gone); err != nil {
			return removed, err
		}
	}
	if len(broken) > 0 {
		return removed, nil // what a set that cannot be read needs is not known
	}
	return removed, clearPool(target, left, now.Add(-young))
}

// clearOrphans removes the files of the pool that no set needs, however new. The target is locked: nobody is storing there.
func clearOrphans(target string) error {
	sets, broken, err := List(target)
	if err != nil || len(broken) > 0 {
		return err // what a set that cannot be read needs is not known
	}
	return clearPool(target, sets, time.Now().Add(young))
}

// clearPool removes the files stored before a time that none of the sets needs.

func clearPool(target string, sets []*Set, before time.Time) error {
	needed := map[string]bool{}
	for _, s := range sets {
		if err := s.eachFile(func(e fileEntry) error {
			if !e.Missing {
				needed[filepath.Base(pooled(target, e))] = true
			}
			return nil
		}); err != nil {
			return nil // what it needs is not known
		}
	}
	return filepath.WalkDir(filepath.Join(target, poolName), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || needed[d.Name()] {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		if !strings.HasSuffix(d.Name(), ".age") && !strings.HasSuffix(d.Name(), ".tmp") || !info.ModTime().Before(before) {
			return nil
		}
		return os.Remove(path) // #nosec G122 -- the folder of sets is ours alone
	})
}
