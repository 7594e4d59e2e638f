package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/modules/backup"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// fileReferences list the files that rows refer to, each by its key, size and SHA-256. A module that keeps files of its
// own in the storage adds its table here.
var fileReferences = []string{"SELECT key, size, sha256 FROM files"}

// demoIdentityFile is the identity of a demo's backups. An installation keeps its own elsewhere.
const demoIdentityFile = "backup-identity.txt"

// joinBackup makes the backups of the house.
func (h *house) joinBackup(c Config, p parts, storage files.Storage) error {
	c.Backup.fill(c.Data)
	recipients, err := backupRecipients(c)
	if err != nil {
		return err
	}
	h.backups = backup.New(backup.Deps{
		DB: h.db, Clock: p.clock, Log: p.log,
		Options: backup.Options{Target: c.Backup.To, CopyTo: c.Backup.CopyTo, Recipients: recipients, Cron: c.Backup.Cron, Retention: c.Backup.retention()},
		Source:  func(context.Context) (snapshot.Source, error) { return backupSource(c, h.db, storage, keyCheck(h.box)) },
	})
	h.tasks = append(h.tasks, h.backups.Tasks()...)
	h.background = append(h.background, h.backups.Run)
	return nil
}

// backupSource describes the installation for one set.
func backupSource(c Config, db *database.DB, storage files.Storage, check string) (snapshot.Source, error) {
	conf, err := c.document(c.Backup.IncludeSecrets || c.Demo)
	if err != nil {
		return snapshot.Source{}, err
	}
	s := snapshot.Source{
		DB: db, Files: storage, References: fileReferences, Config: conf, Secrets: c.Backup.IncludeSecrets, Extra: map[string][]byte{},
		Scratch: c.Backup.Scratch, Tools: snapshot.Tools(c.Backup.PostgresBin), Program: version, Demo: c.Demo, KeyID: c.currentKey(), KeyCheck: check,
	}
	if c.Demo {
		// What marks the directory as a demo goes with it, and its generated secrets, which guard nothing.
		raw, err := os.ReadFile(filepath.Join(c.Data, demoFile))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return s, err
		}
		if err == nil {
			s.Extra[demoFile] = raw
		}
	}
	return s, nil
}

// currentKey is the id of the root that seals.
func (c Config) currentKey() string {
	keys, ok, err := c.keys()
	if err != nil || !ok {
		return c.Secrets.KeyID
	}
	return keys.Current
}

// keyCheck tells root keys apart without saying anything about them.
func keyCheck(box *secret.Box) string { return box.MAC("backup", "key-check")[:16] }

// backupRecipients are those of the configuration. A demo that names none has an identity of its own in its directory.
func backupRecipients(c Config) ([]string, error) {
	if len(c.Backup.Recipients) > 0 || !c.Demo {
		return c.Backup.Recipients, nil
	}
	path := filepath.Join(c.Data, demoIdentityFile)
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, err
	}
	public, err := snapshot.Keygen(path, time.Now())
	if err == nil {
		return []string{public}, nil
	}
	if !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	ids, err := snapshot.ReadIdentities(path)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, id := range ids {
		if x, ok := id.(*age.X25519Identity); ok {
			list = append(list, x.Recipient().String())
		}
	}
	return list, nil
}
