package message_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// provider notes every call and answers from a list.
type provider struct {
	mu     sync.Mutex
	calls  []string
	answer []message.Outcome
	done   chan struct{}
}

func (p *provider) next(call string) message.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	o := p.answer[0]
	p.answer = p.answer[1:]
	if len(p.answer) == 0 {
		close(p.done)
	}
	return o
}

func (p *provider) Send(_ context.Context, id string, t message.Text) message.Outcome {
	return p.next("send " + t.Phone + " " + t.Params["code"] + " " + id)
}

func (p *provider) Ask(_ context.Context, id string, t message.Text, _ time.Time) message.Outcome {
	return p.next("ask " + t.Phone + " " + t.Params["code"] + " " + id)
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer []message.Outcome
		verbs  []string
		state  string
	}{
		{"sent", []message.Outcome{{State: message.Sent, Receipt: "b1"}}, []string{"send"}, "sent"},
		{"refused for good", []message.Outcome{{State: message.Refused, Code: "isv.X", Permanent: true}}, []string{"send"}, "refused"},
		{"never left, sent again", []message.Outcome{{State: message.Queued, Err: errors.New("refused connection")}, {State: message.Sent}}, []string{"send", "send"}, "sent"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := databasetest.New(t, slices.Concat(jobs.Migrations, message.Migrations))
			ctx, cancel := context.WithCancel(context.Background())
			key, err := secret.ParseKey(secret.NewKey())
			if err != nil {
				t.Fatal(err)
			}
			box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": key}, Suite: secret.GM})
			if err != nil {
				t.Fatal(err)
			}
			p := &provider{answer: c.answer, done: make(chan struct{})}
			w := jobs.NewWorkers()
			s := message.New(message.Deps{DB: db, Clock: clock.System{}, Box: box, Sender: p, Log: slog.New(slog.DiscardHandler)}, w)
			q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			s.Use(q)
			ended := make(chan error, 1)
			go func() { ended <- q.Run(ctx) }()
			if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				return s.Text(ctx, tx, message.Text{Phone: "13800138000", Template: "code", Params: map[string]string{"code": "482913"}})
			}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-p.done:
			case <-time.After(30 * time.Second):
				t.Fatalf("calls so far: %v", p.calls)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			id := ""
			for i, call := range p.calls {
				parts := strings.Fields(call)
				if parts[0] != c.verbs[i] || parts[1] != "13800138000" || parts[2] != "482913" || id != "" && parts[3] != id {
					t.Fatalf("calls %v", p.calls)
				}
				id = parts[3]
			}
			var state, stored string
			if err := db.Read().QueryRowContext(context.Background(), "SELECT state, phone || params FROM sms_messages").Scan(&state, &stored); err != nil {
				t.Fatal(err)
			}
			if state != c.state || strings.Contains(stored, "13800138000") || strings.Contains(stored, "482913") {
				t.Fatalf("state %s, stored %s", state, stored)
			}
		})
	}
}
