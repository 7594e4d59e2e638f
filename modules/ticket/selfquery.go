package ticket

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// The limits of asking with number and code. Wrong tries are counted per address, per number from one address, and per number
// from all of them. Who mistypes, or is guessed at by somebody else, is not locked out elsewhere; a code has six digits, so that
// with as many addresses as one likes a number is guessed in a day with the chance of one in ten thousand, a puzzle each time.
const (
	wrongFree      = 3 // from then on a puzzle is asked
	wrongAddress   = 20
	wrongPair      = 10
	wrongNumber    = 100
	addressForgets = time.Hour
	numberForgets  = 24 * time.Hour
)

// The faults of asking with number and code. A wrong code and a number that does not exist are told apart by nobody.
var (
	ErrQueryWrong  = fault.New(fault.Invalid, "QUERY_WRONG", "流水号或查询码不正确，请对照提交后的提示或短信重新输入").On("code")
	ErrQueryPuzzle = fault.New(fault.Invalid, "CAPTCHA_NEEDED", "多次输入不正确，请填写图形验证码后再查询").On("captchaAnswer")
	// ErrQueryMany says until when, and who tells the progress meanwhile.
	ErrQueryMany = fault.New(fault.TooMany, "QUERY_MANY", "输入错误次数过多，请稍后再试，或拨打 12345，坐席核对身份后告知进度")
)

// Puzzles are asked of whoever typed wrongly several times.
type Puzzles interface {
	NewCaptcha(ctx context.Context) (string, error)
	// SolveCaptcha uses a puzzle up; a wrong answer is a fault at "captchaAnswer".
	SolveCaptcha(ctx context.Context, id, answer string) error
}

// AskByNumber asks how a ticket stands, without an account.
type AskByNumber struct {
	Number        string
	Code          string
	CaptchaID     string
	CaptchaAnswer string
}

