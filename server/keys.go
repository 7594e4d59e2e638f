package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/export"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/importing"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/localsign"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/secret"
)

// keepers are all columns of the program that only open with a key. A module with a new one declares it there and its
// declaration here; a test reads the schema and fails for one that is missing.
func keepers() secret.Keepers {
	var all secret.Keepers
	for _, k := range []secret.Keepers{
		identity.Sealed(), enterprise.Sealed(), institution.Sealed(), ticket.Sealed(), application.Sealed(), message.Sealed(), exchange.Sealed(), export.Sealed(), importing.Sealed(), cti.Sealed(), intake.Sealed(), policy.Sealed(), onelink.Sealed(), offline.Sealed(), demand.Sealed(), localsign.Sealed(),
	} {
		all.Columns, all.Hashes = append(all.Columns, k.Columns...), append(all.Hashes, k.Hashes...)
	}
	for i := range all.Columns {
		if c := &all.Columns[i]; c.Table == "users" && c.Name == "phone" {
			// letters to WeChat are looked for by the phone of their person, which they do not hold
			c.Indexes[0].Copies = []secret.Copy{{Table: "wechat_messages", Name: "phone_blind"}}
		}
	}
	return all
}

// ringFile is where the keys of the installation are kept when there is more than one; "" when no place is configured. A
// demo keeps them in its directory.
func (c Config) ringFile() string {
	if c.Secrets.Ring == "" && c.Demo {
		return filepath.Join(c.Data, "keys.yaml")
	}
	return c.Secrets.Ring
}

// keys are the root keys of the installation: those of the ring, or the one of the configuration; false without any.
func (c Config) keys() (secret.Keys, bool, error) {
	key, err := c.rootKey()
	if err != nil {
		return secret.Keys{}, false, err
	}
	return c.keysWith(key)
}

// keysWith is keys with key as the one of the configuration.
func (c Config) keysWith(key string) (secret.Keys, bool, error) {
	if path := c.ringFile(); path != "" {
		ring, err := secret.ReadRing(path)
		if err == nil {
			keys, err := ring.Keys()
			return keys, err == nil, err
		}
		if !errors.Is(err, os.ErrNotExist) {
			return secret.Keys{}, false, configErrorf("secrets.ring：%v", plain(err))
		}
	}
	if key == "" {
		return secret.Keys{}, false, nil
	}
	root, err := secret.ParseKey(key)
	if err != nil {
		return secret.Keys{}, false, configErrorf("secrets.key 无法使用：%v", plain(err))
	}
	return secret.Keys{Current: c.Secrets.KeyID, Keys: map[string][]byte{c.Secrets.KeyID: root}, Suite: secret.Suite(c.Secrets.Suite)}, true, nil
}

// openBox makes the box of the house.
func openBox(c Config, key string) (*secret.Box, error) {
	keys, ok, err := c.keysWith(key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, configErrorf("缺少 secrets.key：请填写 `openssl rand -base64 32` 的输出；试用请加 --demo")
	}
	box, err := secret.New(keys)
	if err != nil {
		return nil, configErrorf("secrets：%v", err)
	}
	return box, nil
}

// ringPoll is how often the ring is looked at: a key made or rotated at the command line works in every process within it.
const ringPoll = 5 * time.Second

// joinKeys has the house follow its ring and write anew what an older key wrote.
func (h *house) joinKeys(c Config, p parts) {
	h.rotator = secret.Rotator{DB: h.db, Box: h.box, Clock: p.clock, Log: p.log, Keepers: keepers(), Note: jobs.Note}
	h.tasks = append(h.tasks, jobs.Task{Name: "secret.rotate", Title: "换用新密钥重新加密", Every: time.Minute, Timeout: 12 * time.Hour, Run: h.rotator.Run,
		Failure: "有数据无法用现有密钥解密。请核对密钥环是否缺少旧密钥；在解决之前不要停用或删除任何密钥。"})
	if path := c.ringFile(); path != "" {
		h.everywhere = append(h.everywhere, func(ctx context.Context) error { return followRing(ctx, h.box, path, p.log, ringPoll) })
	}
}

// followRing gives the box the keys of the ring whenever the file changes. A file that cannot be used leaves the keys as
// they are, and is said so once.
func followRing(ctx context.Context, box *secret.Box, path string, log *slog.Logger, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := sumOfFile(path)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		sum := sumOfFile(path)
		if sum == last {
			continue
		}
		last = sum
		ring, err := secret.ReadRing(path)
		if err == nil {
			var keys secret.Keys
			if keys, err = ring.Keys(); err == nil {
				err = box.Replace(keys)
			}
		}
		if err != nil {
			log.Error("the key ring cannot be used; the keys stay as they were", "error", err)
			continue
		}
		id, suite := box.Current()
		log.Info("the key ring was read", "current", id, "suite", string(suite), "keys", len(ring.List))
	}
}

func sumOfFile(path string) [32]byte {
	// #nosec G304 -- the file the operator names
	b, err := os.ReadFile(path)
	if err != nil {
		return [32]byte{}
	}
	return sha256.Sum256(b)
}
