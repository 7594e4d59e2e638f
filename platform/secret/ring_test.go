package secret_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/secret"
)

func TestRing(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "keys.yaml")
	first := secret.NewKey()
	r := secret.NewRing("k1", secret.GM, first, at)
	k2, err := r.Add(secret.Intl, at)
	if err != nil || k2.ID != "k2" {
		t.Fatal(k2, err)
	}
	save := func() secret.Keys {
		t.Helper()
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
		if r, err = secret.ReadRing(path); err != nil {
			t.Fatal(err)
		}
		k, err := r.Keys()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if k := save(); k.Current != "k1" || len(k.Keys) != 2 || k.Founding != "k1" || k.Suites["k2"] != secret.Intl {
		t.Fatal(k)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if err := r.Retire("k1"); err == nil {
		t.Fatal("the active key was retired")
	}
	if err := r.Activate("k9"); err == nil {
		t.Fatal("an unknown key was activated")
	}
	if err := r.Activate("k2"); err != nil {
		t.Fatal(err)
	}
	if k := save(); k.Current != "k2" || k.Suite != secret.Intl {
		t.Fatal(k)
	}
	if err := r.Retire("k1"); err != nil {
		t.Fatal(err)
	}
	if k := save(); !k.Retired["k1"] {
		t.Fatal(k)
	}
	if err := r.Activate("k1"); err == nil {
		t.Fatal("a retired key was activated")
	}
	if shown := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(shown, first) {
		t.Fatal("the ring prints its keys")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.ReadRing(path); err == nil {
		t.Fatal("a file that others read was taken")
	}
	for name, text := range map[string]string{
		"two active": "keys: [{id: a, suite: gm, state: active, key: " + first + "}, {id: b, suite: gm, state: active, key: " + secret.NewKey() + "}]",
		"none":       "keys: []",
		"twice":      "keys: [{id: a, suite: gm, state: active, key: " + first + "}, {id: a, suite: gm, state: old, key: " + first + "}]",
		"weak":       "keys: [{id: a, suite: gm, state: active, key: " + strings.Repeat("A", 43) + "=}]",
		"suite":      "keys: [{id: a, suite: rot13, state: active, key: " + first + "}]",
		"no yaml":    first,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.ReadRing(path); err == nil || strings.Contains(err.Error(), first) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
