package sandbox

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
)

func registrySay(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]string{"code": code, "message": message})
}

func (s *Server) registryRoutes(mux *http.ServeMux) {
	guard := func(next http.HandlerFunc) http.HandlerFunc {
		return s.misbehaving("registry",
			func(w http.ResponseWriter, _ *http.Request) {
				registrySay(w, http.StatusServiceUnavailable, "UNAVAILABLE", "登记系统维护中")
			},
			func(w http.ResponseWriter, _ *http.Request) {
				registrySay(w, http.StatusForbidden, "FORBIDDEN", "未授权调用此接口")
			}, s.registrySigned(next))
	}
	mux.HandleFunc("POST /sandbox/registry/v1/verify", guard(s.registryVerify))
	mux.HandleFunc("GET /sandbox/registry/v1/companies/{code}", guard(s.registryLookup))
	mux.HandleFunc("GET /sandbox/registry/v1/companies", guard(s.registryPage))
}

// registrySigned lets a request through whose key, time, signature and nonce are right.
func (s *Server) registrySigned(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			registrySay(w, http.StatusRequestEntityTooLarge, "TOO_LARGE", "请求过大")
			return
		}
		h := r.Header
		for _, name := range []string{registry.HeaderKey, registry.HeaderTimestamp, registry.HeaderNonce, registry.HeaderSignature} {
			// Two copies of a header could be read differently by whoever stands in between.
			if len(h.Values(name)) != 1 {
				registrySay(w, http.StatusUnauthorized, "BAD_SIGNATURE", "缺少或重复的请求头 "+name)
				return
			}
		}
		if s.opts.Secrets.RegistryKey == "" || h.Get(registry.HeaderKey) != s.opts.Secrets.RegistryKey {
			registrySay(w, http.StatusUnauthorized, "UNKNOWN_KEY", "未知的调用方")
			return
		}
		want := registry.Sign(s.opts.Secrets.RegistrySecret, r.Method, r.RequestURI, h.Get(registry.HeaderTimestamp), h.Get(registry.HeaderNonce), body)
		if subtle.ConstantTimeCompare([]byte(want), []byte(h.Get(registry.HeaderSignature))) != 1 {
			registrySay(w, http.StatusUnauthorized, "BAD_SIGNATURE", "签名不正确")
			return
		}
		seconds, err := strconv.ParseInt(h.Get(registry.HeaderTimestamp), 10, 64)
		if age := s.now().Sub(time.Unix(seconds, 0)); err != nil || age > registry.Tolerance || age < -registry.Tolerance {
			registrySay(w, http.StatusUnauthorized, "STALE", "请求时间超出允许范围")
			return
		}
		repeat, err := s.seen(r.Context(), "registry", h.Get(registry.HeaderNonce))
		if err != nil {
			broken(w, err)
			return
		}
		if repeat {
			registrySay(w, http.StatusUnauthorized, "REPLAYED", "请求已被使用")
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		next(w, r)
	}
}

func (s *Server) registryVerify(w http.ResponseWriter, r *http.Request) {
	var q registry.Query
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		registrySay(w, http.StatusBadRequest, "BAD_REQUEST", "请求内容无法读取")
		return
	}
	c, err := s.company(r.Context(), q.CreditCode)
	if errors.Is(err, sql.ErrNoRows) {
		writeJSON(w, http.StatusOK, registry.Answer{})
		return
	}
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, registry.Answer{
		Found: true, NameMatches: sameName(c.Name, q.Name), LegalPersonMatches: strings.TrimSpace(q.LegalPerson) == c.LegalPerson, Status: c.Status,
	})
}

// sameName compares as a registry does: width of brackets and blanks do not matter.
func sameName(a, b string) bool {
	plain := strings.NewReplacer("（", "(", "）", ")", " ", "", "\u3000", "")
	return plain.Replace(a) == plain.Replace(b)
}

func (s *Server) registryLookup(w http.ResponseWriter, r *http.Request) {
	c, err := s.company(r.Context(), r.PathValue("code"))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		registrySay(w, http.StatusNotFound, "NOT_FOUND", "没有该统一社会信用代码的登记信息")
	case err != nil:
		broken(w, err)
	default:
		writeJSON(w, http.StatusOK, c)
	}
}

// registryPage gives a part of the register: the codes behind the cursor, which is the last code of the page before.
func (s *Server) registryPage(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > registry.MaxPage {
		registrySay(w, http.StatusBadRequest, "BAD_REQUEST", fmt.Sprintf("limit 应为 1 至 %d", registry.MaxPage))
		return
	}
	page, err := s.page(r.Context(), r.URL.Query().Get("cursor"), limit)
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, page)
}

func (s *Server) page(ctx context.Context, cursor string, limit int) (registry.Page, error) {
	page := registry.Page{Companies: []registry.Company{}}
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM companies`).Scan(&page.Total); err != nil {
		return page, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM companies WHERE code > ? ORDER BY code LIMIT ?`, cursor, limit+1)
	if err != nil {
		return page, err
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		var c registry.Company
		if err := rows.Scan(&body); err != nil {
			return page, err
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return page, err
		}
		page.Companies = append(page.Companies, c)
	}
	if len(page.Companies) > limit {
		page.Companies = page.Companies[:limit]
		page.Next = page.Companies[limit-1].CreditCode
	}
	return page, rows.Err()
}

func (s *Server) company(ctx context.Context, code string) (c registry.Company, err error) {
	var body string
	if err := s.db.QueryRowContext(ctx, `SELECT body FROM companies WHERE code = ?`, code).Scan(&body); err != nil {
		return c, err
	}
	return c, json.Unmarshal([]byte(body), &c)
}

func (s *Server) addCompanies(ctx context.Context, companies []registry.Company) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sandbox: add companies: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, c := range companies {
		body, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("sandbox: add company %s: %w", c.CreditCode, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO companies (code, name, legal_person, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, legal_person = excluded.legal_person, body = excluded.body`,
			c.CreditCode, c.Name, c.LegalPerson, string(body)); err != nil {
			return fmt.Errorf("sandbox: add company %s: %w", c.CreditCode, err)
		}
	}
	return tx.Commit()
}

// companies returns at most 100 whose name, code or legal person contains q.
func (s *Server) companies(ctx context.Context, q string) ([]registry.Company, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT body FROM companies WHERE instr(name, ?) > 0 OR instr(code, ?) > 0 OR instr(legal_person, ?) > 0 ORDER BY code LIMIT 100`, q, q, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []registry.Company{}
	for rows.Next() {
		var body string
		var c registry.Company
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, rows.Err()
}