// PublicView is what somebody learns who has number and code: no names of people, phone and identity numbers masked.
type PublicView struct {
	Number     string       `json:"number"`
	Title      string       `json:"title"`
	TypeName   string       `json:"typeName"`
	Status     Status       `json:"status" enum:"received,answered,declined,dispatched,signed,suspended,replied,reviewed,callback,closed,archived,merged,voided"`
	StatusName string       `json:"statusName"`
	UnitName   string       `json:"unitName,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	DueAt      time.Time    `json:"dueAt"`
	ClosedAt   *time.Time   `json:"closedAt,omitempty"`
	Reply      string       `json:"reply,omitempty"`
	Timeline   []PublicStep `json:"timeline"`
}

// PublicStep is a step of the timeline as anybody with the code reads it.
type PublicStep struct {
	Label string    `json:"label"`
	At    time.Time `json:"at"`
	Text  string    `json:"text,omitempty"`
}

type triesRow struct {
	bun.BaseModel `bun:"table:ticket_query_tries,alias:qt"`

	Who   string    `bun:"who,pk"`
	Wrong int       `bun:"wrong,notnull"`
	Since time.Time `bun:"since,notnull"`
}

var wholeNumber = regexp.MustCompile(`^GD\d{8}-\d{6}$`)

// ByNumber tells how a ticket stands to whoever has its number and code. It returns ErrQueryWrong, ErrQueryPuzzle after three
// wrong tries, ErrQueryMany when the address or the number was tried too often, and the fault of the puzzle.
func (s *Service) ByNumber(ctx context.Context, actor access.Actor, ask AskByNumber) (PublicView, error) {
	tidy := func(w string) string {
		return strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(w)), ""))
	}
	number, code := strings.NewReplacer("－", "-", "—", "-").Replace(tidy(ask.Number)), tidy(ask.Code)
	var errs []error
	if number == "" {
		errs = append(errs, fault.InvalidField("number", "REQUIRED", "请输入流水号，例如 GD20261129-000123"))
	}
	if code == "" {
		errs = append(errs, fault.InvalidField("code", "REQUIRED", "请输入 6 位查询码"))
	}
	if err := fault.Merge(errs...); err != nil {
		return PublicView{}, err
	}
	if s.puzzles != nil && ask.CaptchaID != "" {
		if err := s.puzzles.SolveCaptcha(ctx, ask.CaptchaID, ask.CaptchaAnswer); err != nil {
			return PublicView{}, err
		}
	}
	id, err := s.tried(ctx, actor.IP, number, code, s.puzzles == nil || ask.CaptchaID != "")
	if err != nil {
		return PublicView{}, err
	}
	return s.publicView(ctx, id)
}

// errRight undoes the count of a try that was right.
var errRight = errors.New("the code is right")

// tried counts a try before it looks, so that tries at once are counted as well, and takes it back when it is right.
func (s *Service) tried(ctx context.Context, ip, number, code string, solved bool) (int64, error) {
	now := s.clock.Now()
	var id int64
	wrong := false
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		id, wrong = 0, false
		most := 0
		for _, c := range []struct {
			what, who string
			allowed   int
			span      time.Duration
		}{
			{"address", ip, wrongAddress, addressForgets},
			{"pair", ip + "|" + number, wrongPair, numberForgets},
			{"number", number, wrongNumber, numberForgets},
		} {
			n, since, err := s.countTry(ctx, tx, s.box.MAC("ticket.query."+c.what, c.who), now, c.span)
			if err != nil {
				return err
			}
			if n > c.allowed {
				return tooMany(now, since.Add(c.span))
			}
			most = max(most, n)
		}
		if !solved && most > wrongFree {
			return ErrQueryPuzzle
		}
		var hash string
		if wholeNumber.MatchString(number) {
			err := database.Found(database.QueryOne(ctx, tx, []any{&id, &hash}, "SELECT id, query_hash FROM tickets WHERE number = ?", number))
			if err != nil && !errors.Is(err, fault.ErrNotFound) {
				return err
			}
		}
		if hash != "" && slices.Contains(s.box.TokenHashes(number+":"+code), hash) {
			return errRight
		}
		wrong = true
		return nil
	})
	switch {
	case errors.Is(err, errRight):
		return id, nil
	case err != nil:
		return 0, err
	case wrong:
		return 0, ErrQueryWrong
	}
	return 0, fault.ErrNotFound
}

// tooMany says when one may try again.
func tooMany(now, until time.Time) error {
	return ErrQueryMany.With("输入错误次数过多，请于 %s 后再试；急需了解进度的，请拨打 12345，坐席核对身份后告知", clock.Show(until.Add(time.Minute))).After(int(until.Sub(now)/time.Second) + 1)
}

// countTry adds a try and returns how many there are within the span, and since when.
func (s *Service) countTry(ctx context.Context, tx bun.Tx, who string, now time.Time, span time.Duration) (n int, since time.Time, err error) {
	err = database.QueryOne(ctx, tx, []any{&n, &since}, `INSERT INTO ticket_query_tries (who, wrong, since) VALUES (?, 1, ?) ON CONFLICT (who) DO UPDATE SET
		wrong = CASE WHEN ticket_query_tries.since < ? THEN 1 ELSE ticket_query_tries.wrong + 1 END,
		since = CASE WHEN ticket_query_tries.since < ? THEN excluded.since ELSE ticket_query_tries.since END RETURNING wrong, since`,
		who, now, now.Add(-span), now.Add(-span))
	return n, since, err
}

// NeedsPuzzle reports whether the next try of the address is asked a puzzle.
func (s *Service) NeedsPuzzle(ctx context.Context, actor access.Actor) (bool, error) {
	var rows []triesRow
	err := s.db.Read().NewSelect().Model(&rows).Where("qt.who = ? AND qt.since >= ?", s.box.MAC("ticket.query.address", actor.IP), s.clock.Now().Add(-addressForgets)).Scan(ctx)
	return s.puzzles != nil && len(rows) > 0 && rows[0].Wrong >= wrongFree, err
}

// ForgetTries removes the counts that do not count any more, and links long past their days.
func (s *Service) ForgetTries(ctx context.Context) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.clock.Now()
		if _, err := tx.NewDelete().Model((*triesRow)(nil)).Where("since < ?", now.Add(-numberForgets)).Exec(ctx); err != nil {
			return err
		}
		return forgetLinks(ctx, tx, now.AddDate(0, 0, -JudgeDays))
	})
}

// publicView is the ticket as its requester sees it, without people.
func (s *Service) publicView(ctx context.Context, id int64) (PublicView, error) {
	db := s.db.Read()
	t, err := find(ctx, db, []scope{{where: "1 = 1"}}, id)
	if err != nil {
		return PublicView{}, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return PublicView{}, err
	}
	i := t.item(names)
	v := PublicView{Number: i.Number, Title: masked(i.Title), TypeName: i.TypeName, Status: i.Status, StatusName: i.Status.Label(), UnitName: i.UnitName,
		CreatedAt: i.CreatedAt, DueAt: i.DueAt, ClosedAt: i.ClosedAt, Reply: masked(t.Reply), Timeline: []PublicStep{}}
	events, err := event.Of(ctx, db, Object, t.ID)
	if err != nil {
		return PublicView{}, err
	}
	for _, e := range events {
		if clockInternal(e.Type) {
			continue
		}
		step, err := stepOf(e)
		if err != nil {
			return PublicView{}, err
		}
		if step.hidden {
			continue
		}
		step = step.public(false)
		words, _ := text.MaskNumbers(step.Text)
		v.Timeline = append(v.Timeline, PublicStep{Label: step.Label, At: step.At, Text: words})
	}
	return v, nil
}

// Receipt is what the requester is sent when their ticket was written down.
type Receipt struct{ Phone, Number, Code string }

// Receipt returns the phone, number and query code of a ticket. It is for the message to the requester and nobody else.
func (s *Service) Receipt(ctx context.Context, db bun.IDB, id int64) (Receipt, error) {
	var r Receipt
	var hash, sealed string
	err := database.QueryOne(ctx, db, []any{&r.Number, &hash, &sealed}, "SELECT number, query_hash, phone_sealed FROM tickets WHERE id = ?", id)
	if err != nil {
		return r, database.Found(err)
	}
	phone, err := s.box.Open(sealed, phonePlace(r.Number))
	r.Phone, r.Code = string(phone), toldCode(s.box, r.Number, hash)
	return r, err
}
