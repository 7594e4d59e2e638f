// Package files takes uploads in, keeps them and gives them back. What comes out of Put was looked at: its kind is told
// by its bytes and agrees with its extension, its purpose allows it, pictures were decoded and written anew without
// EXIF, GPS or anything hidden behind the pixels. Names people gave are only for showing; on disk a file is a random key.
//
// Who may see a file is not decided here.
package files

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
)

// The faults of Put. All point at the field "file".
var (
	ErrEmpty       = fault.New(fault.Invalid, "FILE_EMPTY", "文件是空的，请重新选择")
	ErrTooLarge    = fault.New(fault.TooLarge, "FILE_TOO_LARGE", "文件太大")
	ErrMismatch    = fault.New(fault.Invalid, "TYPE_MISMATCH", "文件内容与扩展名不符，请用原软件另存后再上传")
	ErrNotAllowed  = fault.New(fault.Invalid, "TYPE_NOT_ALLOWED", "不支持这种文件")
	ErrImage       = fault.New(fault.Invalid, "IMAGE_BAD", "图片已损坏或尺寸过大，请重新拍摄或另存后再上传")
	ErrArchive     = fault.New(fault.Invalid, "ARCHIVE_TOO_BIG", "文件展开后过大，请拆分后再上传")
	ErrArchiveBad  = fault.New(fault.Invalid, "ARCHIVE_BAD", "文件结构异常，请用原软件另存后再上传")
	ErrEncrypted   = fault.New(fault.Invalid, "FILE_ENCRYPTED", "文件有密码保护，请取消密码后再上传")
	ErrPurpose     = fault.New(fault.Invalid, "BAD_PURPOSE", "上传用途有误，请刷新页面后重试")
	ErrBroken      = fault.New(fault.BadRequest, "UPLOAD_BROKEN", "上传中断，请重试")
	ErrStorageFull = fault.New(fault.Unavailable, "STORAGE_FULL", "存储空间不足，提交未保存，请稍后重试").After(60)
)

// Kind is a kind of file, named by its usual extension.
type Kind string

// The kinds Put can tell.
const (
	JPEG Kind = "jpg"
	PNG  Kind = "png"
	WebP Kind = "webp"
	PDF  Kind = "pdf"
	DOCX Kind = "docx"
	XLSX Kind = "xlsx"
	TXT  Kind = "txt"
	CSV  Kind = "csv"
)

var mimes = map[Kind]string{
	JPEG: "image/jpeg", PNG: "image/png", WebP: "image/webp", PDF: "application/pdf",
	DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	TXT:  "text/plain", CSV: "text/csv",
}

// Rule says what a purpose takes: the largest size in bytes of each kind.
type Rule map[Kind]int64

// MB is 1,048,576 bytes.
const MB = 1 << 20

// Purposes are the rules most modules need.
func Purposes() map[string]Rule {
	images := Rule{JPEG: 10 * MB, PNG: 10 * MB, WebP: 10 * MB}
	with := func(more Rule) Rule {
		out := Rule{}
		for _, r := range []Rule{images, more} {
			for k, n := range r {
				out[k] = n
			}
		}
		return out
	}
	attachment := with(Rule{PDF: 20 * MB, DOCX: 20 * MB, XLSX: 20 * MB, TXT: 2 * MB, CSV: 20 * MB})
	return map[string]Rule{
		"image":      images,
		"licence":    with(Rule{PDF: 10 * MB}),
		"attachment": attachment,
		"evidence":   attachment,
		"import":     {XLSX: 60 * MB, CSV: 60 * MB},
	}
}

// Stored is what Put kept. Size, MIME and SHA256 are of the kept bytes, which for pictures are not the sent ones.
type Stored struct {
	Key    string // 128 random bits in hex
	Name   string // cleaned for showing, its extension agreeing with MIME
	Size   int64
	MIME   string
	SHA256 string // hex
	// Active is a PDF with scripts, actions or attachments: never show it inline.
	Active        bool
	Width, Height int // of a picture
}

// Inline reports whether a browser may show the file in place.
func (s Stored) Inline() bool { return Inline(s.MIME, s.Active) }

// Inline reports whether a file of mime may be shown in place instead of downloaded: our own pictures, and PDFs without
// active content.
func Inline(mime string, active bool) bool {
	switch mime {
	case mimes[JPEG], mimes[PNG], mimes[WebP]:
		return true
	case mimes[PDF]:
		return !active
	}
	return false
}

// Store checks and keeps uploads. It is safe for concurrent use.
type Store struct {
	storage  Storage
	purposes map[string]Rule
	pictures chan struct{} // decoding needs memory: two at once
	looks    chan struct{} // unpacking needs a processor: two at once
}

// New returns a store over storage with the rules of each purpose.
func New(storage Storage, purposes map[string]Rule) *Store {
	return &Store{storage: storage, purposes: purposes, pictures: make(chan struct{}, 2), looks: make(chan struct{}, 2)}
}

