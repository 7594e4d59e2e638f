package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// Incoming is a mail as it was read. Trouble says in words what could not be read of it.
type Incoming struct {
	UID        int64
	MessageID  string
	References []string // of In-Reply-To and References
	From, Name string   // the bare address, and what stands beside it
	To         []string
	Subject    string
	Text       string
	Files      []Upload
	// Machine says what shows that no person wrote it, "" for a person's.
	Machine string
	Trouble string
}

// Mailbox is our mailbox at the mail server.
type Mailbox interface {
	// Since returns up to limit mails whose UID is above after, oldest first, and the validity of the UIDs. When that is
	// another than the one given, after counts for nothing.
	Since(ctx context.Context, validity, after int64, limit int) (list []Incoming, now int64, err error)
}

type mailbox struct {
	bun.BaseModel `bun:"table:intake_mailboxes,alias:b"`

	Address  string     `bun:"address,pk"`
	Validity int64      `bun:"validity,notnull"`
	Last     int64      `bun:"last_uid,notnull"`
	PolledAt *time.Time `bun:"polled_at"`
	Trouble  string     `bun:"trouble,notnull,type:text"`
}

const (
	atOnce       = 20
	mostMailText = 8000
)

// Tasks are what the clock asks of the module.
func (s *Service) Tasks() []jobs.Task {
	tasks := []jobs.Task{{Name: "intake.forget", Title: "清理微信消息去重记录", Cron: "35 3 * * *", Run: s.forget,
		Failure: "微信消息的去重记录没有清理，只占用空间，不影响受理"}}
	if s.Mailbox != nil {
		tasks = append(tasks, jobs.Task{Name: "intake.mail", Title: "收取诉求邮箱", Every: 20 * time.Second, Timeout: 4 * time.Minute, Run: s.Poll,
			Failure: "诉求邮箱收不到信，来信暂不能受理。请检查邮箱服务器、账号和密码，恢复后会自动补收"})
	}
	return tasks
}

// Poll takes in what is new in the mailbox. The mark moves in the transaction of each mail: one that was taken in is not
// taken again, one that was not comes again.
func (s *Service) Poll(ctx context.Context) error {
	var b mailbox
	err := database.Found(s.DB.Read().NewSelect().Model(&b).Where("b.address = ?", s.Address).Scan(ctx))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	taken := 0
	for {
		list, validity, err := s.Mailbox.Since(ctx, b.Validity, b.Last, atOnce)
		if err != nil {
			return fmt.Errorf("read the mailbox: %w", err)
		}
		if validity != b.Validity {
			b.Validity, b.Last = validity, 0
		}
		for _, in := range list {
			b.Last = max(b.Last, in.UID)
			if err := s.receive(ctx, in, &b); err != nil {
				return fmt.Errorf("take mail %d: %w", in.UID, err)
			}
			taken++
		}
		if len(list) < atOnce {
			break
		}
	}
	if taken > 0 {
		jobs.Note(ctx, "收到 %d 封", taken)
	}
	return nil
}

// mailMark is the same for the same mail, whichever way it came again.
func mailMark(in Incoming) string {
	h := sha256.New()
	for _, part := range []string{in.MessageID, in.From, in.Subject, in.Text} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	for _, f := range in.Files {
		fmt.Fprintf(h, "%d:", len(f.Content))
		_, _ = h.Write(f.Content)
	}
	return "mail:" + hex.EncodeToString(h.Sum(nil))
}

