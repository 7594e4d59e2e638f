// Package clamav asks a clamd daemon whether content holds malware, over clamd's own protocol (INSTREAM): nothing but the
// content leaves the process, and clamd needs no access to the files' folder.
package clamav

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// The times clamd may take.
const (
	dialTime  = 3 * time.Second
	stallTime = 20 * time.Second // for one chunk to be taken
	scanTime  = 60 * time.Second // for the verdict once all is sent
	chunkSize = 64 << 10
	// maxAnswer is longer than any answer clamd gives.
	maxAnswer = 4096
)

// ErrTooLarge means that clamd's StreamMaxLength is smaller than the content: set it to 25M or more.
var ErrTooLarge = errors.New("clamav: content is longer than clamd's StreamMaxLength")

// errContent is a failure of the content's own reader.
var errContent = errors.New("clamav: the content cannot be read")

// Client asks one clamd. It is safe for concurrent use; each scan has a connection of its own.
type Client struct {
	network, address string
}

// New returns a client of the clamd at the address: "tcp://127.0.0.1:3310" or "unix:///run/clamav/clamd.ctl".
func New(address string) (*Client, error) {
	network, at, ok := strings.Cut(address, "://")
	switch {
	case !ok, at == "", network != "tcp" && network != "unix":
		return nil, fmt.Errorf("clamav: %q is not an address such as tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl", address)
	case network == "tcp":
		if _, _, err := net.SplitHostPort(at); err != nil {
			return nil, fmt.Errorf("clamav: %q has no port", address)
		}
	}
	return &Client{network, at}, nil
}

// Ping answers whether clamd is there.
func (c *Client) Ping(ctx context.Context) error {
	answer, err := c.ask(ctx, "PING", nil)
	if err == nil && answer != "PONG" {
		err = fmt.Errorf("clamav: strange answer %q", answer)
	}
	return err
}

// Version returns clamd's version with that of its signatures, as "ClamAV 1.0.7/27456/Fri Nov 22 09:30:11 2026".
func (c *Client) Version(ctx context.Context) (string, error) { return c.ask(ctx, "VERSION", nil) }

// Scan reads content to its end and returns the name of the malware found in it, "" when there is none. An error is no
// verdict: clamd was not reached, did not answer, or could not scan.
func (c *Client) Scan(ctx context.Context, content io.Reader) (virus string, err error) {
	answer, err := c.ask(ctx, "INSTREAM", content)
	if err != nil {
		return "", err
	}
	verdict := strings.TrimPrefix(answer, "stream: ")
	if verdict == "OK" {
		return "", nil
	}
	if name, ok := strings.CutSuffix(verdict, " FOUND"); ok && name != "" {
		return name, nil
	}
	if strings.Contains(verdict, "size limit exceeded") {
		return "", ErrTooLarge
	}
	return "", fmt.Errorf("clamav: no verdict: %q", answer)
}

// ask sends a command, with content after it, and returns the answer.
func (c *Client) ask(ctx context.Context, command string, content io.Reader) (string, error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", fmt.Errorf("clamav: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	until := func(d time.Duration) {
		at := time.Now().Add(d)
		if end, ok := ctx.Deadline(); ok && end.Before(at) {
			at = end
		}
		_ = conn.SetDeadline(at)
	}
	until(stallTime)
	if _, err := conn.Write([]byte("z" + command + "\x00")); err != nil {
		return "", fmt.Errorf("clamav: %w", err)
	}
	if content != nil {
		if err := send(conn, content, until); err != nil {
			if errors.Is(err, errContent) {
				return "", err
			}
			// clamd may have said why it stopped listening
			until(dialTime)
			if answer, rerr := read(conn); rerr == nil {
				return answer, nil
			}
			return "", fmt.Errorf("clamav: %w", err)
		}
	}
	until(scanTime)
	answer, err := read(conn)
	if err != nil {
		return "", fmt.Errorf("clamav: %w", err)
	}
	return answer, nil
}

// send writes content in chunks that begin with their length; one of no length ends it.
func send(conn net.Conn, content io.Reader, until func(time.Duration)) error {
	buf := make([]byte, 4+chunkSize)
	for {
		n, err := io.ReadFull(content, buf[4:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("%w: %w", errContent, err)
		}
		binary.BigEndian.PutUint32(buf, uint32(n)) //nolint:gosec // at most chunkSize
		if n > 0 {
			until(stallTime)
			if _, err := conn.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		if err != nil {
			_, err := conn.Write([]byte{0, 0, 0, 0})
			return err
		}
	}
}

func read(conn net.Conn) (string, error) {
	answer, err := bufio.NewReader(io.LimitReader(conn, maxAnswer)).ReadString(0)
	answer = strings.TrimRight(answer, "\x00\n ")
	if err == io.EOF && answer != "" {
		return answer, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return answer, err
}
