package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// JudgeDays is how long the link of a judgement can be used.
const JudgeDays = 7

// The limits of links that do not exist, per address. A token has 128 bits: they keep a machine from trying, not from succeeding.
const (
	wrongLinks   = 20
	linksForgets = time.Hour
)

// The faults of judging by link. Each says what the requester can do.
var (
	ErrLinkWrong = fault.New(fault.NotFound, "JUDGE_LINK", "评价链接无效或已过期。请核对短信中的完整链接；链接 7 日内有效，过期的请拨打 12345 由坐席登记您的意见")
	ErrLinkUsed  = fault.New(fault.Conflict, "JUDGE_USED", "您已通过此链接评价过，每次答复评价一次。如有补充，请拨打 12345")
	ErrLinkOver  = fault.New(fault.Conflict, "JUDGE_OVER", "该诉求已有新的进展，此链接对应的答复不再评价。重新办理的，有结果后会再次发送评价链接；需要了解进度的，请凭流水号和查询码查询")
	ErrLinkMany  = fault.New(fault.TooMany, "JUDGE_MANY", "尝试次数过多，请一小时后再试，或拨打 12345 由坐席登记您的意见")
)

// judgeRow is a link with which a requester without an account judges one reply, once. Of the token only the hash is kept.
type judgeRow struct {
	bun.BaseModel `bun:"table:ticket_judge_links,alias:jl"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TicketID  int64      `bun:"ticket_id,notnull"`
	Round     int        `bun:"round,notnull"` // that of the ticket; a reply to it done again has a link of its own
	Hash      string     `bun:"hash,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// JudgeLink is a link on its way to the requester.
type JudgeLink struct{ Phone, Number, Token string }

// MakeJudgeLink makes the link with which the requester of a ticket judges its present reply, in the transaction that sends it.
// The zero value says that none is due: the requester has an account or no mobile phone, the reply may not be told or was judged,
// or its link was sent already. Only the system may.
func (s *Service) MakeJudgeLink(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) (JudgeLink, error) {
	if actor.Party != access.System {
		return JudgeLink{}, ErrForbidden
	}
	t, err := find(ctx, tx, visible(actor), id)
	if err != nil || t.UserID != 0 || !t.judgeable() {
		return JudgeLink{}, err
	}
	phone, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
	if err != nil || len(phone) != 11 || phone[0] != '1' {
		return JudgeLink{}, err
	}
	now, token := s.clock.Now(), rand.Text()
	row := judgeRow{TicketID: t.ID, Round: t.Round, Hash: s.box.HashToken(token), SentAt: now, ExpiresAt: now.AddDate(0, 0, JudgeDays)}
	fresh, err := database.InsertNew(ctx, tx, &row, "ticket_id, round")
	if err != nil || !fresh {
		return JudgeLink{}, err
	}
	return JudgeLink{string(phone), t.Number, token}, nil
}

// judgeable reports whether the reply of the ticket waits for a judgement.
func (t *Ticket) judgeable() bool { return t.callable() && t.Rating == 0 }

// JudgeView is what the page of a link shows: no names of people, phone and identity numbers masked; of a confidential ticket
// its number alone.
type JudgeView struct {
	Number   string
	Title    string
	UnitName string
	Reply    string
	Until    time.Time
}

// JudgeByLink is a requester's judgement.
type JudgeByLink struct {
	Token string
	// Responded: the unit had been in touch. Nil when it was not said.
	Responded *bool
	Solved    *bool
	Level     int // 1 to 5
	Tags      []string
	Words     string
}

func (j *JudgeByLink) check() error {
	var errs []error
	var err error
	if j.Words, err = clean("words", "意见建议", j.Words, maxNote, false); err != nil {
		errs = append(errs, err)
	}
	if j.Responded == nil {
		errs = append(errs, fault.InvalidField("responded", "JUDGE_RESPONDED", "请选择承办单位是否与您联系过"))
	}
	if j.Solved == nil {
		errs = append(errs, fault.InvalidField("solved", "JUDGE_SOLVED", "请选择问题是否解决"))
	}
	if LevelLabel(j.Level) == "" {
		errs = append(errs, fault.InvalidField("level", "JUDGE_LEVEL", "请选择满意程度"))
	}
	return fault.Merge(errs...)
}

// AtLink returns what is judged with a link. It returns ErrLinkWrong for one that does not exist or is past its days, ErrLinkMany
// when the address tried too many of those, ErrLinkUsed and ErrLinkOver.
func (s *Service) AtLink(ctx context.Context, actor access.Actor, token string) (JudgeView, error) {
	row, err := s.linkOf(ctx, actor, token)
	if err != nil {
		return JudgeView{}, err
	}
	t, err := find(ctx, s.db.Read(), visible(access.SystemActor("ticket.judge")), row.TicketID)
	if err != nil {
		return JudgeView{}, err
	}
	if err := s.usable(ctx, s.db.Read(), row, t); err != nil {
		return JudgeView{}, err
	}
	v := JudgeView{Number: t.Number, UnitName: t.UnitName, Until: row.ExpiresAt.UTC()}
	if t.Secrecy == 0 {
		v.Title, v.Reply = masked(t.Title), masked(t.Reply)
	} else {
		v.UnitName = ""
	}
	return v, nil
}

// usable reports whether the reply of a link waits for a judgement, also one after which the ticket was closed without a word with
// the requester.
func (s *Service) usable(ctx context.Context, db bun.IDB, r *judgeRow, t *Ticket) error {
	switch {
	case r.UsedAt != nil:
		return ErrLinkUsed
	case t.Round != r.Round:
		return ErrLinkOver
	case t.judgeable():
		return nil
	case t.Status != Done || t.Rating != 0:
		return ErrLinkOver
	}
	if c, err := callbackOf(ctx, db, t.ID, t.Round); err != nil {
		return err
	} else if !c.silent() {
		return ErrLinkOver
	}
	return nil
}

// linkOf finds the row of a token that is not past its days, and counts the tries of those that have none.
func (s *Service) linkOf(ctx context.Context, actor access.Actor, token string) (*judgeRow, error) {
	now := s.clock.Now()
	row := new(judgeRow)
	var err error = fault.ErrNotFound
	if len(token) == len(rand.Text()) {
		err = database.Found(s.db.Read().NewSelect().Model(row).Where("jl.hash IN ?", bun.Tuple(s.box.TokenHashes(token))).Scan(ctx))
	}
	if err == nil && row.ExpiresAt.After(now) {
		return row, nil
	} else if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return nil, err
	} else if err == nil {
		return nil, ErrLinkWrong // theirs once: no try
	}
	n := 0
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		n, _, err = s.countTry(ctx, tx, s.box.MAC("ticket.judge.address", actor.IP), now, linksForgets)
		return err
	})
	if err != nil {
		return nil, err
	}
	if n > wrongLinks {
		return nil, ErrLinkMany.After(int(linksForgets / time.Second))
	}
	return nil, ErrLinkWrong
}

