package intake

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// letter is a mail of ours.
type letter struct {
	bun.BaseModel `bun:"table:intake_letters,alias:l"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Mark      string    `bun:"mark,notnull"` // becomes its Message-ID; a second one of the same mark is not written
	Recipient string    `bun:"recipient,notnull,type:text"`
	Subject   string    `bun:"subject,notnull,type:text"`
	Text      string    `bun:"text,notnull,type:text"`
	Answers   string    `bun:"answers,notnull,type:text"`
	State     string    `bun:"state,notnull"` // queued, sending, sent, refused, unknown
	Trouble   string    `bun:"trouble,notnull,type:text"`
	CreatedAt time.Time `bun:"created_at,notnull"`
	SentAt    time.Time `bun:"sent_at,nullzero"`
}

func letterPlace(mark string) string { return "intake.letter:" + mark }

type letterArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (letterArgs) Kind() string { return "intake.letter" }

// Work registers the workers of the module.
func (s *Service) Work(w *jobs.Workers) {
	jobs.Work(w, func(ctx context.Context, job letterArgs) error { return s.sendLetter(ctx, job.ID) })
	jobs.Work(w, func(ctx context.Context, job talkArgs) error { return s.fileTalk(ctx, job.ID) })
	jobs.Work(w, func(ctx context.Context, job tellArgs) error { return s.tell(ctx, job) })
}

// macLength is how much of a MAC a reference carries: 96 bits.
const macLength = 24

// reference binds a ticket to whom we write about it: only a mail from the same address that brings it back belongs to the
// ticket.
func (s *Service) reference(ticketID int64, address string) string {
	return fmt.Sprintf("t%d.%s", ticketID, hexOf(s.Box.MAC("intake.mail", strconv.FormatInt(ticketID, 10), strings.ToLower(address))))
}

var references = regexp.MustCompile(`(?i)(?:^|[+<\s])t(\d{1,18})\.([0-9a-f]{24})(?:[.@]|$)`)

// referred finds the ticket that one of the texts refers to for a mail from the address. forged says that there was a
// reference that is not ours to this sender.
func (s *Service) referred(address string, texts []string) (ticketID int64, forged bool) {
	for _, t := range texts {
		for _, m := range references.FindAllStringSubmatch(t, 20) {
			id, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				continue
			}
			for _, mac := range s.Box.MACs("intake.mail", m[1], strings.ToLower(address)) {
				if secret.Equal(hexOf(mac), strings.ToLower(m[2])) {
					return id, false
				}
			}
			forged = true
		}
	}
	return 0, forged
}

// acknowledge writes the sender of a mail, once, the number and query code of the ticket it became.
func (s *Service) acknowledge(ctx context.Context, tx bun.Tx, m *message, f Filed) error {
	if m.Channel != Mail {
		return nil
	}
	to, err := s.Box.Open(m.Sender, senderPlace(m.Mark))
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s，您好：\n\n您于%s发来的邮件《%s》已受理。\n\n流水号：%s\n查询码：%s\n答复期限：%s\n\n凭流水号和查询码可查询办理进度。需要补充情况时，请直接回复本邮件。查询码请勿告诉他人。\n\n%s惠企台\n%s\n",
		orElse(m.SenderName, "诉求人"), clock.Show(m.ReceivedAt), m.Subject, f.Number, f.QueryCode, clock.Show(f.DueAt), s.District, s.PublicURL)
	return s.write(ctx, tx, letter{Mark: s.reference(f.ID, string(to)) + ".ack", Recipient: string(to), Subject: "您的诉求已受理（" + f.Number + "）", Text: text, Answers: m.Reference})
}

// refuse writes the sender of a mail why it is not taken.
func (s *Service) refuse(ctx context.Context, tx bun.Tx, m *message) error {
	if m.Channel != Mail {
		return nil
	}
	to, err := s.Box.Open(m.Sender, senderPlace(m.Mark))
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s，您好：\n\n您于%s发来的邮件《%s》不属于本平台的受理范围。\n\n%s\n\n%s惠企台\n%s\n",
		orElse(m.SenderName, "诉求人"), clock.Show(m.ReceivedAt), m.Subject, m.Reason, s.District, s.PublicURL)
	return s.write(ctx, tx, letter{Mark: fmt.Sprintf("m%d.declined", m.ID), Recipient: string(to), Subject: "关于您来信的答复", Text: text, Answers: m.Reference})
}

// write puts a letter into the outbox. Without a mail account there is none.
func (s *Service) write(ctx context.Context, tx bun.Tx, l letter) error {
	if s.Mailer == nil {
		return nil
	}
	l.Recipient, l.State, l.CreatedAt = s.Box.Seal([]byte(l.Recipient), letterPlace(l.Mark)), string(NotSent), s.Clock.Now()
	res, err := tx.NewInsert().Model(&l).ExcludeColumn("id").On("CONFLICT (mark) DO NOTHING").Returning("id").Exec(ctx)
	if err != nil {
		return fmt.Errorf("write letter %s: %w", l.Mark, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.queue.Insert(ctx, tx, letterArgs{l.ID}, jobs.On(jobs.Delivery))
}

// sendLetter sends a letter that waits. One whose last try ended without a word is not sent again: it may have arrived.
func (s *Service) sendLetter(ctx context.Context, id int64) error {
	if s.Mailer == nil {
		return nil
	}
	var l letter
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		l = letter{}
		err := database.Found(tx.NewSelect().Model(&l).Where("l.id = ?", id).Scan(ctx))
		if errors.Is(err, ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		next := map[string]string{string(NotSent): "sending", "sending": string(Unknown)}[l.State]
		if next == "" {
			return nil
		}
		err = database.Changed(tx.NewUpdate().Model((*letter)(nil)).Set("state = ?", next).Where("id = ? AND state = ?", id, l.State).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			l.State = ""
			return nil
		}
		return err
	})
	if err != nil || l.State != string(NotSent) {
		return err
	}
	to, err := s.Box.Open(l.Recipient, letterPlace(l.Mark))
	if err != nil {
		return jobs.Cancel(err)
	}
	fate, trouble := s.Mailer.Send(ctx, Letter{ID: l.Mark, To: string(to), Subject: l.Subject, Text: l.Text, ReplyTo: l.Answers})
	words := ""
	if trouble != nil {
		words = trouble.Error()
	}
	err = s.DB.RunInTx(context.WithoutCancel(ctx), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*letter)(nil)).Set("state = ?", fate).Set("trouble = ?", words).Set("sent_at = ?", s.Clock.Now()).
			Where("id = ? AND state = 'sending'", id).Exec(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case fate == NotSent:
		return fmt.Errorf("letter %d: %w", id, trouble)
	case trouble != nil:
		s.Log.Warn("intake: a letter was not delivered", "letter", id, "fate", string(fate), "error", words)
	}
	return nil
}
