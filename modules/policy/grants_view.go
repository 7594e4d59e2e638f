package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// objection is what somebody says against a list while it is public.
type objection struct {
	bun.BaseModel `bun:"table:policy_objections,alias:po"`

	ID           int64      `bun:"id,pk,autoincrement"`
	GrantID      int64      `bun:"grant_id,notnull"`
	EnterpriseID int64      `bun:"enterprise_id,nullzero"` // against whom; 0: against the list
	Number       string     `bun:"number,notnull"`
	Contact      string     `bun:"contact,notnull"` // sealed objector
	PhoneBlind   string     `bun:"phone_blind,notnull"`
	Text         string     `bun:"text,notnull"`
	State        string     `bun:"state,notnull"` // open, upheld, dismissed
	Answer       string     `bun:"answer,notnull"`
	Decider      string     `bun:"decider,notnull"`
	At           time.Time  `bun:"at,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
}

type objector struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

func objectionPlace(number string) string { return "policy_objections.contact:" + number }

var objectionWords = map[string]string{"open": "待处理", "upheld": "异议成立", "dismissed": "异议不成立"}

// Objected is announced when somebody objects, and when it is decided.
type Objected struct {
	ID       int64  `json:"id"`
	GrantID  int64  `json:"grantId"`
	PolicyID int64  `json:"policyId"`
	State    string `json:"state"`
	Title    string `json:"title"` // of the policy
}

// Event names the fact.
func (f Objected) Event() (string, string, int64) {
	return "policy_objection." + f.State, "policy_objection", f.ID
}

// RaiseObjection is what somebody says against a list.
type RaiseObjection struct {
	Key          string
	GrantID      int64
	EnterpriseID int64
	Name         string
	Phone        string
	Text         string
}

// objectionsADay is how often one telephone may object in a day.
const objectionsADay = 5

// RaiseObjection is for everybody while a list is public, with a name and a telephone. It returns the number by which the
// answer can be asked for.
func (s *Service) RaiseObjection(ctx context.Context, actor access.Actor, cmd RaiseObjection) (string, error) {
	name, err1 := text.Line("name", cmd.Name, 2, 50)
	reason, err2 := text.Block("text", cmd.Text, 10, 2000)
	number, err3 := phone.Contact(cmd.Phone)
	if err := fault.Merge(named(err1, "姓名"), named(err2, "异议内容"), err3); err != nil {
		return "", err
	}
	now := s.clock.Now()
	blind := s.reach.Box.Blind("phone", number)
	contact, err := json.Marshal(objector{name, number})
	if err != nil {
		return "", err
	}
	var made struct {
		Number string `json:"number"`
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		made, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.object", Key: cmd.Key, Request: []any{cmd.GrantID, cmd.EnterpriseID, name, number, reason}, Now: now},
			func() (struct {
				Number string `json:"number"`
			}, error,
			) {
				g, err := findGrant(ctx, tx, cmd.GrantID)
				if err != nil {
					return made, err
				}
				if g.State != GrantPublic || g.PublicUntil == nil || now.After(*g.PublicUntil) {
					return made, ErrGrantState.With("该名单不在公示期内，不能提出异议")
				}
				if cmd.EnterpriseID != 0 {
					on, err := tx.NewSelect().Model((*grantItem)(nil)).Where("gi.grant_id = ? AND gi.enterprise_id = ? AND gi.state = 'listed'", g.ID, cmd.EnterpriseID).Exists(ctx)
					if err != nil {
						return made, err
					}
					if !on {
						return made, fault.InvalidField("enterpriseId", "OBJECTION_COMPANY", "该企业不在公示名单内，请重新选择")
					}
				}
				today, err := tx.NewSelect().Model((*objection)(nil)).Where("po.phone_blind = ? AND po.at > ?", blind, now.Add(-24*time.Hour)).Count(ctx)
				if err != nil {
					return made, err
				}
				if today >= objectionsADay {
					return made, fault.New(fault.TooMany, "OBJECTIONS", fmt.Sprintf("同一电话每天最多提出 %d 次异议，请明天再试", objectionsADay))
				}
				row := objection{GrantID: g.ID, EnterpriseID: cmd.EnterpriseID, Number: "YY" + now.Format("20060102") + secret.Digits(6), PhoneBlind: blind, Text: reason, State: "open", At: now}
				row.Contact = s.reach.Box.Seal(contact, objectionPlace(row.Number))
				if err := database.Insert(ctx, tx, &row); err != nil {
					return made, err
				}
				made.Number = row.Number
				if _, err := event.Append(ctx, tx, actor, now, Objected{row.ID, g.ID, g.PolicyID, "open", g.Title}); err != nil {
					return made, err
				}
				return made, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.object", Object: Object, ObjectID: g.PolicyID, Summary: "对免申即享名单提出异议"})
			})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("object to grant %d: %w", cmd.GrantID, err)
	}
	return made.Number, nil
}

func named(err error, label string) error {
	if err == nil {
		return nil
	}
	return text.Named(err, label)
}

// DecideObjection asks to decide on an objection; one that is upheld takes the company off the list.
type DecideObjection struct {
	Key    string
	ID     int64
	Uphold bool
	Answer string
}

// DecideObjection needs policy.grant_decide.
func (s *Service) DecideObjection(ctx context.Context, actor access.Actor, cmd DecideObjection) (GrantView, error) {
	if err := s.staff(actor, PermGrantDecide); err != nil {
		return GrantView{}, err
	}
	answer, err := text.Block("answer", cmd.Answer, 5, 1000)
	if err != nil {
		return GrantView{}, text.Named(err, "处理意见")
	}
	now := s.clock.Now()
	state := map[bool]string{true: "upheld", false: "dismissed"}[cmd.Uphold]
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.objection_decide", Key: cmd.Key, Request: []any{cmd.ID, cmd.Uphold, answer}, Now: now}, func() (outcome, error) {
			row := new(objection)
			if err := tx.NewSelect().Model(row).Where("po.id = ?", cmd.ID).Scan(ctx); err != nil {
				return outcome{}, database.Found(err)
			}
			g, err := findGrant(ctx, tx, row.GrantID)
			if err != nil {
				return outcome{}, err
			}
			err = database.Changed(tx.NewUpdate().Model((*objection)(nil)).Set("state = ?", state).Set("answer = ?", answer).Set("decider = ?", actor.Name).Set("decided_at = ?", now).
				Where("id = ? AND state = 'open'", cmd.ID).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				return outcome{}, fault.New(fault.Conflict, "OBJECTION_STATE", "该异议已处理，请刷新后查看")
			}
			if err != nil {
				return outcome{}, err
			}
			if cmd.Uphold && row.EnterpriseID != 0 {
				// It may be off already, by another objection.
				if err := removeItem(ctx, tx, row.GrantID, row.EnterpriseID, "异议成立："+text.Truncate(answer, 150), now); err != nil && !errors.Is(err, fault.ErrNotFound) {
					return outcome{}, err
				}
			}
			if _, err := event.Append(ctx, tx, actor, now, Objected{row.ID, g.ID, g.PolicyID, state, g.Title}); err != nil {
				return outcome{}, err
			}
			return outcome{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.objection_decide", Object: Object, ObjectID: g.PolicyID, Summary: "处理免申即享异议：" + objectionWords[state]})
		})
		return err
	})
	if err != nil {
		return GrantView{}, fmt.Errorf("decide objection %d: %w", cmd.ID, err)
	}
	return s.Grant(ctx, actor, done.ID)
}

// GrantView is a list as staff see it.
type GrantView struct {
	ID            int64           `json:"id"`
	Version       int64           `json:"version"`
	PolicyID      int64           `json:"policyId"`
	PolicyVersion int64           `json:"policyVersion"`
	Title         string          `json:"title"`
	State         GrantState      `json:"state" enum:"preparing,draft,review,public,confirming,final,cancelled"`
	StateName     string          `json:"stateName"`
	FactMark      int64           `json:"factMark"`
	Maker         string          `json:"maker"`
	Decider       string          `json:"decider,omitempty"`
	Reason        string          `json:"reason,omitempty"`
	CreatedAt     time.Time       `json:"createdAt"`
	PublicAt      *time.Time      `json:"publicAt,omitempty"`
	PublicUntil   *time.Time      `json:"publicUntil,omitempty"`
	FinalAt       *time.Time      `json:"finalAt,omitempty"`
	Counts        map[string]int  `json:"counts"` // by the state of its companies
	Objections    []ObjectionView `json:"objections"`
	MayEdit       bool            `json:"mayEdit"`
	MayDecide     bool            `json:"mayDecide"`
}

// ObjectionView is an objection as staff see it.
type ObjectionView struct {
	ID           int64      `json:"id"`
	Number       string     `json:"number"`
	EnterpriseID int64      `json:"enterpriseId,omitempty"`
	Company      string     `json:"company,omitempty"`
	Name         string     `json:"name"`
	Phone        string     `json:"phone"` // masked for those who do not decide
	Text         string     `json:"text"`
	State        string     `json:"state" enum:"open,upheld,dismissed"`
	StateName    string     `json:"stateName"`
	Answer       string     `json:"answer,omitempty"`
	Decider      string     `json:"decider,omitempty"`
	At           time.Time  `json:"at"`
	DecidedAt    *time.Time `json:"decidedAt,omitempty"`
}

func (s *Service) mayGrants(actor access.Actor) error {
	if err := s.staff(actor, PermGrant); err != nil {
		return s.staff(actor, PermGrantDecide)
	}
	return nil
}

// Grant returns a list. It needs policy.grant or policy.grant_decide.
func (s *Service) Grant(ctx context.Context, actor access.Actor, id int64) (GrantView, error) {
	if err := s.mayGrants(actor); err != nil {
		return GrantView{}, err
	}
	g, err := findGrant(ctx, s.db.Read(), id)
	if err != nil {
		return GrantView{}, err
	}
	return s.grantView(ctx, actor, g)
}

// GrantsOf lists the lists of a policy (0: of all), newest first, at most fifty.
func (s *Service) GrantsOf(ctx context.Context, actor access.Actor, policyID int64) ([]GrantView, error) {
	if err := s.mayGrants(actor); err != nil {
		return nil, err
	}
	var rows []grant
	q := s.db.Read().NewSelect().Model(&rows).OrderExpr("pg.id DESC").Limit(50)
	if policyID > 0 {
		q = q.Where("pg.policy_id = ?", policyID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	out := make([]GrantView, 0, len(rows))
	for i := range rows {
		v, err := s.grantView(ctx, actor, &rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) grantView(ctx context.Context, actor access.Actor, g *grant) (GrantView, error) {
	other := actor.UserID != g.MakerID
	v := GrantView{ID: g.ID, Version: g.Version, PolicyID: g.PolicyID, PolicyVersion: g.PolicyVersion, Title: g.Title, State: g.State, StateName: g.State.Label(), FactMark: g.FactMark,
		Maker: g.Maker, Decider: g.Decider, Reason: g.Reason, CreatedAt: g.CreatedAt.UTC(), PublicAt: utc(g.PublicAt), PublicUntil: utc(g.PublicUntil), FinalAt: utc(g.FinalAt),
		Counts: map[string]int{}, Objections: []ObjectionView{},
		MayEdit:   actor.Can(PermGrant) && flow.Leads(GrantEdges, g.State, GrantCancelled),
		MayDecide: actor.Can(PermGrantDecide) && (other || g.State != GrantReview) && flow.Leads(GrantEdges, g.State, GrantFinal)}
	var err error
	if v.Counts, err = s.grantCounts(ctx, g.ID); err != nil {
		return v, err
	}
	var rows []objection
	if err := s.db.Read().NewSelect().Model(&rows).Where("po.grant_id = ?", g.ID).OrderExpr("po.id DESC").Limit(200).Scan(ctx); err != nil {
		return v, fmt.Errorf("objections: %w", err)
	}
	for _, o := range rows {
		view, err := s.objectionView(ctx, actor, o)
		if err != nil {
			return v, err
		}
		v.Objections = append(v.Objections, view)
	}
	return v, nil
}

func (s *Service) grantCounts(ctx context.Context, id int64) (map[string]int, error) {
	var counts []struct {
		State string
		N     int
	}
	err := s.db.Read().NewSelect().Model((*grantItem)(nil)).ColumnExpr("gi.state, count(*) AS n").Where("gi.grant_id = ?", id).GroupExpr("gi.state").Scan(ctx, &counts)
	out := map[string]int{}
	for _, c := range counts {
		out[c.State] = c.N
	}
	return out, err
}

func (s *Service) objectionView(ctx context.Context, actor access.Actor, o objection) (ObjectionView, error) {
	plain, err := s.reach.Box.Open(o.Contact, objectionPlace(o.Number))
	if err != nil {
		return ObjectionView{}, fmt.Errorf("objection %d: %w", o.ID, err)
	}
	var who objector
	if err := json.Unmarshal(plain, &who); err != nil {
		return ObjectionView{}, fmt.Errorf("objection %d: %w", o.ID, err)
	}
	if !actor.Can(PermGrantDecide) {
		who.Name, who.Phone = text.MaskName(who.Name), text.MaskPhone(who.Phone)
	}
	v := ObjectionView{ID: o.ID, Number: o.Number, EnterpriseID: o.EnterpriseID, Name: who.Name, Phone: who.Phone, Text: o.Text, State: o.State, StateName: objectionWords[o.State],
		Answer: o.Answer, Decider: o.Decider, At: o.At.UTC(), DecidedAt: utc(o.DecidedAt)}
	if o.EnterpriseID != 0 {
		err = database.QueryOne(ctx, s.db.Read(), []any{&v.Company}, "SELECT name FROM policy_grant_items WHERE grant_id = ? AND enterprise_id = ?", o.GrantID, o.EnterpriseID)
	}
	return v, err
}

// GrantCompany is a company of a list.
type GrantCompany struct {
	EnterpriseID int64      `json:"enterpriseId"`
	Name         string     `json:"name"`
	CreditCode   string     `json:"creditCode"` // the middle is masked for the public
	Town         string     `json:"town,omitempty"`
	State        string     `json:"state" enum:"listed,removed,confirmed,declined"`
	StateName    string     `json:"stateName"`
	Reason       string     `json:"reason,omitempty"`
	ConfirmedBy  string     `json:"confirmedBy,omitempty"`
	DecidedAt    *time.Time `json:"decidedAt,omitempty"`
	Evidence     *Evidence  `json:"-"`
	Lines        []Line     `json:"lines,omitempty"` // of one that was asked for
}

func (i *grantItem) view() GrantCompany {
	return GrantCompany{EnterpriseID: i.EnterpriseID, Name: i.Name, CreditCode: i.CreditCode, Town: i.Town, State: i.State, StateName: itemWords[i.State], Reason: i.Reason,
		ConfirmedBy: i.ConfirmedBy, DecidedAt: utc(i.DecidedAt)}
}

// GrantCompanies lists the companies of a list for staff, in the order of their ids, and the cursor of the next page.
func (s *Service) GrantCompanies(ctx context.Context, actor access.Actor, id int64, cursor string, limit int) ([]GrantCompany, string, error) {
	if err := s.mayGrants(actor); err != nil {
		return nil, "", err
	}
	return s.grantPage(ctx, id, nil, cursor, limit)
}

func (s *Service) grantPage(ctx context.Context, id int64, states []string, cursor string, limit int) ([]GrantCompany, string, error) {
	after, err := strconv.ParseInt(cmp.Or(cursor, "0"), 10, 64)
	if err != nil || after < 0 {
		return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	if limit <= 0 || limit > 500 {
		limit = 20
	}
	var rows []grantItem
	q := s.db.Read().NewSelect().Model(&rows).ExcludeColumn("evidence").Where("gi.grant_id = ? AND gi.enterprise_id > ?", id, after).OrderExpr("gi.enterprise_id").Limit(int64(limit + 1))
	if len(states) > 0 {
		q = q.Where("gi.state IN ?", bun.Tuple(states))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("companies of grant %d: %w", id, err)
	}
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], strconv.FormatInt(rows[limit-1].EnterpriseID, 10)
	}
	out := make([]GrantCompany, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view())
	}
	return out, next, nil
}

// GrantEvidence opens what a company's place on a list rests on. It needs policy.grant or policy.grant_decide; that
// somebody looked is written down.
func (s *Service) GrantEvidence(ctx context.Context, actor access.Actor, id, enterpriseID int64) (GrantCompany, error) {
	if err := s.mayGrants(actor); err != nil {
		return GrantCompany{}, err
	}
	row := new(grantItem)
	if err := s.db.Read().NewSelect().Model(row).Where("gi.grant_id = ? AND gi.enterprise_id = ?", id, enterpriseID).Scan(ctx); err != nil {
		return GrantCompany{}, database.Found(err)
	}
	plain, err := s.reach.Box.Open(row.Evidence, evidencePlace(id, enterpriseID))
	if err != nil {
		return GrantCompany{}, fmt.Errorf("evidence of grant %d: %w", id, err)
	}
	v := row.view()
	v.Evidence = new(Evidence)
	if err := json.Unmarshal(plain, v.Evidence); err != nil {
		return GrantCompany{}, fmt.Errorf("evidence of grant %d: %w", id, err)
	}
	v.Lines = v.Evidence.Lines
	return v, s.looked(ctx, actor, "policy.grant_evidence", 0, "查看免申即享依据", map[string]any{"grant": id, "enterprise": enterpriseID})
}

// MyGrant is a list as a company on it sees it.
type MyGrant struct {
	ID          int64      `json:"id"`
	PolicyID    int64      `json:"policyId"`
	Title       string     `json:"title"`
	State       GrantState `json:"state" enum:"public,confirming,final,cancelled"`
	StateName   string     `json:"stateName"`
	PublicUntil *time.Time `json:"publicUntil,omitempty"`
	Mine        string     `json:"mine" enum:"listed,removed,confirmed,declined"`
	MineName    string     `json:"mineName"`
	MayConfirm  bool       `json:"mayConfirm"`
}

// MyGrants lists the lists the company the actor acts for is on, newest first.
func (s *Service) MyGrants(ctx context.Context, actor access.Actor) ([]MyGrant, error) {
	if actor.Party != access.Enterprise || actor.EnterpriseID == 0 {
		return nil, fault.ErrForbidden
	}
	return s.myGrants(ctx, actor, 0)
}

func (s *Service) myGrant(ctx context.Context, actor access.Actor, id int64) (MyGrant, error) {
	list, err := s.myGrants(ctx, actor, id)
	if err == nil && len(list) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return MyGrant{}, err
	}
	return list[0], nil
}

func (s *Service) myGrants(ctx context.Context, actor access.Actor, id int64) ([]MyGrant, error) {
	var rows []struct {
		grant `bun:",extend"`
		Mine  string `bun:"mine"`
	}
	q := s.db.Read().NewSelect().TableExpr("policy_grants AS pg").ColumnExpr("pg.*, gi.state AS mine").Join("JOIN policy_grant_items AS gi ON gi.grant_id = pg.id").
		Where("gi.enterprise_id = ? AND pg.public_at IS NOT NULL", actor.EnterpriseID).OrderExpr("pg.id DESC").Limit(50)
	if id > 0 {
		q = q.Where("pg.id = ?", id)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("grants of enterprise %d: %w", actor.EnterpriseID, err)
	}
	out := make([]MyGrant, 0, len(rows))
	for _, r := range rows {
		out = append(out, MyGrant{ID: r.ID, PolicyID: r.PolicyID, Title: r.Title, State: r.State, StateName: r.State.Label(), PublicUntil: utc(r.PublicUntil), Mine: r.Mine,
			MineName: itemWords[r.Mine], MayConfirm: r.State == GrantConfirming && r.Mine != "removed"})
	}
	return out, nil
}

// PublicGrant is a list as the public sees it.
type PublicGrant struct {
	ID          int64      `json:"id"`
	PolicyID    int64      `json:"policyId"`
	Title       string     `json:"title"`
	State       GrantState `json:"state" enum:"public,confirming,final"`
	StateName   string     `json:"stateName"`
	PublicAt    time.Time  `json:"publicAt"`
	PublicUntil time.Time  `json:"publicUntil"`
	Open        bool       `json:"open"` // objections are taken
	Companies   int        `json:"companies"`
}

// PublicGrants lists the lists that are or were shown to the public, newest first, at most a hundred.
func (s *Service) PublicGrants(ctx context.Context) ([]PublicGrant, error) {
	return s.publicGrants(ctx, 0)
}

func (s *Service) publicGrants(ctx context.Context, id int64) ([]PublicGrant, error) {
	var rows []grant
	q := s.db.Read().NewSelect().Model(&rows).Where("pg.public_at IS NOT NULL AND pg.state IN ('public', 'confirming', 'final')").OrderExpr("pg.id DESC").Limit(100)
	if id > 0 {
		q = q.Where("pg.id = ?", id)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("public grants: %w", err)
	}
	now := s.clock.Now()
	out := make([]PublicGrant, 0, len(rows))
	for _, g := range rows {
		counts, err := s.grantCounts(ctx, g.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, PublicGrant{ID: g.ID, PolicyID: g.PolicyID, Title: g.Title, State: g.State, StateName: g.State.Label(), PublicAt: g.PublicAt.UTC(), PublicUntil: g.PublicUntil.UTC(),
			Open: g.State == GrantPublic && now.Before(*g.PublicUntil), Companies: counts["listed"] + counts["confirmed"] + counts["declined"]})
	}
	return out, nil
}

// PublicCompanies lists who is on a public list: the names, which are public, and of the credit code the ends.
func (s *Service) PublicCompanies(ctx context.Context, id int64, cursor string, limit int) (PublicGrant, []GrantCompany, string, error) {
	list, err := s.publicGrants(ctx, id)
	if err == nil && len(list) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return PublicGrant{}, nil, "", err
	}
	items, next, err := s.grantPage(ctx, id, []string{"listed", "confirmed", "declined"}, cursor, limit)
	for i := range items {
		items[i].CreditCode, items[i].Reason, items[i].ConfirmedBy, items[i].DecidedAt = maskCode(items[i].CreditCode), "", "", nil
		items[i].State, items[i].StateName = "listed", itemWords["listed"]
	}
	return list[0], items, next, err
}

// maskCode keeps the first four and the last four characters of a credit code.
func maskCode(code string) string {
	if len(code) < 12 {
		return code
	}
	return code[:4] + "**********" + code[len(code)-4:]
}

// GrantSource is the list that leaves as a spreadsheet.
func (s *Service) GrantSource() sheet.Source {
	of := sheet.Of[GrantCompany]
	grantOf := func(f sheet.Filter) (int64, error) {
		id, err := strconv.ParseInt(f["grant"], 10, 64)
		if err != nil || f.Only("grant") != nil {
			return 0, sheet.ErrFilter
		}
		return id, nil
	}
	return sheet.List[GrantCompany]{Name: "policy_grants", Title: "免申即享名单", Permission: PermGrant, Fields: []sheet.Field[GrantCompany]{
		of("name", "企业名称", 36, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Name) }),
		of("creditCode", "统一社会信用代码", 22, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.CreditCode) }),
		of("town", "所在街道（镇）", 18, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Town) }),
		of("state", "状态", 12, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.StateName) }),
		of("reason", "移出原因", 30, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Reason) }),
		of("confirmedBy", "确认人", 12, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.ConfirmedBy) }),
		of("decidedAt", "确认时间", 20, func(c *GrantCompany) sheet.Cell { return sheet.TimeOf(c.DecidedAt) }),
	}, Describe: func(f sheet.Filter) (string, error) {
		id, err := grantOf(f)
		return fmt.Sprintf("名单 %d", id), err
	}, Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]GrantCompany, string, error) {
		id, err := grantOf(f)
		if err != nil {
			return nil, "", err
		}
		return s.GrantCompanies(ctx, actor, id, after, limit)
	}}.Source()
}

// ReverseSource is whom a policy fits, as it leaves as a spreadsheet: one set, with the reasons.
func (s *Service) ReverseSource() sheet.Source {
	of := sheet.Of[Judgement]
	return sheet.List[Judgement]{Name: "policy_companies", Title: "政策适配企业", Permission: PermReverseTake, Fields: []sheet.Field[Judgement]{
		of("name", "企业名称", 36, func(j *Judgement) sheet.Cell { return sheet.Text(j.Name) }),
		of("creditCode", "统一社会信用代码", 22, func(j *Judgement) sheet.Cell { return sheet.Text(j.CreditCode) }),
		of("verified", "企业认证", 10, func(j *Judgement) sheet.Cell {
			return sheet.Text(map[bool]string{true: "已认证", false: "未认证"}[j.Verified])
		}),
		of("town", "所在街道（镇）", 18, func(j *Judgement) sheet.Cell { return sheet.Text(j.Town) }),
		of("industry", "所属行业", 24, func(j *Judgement) sheet.Cell { return sheet.Text(j.Industry) }),
		of("decision", "匹配结果", 12, func(j *Judgement) sheet.Cell { return sheet.Text(j.Word) }),
		of("summary", "说明", 50, func(j *Judgement) sheet.Cell { return sheet.Text(j.Summary) }),
		of("reasons", "未满足或待确认的条件", 60, func(j *Judgement) sheet.Cell { return sheet.Text(j.reasons()) }),
	}, Describe: func(f sheet.Filter) (string, error) {
		id, c, err := s.reverseFilter(f)
		return fmt.Sprintf("政策 %d，%s", id, s.audienceText(Audience{Sets: sets(c.Set), Narrow: c.Narrow})), err
	}, Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]Judgement, string, error) {
		id, c, err := s.reverseFilter(f)
		if err != nil {
			return nil, "", err
		}
		c.Cursor, c.Limit = after, limit
		list, next, err := s.companies(ctx, actor, id, c)
		return list, next, err
	}}.Source()
}
