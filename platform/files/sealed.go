package files

import (
	"context"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// chunkSize is how many bytes are sealed at a time: a reader of a place reads no more than that too much.
const chunkSize = 64 << 10

// ErrSealed is returned for a sealed file that was changed, cut or opened with another key.
var ErrSealed = errors.New("files: a sealed file does not open")

// Sealed returns a store that keeps its files in the same storage, sealed with a cipher whose key is used for one file
// only. What is stored is the text in pieces of 64 KiB, each sealed with its number and with whether it is the last: no
// piece can be changed, moved, left out or cut off unnoticed. The storage itself, its copies and its backups see no text.
func (s *Store) Sealed(c cipher.AEAD) *Store {
	sealed := *s
	sealed.storage = Sealed(s.storage, c)
	return &sealed
}

// Sealed is a storage that keeps one file in s, sealed as Store.Sealed says.
func Sealed(s Storage, c cipher.AEAD) Storage { return &sealedStorage{Storage: s, aead: c} }

// sealedStorage is a storage for one sealed file.
type sealedStorage struct {
	Storage
	aead cipher.AEAD
}

func nonceOf(c cipher.AEAD, chunk int64, last bool) []byte {
	nonce := make([]byte, c.NonceSize())
	if last {
		nonce[0] = 1
	}
	binary.BigEndian.PutUint64(nonce[len(nonce)-8:], uint64(chunk)) // #nosec G115 -- counts from 0
	return nonce
}

// Draft begins a sealed file.
func (s *sealedStorage) Draft(ctx context.Context) (Draft, error) {
	d, err := s.Storage.Draft(ctx)
	if err != nil {
		return nil, err
	}
	return &sealedDraft{Draft: d, chunks: chunks{r: d, aead: s.aead, at: -1}}, nil
}

// sealedDraft holds back what fills no piece: which one is the last is known at its end. It is used by one goroutine, as
// every draft.
type sealedDraft struct {
	Draft

	chunks chunks
	sealed int64 // pieces
	tail   []byte
}

// Write takes text in.
func (d *sealedDraft) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(d.tail) == chunkSize { // and more comes: it is not the last
			if err := d.put(false); err != nil {
				return n - len(p), err
			}
		}
		took := min(chunkSize-len(d.tail), len(p))
		d.tail = append(d.tail, p[:took]...)
		p = p[took:]
	}
	return n, nil
}

func (d *sealedDraft) put(last bool) error {
	// #nosec G407 -- the number of the chunk, under a key that seals this file alone
	if _, err := d.Draft.Write(d.chunks.aead.Seal(nil, nonceOf(d.chunks.aead, d.sealed, last), d.tail, nil)); err != nil {
		return err
	}
	d.sealed++
	d.tail = d.tail[:0]
	return nil
}

// ReadAt reads the text written so far.
func (d *sealedDraft) ReadAt(p []byte, off int64) (int, error) {
	edge := d.sealed * chunkSize
	n := 0
	if off < edge {
		var err error
		if n, err = d.chunks.readAt(p[:min(int64(len(p)), edge-off)], off, d.sealed, false); err != nil {
			return n, err
		}
	}
	if n == len(p) {
		return n, nil
	}
	from := off + int64(n) - edge
	if from >= int64(len(d.tail)) {
		return n, io.EOF
	}
	n += copy(p[n:], d.tail[from:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Commit seals the rest and keeps the file.
func (d *sealedDraft) Commit(ctx context.Context, key string) error {
	if err := d.put(true); err != nil {
		return err
	}
	return d.Draft.Commit(ctx, key)
}

// Open opens a sealed file. It returns ErrSealed when its end is not the one that was written.
func (s *sealedStorage) Open(ctx context.Context, key string) (Object, error) {
	o, err := s.Storage.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	whole := int64(chunkSize + s.aead.Overhead())
	count := (o.Size() + whole - 1) / whole
	size := o.Size() - count*int64(s.aead.Overhead())
	if size < 0 || count == 0 {
		return nil, errors.Join(ErrSealed, o.Close())
	}
	text := &sealedText{chunks: chunks{r: o, aead: s.aead, at: -1}, count: count}
	if err := text.chunks.load(count-1, true); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return sealedObject{io.NewSectionReader(text, 0, size), o}, nil
}

type sealedObject struct {
	*io.SectionReader // of the text
	io.Closer
}

// sealedText reads a whole file; its end is the reader's to know.
type sealedText struct {
	mu     sync.Mutex // places may be read by several at once
	chunks chunks
	count  int64
}

func (t *sealedText) ReadAt(p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.chunks.readAt(p, off, t.count, true)
}

// chunks opens pieces, and remembers the last one.
type chunks struct {
	r    io.ReaderAt
	aead cipher.AEAD
	at   int64
	text []byte
	raw  []byte
}

// readAt fills p from off; count pieces are there, and ended says whether the last of them was sealed as the last.
func (c *chunks) readAt(p []byte, off, count int64, ended bool) (int, error) {
	n := 0
	for n < len(p) {
		chunk := (off + int64(n)) / chunkSize
		if chunk >= count {
			return n, io.EOF
		}
		if err := c.load(chunk, ended && chunk == count-1); err != nil {
			return n, err
		}
		from := off + int64(n) - chunk*chunkSize
		if from >= int64(len(c.text)) {
			return n, io.EOF
		}
		n += copy(p[n:], c.text[from:])
	}
	return n, nil
}

func (c *chunks) load(chunk int64, last bool) error {
	if c.at == chunk {
		return nil
	}
	whole := chunkSize + c.aead.Overhead()
	if c.raw == nil {
		c.raw = make([]byte, whole)
	}
	n, err := c.r.ReadAt(c.raw, chunk*int64(whole))
	if err != nil && (!errors.Is(err, io.EOF) || !last) {
		return fmt.Errorf("read a sealed file: %w", err)
	}
	c.at = -1
	c.text, err = c.aead.Open(c.text[:0], nonceOf(c.aead, chunk, last), c.raw[:n], nil)
	if err != nil {
		return fmt.Errorf("%w: piece %d", ErrSealed, chunk)
	}
	c.at = chunk
	return nil
}
