package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/huiqi/huiqi/platform/fault"
)

// S3Options say which bucket of which store keeps the files.
type S3Options struct {
	Endpoint string // "https://s3.example.gov.cn"; http is taken as it is
	Bucket   string
	Key      string
	Secret   string
	Region   string // "" asks the store
	Prefix   string // "huiqi/": in front of every key
	// Spool is a local folder for uploads on their way: a file is looked at whole before the store sees it.
	Spool string
}

// The times a store may take. A store that is slower is a store that is down.
const (
	s3Dial  = 3 * time.Second
	s3Head  = 10 * time.Second // until the first byte of an answer
	s3Stall = 20 * time.Second // between two reads of an answer
	s3Put   = 2 * time.Minute
	s3Short = 15 * time.Second // for a call without a body
)

// partSize is from where an upload goes in parts.
const partSize = 8 * MB

// S3 is Storage in a bucket of any store that speaks Amazon S3's protocol. Objects lie under the same paths as in a
// Folder. A draft is a local file without a name; the store learns of it at Commit, as one whole object or not at all.
type S3 struct {
	client *minio.Core
	opts   S3Options
}

var _ Storage = (*S3)(nil)

// OpenS3 returns the storage in the bucket. It asks the store nothing; Check does.
func OpenS3(opts S3Options) (*S3, error) {
	u, err := parseEndpoint(opts.Endpoint)
	if err != nil {
		return nil, err
	}
	if opts.Prefix = strings.Trim(opts.Prefix, "/"); opts.Prefix != "" {
		opts.Prefix += "/"
	}
	if err := os.MkdirAll(opts.Spool, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(opts.Key, opts.Secret, ""), Secure: u.Scheme == "https", Region: opts.Region, MaxRetries: 3,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: s3Dial}).DialContext, TLSHandshakeTimeout: s3Dial,
			ResponseHeaderTimeout: s3Head, ExpectContinueTimeout: time.Second, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 64,
			DisableCompression: true,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	return &S3{client, opts}, nil
}

// CheckEndpoint says what is wrong with the address of a store.
func CheckEndpoint(endpoint string) error {
	_, err := parseEndpoint(endpoint)
	return err
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%q is not an address such as https://s3.example.gov.cn", endpoint)
	}
	return u, nil
}

// ErrNoBucket is returned by Check when the store has no such bucket, or none for this account.
var ErrNoBucket = errors.New("files: no such bucket")

// s3Fault tells what the store's answer means.
func s3Fault(err error) error {
	switch r := minio.ToErrorResponse(err); r.Code {
	case "NoSuchKey":
		return fault.ErrNotFound.Wrap(err)
	case "XMinioStorageFull", "QuotaExceeded":
		return ErrStorageFull.Wrap(err)
	}
	return StorageFault(err)
}

func (s *S3) object(key string) (string, error) {
	p, err := keyPath(key)
	return s.opts.Prefix + p, err
}

// Check asks whether the bucket is there and ours.
func (s *S3) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s3Short)
	defer cancel()
	ok, err := s.client.BucketExists(ctx, s.opts.Bucket)
	if err != nil {
		return s3Fault(err)
	}
	if !ok {
		return ErrStorageDown.Wrap(fmt.Errorf("%w: %s", ErrNoBucket, s.opts.Bucket))
	}
	return nil
}

// s3Draft is a file that has lost its name already: whatever ends the process, nothing of it is left.
type s3Draft struct {
	*os.File
	s    *S3
	sum  hash.Hash
	size int64
}

// Draft begins a file in the spool folder.
func (s *S3) Draft(context.Context) (Draft, error) {
	f, err := os.CreateTemp(s.opts.Spool, "upload-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &s3Draft{File: f, s: s, sum: sha256.New()}, nil
}

// Write adds to the draft.
func (d *s3Draft) Write(p []byte) (int, error) {
	n, err := d.File.Write(p)
	d.size += int64(n)
	d.sum.Write(p[:n])
	return n, err
}

// Commit sends the draft and believes the store only when its object is as long as what was sent.
func (d *s3Draft) Commit(ctx context.Context, key string) error {
	name, err := d.s.object(key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s3Put)
	defer cancel()
	if _, err := d.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := hex.EncodeToString(d.sum.Sum(nil))
	_, err = d.s.client.Client.PutObject(ctx, d.s.opts.Bucket, name, d.File, d.size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", UserMetadata: map[string]string{"sha256": sum}, PartSize: partSize,
		NumThreads: 2, SendContentMd5: true,
	})
	if err == nil {
		var there minio.ObjectInfo
		if there, err = d.s.client.StatObject(ctx, d.s.opts.Bucket, name, minio.StatObjectOptions{}); err == nil && there.Size != d.size {
			err = fmt.Errorf("files: the store has %d of %d bytes", there.Size, d.size)
		}
	}
	if err != nil {
		// It may be there all the same, the answer lost: an error never leaves a file.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), s3Short)
		defer cancel()
		_ = d.s.client.RemoveObject(clean, d.s.opts.Bucket, name, minio.RemoveObjectOptions{})
		return s3Fault(err)
	}
	return d.Close()
}

