package sandbox

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// eicar is the test file all scanners agree to find (https://www.eicar.org). It is harmless; it stands here in two halves
// so that nobody's scanner finds this program.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// clamdMax is StreamMaxLength.
const clamdMax = 25 << 20

// Scan is one content the scanner looked at.
type Scan struct {
	ID      int64     `json:"id"`
	Size    int64     `json:"size"`
	Verdict string    `json:"verdict"` // as clamd answered
	At      time.Time `json:"at"`
}

// serveClamd answers on the listener as clamd does, until it is closed.
func (s *Server) serveClamd(ctx context.Context, l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if err := s.clamd(ctx, conn); err != nil {
				slog.Debug("sandbox: clamd", "error", err)
			}
		}()
	}
}

// clamd answers one command: PING, VERSION or INSTREAM, ended by NUL after z and by a line feed after n.
func (s *Server) clamd(ctx context.Context, conn net.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(15 * time.Minute))
	in := bufio.NewReader(conn)
	mode, err := in.ReadByte()
	if err != nil {
		return err
	}
	end := byte(0)
	if mode == 'n' {
		end = '\n'
	}
	command, err := in.ReadString(end)
	if err != nil {
		return err
	}
	say := func(text string) error {
		_, err := conn.Write(append([]byte(text), end))
		return err
	}
	f, err := s.take(ctx, "clamd")
	if err != nil {
		return err
	}
	if f.DelayMS > 0 {
		wait(ctx, time.Duration(f.DelayMS)*time.Millisecond)
	}
	switch f.Mode {
	case Reset:
		reset(conn)
		return nil
	case Fail:
		return say("Can't allocate memory ERROR")
	case Refuse:
		return say("COMMAND UNAVAILABLE ERROR")
	case Garbage:
		return say("<html>502 Bad Gateway</html>")
	}
	switch strings.TrimRight(command, "\x00\n") {
	case "PING":
		return say("PONG")
	case "VERSION":
		return say("ClamAV 1.0.7/27000/sandbox")
	case "INSTREAM":
	default:
		return say("UNKNOWN COMMAND")
	}
	var content bytes.Buffer
	for {
		var n uint32
		if err := binary.Read(in, binary.BigEndian, &n); err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if int64(content.Len())+int64(n) > clamdMax {
			return say("INSTREAM size limit exceeded. ERROR")
		}
		if _, err := io.CopyN(&content, in, int64(n)); err != nil {
			return err
		}
	}
	verdict := "OK"
	if infected(content.Bytes()) {
		verdict = "Eicar-Test-Signature FOUND"
	}
	if _, err := s.db.ExecContext(ctx, `INSERT INTO scans (size, verdict, at) VALUES (?, ?, ?)`, content.Len(), verdict, s.now().UnixMicro()); err != nil {
		return err
	}
	if f.Mode == Lost {
		reset(conn)
		return nil
	}
	return say("stream: " + verdict)
}

// infected looks for the test file, also inside a document.
func infected(b []byte) bool {
	if bytes.Contains(b, []byte(eicar)) {
		return true
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return false
	}
	for _, f := range z.File {
		c, err := f.Open()
		if err != nil {
			continue
		}
		inner, err := io.ReadAll(io.LimitReader(c, clamdMax))
		_ = c.Close()
		if err == nil && bytes.Contains(inner, []byte(eicar)) {
			return true
		}
	}
	return false
}

// scans returns the newest scans, newest first.
func (s *Server) scans(ctx context.Context, limit int) ([]Scan, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, size, verdict, at FROM scans ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []Scan{}
	for rows.Next() {
		var c Scan
		var at int64
		if err := rows.Scan(&c.ID, &c.Size, &c.Verdict, &at); err != nil {
			return nil, err
		}
		c.At = moment(at)
		found = append(found, c)
	}
	return found, rows.Err()
}

func (s *Server) pageScanner(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "杀毒", "scanner", "clamd")
	if err != nil {
		broken(w, err)
		return
	}
	list, err := s.scans(r.Context(), 50)
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "scanner.html", struct {
		page
		Scans []Scan
	}{head, list})
}
