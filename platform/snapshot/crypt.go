package snapshot

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/fault"
)

// ParseRecipients reads public keys, one of age's X25519 each ("age1…").
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	var list []age.Recipient
	for _, k := range keys {
		k = strings.TrimSpace(k)
		r, err := age.ParseX25519Recipient(k)
		if err != nil && !strings.HasPrefix(k, "age1") {
			return nil, errors.New("a public key begins with age1; a private key must never be on the server") // not repeated: it may be one
		} else if err != nil {
			return nil, fmt.Errorf("%q is not a public key; huiqi backup keygen makes a pair", k)
		}
		list = append(list, r)
	}
	return list, nil
}

// ReadIdentities reads the file that keygen wrote.
func ReadIdentities(path string) ([]age.Identity, error) {
	f, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, fault.New(fault.Invalid, "BACKUP_IDENTITY", "无法读取身份文件 "+path).Wrap(err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fault.New(fault.Invalid, "BACKUP_IDENTITY", "身份文件格式不对，应为 huiqi backup keygen 生成的文件："+path).Wrap(err)
	}
	return ids, nil
}

// Keygen writes a new identity to path, readable by the owner only, and returns its public key. It never replaces a file:
// a lost identity loses every set made for it.
func Keygen(path string, now time.Time) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "# created: %s\n# public key: %s\n%s\n", now.Format(time.RFC3339), id.Recipient(), id)
	return id.Recipient().String(), errors.Join(err, f.Sync(), f.Close())
}

// meter counts and hashes what passes.
type meter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func newMeter(w io.Writer) *meter { return &meter{w: w, hash: sha256.New()} }

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.hash.Write(p[:n])
	m.n += int64(n)
	return n, err
}

func (m *meter) sum() string { return hex.EncodeToString(m.hash.Sum(nil)) }

// sealed is what sealTo wrote.
type sealed struct {
	size, plainSize     int64
	sha256, plainSHA256 string
}

// sealTo encrypts what fill writes into a new file at path and makes it durable.
func sealTo(path string, to []age.Recipient, fill func(w io.Writer) error) (out sealed, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<20)
	outer := newMeter(buf)
	enc, err := age.Encrypt(outer, to...)
	if err != nil {
		return out, err
	}
	inner := newMeter(enc)
	if err := fill(inner); err != nil {
		return out, err
	}
	if err := errors.Join(enc.Close(), buf.Flush(), f.Sync()); err != nil {
		return out, err
	}
	return sealed{outer.n, inner.n, outer.sum(), inner.sum()}, f.Close()
}

// unseal opens path for reading what was encrypted. The caller closes it.
func unseal(path string, ids []age.Identity) (io.ReadCloser, error) {
	f, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bufio.NewReaderSize(f, 1<<20), ids...)
	if err != nil {
		_ = f.Close()
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, ErrIdentity.Wrap(err)
		}
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

// sumFile hashes a file and returns its size.
func sumFile(ctx context.Context, path string) (string, int64, error) {
	f, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, reader{ctx, f})
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// writeDurable writes a small file and makes it durable.
func writeDurable(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// replaceDurable writes a small file that is there whole or not at all.
func replaceDurable(path string, content []byte) error {
	if err := writeDurable(path+".tmp", content); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
