package channel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

const signPurpose = "channel.visit"

// arrival is what a browser carries after it opened a link.
type arrival struct {
	code    string
	at      time.Time
	visitor string // a random number of this browser, which says nothing else of it
}

// seal signs the arrival: code, second, visitor, signature.
func (s *Service) seal(a arrival) string {
	at := strconv.FormatInt(a.at.Unix(), 36)
	return strings.Join([]string{a.code, at, a.visitor, s.Box.Sign(signPurpose, a.code, at, a.visitor)}, ".")
}

// open reads what a browser brought. What we did not sign is no arrival.
func (s *Service) open(token string) (arrival, bool) {
	part := strings.SplitN(token, ".", 4)
	if len(part) != 4 || len(token) > 300 || s.Box.CheckSignature(part[3], signPurpose, part[:3]...) != nil {
		return arrival{}, false
	}
	seconds, err := strconv.ParseInt(part[1], 36, 64)
	return arrival{part[0], time.Unix(seconds, 0), part[2]}, err == nil
}

// Visited is where a link leads.
type Visited struct {
	Landing string `json:"landing" doc:"A path of this site."`
	// Token and Days are empty for machines, and for a link that does not count.
	Token string `json:"token,omitempty" doc:"What the browser carries: signed, and good for Days."`
	Days  int    `json:"-"`
}

// Visit opens a link: it counts the visitor once a day, and says where the link leads and what the browser carries on. A link that
// does not exist, is switched off or out of its days leads to the home page and counts nothing. carried is what the browser brought
// beside the cookie, for those that keep no cookies.
func (s *Service) Visit(ctx context.Context, actor access.Actor, code, carried string) (Visited, error) {
	home := Visited{Landing: "/"}
	code = strings.ToUpper(code)
	if len(code) != codeLength {
		return home, nil
	}
	r, err := ofCode(ctx, s.DB.Read(), code)
	if errors.Is(err, fault.ErrNotFound) {
		return home, nil
	}
	if err != nil {
		return home, err
	}
	now := s.Clock.Now()
	if r.state(day(now)) != Live {
		return home, nil
	}
	if machine(actor.UserAgent) {
		return Visited{Landing: r.Landing}, nil
	}
	rule, err := ruleOf(ctx, s.DB.Read())
	if err != nil {
		return home, err
	}
	a := arrival{code: r.Code, at: now}
	for _, brought := range []string{carried, actor.Arrival} {
		if before, ok := s.open(brought); ok && a.visitor == "" {
			a.visitor = before.visitor
		}
	}
	if a.visitor == "" {
		a.visitor = secret.Token()
	}
	out := Visited{Landing: r.Landing, Token: s.seal(a), Days: rule.Days}
	return out, s.count(ctx, r.ID, day(now), a.visitor)
}

// count keeps one row for a visitor and a day, however often and however many at once they come.
func (s *Service) count(ctx context.Context, id int64, today, visitor string) error {
	sum := sha256.Sum256([]byte(visitor))
	who := hex.EncodeToString(sum[:16])
	there, err := s.DB.Read().NewSelect().TableExpr("channel_visits").Where("channel_id = ? AND day = ? AND visitor = ?", id, today, who).Exists(ctx)
	if err != nil || there {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "INSERT INTO channel_visits (channel_id, day, visitor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", id, today, who)
		return err
	})
}

// machines are words in the names of programs that open links without a person.
var machines = []string{"bot", "spider", "crawl", "slurp", "preview", "monitor", "headlesschrome", "curl/", "wget/", "python", "go-http-client", "java/", "okhttp", "httpclient", "libwww", "axios", "node-fetch",
	"facebookexternalhit", "scan", "uptime", "probe"}

// machine reports whether a program's own name says that nobody sits before it.
func machine(agent string) bool {
	agent = strings.ToLower(agent)
	if agent == "" {
		return true
	}
	for _, m := range machines {
		if strings.Contains(agent, m) {
			return true
		}
	}
	return false
}
