package audit

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// shipRow is how far the receiver has the log.
type shipRow struct {
	bun.BaseModel `bun:"table:audit_ships"`

	ID         int64      `bun:"id,pk"`
	Seq        int64      `bun:"seq,notnull"`
	At         time.Time  `bun:"at,notnull"`
	Error      string     `bun:"error,notnull,type:text"`
	ErrorSince *time.Time `bun:"error_since"`
}

// Shipper sends every sealed entry to a syslog receiver, in the order of the seals: RFC 5424 messages over TCP or TLS,
// framed by octet counts (RFC 6587, RFC 5425).
//
// Syslog knows no answer. So each batch has a connection of its own: the shipper ends its half and waits for the receiver
// to end the other, which receivers do once they have read everything. Only then the cursor moves. What was sent before a
// connection broke is sent again; the receiver tells it by its message id, the row's id. What a receiver has read and then
// loses by itself nobody can know: it should keep its queue on disk.
type Shipper struct {
	DB    *database.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Address is host:port; TLS is nil for plain TCP. Host names this machine.
	Address string
	TLS     *tls.Config
	Host    string
	// Every is how often it looks for something new, 0 is 2 s. Patience is how long a receiver may take, 0 is 10 s.
	Every, Patience time.Duration
}

// shipBatch is how many entries one connection carries.
const shipBatch = 1000

// Run ships until ctx ends. On PostgreSQL one process of the installation ships.
func (s *Shipper) Run(ctx context.Context) error {
	l := &lock{db: s.DB, id: database.LockShip}
	defer l.release()
	every := s.Every
	if every == 0 {
		every = 2 * time.Second
	}
	pause := every
	for {
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		pause = every
		if err := s.turn(ctx, l); err != nil && ctx.Err() == nil {
			s.Log.Error("ship audit", "error", err)
			pause = 5 * every
		}
	}
}

// turn ships everything that waits, when this process is the one that ships.
func (s *Shipper) turn(ctx context.Context, l *lock) error {
	held, err := l.hold(ctx)
	if err != nil || !held {
		return err
	}
	for ctx.Err() == nil {
		n, err := s.batch(ctx, l)
		if err != nil {
			l.release()
			return err
		}
		if n < shipBatch {
			return nil
		}
	}
	return nil
}

func (s *Shipper) batch(ctx context.Context, l *lock) (int, error) {
	row := shipRow{ID: 1}
	if err := l.read().NewSelect().Model(&row).WherePK().Scan(ctx); err != nil && !isNone(err) {
		return 0, err
	}
	list, err := readPage(ctx, l.read(), row.Seq, shipBatch)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	failure := s.send(ctx, list)
	now := s.Clock.Now()
	row.At = now
	switch {
	case failure == nil:
		row.Seq, row.Error, row.ErrorSince = list[len(list)-1].seal.Seq, "", nil
	case ctx.Err() != nil:
		return 0, nil
	case row.ErrorSince == nil:
		row.ErrorSince = &now
		fallthrough
	default:
		row.Error = failure.Error()
	}
	err = l.run(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (id) DO UPDATE").
			Set("seq = EXCLUDED.seq, at = EXCLUDED.at, error = EXCLUDED.error, error_since = EXCLUDED.error_since").Exec(ctx)
		return err
	})
	return len(list), errors.Join(failure, err)
}

// halfCloser is what TCP and TLS connections have in common here.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// send gives the entries to the receiver, and returns nil once it has read them all.
func (s *Shipper) send(ctx context.Context, list []linked) error {
	patience := s.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	d := net.Dialer{Timeout: patience}
	raw, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("连接审计日志接收端 %s：%w", s.Address, err)
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	conn, ok := raw.(halfCloser)
	if !ok {
		return fmt.Errorf("audit: %T cannot be half closed", raw)
	}
	_ = raw.SetDeadline(time.Now().Add(3 * patience))
	if s.TLS != nil {
		t := tls.Client(raw, s.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("与审计日志接收端 %s 建立加密连接：%w", s.Address, err)
		}
		conn = t
	}
	// What comes back means nothing, but its end does: before ours the receiver went away, after ours it has read all.
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	}()
	out := bufio.NewWriterSize(conn, 64<<10)
	for i := range list {
		if !list[i].there {
			continue // deleted by hand; Verify says so
		}
		line := syslogLine(&list[i].entry, list[i].seal.Seq, s.Host)
		if _, err := out.WriteString(strconv.Itoa(len(line)) + " " + line); err != nil {
			return fmt.Errorf("发送审计日志：%w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("发送审计日志：%w", err)
	}
	select {
	case <-ended:
		return errors.New("审计日志接收端提前断开了连接")
	default:
	}
	if err := conn.CloseWrite(); err != nil {
		return fmt.Errorf("发送审计日志：%w", err)
	}
	_ = raw.SetReadDeadline(time.Now().Add(patience))
	err = <-ended
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// Some receivers never end their half. The system would have told us of a broken connection by now.
		err = nil
	}
	if err != nil {
		return fmt.Errorf("审计日志接收端断开了连接：%w", err)
	}
	return nil
}