// Put reads r to its end, checks it against the rule of purpose, and keeps it durably before it returns. It stops
// reading as soon as the limit is passed. On any error nothing is kept. name is what the person's computer calls the file.
func (s *Store) Put(ctx context.Context, r io.Reader, name, purpose string) (Stored, error) {
	rule, ok := s.purposes[purpose]
	if !ok {
		return Stored{}, ErrPurpose.On("file")
	}
	out, err := s.put(ctx, &source{ctx: ctx, r: r}, CleanName(name), rule)
	if err != nil {
		if f, ok := fault.As(err); ok && f.Kind != fault.Unavailable {
			return Stored{}, f.On("file")
		}
		return Stored{}, StorageFault(fmt.Errorf("keep upload: %w", err))
	}
	return out, nil
}

// source marks errors of the sender, to tell them from ours, and stops when ctx ends.
type source struct {
	ctx context.Context
	r   io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, ErrBroken.Wrap(err)
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = ErrBroken.Wrap(err)
	}
	return n, err
}

func (s *Store) put(ctx context.Context, r io.Reader, name string, rule Rule) (Stored, error) {
	in := bufio.NewReaderSize(r, 4096)
	head, err := in.Peek(512)
	if err != nil && err != io.EOF {
		return Stored{}, err
	}
	if len(head) == 0 {
		return Stored{}, ErrEmpty
	}
	kind := extension(name)
	limit, ok := rule[kind]
	if !ok {
		return Stored{}, ErrNotAllowed.With("不支持这种文件，请上传 %s", rule)
	}
	if !looksLike(kind, head) {
		return Stored{}, ErrMismatch
	}
	limited := &limiter{r: in, left: limit, err: ErrTooLarge.With("文件不能超过 %s，请压缩后再上传", megabytes(limit))}
	out := Stored{Name: name, MIME: mimes[kind]}
	d, err := s.storage.Draft(ctx)
	if err != nil {
		return Stored{}, err
	}
	defer d.Discard()
	sum := sha256.New()
	to := &counter{w: io.MultiWriter(d, sum)}
	switch kind {
	case JPEG, PNG, WebP:
		err = s.picture(ctx, limited, to, kind, &out)
	default:
		if _, err = io.Copy(to, limited); err == nil {
			err = s.inspect(ctx, kind, d, to.n, &out)
		}
	}
	if err != nil {
		return Stored{}, err
	}
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	out.Key, out.Size, out.SHA256 = hex.EncodeToString(key), to.n, hex.EncodeToString(sum.Sum(nil))
	if err := d.Commit(ctx, out.Key); err != nil {
		return Stored{}, err
	}
	return out, nil
}

// inspect looks at the whole of a kept draft of size bytes.
func (s *Store) inspect(ctx context.Context, kind Kind, r io.ReaderAt, size int64, out *Stored) error {
	select {
	case s.looks <- struct{}{}:
		defer func() { <-s.looks }()
	case <-ctx.Done():
		return ErrBroken.Wrap(ctx.Err())
	}
	switch kind {
	case DOCX, XLSX:
		return office(kind, r, size)
	case PDF:
		return pdf(r, size, out)
	}
	return plain(r, size)
}

// picture decodes what it reads and writes it anew.
func (s *Store) picture(ctx context.Context, r io.Reader, w io.Writer, kind Kind, out *Stored) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	case <-ctx.Done():
		return ErrBroken.Wrap(ctx.Err())
	}
	img, err := decode(raw.Bytes(), kind)
	if err != nil {
		return ErrImage.Wrap(err)
	}
	written, err := encode(w, img, kind)
	if err != nil {
		return err
	}
	out.Width, out.Height = img.Bounds().Dx(), img.Bounds().Dy()
	if written != kind {
		out.Name = strings.TrimSuffix(out.Name, path.Ext(out.Name)) + "." + string(written)
		out.MIME = mimes[written]
	}
	return nil
}

// Open returns the kept bytes of key for reading at any place. It returns fault.ErrNotFound when there are none.
func (s *Store) Open(ctx context.Context, key string) (Object, error) {
	return s.storage.Open(ctx, key)
}

// Storage returns what the store keeps its files in.
func (s *Store) Storage() Storage { return s.storage }

// Delete removes key; a key that is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error { return s.storage.Delete(ctx, key) }

// String lists the kinds of a rule for messages: jpg、png、pdf.
func (r Rule) String() string {
	var out []string
	for k := range r {
		out = append(out, string(k))
	}
	slices.Sort(out)
	return strings.Join(out, "、")
}

func megabytes(n int64) string {
	if n < MB {
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n/MB)
}

// limiter gives err once more than left bytes come.
type limiter struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limiter) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.err
	}
	return n, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
