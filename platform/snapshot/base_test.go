package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/snapshot"
)

func TestArchivedLogIsEncryptedAndNeverReplaced(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	to, dir, archive := []string{key.Recipient().String()}, t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "000000010000000000000003")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	for range 2 { // PostgreSQL asks again when the machine went down in between
		if err := snapshot.ArchiveWAL(ctx, path, archive, to); err != nil {
			t.Fatal(err)
		}
	}
	write("another")
	if err := snapshot.ArchiveWAL(ctx, path, archive, to); err == nil {
		t.Fatal("another log of the same name was taken")
	}
	kept, err := os.ReadFile(filepath.Join(archive, filepath.Base(path)+".age"))
	if err != nil || bytes.Contains(kept, []byte("first")) {
		t.Fatalf("in clear, or gone: %v", err)
	}
	out := filepath.Join(dir, "RECOVERYXLOG")
	if err := snapshot.FetchWAL(archive, filepath.Base(path), out, []age.Identity{key}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != "first" {
		t.Fatalf("%q %v", b, err)
	}
	if err := snapshot.FetchWAL(archive, "000000010000000000000004", out, []age.Identity{key}); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a log that is not there: %v", err)
	}
	for _, name := range []string{"../000000010000000000000003", "x", ""} {
		if err := snapshot.FetchWAL(archive, name, out, []age.Identity{key}); err == nil || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTidyBasesKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	target, wal := t.TempDir(), t.TempDir()
	for n := 1; n <= 4; n++ {
		dir := filepath.Join(target, fmt.Sprintf("base-2026110%d-000000Z", n))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		manifest := fmt.Sprintf(`{"tar": {"name": "base.tar.age"}, "startWal": "00000001000000000000%04X"}`, n*16)
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 70 {
		for _, suffix := range []string{".age", ".sha256"} {
			if err := os.WriteFile(filepath.Join(wal, fmt.Sprintf("00000001000000000000%04X%s", n, suffix)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(wal, "00000002.history.age"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bases, logs, err := snapshot.TidyBases(target, wal, 2)
	if err != nil || bases != 2 || logs != 0x30 {
		t.Fatalf("%d bases, %d logs, %v", bases, logs, err)
	}
	for name, want := range map[string]bool{"000000010000000000000030.age": true, "00000001000000000000002F.age": false, "00000001000000000000002F.sha256": false, "00000002.history.age": true} {
		if _, err := os.Stat(filepath.Join(wal, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
