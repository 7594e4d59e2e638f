package sandbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func (s *Server) partnerRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/partner/{name}/events", s.receive)
}

// Attempt is one push that arrived, whether it was taken or not.
type Attempt struct {
	Attempt     int64     `json:"attempt"`
	Partner     string    `json:"partner"`
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Sequence    string    `json:"sequence"`
	Subject     string    `json:"subject"`
	SignatureOK bool      `json:"signatureOk"`
	Problem     string    `json:"problem"` // why the signature is not right
	BodySHA256  string    `json:"bodySha256"`
	Body        string    `json:"body"`
	Status      int       `json:"status"` // what was answered; 0 when the line was cut
	Receipt     string    `json:"receipt"`
	Repeat      bool      `json:"repeat"` // the same id arrived before
	At          time.Time `json:"at"`
}

// receive stores every push that arrives, then answers as its signature and the fault want it. Faults are taken inside, so
// that failed attempts are in the inbox too.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, map[string]string{"error": "body too large"})
		return
	}
	f, err := s.take(ctx, "partner")
	if err != nil {
		broken(w, err)
		return
	}
	if f.DelayMS > 0 && !wait(ctx, time.Duration(f.DelayMS)*time.Millisecond) {
		return
	}
	hash := sha256.Sum256(body)
	a := Attempt{Partner: r.PathValue("name"), ID: r.Header.Get(standardwebhooks.HeaderWebhookID), BodySHA256: hex.EncodeToString(hash[:]), Body: string(body)}
	var envelope struct {
		ID, Type, Subject, Sequence string
	}
	unreadable := json.Unmarshal(body, &envelope) != nil
	a.Type, a.Subject, a.Sequence = envelope.Type, envelope.Subject, envelope.Sequence
	a.Problem = s.pushProblem(body, r.Header)
	a.SignatureOK = a.Problem == ""
	switch {
	case !a.SignatureOK:
		a.Status = http.StatusUnauthorized
	case unreadable || envelope.ID != a.ID:
		a.Status = http.StatusBadRequest
		a.Problem = "内容不是 CloudEvents，或其 id 与请求头不一致"
	case f.Mode == Fail:
		a.Status = http.StatusInternalServerError
	case f.Mode == Refuse:
		// A partner's own no is about the content: the same again is refused again.
		a.Status = http.StatusUnprocessableEntity
	case f.Mode == Reset:
		a.Status = 0
	default:
		a.Status = http.StatusOK
		// A repeat gets the receipt of the first: the partner files an event once.
		a.Receipt = "R-" + receiptID(a.Partner, a.ID)
	}
	if err := s.keepAttempt(ctx, a); err != nil {
		broken(w, err)
		return
	}
	switch {
	case f.Mode == Reset || f.Mode == Lost:
		cut(w)
	case f.Mode == Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>\xb4\xed\xce\xf3 502 Bad Gateway</body></html>"))
	case a.Status == http.StatusOK:
		writeJSON(w, a.Status, map[string]string{"id": a.Receipt})
	default:
		writeJSON(w, a.Status, map[string]string{"error": http.StatusText(a.Status)})
	}
}

func receiptID(partner, id string) string {
	hash := sha256.Sum256([]byte(partner + "\n" + id))
	return hex.EncodeToString(hash[:8])
}

// pushProblem checks the Standard Webhooks signature and time and says what is wrong in plain words.
func (s *Server) pushProblem(body []byte, h http.Header) string {
	verifier, err := standardwebhooks.NewWebhook(s.opts.Secrets.PartnerSecret)
	if err != nil || s.opts.Secrets.PartnerSecret == "" {
		return "沙箱没有配置合作方密钥"
	}
	if err := verifier.VerifyIgnoringTimestamp(body, h); err != nil {
		if errors.Is(err, standardwebhooks.ErrRequiredHeaders) {
			return "缺少签名请求头"
		}
		return "签名不正确"
	}
	seconds, err := strconv.ParseInt(h.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if age := s.now().Sub(time.Unix(seconds, 0)); err != nil || age > 5*time.Minute || age < -5*time.Minute {
		return "签名时间超出 5 分钟"
	}
	return ""
}

func (s *Server) keepAttempt(ctx context.Context, a Attempt) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO deliveries (partner, event_id, type, sequence, subject, signature_ok, problem, sha256, body, status, receipt, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.Partner, a.ID, a.Type, a.Sequence, a.Subject, a.SignatureOK, a.Problem, a.BodySHA256, a.Body, a.Status, a.Receipt, s.now().UnixMicro())
	return err
}

// attempts returns what arrived for partner, all partners when "", in the order of arrival after the given attempt.
func (s *Server) attempts(ctx context.Context, partner string, after int64, limit int) ([]Attempt, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT d.id, partner, event_id, type, sequence, subject, signature_ok, problem, sha256, body, status, receipt, at,
		EXISTS (SELECT 1 FROM deliveries e WHERE e.partner = d.partner AND e.event_id = d.event_id AND e.id < d.id)
		FROM deliveries d WHERE d.id > ? AND (? = '' OR partner = ?) ORDER BY d.id LIMIT ?`, after, partner, partner, limit)
	if err != nil {
		return nil, err
	}
	return scanAttempts(rows)
}

// recent returns the newest attempts, newest first.
func (s *Server) recent(ctx context.Context, partner string, limit int) ([]Attempt, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT d.id, partner, event_id, type, sequence, subject, signature_ok, problem, sha256, body, status, receipt, at,
		EXISTS (SELECT 1 FROM deliveries e WHERE e.partner = d.partner AND e.event_id = d.event_id AND e.id < d.id)
		FROM deliveries d WHERE (? = '' OR partner = ?) ORDER BY d.id DESC LIMIT ?`, partner, partner, limit)
	if err != nil {
		return nil, err
	}
	return scanAttempts(rows)
}

func scanAttempts(rows *sql.Rows) ([]Attempt, error) {
	defer rows.Close()
	found := []Attempt{}
	for rows.Next() {
		var a Attempt
		var at int64
		if err := rows.Scan(&a.Attempt, &a.Partner, &a.ID, &a.Type, &a.Sequence, &a.Subject, &a.SignatureOK, &a.Problem, &a.BodySHA256, &a.Body, &a.Status, &a.Receipt, &at, &a.Repeat); err != nil {
			return nil, err
		}
		a.At = moment(at)
		found = append(found, a)
	}
	return found, rows.Err()
}
