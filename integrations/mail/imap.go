package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// BoxConfig says which mailbox to read.
type BoxConfig struct {
	Host     string
	Port     int // 0 is 993
	Username string
	Password string
	Folder   string        // "" is INBOX
	TLS      string        // "implicit" (also when empty), "starttls", or "none" for the sandbox
	Timeout  time.Duration // of one reading; 0 is a minute
}

// Box reads one mailbox over IMAP. It changes nothing there: what was read is known by its UID.
type Box struct{ cfg BoxConfig }

// NewBox returns a reader, or an error when the configuration lacks a part.
func NewBox(cfg BoxConfig) (*Box, error) {
	if cfg.Host == "" || cfg.Username == "" {
		return nil, errors.New("mail: host and username of the mailbox are required")
	}
	if cfg.Port == 0 {
		cfg.Port = 993
	}
	if cfg.Folder == "" {
		cfg.Folder = "INBOX"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = time.Minute
	}
	switch cfg.TLS {
	case "":
		cfg.TLS = "implicit"
	case "implicit", "starttls", "none":
	default:
		return nil, fmt.Errorf("mail: imap tls %q is none of implicit, starttls, none", cfg.TLS)
	}
	return &Box{cfg}, nil
}

// Raw is a mail as the server has it. A mail above MostBytes has its head only.
type Raw struct {
	UID   int64
	Bytes []byte
	Cut   bool
}

// MostBytes is the largest mail that is read.
const MostBytes = 25 << 20

// Since returns up to limit mails whose UID is above after, oldest first, and the validity of the folder's UIDs. When that is
// not the one given, the UIDs were given out anew and it begins with the first.
func (b *Box) Since(ctx context.Context, validity, after int64, limit int) ([]Raw, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	c, err := b.dial(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("mail: connect to the mailbox: %w", err)
	}
	defer c.Close()
	if err := c.Login(b.cfg.Username, b.cfg.Password).Wait(); err != nil {
		return nil, 0, fmt.Errorf("mail: sign in to the mailbox: %w", err)
	}
	sel, err := c.Select(b.cfg.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return nil, 0, fmt.Errorf("mail: open the folder: %w", err)
	}
	now := int64(sel.UIDValidity)
	if now != validity {
		after = 0
	}
	uids, err := newer(c, after, limit)
	if err != nil || len(uids) == 0 {
		return nil, now, err
	}
	sizes, err := c.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
	if err != nil {
		return nil, 0, fmt.Errorf("mail: read sizes: %w", err)
	}
	big := map[imap.UID]bool{}
	for _, m := range sizes {
		big[m.UID] = m.RFC822Size > MostBytes
	}
	var list []Raw
	for _, uid := range uids {
		section := &imap.FetchItemBodySection{Peek: true}
		if big[uid] {
			section.Specifier = imap.PartSpecifierHeader
		}
		got, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		if err != nil {
			return nil, 0, fmt.Errorf("mail: read mail %d: %w", uid, err)
		}
		for _, m := range got { // none when it was deleted meanwhile
			list = append(list, Raw{UID: int64(uid), Bytes: m.FindBodySection(section), Cut: big[uid]})
		}
	}
	_ = c.Logout().Wait()
	return list, now, nil
}

// newer finds the lowest UIDs above after. A range that ends in * holds the last mail whatever its UID.
func newer(c *imapclient.Client, after int64, limit int) ([]imap.UID, error) {
	var span imap.UIDSet
	span.AddRange(imap.UID(after+1), 0) // #nosec G115 -- a UID has 32 bits
	found, err := c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{span}}, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("mail: look for new mail: %w", err)
	}
	var uids []imap.UID
	for _, uid := range found.AllUIDs() {
		if int64(uid) > after {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids[:min(limit, len(uids))], nil
}

func (b *Box) dial(ctx context.Context) (*imapclient.Client, error) {
	addr := net.JoinHostPort(b.cfg.Host, strconv.Itoa(b.cfg.Port))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	opts := &imapclient.Options{TLSConfig: &tls.Config{ServerName: b.cfg.Host, MinVersion: tls.VersionTLS12}}
	switch b.cfg.TLS {
	case "starttls":
		return imapclient.NewStartTLS(conn, opts)
	case "none":
		return imapclient.New(conn, opts), nil
	}
	secure := tls.Client(conn, opts.TLSConfig)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return imapclient.New(secure, opts), nil
}
