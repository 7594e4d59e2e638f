package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"mime"
	"path"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"github.com/huiqi/huiqi/platform/access"
)

func (s *Server) health() {
	s.Raw("GET", "/healthz", access.Public("负载均衡探活"), func(c *fiber.Ctx) error { return c.JSON(map[string]string{"status": "ok"}) })
	s.Raw("GET", "/readyz", access.Public("负载均衡就绪检查"), func(c *fiber.Ctx) error {
		if s.draining.Load() {
			return c.Status(fiber.StatusServiceUnavailable).JSON(map[string]string{"status": "ending"})
		}
		if s.opts.Ready != nil {
			if err := s.opts.Ready(c.UserContext()); err != nil {
				return err
			}
		}
		return c.JSON(map[string]string{"status": "ready"})
	})
	if !s.opts.Open {
		return
	}
	metrics := fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	s.Raw("GET", "/metrics", access.Public("监控采集，生产环境默认关闭"), func(c *fiber.Ctx) error {
		metrics(c.Context())
		return nil
	})
	document := sync.OnceValues(s.Document) // every operation is registered before the first request
	s.Raw("GET", "/openapi.json", access.Public("接口文档，生产环境默认关闭"), func(c *fiber.Ctx) error {
		doc, err := document()
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(doc)
	})
}

// Document returns the OpenAPI 3.1 document of every registered operation.
func (s *Server) Document() ([]byte, error) {
	return json.MarshalIndent(s.API.OpenAPI(), "", "  ")
}

// asset is a file of a front-end with its compressed form, made once.
type asset struct {
	once  sync.Once
	plain []byte
	zip   []byte
	mime  string
	err   error
}

// Files serves an embedded folder under prefix. Names with a content hash are cached for good.
func (s *Server) Files(prefix string, fsys fs.FS, immutable bool) {
	files := newAssets(fsys)
	s.Raw("GET", prefix+"*", access.Public("静态文件"), func(c *fiber.Ctx) error {
		return files.send(c, c.Params("*"), immutable)
	})
}

// Front serves a single-page front-end under prefix ("/m"): its files, and its index for every other path, where its own
// router goes on.
func (s *Server) Front(prefix string, dist fs.FS) {
	files := newAssets(dist)
	h := func(c *fiber.Ctx) error {
		if c.Path() == prefix { // the router takes both spellings for one; relative addresses need the slash
			return c.Redirect(prefix + "/")
		}
		name := c.Params("*")
		if strings.HasPrefix(name, "assets/") || name != "" && strings.Contains(path.Base(name), ".") && name != "index.html" {
			return files.send(c, name, strings.HasPrefix(name, "assets/"))
		}
		if _, err := fs.Stat(dist, "index.html"); err != nil {
			c.Status(fiber.StatusServiceUnavailable)
			c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
			return c.SendString("前端未构建，请运行 make build")
		}
		return files.send(c, "index.html", false)
	}
	s.Raw("GET", prefix, access.Public("前端页面，数据由接口逐项鉴权"), h)
	s.Raw("GET", prefix+"/*", access.Public("前端页面，数据由接口逐项鉴权"), h)
}

type assets struct {
	fsys fs.FS
	mu   sync.Mutex
	m    map[string]*asset
}

func newAssets(fsys fs.FS) *assets { return &assets{fsys: fsys, m: map[string]*asset{}} }

func (a *assets) send(c *fiber.Ctx, name string, immutable bool) error {
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return errNoRoute
	}
	if info, err := fs.Stat(a.fsys, name); err != nil || info.IsDir() {
		return errNoRoute
	}
	a.mu.Lock()
	f := a.m[name]
	if f == nil {
		f = &asset{}
		a.m[name] = f
	}
	a.mu.Unlock()
	f.once.Do(func() { f.read(a.fsys, name) })
	if f.err != nil {
		return f.err
	}
	c.Set(fiber.HeaderContentType, f.mime)
	if immutable {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	}
	if f.zip != nil {
		c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
		if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(f.zip)
		}
	}
	return c.Send(f.plain)
}

func (f *asset) read(fsys fs.FS, name string) {
	if f.plain, f.err = fs.ReadFile(fsys, name); f.err != nil {
		return
	}
	f.mime = mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) {
	case ".js", ".mjs":
		f.mime = "text/javascript; charset=utf-8"
	case ".css":
		f.mime = "text/css; charset=utf-8"
	case ".svg":
		f.mime = "image/svg+xml"
	case ".html":
		f.mime = "text/html; charset=utf-8"
	case "":
		f.mime = "application/octet-stream"
	}
	if len(f.plain) < 1024 || strings.HasPrefix(f.mime, "image/png") || strings.HasPrefix(f.mime, "font/") {
		return
	}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if _, err := w.Write(f.plain); err != nil || w.Close() != nil {
		return
	}
	f.zip = b.Bytes()
}
