package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
)

// PushView is a plan as staff see it.
type PushView struct {
	ID            int64       `json:"id"`
	Version       int64       `json:"version"`
	PolicyID      int64       `json:"policyId"`
	PolicyVersion int64       `json:"policyVersion"`
	State         PushState   `json:"state" enum:"preparing,waiting,refused,sending,paused,done,stopped"`
	StateName     string      `json:"stateName"`
	Audience      Audience    `json:"audience"`
	AudienceText  string      `json:"audienceText"`
	Preview       PushPreview `json:"preview"`
	Maker         string      `json:"maker"`
	Approver      string      `json:"approver,omitempty"`
	Reason        string      `json:"reason,omitempty"`
	CreatedAt     time.Time   `json:"createdAt"`
	ApprovedAt    *time.Time  `json:"approvedAt,omitempty"`
	EndedAt       *time.Time  `json:"endedAt,omitempty"`
	Progress      Progress    `json:"progress"`
	MayApprove    bool        `json:"mayApprove"`
	MaySteer      bool        `json:"maySteer"`
}

// Progress is what became of the companies of a plan.
type Progress struct {
	Total   int        `json:"total"`
	Waiting int        `json:"waiting"`
	Told    int        `json:"told"`
	Skipped []Excluded `json:"skipped"`
	// Of those told, by what became of the letters: Platform were told on the platform only.
	Platform  int `json:"platform"`
	Sent      int `json:"sent"`
	InTransit int `json:"inTransit"`
	Unknown   int `json:"unknown"`
	Failed    int `json:"failed"`
	Opened    int `json:"opened"`  // read the message
	Matched   int `json:"matched"` // looked at its match afterwards
}

// Push returns a plan. It needs policy.push or policy.push_approve.
func (s *Service) Push(ctx context.Context, actor access.Actor, id int64) (PushView, error) {
	if err := s.mayPushes(actor); err != nil {
		return PushView{}, err
	}
	row, err := findPush(ctx, s.db.Read(), id)
	if err != nil {
		return PushView{}, err
	}
	return s.pushView(ctx, actor, row)
}

func (s *Service) mayPushes(actor access.Actor) error {
	if err := s.staff(actor, PermPush); err != nil {
		return s.staff(actor, PermPushApprove)
	}
	return nil
}

// Pushes lists the plans, of one policy or of all (0), newest first, and the cursor of the next page.
func (s *Service) Pushes(ctx context.Context, actor access.Actor, policyID int64, cursor string, limit int) ([]PushView, string, error) {
	if err := s.mayPushes(actor); err != nil {
		return nil, "", err
	}
	before, err := strconv.ParseInt(cmp.Or(cursor, "0"), 10, 64)
	if err != nil || before < 0 {
		return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []push
	q := s.db.Read().NewSelect().Model(&rows).OrderExpr("pp.id DESC").Limit(int64(limit + 1))
	if policyID > 0 {
		q = q.Where("pp.policy_id = ?", policyID)
	}
	if before > 0 {
		q = q.Where("pp.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("pushes: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]PushView, 0, len(rows))
	for i := range rows {
		v, err := s.pushView(ctx, actor, &rows[i])
		if err != nil {
			return nil, "", err
		}
		out = append(out, v)
	}
	return out, next, nil
}

func (s *Service) pushView(ctx context.Context, actor access.Actor, row *push) (PushView, error) {
	v := PushView{ID: row.ID, Version: row.Version, PolicyID: row.PolicyID, PolicyVersion: row.PolicyVersion, State: row.State, StateName: row.State.Label(), Maker: row.Maker,
		Approver: row.Approver, Reason: row.Reason, CreatedAt: row.CreatedAt.UTC(), ApprovedAt: utc(row.ApprovedAt), EndedAt: utc(row.EndedAt),
		MayApprove: row.State == PushWaiting && actor.Can(PermPushApprove) && actor.UserID != row.MakerID,
		MaySteer:   actor.Can(PermPush) && flow.Leads(PushEdges, row.State, PushStopped)}
	if err := errors.Join(json.Unmarshal([]byte(row.Audience), &v.Audience), json.Unmarshal([]byte(row.Preview), &v.Preview)); err != nil {
		return v, fmt.Errorf("push %d: %w", row.ID, err)
	}
	v.AudienceText = s.audienceText(v.Audience)
	var err error
	v.Progress, err = s.progress(ctx, row)
	return v, err
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// audienceText says in Chinese whom a plan is for.
func (s *Service) audienceText(a Audience) string {
	var sets, towns, industries []string
	for _, d := range a.Sets {
		sets = append(sets, SetWord(d))
	}
	names := s.fieldNames(fieldRegion)
	for _, t := range a.Towns {
		towns = append(towns, cmp.Or(names[t], t))
	}
	for _, i := range a.Industries {
		industries = append(industries, s.choices.sectionName(i))
	}
	words := strings.Join(sets, "、") + "的企业"
	if len(towns) > 0 {
		words += "；" + strings.Join(towns, "、")
	}
	if len(industries) > 0 {
		words += "；" + strings.Join(industries, "、")
	}
	return words
}

// progress counts the companies of a plan by what became of them.
func (s *Service) progress(ctx context.Context, row *push) (Progress, error) {
	var groups []struct {
		State    string
		Reason   string
		Delivery Delivery
		Opened   bool
		N        int
	}
	err := s.db.Read().NewSelect().Model((*pushItem)(nil)).ColumnExpr("pi.state, pi.reason, pi.delivery, pi.opened, count(*) AS n").Where("pi.push_id = ?", row.ID).
		GroupExpr("pi.state, pi.reason, pi.delivery, pi.opened").Scan(ctx, &groups)
	if err != nil {
		return Progress{}, fmt.Errorf("progress of push %d: %w", row.ID, err)
	}
	out := Progress{Skipped: []Excluded{}}
	skipped := map[string]int{}
	for _, g := range groups {
		out.Total += g.N
		switch g.State {
		case "waiting":
			out.Waiting += g.N
		case "skipped":
			skipped[g.Reason] += g.N
		default:
			out.Told += g.N
			if g.Opened {
				out.Opened += g.N
			}
			switch g.Delivery {
			case DeliverySent:
				out.Sent += g.N
			case DeliveryWaiting:
				out.InTransit += g.N
			case DeliveryUnknown:
				out.Unknown += g.N
			case DeliveryFailed:
				out.Failed += g.N
			default:
				out.Platform += g.N
			}
		}
	}
	for _, reason := range []string{skipTold, skipConsent, skipNobody, skipOften, skipNoFit} {
		if skipped[reason] > 0 {
			out.Skipped = append(out.Skipped, Excluded{reason, skipped[reason]})
		}
	}
	if out.Told == 0 {
		return out, nil
	}
	n, err := s.db.Read().NewSelect().Model((*pushItem)(nil)).Where("pi.push_id = ? AND pi.state = 'told'", row.ID).
		Where("EXISTS (SELECT 1 FROM policy_answers AS pa WHERE pa.enterprise_id = pi.enterprise_id AND pa.kind = 'own' AND pa.seen_at >= pi.told_at)").Count(ctx)
	out.Matched = int(n)
	return out, err
}
