package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"
)

// Format is how entries are written outside.
type Format string

// The formats of Export.
const (
	JSON   Format = "json"   // one object a line
	CSV    Format = "csv"    // with a line of column names and a byte order mark, for spreadsheets
	Syslog Format = "syslog" // RFC 5424, one message a line
)

// Export writes the entries that f keeps, oldest first, and returns how many. It reads in pages; f's cursor and limit are
// not used. Host names this machine in syslog messages.
func Export(ctx context.Context, db bun.IDB, f Filter, format Format, host string, w io.Writer) (int64, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	write, err := writer(format, host, out)
	if err != nil {
		return 0, err
	}
	var n int64
	after := time.Time{}
	last := int64(0)
	for {
		var rows []Entry
		q := f.narrow(db.NewSelect().Model(&rows)).OrderExpr("a.at, a.id").Limit(1000)
		if !after.IsZero() {
			q = q.Where("(a.at, a.id) > (?, ?)", after, last)
		}
		if err := q.Scan(ctx); err != nil {
			return n, fmt.Errorf("read audit log: %w", err)
		}
		for i := range rows {
			if err := write(&rows[i]); err != nil {
				return n, err
			}
			n++
		}
		if len(rows) < 1000 {
			return n, out.Flush()
		}
		after, last = rows[len(rows)-1].At.UTC(), rows[len(rows)-1].ID
	}
}

func writer(format Format, host string, out *bufio.Writer) (func(e *Entry) error, error) {
	switch format {
	case JSON:
		return func(e *Entry) error {
			line, err := jsonLine(e)
			if err != nil {
				return err
			}
			_, err = out.Write(line)
			return err
		}, nil
	case Syslog:
		return func(e *Entry) error {
			_, err := out.WriteString(syslogLine(e, 0, host) + "\n")
			return err
		}, nil
	case CSV:
		_, _ = out.WriteString("\uFEFF")
		c := csv.NewWriter(out)
		c.UseCRLF = true
		if err := c.Write([]string{"编号", "时间", "人员编号", "人员", "身份", "地址", "动作", "对象", "对象编号", "摘要", "详情", "追踪号"}); err != nil {
			return nil, err
		}
		return func(e *Entry) error {
			err := c.Write([]string{strconv.FormatInt(e.ID, 10), show(e.At), strconv.FormatInt(e.ActorID, 10), safeCell(e.ActorName), e.Party, e.IP, e.Action, e.Object,
				strconv.FormatInt(e.ObjectID, 10), safeCell(e.Summary), safeCell(e.Detail), e.TraceID})
			c.Flush()
			return err
		}, nil
	}
	return nil, fmt.Errorf("audit: unknown format %q", string(format))
}

// safeCell keeps a spreadsheet from taking text for a formula.
func safeCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func jsonLine(e *Entry) ([]byte, error) {
	type plain Entry
	detail := json.RawMessage(e.Detail)
	if !json.Valid(detail) {
		detail = nil
	}
	p := plain(*e)
	p.At = e.At.UTC()
	line, err := json.Marshal(struct {
		plain
		Detail json.RawMessage `json:"detail"`
	}{p, detail})
	return append(line, '\n'), err
}

// The header of a syslog message: facility 13 (log audit), severity 5 (notice).
const (
	priority = 13*8 + 5
	appName  = "huiqi"
	// structured data of private use; 32473 is the number RFC 5612 sets aside for where none is registered
	sdID = "audit@32473"
)

// syslogLine is the entry as an RFC 5424 message. The row's id is the message id: a receiver that gets a message twice
// knows it by that.
func syslogLine(e *Entry, seq int64, host string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<%d>1 %s %s %s - %d [%s", priority, e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), header(host), appName, e.ID, sdID)
	param := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, ` %s="%s"`, name, sdEscape.Replace(clean(value)))
		}
	}
	param("id", strconv.FormatInt(e.ID, 10))
	if seq > 0 {
		param("seal", strconv.FormatInt(seq, 10))
	}
	param("action", e.Action)
	param("object", e.Object)
	if e.ObjectID != 0 {
		param("objectId", strconv.FormatInt(e.ObjectID, 10))
	}
	if e.ActorID != 0 {
		param("actorId", strconv.FormatInt(e.ActorID, 10))
	}
	param("actor", e.ActorName)
	param("party", e.Party)
	param("ip", e.IP)
	param("trace", e.TraceID)
	if e.Detail != "{}" {
		param("detail", e.Detail)
	}
	b.WriteString("] \uFEFF")
	b.WriteString(clean(e.Summary))
	return b.String()
}

var sdEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// clean makes control characters harmless: a line break would begin a message of its own at some receivers.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// header keeps what a header field may hold.
func header(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), 255)]
}
