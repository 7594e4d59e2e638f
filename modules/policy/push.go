package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// PushState is where a plan to tell companies stands.
type PushState string

// The states of a plan.
const (
	PushPreparing PushState = "preparing" // the companies are being written down
	PushWaiting   PushState = "waiting"   // for a second person
	PushRefused   PushState = "refused"
	PushSending   PushState = "sending"
	PushPaused    PushState = "paused"
	PushDone      PushState = "done"
	PushStopped   PushState = "stopped"
)

// PushStates are all states, PushEdges the legal steps between them.
var (
	PushStates = []PushState{PushPreparing, PushWaiting, PushRefused, PushSending, PushPaused, PushDone, PushStopped}
	PushEdges  = []flow.Edge[PushState]{
		{From: PushPreparing, To: PushWaiting}, {From: PushPreparing, To: PushStopped},
		{From: PushWaiting, To: PushSending}, {From: PushWaiting, To: PushRefused}, {From: PushWaiting, To: PushStopped},
		{From: PushSending, To: PushPaused}, {From: PushSending, To: PushDone}, {From: PushSending, To: PushStopped},
		{From: PushPaused, To: PushSending}, {From: PushPaused, To: PushStopped},
	}
)

// Label is the state in Chinese.
func (s PushState) Label() string {
	return map[PushState]string{PushPreparing: "准备中", PushWaiting: "待审批", PushRefused: "审批未通过", PushSending: "发送中", PushPaused: "已暂停", PushDone: "已完成",
		PushStopped: "已停止"}[s]
}

// The faults of a plan.
var (
	ErrPushState = fault.New(fault.Conflict, "PUSH_STATE", "推送计划的状态已变化，请刷新后再操作")
	ErrPushOwn   = fault.New(fault.Forbidden, "PUSH_OWN", "推送计划须由另一人审批，不能审批本人制定的计划")
	ErrPushNone  = fault.New(fault.Conflict, "PUSH_NONE", "按所选范围没有可以告知的企业，请调整范围；未授权、已告知和本周已达上限的企业不会收到消息")
)

// Audience is whom a plan is for.
type Audience struct {
	Sets []criteria.Decision `json:"sets" minItems:"1" maxItems:"5"`
	Narrow
}

// push is a plan to tell companies of a policy.
type push struct {
	bun.BaseModel `bun:"table:policy_pushes,alias:pp"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	PolicyVersion int64      `bun:"policy_version,notnull"`
	State         PushState  `bun:"state,notnull"`
	Version       int64      `bun:"version,notnull"`
	Audience      string     `bun:"audience,notnull"` // Audience
	Preview       string     `bun:"preview,notnull"`  // PushPreview as it was when the plan was made
	MakerID       int64      `bun:"maker_id,notnull"`
	Maker         string     `bun:"maker,notnull"`
	ApproverID    int64      `bun:"approver_id,nullzero"`
	Approver      string     `bun:"approver,notnull"`
	Reason        string     `bun:"reason,notnull"` // of a refusal or a stop
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	EndedAt       *time.Time `bun:"ended_at"`
}

// pushItem is one company of a plan.
type pushItem struct {
	bun.BaseModel `bun:"table:policy_push_items,alias:pi"`

	PushID       int64             `bun:"push_id,pk"`
	EnterpriseID int64             `bun:"enterprise_id,pk"`
	Decision     criteria.Decision `bun:"decision,notnull"`
	State        string            `bun:"state,notnull"` // waiting, told, skipped
	Reason       string            `bun:"reason,notnull"`
	Delivery     Delivery          `bun:"delivery,notnull"` // of the letters; empty: told on the platform only
	Opened       bool              `bun:"opened,notnull"`   // the message was read
	ToldAt       *time.Time        `bun:"told_at"`
}

// told says that a company was told of a policy, by whatever way; it is told once.
type told struct {
	bun.BaseModel `bun:"table:policy_told,alias:pt"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Notice       string    `bun:"notice,notnull"`
	ToldAt       time.Time `bun:"told_at,notnull"`
}

const week = 7 * 24 * time.Hour

