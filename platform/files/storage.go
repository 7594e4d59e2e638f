package files

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// Storage keeps bytes under keys of 32 hex digits. A key is there with all its bytes or not at all.
type Storage interface {
	// Draft begins a file nobody sees until it is committed.
	Draft(ctx context.Context) (Draft, error)
	// Open returns fault.ErrNotFound when key is not there.
	Open(ctx context.Context, key string) (Object, error)
	// Delete removes key; a key that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Each calls do with every key kept, in the order of keys, and stops at do's error. What is written meanwhile may be
	// missed; drafts are never seen.
	Each(ctx context.Context, do func(Info) error) error
	// Sweep removes drafts begun before the given time, what a killed process leaves, and returns how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
	// Check says whether files can be kept and read now.
	Check(ctx context.Context) error
}

// Info is what a storage knows about a kept file.
type Info struct {
	Key     string
	Size    int64
	Written time.Time
}

// ErrStorageDown is returned when the storage cannot be reached or does not work: nothing was saved.
var ErrStorageDown = fault.New(fault.Unavailable, "STORAGE_UNAVAILABLE", "文件存储暂时不可用，提交未保存，请稍后重试").After(10)

// StorageFault gives a failing disk or store a message a person can act on. A fault passes as it is.
func StorageFault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ErrStorageFull.Wrap(err)
	}
	return ErrStorageDown.Wrap(err)
}

// Draft is a file being written. After Commit it is durable under its key. Discard after Commit does nothing.
type Draft interface {
	io.Writer
	io.ReaderAt
	Commit(ctx context.Context, key string) error
	Discard() error
}

// Object is an open file, for whole and range reads. Close it.
type Object interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
	Size() int64
}

var _ Storage = (*Folder)(nil)

// Folder is Storage in a local folder: two levels of 256 folders each, files readable by the owner only. Every access
// stays inside the folder, whatever links lie in it.
type Folder struct{ root *os.Root }

const drafts = "drafts"

// OpenFolder returns the storage in dir, which is made when missing.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if err := root.MkdirAll(drafts, 0o700); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("files: %w", err)
	}
	return &Folder{root}, nil
}

// Close releases the folder; open objects stay readable.
func (f *Folder) Close() error { return f.root.Close() }

type folderDraft struct {
	*os.File
	folder *Folder
	name   string // "" once committed or discarded
}

// Draft begins a file in the drafts folder.
func (f *Folder) Draft(context.Context) (Draft, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	name := path.Join(drafts, hex.EncodeToString(id))
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &folderDraft{file, f, name}, nil
}

// Commit makes the bytes durable, then the name, then the folders that hold it.
func (d *folderDraft) Commit(_ context.Context, key string) error {
	to, err := keyPath(key)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return err
	}
	dir := path.Dir(to)
	made, err := d.folder.mkdir(dir)
	if err != nil {
		return err
	}
	if err := d.folder.root.Rename(d.name, to); err != nil {
		return err
	}
	d.name = ""
	sync := []string{dir}
	if made {
		sync = append(sync, path.Dir(dir), ".")
	}
	for _, p := range sync {
		if err := d.folder.sync(p); err != nil {
			// the name may not survive a power cut: take it back, so that an error never leaves a file
			_ = d.folder.root.Remove(to)
			_ = d.Close()
			return err
		}
	}
	return d.Close()
}

// Discard removes the draft unless it was committed.
func (d *folderDraft) Discard() error {
	if d.name == "" {
		return nil
	}
	_ = d.Close()
	err := d.folder.root.Remove(d.name)
	d.name = ""
	return err
}

func (f *Folder) mkdir(dir string) (made bool, err error) {
	if _, err := f.root.Stat(dir); err == nil {
		return false, nil
	}
	return true, f.root.MkdirAll(dir, 0o700)
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

type folderObject struct {
	*os.File
	size int64
}

func (o folderObject) Size() int64 { return o.size }

// Open opens key.
func (f *Folder) Open(_ context.Context, key string) (Object, error) {
	p, err := keyPath(key)
	if err != nil {
		return nil, err
	}
	file, err := f.root.Open(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.ErrNotFound.Wrap(err)
	}
	if err != nil {
		return nil, StorageFault(err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, ErrStorageDown.Wrap(fmt.Errorf("files: %s is no regular file: %w", key, err))
	}
	return folderObject{file, info.Size()}, nil
}

// Delete removes key durably.
func (f *Folder) Delete(_ context.Context, key string) error {
	p, err := keyPath(key)
	if err != nil {
		return err
	}
	if err := f.root.Remove(p); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return StorageFault(err)
	}
	return StorageFault(f.sync(path.Dir(p)))
}

// Sweep removes drafts last written before the given time.
func (f *Folder) Sweep(_ context.Context, before time.Time) (int, error) {
	list, err := fs.ReadDir(f.root.FS(), drafts)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range list {
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue
		}
		if err := f.root.Remove(path.Join(drafts, e.Name())); err == nil {
			n++
		}
	}
	return n, nil
}

// Each walks the folder.
func (f *Folder) Each(ctx context.Context, do func(Info) error) error {
	return fs.WalkDir(f.root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() {
			if p == drafts {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil // deleted meanwhile
		}
		if at, err := keyPath(e.Name()); err != nil || at != p {
			return nil // not ours
		}
		return do(Info{e.Name(), info.Size(), info.ModTime()})
	})
}

// Check writes a draft and throws it away.
func (f *Folder) Check(ctx context.Context) error {
	d, err := f.Draft(ctx)
	if err != nil {
		return StorageFault(err)
	}
	defer d.Discard()
	if _, err := d.Write([]byte("check")); err != nil {
		return StorageFault(err)
	}
	return StorageFault(d.(*folderDraft).Sync())
}

// keyPath returns where key lies; anything but 32 hex digits is not found.
func keyPath(key string) (string, error) {
	if len(key) != 32 || strings.Trim(key, "0123456789abcdef") != "" {
		return "", fault.ErrNotFound.Wrap(errors.New("files: malformed key"))
	}
	return path.Join(key[:2], key[2:4], key), nil
}
