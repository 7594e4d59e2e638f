package files_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/huiqi/huiqi/platform/files"
)

// The account and bucket of the stand-in, and of the real server that scripts/with-s3.sh starts.
const (
	s3Key    = "huiqi-test"
	s3Secret = "a-secret-only-tests-know"
	s3Bucket = "huiqi"
	s3Region = "us-east-1"
)

// store is an S3 server in this process: a stand-in for a store, with the signatures of Amazon's protocol checked in
// front of it. What a real server does is tested against one by make test-s3.
type store struct {
	url string
	// answer, when set, answers instead.
	answer atomic.Pointer[http.HandlerFunc]
}

func newStore(t *testing.T) *store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(s3Bucket); err != nil {
		t.Fatal(err)
	}
	s := &store{}
	inner := gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := s.answer.Load(); h != nil {
			(*h)(w, r)
			return
		}
		if !signed(r) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<Error><Code>SignatureDoesNotMatch</Code></Error>`))
			return
		}
		unchunk(r)
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *store) breaks(h http.HandlerFunc) { s.answer.Store(&h) }
func (s *store) mends()                    { s.answer.Store(nil) }

// signed checks a request's signature (AWS Signature Version 4).
func signed(r *http.Request) bool {
	auth := strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	part := map[string]string{}
	for _, p := range strings.Split(auth, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		part[k] = v
	}
	key, scope, _ := strings.Cut(part["Credential"], "/")
	day, rest, _ := strings.Cut(scope, "/")
	region, _, _ := strings.Cut(rest, "/")
	if key != s3Key {
		return false
	}
	var headers bytes.Buffer
	for _, h := range strings.Split(part["SignedHeaders"], ";") {
		v := r.Header.Get(h)
		if h == "host" {
			v = r.Host
		}
		headers.WriteString(h + ":" + strings.Join(strings.Fields(v), " ") + "\n")
	}
	query := strings.Split(strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), "&")
	slices.Sort(query)
	sum := func(b string) string { h := sha256.Sum256([]byte(b)); return hex.EncodeToString(h[:]) }
	mac := func(k []byte, m string) []byte { h := hmac.New(sha256.New, k); h.Write([]byte(m)); return h.Sum(nil) }
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), strings.Join(query, "&"), headers.String(), part["SignedHeaders"], r.Header.Get("X-Amz-Content-Sha256")}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, sum(canonical)}, "\n")
	k := mac(mac(mac(mac([]byte("AWS4"+s3Secret), day), region), "s3"), "aws4_request")
	return hmac.Equal([]byte(hex.EncodeToString(mac(k, text))), []byte(part["Signature"]))
}

// unchunk takes the signed chunks off a body: the server behind does so for some requests only.
func unchunk(r *http.Request) {
	if r.Header.Get("X-Amz-Content-Sha256") != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" {
		return
	}
	in := bufio.NewReader(r.Body)
	var plain bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		size, _, _ := strings.Cut(line, ";")
		n, perr := strconv.ParseInt(size, 16, 64)
		if err != nil || perr != nil || n == 0 {
			break
		}
		if _, err := io.CopyN(&plain, in, n); err != nil {
			break
		}
		_, _ = in.Discard(2)
	}
	r.ContentLength = int64(plain.Len())
	r.Body = io.NopCloser(&plain)
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	r.Header.Set("Content-Length", strconv.Itoa(plain.Len()))
}

func openS3(t *testing.T, url string) *files.S3 {
	t.Helper()
	s, err := files.OpenS3(files.S3Options{Endpoint: url, Bucket: s3Bucket, Key: s3Key, Secret: s3Secret, Region: s3Region,
		Prefix: "test-" + strings.ToLower(rand.Text()), Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// storages are all there are; the real server is among them when TEST_S3_URL names it.
func storages(t *testing.T) map[string]func(t *testing.T) files.Storage {
	t.Helper()
	all := map[string]func(t *testing.T) files.Storage{
		"folder": func(t *testing.T) files.Storage {
			_, f, _ := mustStore(t)
			return f
		},
		"s3 stand-in": func(t *testing.T) files.Storage { return openS3(t, newStore(t).url) },
	}
	if url := os.Getenv("TEST_S3_URL"); url != "" {
		all["s3 server"] = func(t *testing.T) files.Storage { return openS3(t, url) }
	}
	return all
}

func put(t testing.TB, s files.Storage, key string, content []byte) error {
	t.Helper()
	d, err := s.Draft(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	if _, err := d.Write(content); err != nil {
		t.Fatal(err)
	}
	return d.Commit(context.Background(), key)
}