// Discard lets the draft go.
func (d *s3Draft) Discard() error {
	if err := d.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Open asks the store for the object's size; its bytes are fetched as they are read.
func (s *S3) Open(ctx context.Context, key string) (Object, error) {
	name, err := s.object(key)
	if err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, s3Short)
	defer cancel()
	info, err := s.client.StatObject(short, s.opts.Bucket, name, minio.StatObjectOptions{})
	if err != nil {
		return nil, s3Fault(err)
	}
	return &s3Object{s: s, name: name, size: info.Size, etag: info.ETag}, nil
}

// Delete removes the object.
func (s *S3) Delete(ctx context.Context, key string) error {
	name, err := s.object(key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s3Short)
	defer cancel()
	if err := s.client.RemoveObject(ctx, s.opts.Bucket, name, minio.RemoveObjectOptions{}); err != nil && fault.KindOf(s3Fault(err)) != fault.NotFound {
		return s3Fault(err)
	}
	return nil
}

// Each lists the bucket below the prefix.
func (s *S3) Each(ctx context.Context, do func(Info) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the lister when do fails
	for o := range s.client.Client.ListObjects(ctx, s.opts.Bucket, minio.ListObjectsOptions{Prefix: s.opts.Prefix, Recursive: true}) {
		if o.Err != nil {
			return s3Fault(o.Err)
		}
		key := path.Base(o.Key)
		if at, err := s.object(key); err != nil || at != o.Key {
			continue // not ours
		}
		if err := do(Info{key, o.Size, o.LastModified}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Sweep gives up uploads in parts that were begun before the given time and never ended.
func (s *S3) Sweep(ctx context.Context, before time.Time) (int, error) {
	n := 0
	var keyMark, idMark string
	for {
		page, err := s.client.ListMultipartUploads(ctx, s.opts.Bucket, s.opts.Prefix, keyMark, idMark, "", 1000)
		if noUpload(err) {
			return n, nil // how some stores say that there are none
		}
		if err != nil {
			return n, s3Fault(err)
		}
		for _, u := range page.Uploads {
			if !u.Initiated.Before(before) {
				continue
			}
			if err := s.client.AbortMultipartUpload(ctx, s.opts.Bucket, u.Key, u.UploadID); err != nil && !noUpload(err) {
				return n, s3Fault(err)
			}
			n++
		}
		if !page.IsTruncated {
			return n, nil
		}
		keyMark, idMark = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func noUpload(err error) bool { return minio.ToErrorResponse(err).Code == "NoSuchUpload" }

// s3Object reads an object. The calls of a reader that goes on where it stopped share one answer of the store.
type s3Object struct {
	s    *S3
	name string
	etag string
	size int64
	at   int64
	body *s3Body // from at on; nil until read
}

// Size returns the object's length in bytes.
func (o *s3Object) Size() int64 { return o.size }

// Read reads on from where the last Read or Seek ended.
func (o *s3Object) Read(p []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if o.body == nil {
		b, err := o.fetch(o.at, o.size-1)
		if err != nil {
			return 0, err
		}
		o.body = b
	}
	n, err := o.body.Read(p)
	o.at += int64(n)
	if err == io.EOF && o.at < o.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek moves to where the next Read begins.
func (o *s3Object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("files: seek before the beginning")
	}
	if offset != o.at {
		o.drop()
	}
	o.at = offset
	return offset, nil
}

// ReadAt reads a part without moving.
func (o *s3Object) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, errors.New("files: read before the beginning")
	}
	if at >= o.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > o.size-at
	if short {
		p = p[:o.size-at]
	}
	if len(p) == 0 {
		return 0, nil
	}
	b, err := o.fetch(at, at+int64(len(p))-1)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	n, err := io.ReadFull(b, p)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Close ends what is being fetched.
func (o *s3Object) Close() error {
	o.drop()
	return nil
}

func (o *s3Object) drop() {
	if o.body != nil {
		_ = o.body.Close()
		o.body = nil
	}
}

// fetch asks for the bytes from first to last. The answer outlives the request that asked: a body is streamed after its
// handler has returned.
func (o *s3Object) fetch(first, last int64) (*s3Body, error) {
	ctx, cancel := context.WithCancel(context.Background())
	opts := minio.GetObjectOptions{}
	if err := opts.SetRange(first, last); err != nil {
		cancel()
		return nil, err
	}
	if err := opts.SetMatchETag(o.etag); err != nil {
		cancel()
		return nil, err
	}
	body, _, _, err := o.s.client.GetObject(ctx, o.s.opts.Bucket, o.name, opts)
	if err != nil {
		cancel()
		return nil, s3Fault(err)
	}
	return &s3Body{body: body, cancel: cancel}, nil
}

// s3Body is one answer of the store; a store that falls silent in the middle of it is left.
type s3Body struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	once   sync.Once
}

// Read gives up after s3Stall without a byte.
func (b *s3Body) Read(p []byte) (int, error) {
	t := time.AfterFunc(s3Stall, b.cancel)
	n, err := b.body.Read(p)
	t.Stop()
	if err != nil && err != io.EOF {
		err = s3Fault(err)
	}
	return n, err
}

// Close lets the connection go.
func (b *s3Body) Close() error {
	b.once.Do(func() {
		b.cancel()
		_ = b.body.Close()
	})
	return nil
}
