package channel

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Subject is what is attributed.
type Subject string

// The subjects. The id of a registration is its account's.
const (
	Registration Subject = "registration"
	Application  Subject = "application"
)

// How says why a subject is a channel's.
type How string

// The ways.
const (
	ByLink         How = "link"         // the last link that was opened
	ByRegistration How = "registration" // the company registered by it
)

// attribution says by which channel something came. Its first columns are written once; the outcome is what became of it.
type attribution struct {
	bun.BaseModel `bun:"table:channel_attributions,alias:a"`

	Subject      Subject   `bun:"subject,pk"`
	SubjectID    int64     `bun:"subject_id,pk"`
	ChannelID    int64     `bun:"channel_id,notnull"`
	How          How       `bun:"how,notnull"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	TouchedAt    time.Time `bun:"touched_at,notnull"` // the link was opened, or the company registered
	At           time.Time `bun:"made_at,notnull"`
	Day          string    `bun:"day,notnull"`
	OutcomeDay   string    `bun:"outcome_day,notnull"` // the company was verified, the application granted; "" not, or not yet
}

// touched finds the channel of the last link the actor's browser opened, fault.ErrNotFound when there is none that counts now.
func (s *Service) touched(ctx context.Context, db bun.IDB, actor access.Actor, now time.Time) (*row, time.Time, error) {
	a, ok := s.open(actor.Arrival)
	if !ok {
		return nil, a.at, fault.ErrNotFound
	}
	rule, err := ruleOf(ctx, db)
	if err != nil {
		return nil, a.at, err
	}
	if now.Sub(a.at) > time.Duration(rule.Days)*24*time.Hour {
		return nil, a.at, fault.ErrNotFound
	}
	r, err := ofCode(ctx, db, a.code)
	if err == nil && r.state(day(now)) != Live {
		err = fault.ErrNotFound
	}
	return r, a.at, err
}

// keep writes the attribution unless there is one: it is never written anew.
func keep(ctx context.Context, tx bun.Tx, a attribution) error {
	_, err := tx.NewInsert().Model(&a).On("CONFLICT DO NOTHING").Exec(ctx)
	return err
}

// Registered attributes a registration, in its transaction. Without a link that counts nothing is written.
func (s *Service) Registered(ctx context.Context, tx bun.Tx, actor access.Actor, userID, enterpriseID int64) error {
	now := s.Clock.Now()
	r, at, err := s.touched(ctx, tx, actor, now)
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return keep(ctx, tx, attribution{Subject: Registration, SubjectID: userID, ChannelID: r.ID, How: ByLink, EnterpriseID: enterpriseID, TouchedAt: at, At: now, Day: day(now)})
}

// Applied attributes an application, in its transaction: to the last link, or else to the channel by which its company registered
// while the rule carries that on.
func (s *Service) Applied(ctx context.Context, tx bun.Tx, actor access.Actor, id, enterpriseID int64) error {
	now := s.Clock.Now()
	a := attribution{Subject: Application, SubjectID: id, How: ByLink, EnterpriseID: enterpriseID, At: now, Day: day(now)}
	r, at, err := s.touched(ctx, tx, actor, now)
	if errors.Is(err, fault.ErrNotFound) {
		a.How = ByRegistration
		r, at, err = carried(ctx, tx, enterpriseID, now)
	}
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	a.ChannelID, a.TouchedAt = r.ID, at
	return keep(ctx, tx, a)
}

// carried finds the channel by which a company registered, fault.ErrNotFound when there is none or it counts no more.
func carried(ctx context.Context, db bun.IDB, enterpriseID int64, now time.Time) (*row, time.Time, error) {
	rule, err := ruleOf(ctx, db)
	if err != nil {
		return nil, now, err
	}
	var a attribution
	err = database.Found(db.NewSelect().Model(&a).Where("a.subject = ? AND a.enterprise_id = ?", Registration, enterpriseID).OrderExpr("a.subject_id").Limit(1).Scan(ctx))
	if err != nil {
		return nil, now, err
	}
	if now.Sub(a.At) > time.Duration(rule.CarryDays)*24*time.Hour {
		return nil, now, fault.ErrNotFound
	}
	r := new(row)
	err = database.Found(db.NewSelect().Model(r).Where("c.id = ?", a.ChannelID).Scan(ctx))
	if err == nil && r.state(day(now)) != Live {
		err = fault.ErrNotFound
	}
	return r, a.At, err
}

// Verified keeps that a company turned out to be what it says, in the transaction of a listener. A repeat changes nothing.
func (s *Service) Verified(ctx context.Context, tx bun.Tx, enterpriseID int64, at time.Time) error {
	_, err := database.Run(ctx, tx, "UPDATE channel_attributions SET outcome_day = ? WHERE subject = ? AND enterprise_id = ? AND outcome_day = ''", day(at), string(Registration), enterpriseID)
	return err
}

// Settled keeps whether an application is granted after a step of it, in the transaction of a listener: a step that was taken back
// takes its outcome along.
func (s *Service) Settled(ctx context.Context, tx bun.Tx, id int64, granted bool, at time.Time) error {
	if !granted {
		_, err := database.Run(ctx, tx, "UPDATE channel_attributions SET outcome_day = '' WHERE subject = ? AND subject_id = ? AND outcome_day <> ''", string(Application), id)
		return err
	}
	_, err := database.Run(ctx, tx, "UPDATE channel_attributions SET outcome_day = ? WHERE subject = ? AND subject_id = ? AND outcome_day = ''", day(at), string(Application), id)
	return err
}

// Origin is by which channel something came.
type Origin struct {
	ChannelID int64     `json:"channelId"`
	Code      string    `json:"code"`
	Name      string    `json:"name"`
	KindName  string    `json:"kindName"`
	How       How       `json:"how" enum:"link,registration"`
	TouchedAt time.Time `json:"touchedAt"`
}

// OfApplication tells by which channel an application came, for those who see both; none is an empty list.
func (s *Service) OfApplication(ctx context.Context, actor access.Actor, id int64) ([]Origin, error) {
	if err := need(actor, PermView); err != nil {
		return nil, err
	}
	if s.Applications == nil {
		return nil, ErrNotFound
	}
	if err := s.Applications.Sees(ctx, actor, id); err != nil {
		return nil, err
	}
	var a attribution
	err := database.Found(s.DB.Read().NewSelect().Model(&a).Where("a.subject = ? AND a.subject_id = ?", Application, id).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return []Origin{}, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := find(ctx, s.DB.Read(), actor, a.ChannelID)
	if err != nil {
		return nil, err
	}
	return []Origin{{r.ID, r.Code, r.Name, r.Kind.Label(), a.How, a.TouchedAt.UTC()}}, nil
}