// markTold writes that a company is told; false when it was already.
func markTold(ctx context.Context, tx bun.Tx, row told) (bool, error) {
	res, err := tx.NewInsert().Model(&row).On("CONFLICT (policy_id, enterprise_id) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// toldSince counts the messages a company got since a moment; one message may tell of several policies.
func toldSince(ctx context.Context, db bun.IDB, id int64, since time.Time) (int, error) {
	var n int
	err := db.NewSelect().Model((*told)(nil)).ColumnExpr("count(DISTINCT pt.notice)").Where("pt.enterprise_id = ? AND pt.told_at > ?", id, since).Scan(ctx, &n)
	return n, err
}

// The reasons why a company is not told, in the order in which they are asked.
const (
	skipTold    = "已告知过本政策"
	skipConsent = "企业未授权政策推送"
	skipNobody  = "企业没有负责人账号"
	skipOften   = "本周告知次数已达上限"
	skipNoFit   = "政策已修订或失效"
)

// Excluded is how many companies are not told for a reason.
type Excluded struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// PushPreview is what a plan would do.
type PushPreview struct {
	Chosen   int        `json:"chosen"` // companies of the audience
	ToTell   int        `json:"toTell"`
	Excluded []Excluded `json:"excluded"`
	Note     string     `json:"note,omitempty"`
	// Held is until when messages that are not urgent wait, as of now.
	Held    *time.Time `json:"held,omitempty"`
	PerWeek int        `json:"perWeek"`
}

// planned is what a preview rests on.
type planned struct {
	policy  *Policy
	preview PushPreview
	tell    []int64
	by      map[int64]criteria.Decision
}

// PreviewPush says whom a plan would tell and whom not, for which reason. It needs policy.push.
func (s *Service) PreviewPush(ctx context.Context, actor access.Actor, policyID int64, a Audience) (PushPreview, error) {
	p, err := s.plan(ctx, actor, policyID, a)
	return p.preview, err
}

func (s *Service) plan(ctx context.Context, actor access.Actor, policyID int64, a Audience) (planned, error) {
	var out planned
	if err := s.staff(actor, PermPush); err != nil {
		return out, err
	}
	if len(a.Sets) == 0 {
		return out, fault.InvalidField("sets", "PUSH_SETS", "请选择要告知的匹配结果")
	}
	for _, d := range a.Sets {
		if d != criteria.Eligible && d != criteria.Near && d != criteria.Undecided && d != criteria.NeedsHuman {
			return out, fault.InvalidField("sets", "PUSH_SETS", "只能告知符合、接近、待确认或需人工判定的企业")
		}
	}
	p, err := s.find(ctx, s.db.Read(), actor, policyID)
	if err != nil {
		return out, err
	}
	now := s.clock.Now()
	if p.StatusOn(dayOf(now)) != Live {
		return out, ErrState.With("政策当前为“%s”，只有现行有效的政策可以推送", p.StatusOn(dayOf(now)).Label())
	}
	r := s.rule(ctx, p)
	if !r.readable {
		return out, ErrByHand
	}
	columns, _, err := s.pool.ready()
	if err != nil {
		return out, err
	}
	ids, by, err := s.chosen(columns, r, now, a.Narrow, a.Sets...)
	if err != nil {
		return out, err
	}
	out = planned{policy: p, by: by, preview: PushPreview{Chosen: len(ids), Excluded: []Excluded{}, PerWeek: s.reach.PerWeek}}
	if len(a.Sets) == 1 {
		for _, id := range ids {
			out.by[id] = a.Sets[0]
		}
	}
	if at := s.reach.Messages.Held(now); !at.IsZero() {
		out.preview.Held = &at
	}
	why, err := s.exclusions(ctx, s.db.Read(), policyID, ids, now)
	if err != nil {
		return out, err
	}
	counts := map[string]int{}
	for _, id := range ids {
		if why[id] == "" {
			out.tell = append(out.tell, id)
		} else {
			counts[why[id]]++
		}
	}
	out.preview.ToTell = len(out.tell)
	for _, reason := range []string{skipTold, skipConsent, skipNobody, skipOften} {
		if counts[reason] > 0 {
			out.preview.Excluded = append(out.preview.Excluded, Excluded{reason, counts[reason]})
		}
	}
	if len(ids) > 0 && counts[skipConsent] == len(ids)-counts[skipTold] {
		out.preview.Note = "尚无企业授权推送"
	}
	return out, nil
}

// exclusions says of companies why they are not told; one that is told is missing.
func (s *Service) exclusions(ctx context.Context, db bun.IDB, policyID int64, ids []int64, now time.Time) (map[int64]string, error) {
	out := map[int64]string{}
	for chunk := range slices.Chunk(ids, 500) {
		var had, often []int64
		if err := db.NewSelect().Model((*told)(nil)).Column("enterprise_id").Where("pt.policy_id = ? AND pt.enterprise_id IN ?", policyID, bun.Tuple(chunk)).Scan(ctx, &had); err != nil {
			return nil, fmt.Errorf("told before: %w", err)
		}
		err := db.NewSelect().Model((*told)(nil)).Column("enterprise_id").Where("pt.enterprise_id IN ? AND pt.told_at > ?", bun.Tuple(chunk), now.Add(-week)).
			GroupExpr("pt.enterprise_id").Having("count(DISTINCT pt.notice) >= ?", s.reach.PerWeek).Scan(ctx, &often)
		if err != nil {
			return nil, fmt.Errorf("told this week: %w", err)
		}
		allowed, err := s.reach.Consents.Allows(ctx, chunk, PurposePush, now)
		if err != nil {
			return nil, fmt.Errorf("consents: %w", err)
		}
		owners, err := s.reach.Register.Owners(ctx, db, chunk...)
		if err != nil {
			return nil, fmt.Errorf("owners: %w", err)
		}
		for _, id := range chunk {
			switch {
			case slices.Contains(had, id):
				out[id] = skipTold
			case !allowed[id]:
				out[id] = skipConsent
			case owners[id] == 0:
				out[id] = skipNobody
			case slices.Contains(often, id):
				out[id] = skipOften
			}
		}
	}
	return out, nil
}

// MakePush asks for a plan.
type MakePush struct {
	Key      string
	PolicyID int64
	Audience Audience
}

// MakePush writes down a plan with the companies it would tell; a second person approves it. It needs policy.push.
func (s *Service) MakePush(ctx context.Context, actor access.Actor, cmd MakePush) (PushView, error) {
	p, err := s.plan(ctx, actor, cmd.PolicyID, cmd.Audience)
	if err != nil {
		return PushView{}, err
	}
	now := s.clock.Now()
	audience, err1 := json.Marshal(cmd.Audience)
	preview, err2 := json.Marshal(p.preview)
	if err := errors.Join(err1, err2); err != nil {
		return PushView{}, err
	}
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.push", Key: cmd.Key, Request: []any{cmd.PolicyID, cmd.Audience}, Now: now}, func() (outcome, error) {
			if len(p.tell) == 0 {
				return outcome{}, ErrPushNone
			}
			row := push{PolicyID: cmd.PolicyID, PolicyVersion: p.policy.Version, State: PushPreparing, Version: 1, Audience: string(audience), Preview: string(preview),
				MakerID: actor.UserID, Maker: actor.Name, CreatedAt: now}
			if err := database.Insert(ctx, tx, &row); err != nil {
				return outcome{}, err
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.push", Object: Object, ObjectID: cmd.PolicyID,
				Summary: fmt.Sprintf("制定推送计划，拟告知 %d 家企业", len(p.tell)), Detail: cmd.Audience})
		})
		return err
	})
	if err != nil {
		return PushView{}, fmt.Errorf("push policy %d: %w", cmd.PolicyID, err)
	}
	if err := s.fillPush(ctx, actor, done.ID, p); err != nil {
		return PushView{}, err
	}
	return s.Push(ctx, actor, done.ID)
}

