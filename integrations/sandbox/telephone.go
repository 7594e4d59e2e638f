package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Call is one call of the simulated telephone platform.
type Call struct {
	ID        string    `json:"id"`
	Number    string    `json:"number"`
	Queue     string    `json:"queue"`
	Extension string    `json:"extension"`
	State     string    `json:"state"`  // queue, ringing, talking, ended, survey
	Answer    string    `json:"answer"` // what the product said to the last event
	At        time.Time `json:"at"`
}

// StateName is the Chinese word of the state.
func (c Call) StateName() string {
	return map[string]string{"queue": "排队中", "ringing": "振铃中", "talking": "通话中", "ended": "已挂机", "survey": "已按键"}[c.State]
}

func (s *Server) telephoneRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/telephone", s.pageTelephone)
	mux.HandleFunc("POST /sandbox/telephone", s.pageDial)
	mux.HandleFunc("GET /sandbox/telephone/recordings/{name}", recording)
}

func (s *Server) calls(ctx context.Context) ([]Call, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, number, queue, extension, state, answer, at FROM calls ORDER BY at DESC LIMIT 30`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []Call{}
	for rows.Next() {
		var c Call
		var at int64
		if err := rows.Scan(&c.ID, &c.Number, &c.Queue, &c.Extension, &c.State, &c.Answer, &at); err != nil {
			return nil, err
		}
		c.At = time.UnixMicro(at)
		list = append(list, c)
	}
	return list, rows.Err()
}

func (s *Server) pageTelephone(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "电话", "telephone", "telephone")
	if err != nil {
		broken(w, err)
		return
	}
	list, err := s.calls(r.Context())
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "telephone.html", struct {
		page
		Calls      []Call
		Extensions []string
		On         bool
	}{head, list, []string{"8001", "8002", "8003", "8004", "8005", "8006"}, s.opts.Secrets.CTISecret != "" && s.opts.PublicBase != ""})
}

// pageDial does what a button of the page says, by the same door as a real telephone platform.
func (s *Server) pageDial(w http.ResponseWriter, r *http.Request) {
	c := Call{ID: r.PostFormValue("id"), Number: strings.TrimSpace(r.PostFormValue("number")), Queue: strings.TrimSpace(r.PostFormValue("queue")), Extension: r.PostFormValue("extension")}
	if err := s.dial(r.Context(), &c, r.PostFormValue("do"), r.PostFormValue("key"), r.PostFormValue("ticket")); err != nil {
		broken(w, err)
		return
	}
	http.Redirect(w, r, "/sandbox/telephone", http.StatusSeeOther)
}

func (s *Server) dial(ctx context.Context, c *Call, do, key, ticket string) error {
	e := map[string]any{"at": s.now().Format(time.RFC3339Nano)}
	switch do {
	case "dial":
		c.ID, c.State = "tel-"+strings.ToLower(rand.Text()[:12]), "queue"
		e["event"], e["number"], e["queue"] = "ring", c.Number, c.Queue
	case "ring":
		c.State = "ringing"
		e["event"], e["extension"] = "ring", c.Extension
	case "answer":
		c.State = "talking"
		e["event"], e["extension"] = "answer", c.Extension
	case "hangup":
		c.State = "ended"
		e["event"], e["extension"], e["recording"] = "hangup", c.Extension, s.opts.PublicBase+"/sandbox/telephone/recordings/"+c.ID+".wav"
	case "survey":
		c.ID, c.State = "ivr-"+strings.ToLower(rand.Text()[:12]), "survey"
		n, _ := strconv.Atoi(key)
		e["event"], e["key"], e["ticket"] = "survey", n, strings.TrimSpace(ticket)
	default:
		return fmt.Errorf("unknown action %q", do)
	}
	e["callId"] = c.ID
	c.Answer = s.tell(ctx, e)
	_, err := s.db.ExecContext(ctx, `INSERT INTO calls (id, number, queue, extension, state, answer, at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET extension = CASE WHEN excluded.extension <> '' THEN excluded.extension ELSE calls.extension END, state = excluded.state, answer = excluded.answer`,
		c.ID, c.Number, c.Queue, c.Extension, c.State, c.Answer, s.now().UnixMicro())
	return err
}

// tell signs and sends an event and returns what the product said.
func (s *Server) tell(ctx context.Context, e map[string]any) string {
	f, err := s.take(ctx, "telephone")
	if err != nil || f.Mode == Fail || f.Mode == Refuse || f.Mode == Reset {
		return "没有发出（故障开关）"
	}
	if f.DelayMS > 0 && !wait(ctx, time.Duration(f.DelayMS)*time.Millisecond) {
		return "没有发出"
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	signer, err := standardwebhooks.NewWebhook(s.opts.Secrets.CTISecret)
	if err != nil {
		return "没有配置密钥"
	}
	id, at := "msg_"+rand.Text(), s.now()
	signature, err := signer.Sign(id, at, body)
	if err != nil {
		return err.Error()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.PublicBase+"/callback/cti", bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	res, err := s.client.Do(req)
	if err != nil {
		return "没有应答"
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
	if res.StatusCode == http.StatusOK {
		return "已接收"
	}
	return fmt.Sprintf("%d %s", res.StatusCode, text)
}

// recording answers with two seconds of a tone: a recording has to be something one can hear.
func recording(w http.ResponseWriter, _ *http.Request) {
	const rate, seconds = 8000, 2
	var b bytes.Buffer
	samples := make([]int16, rate*seconds)
	for i := range samples {
		samples[i] = int16(6000 * math.Sin(2*math.Pi*440*float64(i)/rate))
	}
	b.WriteString("RIFF")
	for _, v := range []any{uint32(36 + 2*len(samples)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"), uint32(2 * len(samples)), samples} { // #nosec G115 -- small constants
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	w.Header().Set("Content-Type", "audio/wav")
	_, _ = w.Write(b.Bytes())
}