// Judge keeps the judgement of whoever has the link, as Rate keeps that of a requester with an account: it counts as the
// call-back, so that a good one ends the ticket and the first bad one has it done again. Of two at once one is kept. Errors as
// AtLink, and one for each field that is wrong.
func (s *Service) Judge(ctx context.Context, actor access.Actor, cmd JudgeByLink) error {
	row, err := s.linkOf(ctx, actor, cmd.Token)
	if err != nil {
		return err
	}
	if err := cmd.check(); err != nil {
		return err
	}
	system := access.SystemActor("ticket.judge")
	system.IP = actor.IP
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		t, err := find(ctx, tx, visible(system), row.TicketID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		err = database.Changed(database.Run(ctx, tx, "UPDATE ticket_judge_links SET used_at = ? WHERE id = ? AND used_at IS NULL", now, row.ID))
		if errors.Is(err, fault.ErrChanged) {
			return ErrLinkUsed
		} else if err != nil {
			return err
		}
		if err := s.usable(ctx, tx, row, t); err != nil {
			return err
		}
		err = s.step(ctx, tx, system, now, ToRate, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
			j := Judgement{Level: cmd.Level, Tags: cmd.Tags, Words: cmd.Words}
			if err := s.checkJudgement(ctx, tx, &j, nil); err != nil {
				return effect{}, err
			}
			return s.rating(ctx, tx, t, j, *cmd.Solved, cmd.Responded)
		})
		if errors.Is(err, fault.ErrChanged) { // somebody called in the same moment
			return ErrLinkOver
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("judge ticket %d: %w", row.TicketID, err)
	}
	return nil
}

// forgetLinks removes links that nobody can use any more.
func forgetLinks(ctx context.Context, tx bun.Tx, before time.Time) error {
	_, err := database.Run(ctx, tx, "DELETE FROM ticket_judge_links WHERE expires_at < ?", before)
	return err
}

type judge20261129 struct {
	bun.BaseModel `bun:"table:ticket_judge_links"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TicketID  int64      `bun:"ticket_id,notnull"`
	Round     int        `bun:"round,notnull"`
	Hash      string     `bun:"hash,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// judgeStep brings the links with which replies are judged.
var judgeStep = database.Migration{
	ID: "20261129111000_ticket_judge_links",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*judge20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX ticket_judge_links_hash ON ticket_judge_links (hash)",
			"CREATE UNIQUE INDEX ticket_judge_links_round ON ticket_judge_links (ticket_id, round)",
			"CREATE INDEX ticket_judge_links_expires ON ticket_judge_links (expires_at)",
		)
	},
}