// fillPush writes down the companies of a plan that is being prepared, in steps, and hands it to a second person.
func (s *Service) fillPush(ctx context.Context, actor access.Actor, id int64, p planned) error {
	row, err := findPush(ctx, s.db.Read(), id)
	if err != nil || row.State != PushPreparing {
		return err
	}
	for chunk := range slices.Chunk(p.tell, 300) {
		rows := make([]pushItem, 0, len(chunk))
		for _, e := range chunk {
			rows = append(rows, pushItem{PushID: id, EnterpriseID: e, Decision: p.by[e], State: "waiting"})
		}
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("companies of push %d: %w", id, err)
		}
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.movePush(ctx, tx, actor, row, PushWaiting, nil)
	})
}

func findPush(ctx context.Context, db bun.IDB, id int64) (*push, error) {
	row := new(push)
	if err := db.NewSelect().Model(row).Where("pp.id = ?", id).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return row, nil
}

// PushMoved is announced of each step of a plan.
type PushMoved struct {
	ID       int64     `json:"id"`
	PolicyID int64     `json:"policyId"`
	State    PushState `json:"state"`
	Title    string    `json:"title"` // of the policy
	Count    int       `json:"count"` // companies to tell, as it was planned
	MakerID  int64     `json:"makerId"`
}

// Event names the fact.
func (f PushMoved) Event() (string, string, int64) {
	return "policy_push." + string(f.State), "policy_push", f.ID
}

