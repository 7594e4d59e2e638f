package enterprise

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Right is what an owner may let a member do in the company's name (经办授权).
type Right string

// The rights.
const (
	RightConsent  Right = "consent"  // 办理数据授权
	RightLicences Right = "licences" // 查看和维护证照
	RightFacts    Right = "facts"    // 填报经营数据
	RightReports  Right = "reports"  // 生成企业征信报告
	// RightContracts 签署电子合同
	RightContracts Right = "contracts"
)

// RightInfo is a right in words.
type RightInfo struct {
	Code Right  `json:"code"`
	Name string `json:"name"`
}

// Rights are all rights, in the order in which they are offered.
func Rights() []RightInfo {
	return []RightInfo{{RightLicences, "查看和维护证照"}, {RightFacts, "填报经营数据"}, {RightConsent, "办理数据授权"}, {RightReports, "生成企业征信报告"}, {RightContracts, "签署电子合同"}}
}

// The faults of mandates.
var (
	// ErrRight: neither the owner nor somebody the owner mandated for it.
	ErrRight = fault.New(fault.Forbidden, "MANDATE_NEEDED", "您没有办理此事项的授权，请联系本企业负责人在“企业成员”中授权")
	// ErrMandateSelf: the owner needs none.
	ErrMandateSelf = fault.New(fault.Conflict, "MANDATE_OWNER", "企业负责人无需授权，可以办理全部事项")
)

// longestMandate is how far ahead a mandate may end.
const longestMandate = 3 * 366 * 24 * time.Hour

// mandate lets a member do some things in the company's name until a day.
type mandate struct {
	bun.BaseModel `bun:"table:enterprise_mandates,alias:d"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	Rights       []Right    `bun:"rights,notnull"`
	Until        time.Time  `bun:"until,notnull"` // the first moment it no longer holds
	GivenAt      time.Time  `bun:"given_at,notnull"`
	GivenBy      int64      `bun:"given_by,notnull"`
	GivenName    string     `bun:"given_name,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	EndedBy      int64      `bun:"ended_by,notnull"`
	EndedName    string     `bun:"ended_name,notnull"`
}