// Load takes over mails from before, outside of a mailbox. Only the system may.
func (s *Service) Load(ctx context.Context, actor access.Actor, list []Incoming) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	for _, in := range list {
		if err := s.receive(ctx, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// receive keeps a mail, with its files, and moves the mark of the mailbox it came from.
func (s *Service) receive(ctx context.Context, in Incoming, b *mailbox) error {
	m := message{Channel: Mail, Mark: mailMark(in), State: Pending, Version: 1, ReceivedAt: s.Clock.Now(), Reference: text.Truncate(in.MessageID, 500)}
	known, err := s.DB.Read().NewSelect().Model((*message)(nil)).Where("m.mark = ?", m.Mark).Exists(ctx)
	if err != nil {
		return err
	}
	var flags []string
	if in.Trouble != "" {
		flags = append(flags, in.Trouble)
	}
	var fileIDs []int64
	from := strings.ToLower(strings.TrimSpace(in.From))
	switch {
	case known:
	case from == "":
		m.State, flags = Ignored, append(flags, "没有发件人地址")
	case s.ours(from):
		m.State, flags = Ignored, append(flags, "由本平台自己的邮箱发出")
	case in.Machine != "":
		m.State, flags = Ignored, append(flags, in.Machine)
	default:
		var dropped []string
		if fileIDs, dropped, err = s.keepAttachments(ctx, in.Files); err != nil {
			return err
		}
		flags = append(flags, dropped...)
	}
	if err := failpoint.Hit("intake.mail-kept"); err != nil {
		return err
	}
	ticketID, forged := s.referred(from, append(append([]string{}, in.References...), in.To...))
	if forged && ticketID == 0 {
		flags = append(flags, "引用的工单与发件人不符，可能是伪造或转发，已按新来件处理")
	}
	m.Sender, m.Blind = s.Box.Seal([]byte(from), senderPlace(m.Mark)), s.Box.Blind("intake.sender", from)
	m.SenderName = text.Truncate(oneLine(in.Name), 40)
	m.Subject = orElse(text.Truncate(oneLine(in.Subject), 200), "（无主题）")
	m.Body = text.Truncate(text.Visible(in.Text), mostMailText)
	m.Flag = text.Truncate(strings.Join(flags, "；"), 500)
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		m := m
		if !known {
			// One that another process took in meanwhile only moves the mark.
			if err := s.keepMail(ctx, tx, &m, ticketID, fileIDs); err != nil && !errors.Is(err, errRepeat) {
				return err
			}
		}
		if b == nil {
			return nil
		}
		_, err := tx.NewInsert().Model(&mailbox{Address: s.Address, Validity: b.Validity, Last: b.Last}).On("CONFLICT (address) DO UPDATE").
			Set("validity = EXCLUDED.validity, last_uid = EXCLUDED.last_uid").Exec(ctx)
		return err
	})
}

// keepMail writes a mail into the inbox or, when it answers about a ticket, onto its timeline.
func (s *Service) keepMail(ctx context.Context, tx bun.Tx, m *message, ticketID int64, fileIDs []int64) error {
	if m.State != Pending || ticketID == 0 {
		return s.putMessage(ctx, tx, m, fileIDs)
	}
	m.State, m.TicketID = Joined, ticketID
	if err := s.putMessage(ctx, tx, m, nil); err != nil { // first: a repeat is heard once
		return err
	}
	err := s.Desk.Hear(ctx, tx, ticketID, Mail, text.Truncate(unquoted(m.Body), mostHeard))
	if err != nil {
		return err
	}
	for _, id := range fileIDs {
		if err := s.Files.Claim(ctx, tx, access.SystemActor(string(Mail)), id, "ticket", ticketID); err != nil {
			return err
		}
	}
	return nil
}

// ours reports whether an address is our mailbox, with or without a plus.
func (s *Service) ours(address string) bool {
	name, domain, _ := strings.Cut(address, "@")
	name, _, _ = strings.Cut(name, "+")
	return strings.EqualFold(name+"@"+domain, s.Address)
}

// keepAttachments keeps what may be kept and says of the rest why not.
func (s *Service) keepAttachments(ctx context.Context, list []Upload) (ids []int64, dropped []string, err error) {
	for i, f := range list {
		if i == mostMedia {
			dropped = append(dropped, fmt.Sprintf("附件超过 %d 个，其余未保存", mostMedia))
			break
		}
		v, err := s.Files.Save(ctx, access.SystemActor(string(Mail)), f.Name, bytes.NewReader(f.Content))
		switch k := fault.KindOf(err); {
		case err == nil:
			ids = append(ids, v.ID)
		case k == fault.Invalid || k == fault.TooLarge || k == fault.BadMedia || k == fault.BadRequest:
			f, _ := fault.As(err)
			dropped = append(dropped, "附件“"+text.Truncate(oneLine(list[i].Name), 30)+"”未保存："+f.Message)
		default:
			return nil, nil, err
		}
	}
	return ids, dropped, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(text.Visible(s)), " ") }

var quoteHead = regexp.MustCompile(`(?m)^\s*(-{2,}\s*(原始邮件|Original Message|回复的邮件).*|On .{5,200} wrote:|(在|于)?.{0,120}(写道|寫道)[:：]|发件人[:：].*|From: .*)\s*$`)

// unquoted is what a reply says of its own.
func unquoted(s string) string {
	if at := quoteHead.FindStringIndex(s); at != nil && strings.TrimSpace(s[:at[0]]) != "" {
		s = s[:at[0]]
	}
	var own []string
	for _, line := range strings.Split(s, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), ">") {
			own = append(own, line)
		}
	}
	return orElse(strings.TrimSpace(strings.Join(own, "\n")), "（没有新的文字）")
}

var phones = regexp.MustCompile(`(?:^|\D)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?:\D|$)`)

// phoneIn finds a phone that somebody wrote.
func phoneIn(s string) string {
	if m := phones.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// hexOf is the beginning of a MAC in letters that mail servers leave alone.
func hexOf(mac string) string {
	sum := sha256.Sum256([]byte(mac))
	return hex.EncodeToString(sum[:])[:macLength]
}