// movePush takes a plan one step on, if it is still as it was read.
func (s *Service) movePush(ctx context.Context, tx bun.Tx, actor access.Actor, row *push, to PushState, change func(*push)) error {
	if !slices.Contains(PushEdges, flow.Edge[PushState]{From: row.State, To: to}) {
		return ErrPushState.With("推送计划当前为“%s”，不能进行此操作，请刷新后查看", row.State.Label())
	}
	read := row.Version
	row.State, row.Version = to, read+1
	if change != nil {
		change(row)
	}
	err := database.Changed(tx.NewUpdate().Model(row).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", row.ID, read).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrPushState
	}
	if err != nil {
		return err
	}
	fact := PushMoved{ID: row.ID, PolicyID: row.PolicyID, State: to, MakerID: row.MakerID}
	if err := database.QueryOne(ctx, tx, []any{&fact.Title}, "SELECT title FROM policies WHERE id = ?", row.PolicyID); err != nil {
		return err
	}
	var preview PushPreview
	if err := json.Unmarshal([]byte(row.Preview), &preview); err != nil {
		return fmt.Errorf("push %d: %w", row.ID, err)
	}
	fact.Count = preview.ToTell
	_, err = event.Append(ctx, tx, actor, s.clock.Now(), fact)
	return err
}

// PushStep is one step on a plan; Version is the one the actor saw.
type PushStep struct {
	Key     string
	ID      int64
	Version int64
	Reason  string
}

// ApprovePush has a plan sent. It needs policy.push_approve and a person other than the maker.
func (s *Service) ApprovePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPushApprove, "approve", "审批通过推送计划", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		if row.MakerID == actor.UserID {
			return ErrPushOwn
		}
		if err := s.movePush(ctx, tx, actor, row, PushSending, func(p *push) { p.ApproverID, p.Approver, p.ApprovedAt = actor.UserID, actor.Name, &now }); err != nil {
			return err
		}
		return s.reach.Queue.Insert(ctx, tx, pushJob{PushID: row.ID})
	})
}

// RefusePush sends a plan back for a reason. It needs policy.push_approve and a person other than the maker.
func (s *Service) RefusePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return PushView{}, text.Named(err, "原因")
	}
	return s.stepPush(ctx, actor, PermPushApprove, "refuse", "退回推送计划", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		if row.MakerID == actor.UserID {
			return ErrPushOwn
		}
		return s.movePush(ctx, tx, actor, row, PushRefused, func(p *push) {
			p.ApproverID, p.Approver, p.ApprovedAt, p.Reason, p.EndedAt = actor.UserID, actor.Name, &now, reason, &now
		})
	})
}

// PausePush holds a plan that is being sent; what left has left. It needs policy.push.
func (s *Service) PausePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPush, "pause", "暂停推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, _ time.Time) error {
		return s.movePush(ctx, tx, actor, row, PushPaused, nil)
	})
}

// ResumePush goes on with a paused plan. It needs policy.push.
func (s *Service) ResumePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPush, "resume", "继续推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, _ time.Time) error {
		if row.State != PushPaused {
			return ErrPushState.With("推送计划当前为“%s”，不能继续，请刷新后查看", row.State.Label())
		}
		if err := s.movePush(ctx, tx, actor, row, PushSending, nil); err != nil {
			return err
		}
		return s.reach.Queue.Insert(ctx, tx, pushJob{PushID: row.ID})
	})
}

// StopPush ends a plan for a reason; companies that were not told are not told any more. It needs policy.push.
func (s *Service) StopPush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return PushView{}, text.Named(err, "原因")
	}
	return s.stepPush(ctx, actor, PermPush, "stop", "停止推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		return s.movePush(ctx, tx, actor, row, PushStopped, func(p *push) { p.Reason, p.EndedAt = reason, &now })
	})
}

func (s *Service) stepPush(ctx context.Context, actor access.Actor, right access.Permission, action, summary string, cmd PushStep,
	step func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error,
) (PushView, error) {
	if err := s.staff(actor, right); err != nil {
		return PushView{}, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.push_" + action, Key: cmd.Key, Request: []any{cmd.ID, cmd.Version, cmd.Reason}, Now: now}, func() (outcome, error) {
			row, err := findPush(ctx, tx, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if row.Version != cmd.Version {
				return outcome{}, ErrPushState
			}
			if err := step(ctx, tx, row, now); err != nil {
				return outcome{}, err
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.push_" + action, Object: Object, ObjectID: row.PolicyID, Summary: summary,
				Detail: map[string]any{"push": row.ID, "reason": cmd.Reason}})
		})
		return err
	})
	if err != nil {
		return PushView{}, fmt.Errorf("%s push %d: %w", action, cmd.ID, err)
	}
	return s.Push(ctx, actor, cmd.ID)
}

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