// MandateView is a mandate in words.
type MandateView struct {
	ID        int64      `json:"id"`
	UserID    int64      `json:"userId"`
	Rights    []Right    `json:"rights"`
	Words     string     `json:"words"`
	Until     string     `json:"until" doc:"The last day it holds, as 2027-06-30."`
	Holds     bool       `json:"holds"`
	GivenAt   time.Time  `json:"givenAt"`
	GivenName string     `json:"givenName"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	EndedName string     `json:"endedName,omitempty"`
}

func (m *mandate) view(now time.Time) MandateView {
	var words []string
	for _, r := range Rights() {
		if slices.Contains(m.Rights, r.Code) {
			words = append(words, r.Name)
		}
	}
	return MandateView{ID: m.ID, UserID: m.UserID, Rights: m.Rights, Words: strings.Join(words, "、"), Until: m.Until.Add(-time.Second).In(clock.Beijing).Format(time.DateOnly),
		Holds: m.EndedAt == nil && m.Until.After(now), GivenAt: m.GivenAt.UTC(), GivenName: m.GivenName, EndedAt: utc(m.EndedAt), EndedName: m.EndedName}
}

// Entitled returns nil when the person may do it in the company's name: its owner, or a member with a mandate that holds. It
// returns ErrRight for other members and ErrNotFound for a stranger.
func (s *Service) Entitled(ctx context.Context, db bun.IDB, enterpriseID, userID int64, right Right) error {
	role, err := roleOf(ctx, db, enterpriseID, userID)
	if err != nil || role == Owner {
		return err
	}
	m := new(mandate)
	err = database.Found(db.NewSelect().Model(m).Where("d.enterprise_id = ? AND d.user_id = ? AND d.ended_at IS NULL AND d.until > ?", enterpriseID, userID, s.clock.Now()).Scan(ctx))
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !slices.Contains(m.Rights, right):
		return ErrRight
	}
	return err
}

// EntitledOf are the people who may do it in a company's name, its owners first.
func (s *Service) EntitledOf(ctx context.Context, db bun.IDB, enterpriseID int64, right Right) ([]int64, error) {
	var people []int64
	err := db.NewSelect().Model((*member)(nil)).Column("user_id").Where("m.enterprise_id = ? AND m.role = ?", enterpriseID, Owner).OrderExpr("m.user_id").Scan(ctx, &people)
	if err != nil {
		return nil, err
	}
	var rows []mandate
	err = db.NewSelect().Model(&rows).Where("d.enterprise_id = ? AND d.ended_at IS NULL AND d.until > ?", enterpriseID, s.clock.Now()).OrderExpr("d.user_id").Scan(ctx)
	for _, m := range rows {
		if slices.Contains(m.Rights, right) {
			people = append(people, m.UserID)
		}
	}
	return people, err
}

// Mandate asks to let a member of the actor's company do things in its name until a day, instead of what they may now;
// without rights they may nothing more. Until is the last day, as 2027-06-30.
type Mandate struct {
	Key    string `json:"-"`
	UserID int64
	Rights []Right
	Until  string
}

// MandateHead is what every fact about a mandate says.
type MandateHead struct {
	EnterpriseID int64      `json:"enterpriseId"`
	UserID       int64      `json:"userId"`
	Rights       []Right    `json:"rights"`
	Until        *time.Time `json:"until,omitempty"`
}

// Mandated is announced when an owner changed what a member may do; no rights are none any more.
type Mandated struct{ MandateHead }

// Event names the fact.
func (f Mandated) Event() (string, string, int64) {
	return "enterprise.mandated", Object, f.EnterpriseID
}

func (s *Service) checkMandate(cmd Mandate) (time.Time, error) {
	if len(cmd.Rights) == 0 {
		return time.Time{}, nil
	}
	if slices.ContainsFunc(cmd.Rights, func(r Right) bool {
		return !slices.ContainsFunc(Rights(), func(i RightInfo) bool { return i.Code == r })
	}) {
		return time.Time{}, fault.InvalidField("rights", "MANDATE_RIGHTS", "没有这种授权事项，请重新选择")
	}
	if strings.TrimSpace(cmd.Until) == "" {
		return time.Time{}, fault.InvalidField("until", "MANDATE_UNTIL", "请填写授权截止日期")
	}
	last, err := text.Day("until", strings.TrimSpace(cmd.Until), clock.Beijing)
	if err != nil {
		return time.Time{}, err
	}
	until, now := last.AddDate(0, 0, 1).UTC(), s.clock.Now()
	if !until.After(now) || until.Sub(now) > longestMandate {
		return time.Time{}, fault.InvalidField("until", "MANDATE_UNTIL", "授权截止日期应在今天之后、三年之内")
	}
	return until, nil
}

// Mandate changes what a member may do. Only the owner may; it returns ErrMandateSelf for themselves, ErrNotFound for a
// person who is no member.
func (s *Service) Mandate(ctx context.Context, actor access.Actor, cmd Mandate) (Members, error) {
	if err := needOwner(actor); err != nil {
		return Members{}, err
	}
	until, err := s.checkMandate(cmd)
	if err != nil {
		return Members{}, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.mandate", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now},
			func() (started, error) { return started{}, s.mandate(ctx, tx, actor, cmd, until, now) })
		return err
	})
	if database.IsDuplicate(err) {
		err = fault.ErrChanged
	}
	if err != nil {
		return Members{}, fmt.Errorf("mandate user %d of enterprise %d: %w", cmd.UserID, actor.EnterpriseID, err)
	}
	return s.Members(ctx, actor)
}

func (s *Service) mandate(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Mandate, until, now time.Time) error {
	e, err := s.owned(ctx, tx, actor)
	if err != nil {
		return err
	}
	role, err := roleOf(ctx, tx, e.ID, cmd.UserID)
	if err != nil {
		return err
	}
	if role == Owner {
		return ErrMandateSelf
	}
	// What was before ends and stays as history.
	_, err = tx.NewUpdate().Model((*mandate)(nil)).Set("ended_at = ?", now).Set("ended_by = ?", actor.UserID).Set("ended_name = ?", actor.Name).
		Where("enterprise_id = ? AND user_id = ? AND ended_at IS NULL", e.ID, cmd.UserID).Exec(ctx)
	if err != nil {
		return err
	}
	head := MandateHead{EnterpriseID: e.ID, UserID: cmd.UserID, Rights: cmd.Rights}
	if len(cmd.Rights) > 0 {
		head.Until = &until
		m := mandate{EnterpriseID: e.ID, UserID: cmd.UserID, Rights: cmd.Rights, Until: until, GivenAt: now, GivenBy: actor.UserID, GivenName: actor.Name}
		if _, err := tx.NewInsert().Model(&m).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := event.Append(ctx, tx, actor, now, Mandated{head}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.mandate", Object: Object, ObjectID: e.ID, Summary: "调整成员的经办授权", Detail: head})
}

// mandatesOf are the mandates of a company, by person the newest first.
func mandatesOf(ctx context.Context, db bun.IDB, enterpriseID int64) ([]mandate, error) {
	var rows []mandate
	err := db.NewSelect().Model(&rows).Where("d.enterprise_id = ?", enterpriseID).OrderExpr("d.id DESC").Limit(300).Scan(ctx)
	return rows, err
}

// withMandates adds what the members may do; the history is for the owner.
func (s *Service) withMandates(ctx context.Context, db bun.IDB, enterpriseID int64, out *Members) error {
	rows, err := mandatesOf(ctx, db, enterpriseID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	out.Offers, out.Mandates = Rights(), []MandateView{}
	for i := range rows {
		v := rows[i].view(now)
		if out.Role == Owner {
			out.Mandates = append(out.Mandates, v)
		}
		for j := range out.Items {
			if v.Holds && out.Items[j].UserID == v.UserID {
				out.Items[j].Mandate = &v
			}
		}
	}
	return nil
}
