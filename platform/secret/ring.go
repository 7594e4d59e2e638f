package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// State is what a key of a ring is used for.
type State string

// The states of a key, in the order of its life.
const (
	Ready   State = "ready"   // known to every process, seals nothing yet
	Active  State = "active"  // seals; one key does
	Old     State = "old"     // opens and finds what it wrote, until everything is written anew
	Retired State = "retired" // checks signatures only
)

// RingKey is one root of a ring.
type RingKey struct {
	ID        string    `yaml:"id"`
	Suite     Suite     `yaml:"suite"`
	State     State     `yaml:"state"`
	Key       string    `yaml:"key"`
	CreatedAt time.Time `yaml:"created_at"`
	// Founding marks the key the installation began with.
	Founding bool `yaml:"founding,omitempty"`
}

// String hides the key.
func (k RingKey) String() string {
	return fmt.Sprintf("secret.RingKey{%s %s %s}", k.ID, k.Suite, k.State)
}

// GoString is String, so that %#v does not print keys.
func (k RingKey) GoString() string { return k.String() }

// Ring is a file of root keys: one seals, the others open what they once sealed.
type Ring struct {
	List []RingKey `yaml:"keys"`
}

// NewRing begins a ring with the key of an installation that had only one.
func NewRing(id string, suite Suite, key string, now time.Time) Ring {
	return Ring{List: []RingKey{{ID: id, Suite: suite, State: Active, Key: key, CreatedAt: now.UTC(), Founding: true}}}
}

// ReadRing reads a ring. It refuses a file that others than its owner can read, and one whose keys cannot be used.
func ReadRing(path string) (Ring, error) {
	var r Ring
	// #nosec G304 -- the file the operator names
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return r, fmt.Errorf("%s can be read by others; run chmod 600 on it", filepath.Base(path))
	}
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("%s is not a file of keys", filepath.Base(path)) // the cause may quote a key
	}
	_, err = r.Keys()
	return r, err
}

// Keys returns what New needs. It returns an error for a ring that cannot be used.
func (r Ring) Keys() (Keys, error) {
	k := Keys{Keys: map[string][]byte{}, Suites: map[string]Suite{}, Retired: map[string]bool{}}
	for _, e := range r.List {
		root, err := ParseKey(e.Key)
		if err != nil {
			return k, fmt.Errorf("key %q: %w", e.ID, err)
		}
		if k.Keys[e.ID] != nil {
			return k, fmt.Errorf("key %q appears twice", e.ID)
		}
		k.Keys[e.ID], k.Suites[e.ID] = root, e.Suite
		switch e.State {
		case Active:
			if k.Current != "" {
				return k, errors.New("two keys are active")
			}
			k.Current, k.Suite = e.ID, e.Suite
		case Retired:
			k.Retired[e.ID] = true
		case Ready, Old:
		default:
			return k, fmt.Errorf("key %q: unknown state %q", e.ID, e.State)
		}
		if e.Founding {
			k.Founding = e.ID
		}
	}
	if k.Founding == "" && len(r.List) > 0 {
		// The founding key was taken out of the file: no key is without its id any more.
		k.Founding = "-"
	}
	_, err := newKeySet(k)
	return k, err
}

// Find returns the key with the id.
func (r Ring) Find(id string) (RingKey, bool) {
	i := slices.IndexFunc(r.List, func(k RingKey) bool { return k.ID == id })
	if i < 0 {
		return RingKey{}, false
	}
	return r.List[i], true
}

// Add draws a new key, which seals nothing before Activate, and returns it.
func (r *Ring) Add(suite Suite, now time.Time) (RingKey, error) {
	if _, err := newHash(suite); err != nil {
		return RingKey{}, err
	}
	highest := 0
	for _, k := range r.List {
		if n, err := strconv.Atoi(strings.TrimPrefix(k.ID, "k")); err == nil {
			highest = max(highest, n)
		}
	}
	k := RingKey{ID: "k" + strconv.Itoa(highest+1), Suite: suite, State: Ready, Key: NewKey(), CreatedAt: now.UTC().Truncate(time.Second)}
	r.List = append(r.List, k)
	return k, nil
}

// The faults of changing a ring.
var (
	ErrNoSuchKey  = errors.New("密钥环中没有这个编号的密钥")
	ErrKeyState   = errors.New("这个密钥当前的状态不允许该操作")
	ErrKeyStillIn = errors.New("仍有数据使用这个密钥，不能停用")
)

// Activate has the ready key seal from now on; the active one becomes old.
func (r *Ring) Activate(id string) error {
	i := slices.IndexFunc(r.List, func(k RingKey) bool { return k.ID == id })
	if i < 0 {
		return ErrNoSuchKey
	}
	if r.List[i].State != Ready && r.List[i].State != Old {
		return ErrKeyState
	}
	for j := range r.List {
		if r.List[j].State == Active {
			r.List[j].State = Old
		}
	}
	r.List[i].State = Active
	return nil
}

// Retire has the old key check signatures only. Whoever calls has made sure that nothing uses it.
func (r *Ring) Retire(id string) error {
	i := slices.IndexFunc(r.List, func(k RingKey) bool { return k.ID == id })
	if i < 0 {
		return ErrNoSuchKey
	}
	if r.List[i].State != Old && r.List[i].State != Ready {
		return ErrKeyState
	}
	r.List[i].State = Retired
	return nil
}

// Write puts the ring at path durably, readable by its owner only. The file is whole at any moment.
func (r Ring) Write(path string) error {
	if _, err := r.Keys(); err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("# 惠企台密钥环，由 huiqi keys 维护。丢失其中任何一个密钥，用它加密的数据将无法读取；请离线备份，勿与数据库备份放在一起。\n")
	if err := yaml.NewEncoder(&b).Encode(r); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
