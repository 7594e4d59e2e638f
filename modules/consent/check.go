package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// chunk is how many companies are asked about in one statement.
const chunk = 1000

// Allows says which of the companies have a grant for the purpose that holds at the moment, with an entry for each id. It
// reads no data of a company and writes nothing: whoever then reads what is known of them uses ReadAll, which logs.
func (s *Service) Allows(ctx context.Context, enterpriseIDs []int64, purpose string, at time.Time) (map[int64]bool, error) {
	grants, err := s.holding(ctx, s.db.Read(), enterpriseIDs, purpose, at)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]bool, len(enterpriseIDs))
	for _, id := range enterpriseIDs {
		_, out[id] = grants[id]
	}
	return out, nil
}

// held is a grant that holds, and what it covers.
type held struct {
	EnterpriseID int64 `bun:"enterprise_id"`
	ID           int64 `bun:"id"`
	TextID       int64 `bun:"text_id"`
}

// holding finds the grants that hold at a moment, by company.
func (s *Service) holding(ctx context.Context, db bun.IDB, ids []int64, purpose string, at time.Time) (map[int64]held, error) {
	if _, ok := PurposeOf(purpose); !ok {
		return nil, ErrPurpose
	}
	out := make(map[int64]held, len(ids))
	lowest, err := floor(ctx, db, purpose, at)
	if err != nil || lowest == 0 {
		return out, err
	}
	for part := range slices.Chunk(ids, chunk) {
		var rows []held
		err := db.NewSelect().TableExpr("consent_grants AS g").ColumnExpr("g.enterprise_id, g.id, g.text_id").
			Where("g.purpose = ? AND g.enterprise_id IN (?)", purpose, bun.List(part)).
			Where("g.granted_at <= ? AND (g.ended_at IS NULL OR g.ended_at > ?) AND (g.until IS NULL OR g.until > ?)", at, at, at).
			Where("g.text_no >= ?", lowest).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("grants of %s: %w", purpose, err)
		}
		for _, r := range rows {
			out[r.EnterpriseID] = r
		}
	}
	return out, nil
}

// Reading is what somebody wants to read.
type Reading struct {
	Purpose string
	// Basis is the code of the basis the reader claims; "" rests on consent alone.
	Basis string
	// What says in words where it is read: "企业详情".
	What string
}

// Pass is what a reader may read.
type Pass struct {
	Groups []string // codes of the groups of company fields
	Basis  string   // the basis it rests on, "" is consent
}

// Check returns nil when the actor may read what is known of the company for the purpose: with a grant that holds, or with
// legalBasis, the code of a declared basis that names a role of the actor ("" is none). Otherwise it returns ErrRefused with
// what to do. Both are logged before it returns; the company's own people pass without.
func (s *Service) Check(ctx context.Context, actor access.Actor, enterpriseID int64, purpose, legalBasis string) error {
	_, err := s.Read(ctx, actor, enterpriseID, Reading{Purpose: purpose, Basis: legalBasis})
	return err
}

// Read is Check with what the reader may read.
func (s *Service) Read(ctx context.Context, actor access.Actor, enterpriseID int64, r Reading) (Pass, error) {
	if actor.Party == access.Enterprise && actor.EnterpriseID == enterpriseID && actor.UserID != 0 {
		return Pass{Groups: codes(s.groups)}, nil
	}
	passes, err := s.ReadAll(ctx, actor, []int64{enterpriseID}, r)
	if err != nil {
		return Pass{}, err
	}
	p, ok := passes[enterpriseID]
	if !ok {
		return Pass{}, s.refusal(ctx, actor, r)
	}
	return p, nil
}

// ReadAll is Read for several companies at once: those that may not be read are missing from the answer. Each reading and
// each refusal is logged for its company; the audit log has one entry for all.
func (s *Service) ReadAll(ctx context.Context, actor access.Actor, ids []int64, r Reading) (map[int64]Pass, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	var out map[int64]Pass
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = s.readAll(ctx, tx, actor, ids, r)
		return err
	})
	return out, err
}

func (s *Service) readAll(ctx context.Context, tx bun.Tx, actor access.Actor, ids []int64, r Reading) (map[int64]Pass, error) {
	now := s.clock.Now()
	grants, err := s.holding(ctx, tx, ids, r.Purpose, now)
	if err != nil {
		return nil, err
	}
	reader, err := s.readers.Reader(ctx, tx, actor)
	if err != nil {
		return nil, fmt.Errorf("who reads: %w", err)
	}
	basis, err := s.claimed(ctx, tx, reader, r)
	if err != nil {
		return nil, err
	}
	covered, err := coverage(ctx, tx, grants)
	if err != nil {
		return nil, err
	}
	purpose, _ := PurposeOf(r.Purpose)
	row := Access{At: now, Purpose: r.Purpose, What: r.What, ReaderID: actor.UserID, ReaderName: actor.Name, Party: string(actor.Party),
		Unit: reader.Unit, Roles: joined(names(reader.Roles)), IP: actor.IP}
	if row.What == "" {
		row.What = purpose.Name
	}
	out := make(map[int64]Pass, len(ids))
	rows := make([]Access, 0, len(ids))
	for _, id := range ids {
		a := row
		a.EnterpriseID = id
		switch g, ok := grants[id]; {
		case ok && basis == nil:
			a.Allowed, a.GrantID, a.Groups = true, g.ID, covered[g.TextID]
		case basis != nil: // who claims a basis answers for it, whatever the company has said
			a.Allowed, a.Basis, a.BasisName, a.Groups = true, basis.Code, basis.Name, basis.Groups
		default:
			a.Why, a.Groups = why(r), []string{}
		}
		if a.Allowed {
			out[id] = Pass{a.Groups, a.Basis}
		}
		rows = append(rows, a)
	}
	for part := range slices.Chunk(rows, chunk) {
		if _, err := tx.NewInsert().Model(&part).ExcludeColumn("id").Exec(ctx); err != nil {
			return nil, fmt.Errorf("log accesses: %w", err)
		}
	}
	return out, s.auditReading(ctx, tx, actor, ids, r, len(out), now)
}

func (s *Service) auditReading(ctx context.Context, tx bun.Tx, actor access.Actor, ids []int64, r Reading, allowed int, now time.Time) error {
	purpose, _ := PurposeOf(r.Purpose)
	rec := audit.Record{Action: "consent.read", Object: "enterprise", Summary: "查阅企业数据（" + purpose.Name + "）",
		Detail: map[string]any{"purpose": r.Purpose, "basis": r.Basis, "what": r.What, "companies": len(ids), "allowed": allowed}}
	if len(ids) == 1 {
		rec.ObjectID = ids[0]
	}
	if allowed == 0 {
		rec.Action, rec.Summary = "consent.refuse", "拒绝查阅企业数据（"+purpose.Name+"）"
	}
	return audit.Write(ctx, tx, actor, now, rec)
}

// claimed returns the basis the reader claims, when it covers them, and nil otherwise.
func (s *Service) claimed(ctx context.Context, db bun.IDB, reader Reader, r Reading) (*Basis, error) {
	if r.Basis == "" {
		return nil, nil
	}
	b := new(Basis)
	err := database.Found(db.NewSelect().Model(b).Where("b.code = ?", r.Basis).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound || err == nil && !b.covers(reader.Roles, r.Purpose) {
		return nil, nil
	}
	return b, err
}

// coverage reads what the texts of the grants cover.
func coverage(ctx context.Context, db bun.IDB, grants map[int64]held) (map[int64][]string, error) {
	seen := map[int64]bool{}
	var ids []int64
	for _, g := range grants {
		if !seen[g.TextID] {
			seen[g.TextID] = true
			ids = append(ids, g.TextID)
		}
	}
	out := map[int64][]string{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Text
	if err := db.NewSelect().Model(&rows).Column("id", "groups").Where("t.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	for _, t := range rows {
		out[t.ID] = t.Groups
	}
	return out, nil
}

// why is the reason of a refusal as the log keeps it.
func why(r Reading) string {
	if r.Basis != "" {
		return "企业没有有效授权，所选依据不适用于查阅人或该用途"
	}
	return "企业没有有效授权"
}

// refusal says what the reader can do.
func (s *Service) refusal(ctx context.Context, actor access.Actor, r Reading) error {
	p, _ := PurposeOf(r.Purpose)
	offers, err := s.Offers(ctx, actor, r.Purpose)
	if err != nil {
		return err
	}
	advice := "请联系企业负责人在“我的企业—数据授权”中办理授权"
	if len(offers) > 0 && r.Basis == "" {
		advice += "；确因履职需要的，请选择依据后查阅，查阅会被记录并向企业公开"
	}
	return ErrRefused.With("该企业未授权“%s”，或授权已撤回、到期，不能查看企业数据。%s", p.Name, advice)
}

// Offers are the bases the actor may claim for a purpose, by code.
func (s *Service) Offers(ctx context.Context, actor access.Actor, purpose string) ([]Named, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	db := s.db.Read()
	reader, err := s.readers.Reader(ctx, db, actor)
	if err != nil {
		return nil, err
	}
	var rows []Basis
	if err := db.NewSelect().Model(&rows).Where("b.active").OrderExpr("b.code").Scan(ctx); err != nil {
		return nil, err
	}
	out := []Named{}
	for i := range rows {
		if rows[i].covers(reader.Roles, purpose) {
			out = append(out, Named{rows[i].Code, rows[i].Name})
		}
	}
	return out, nil
}

func codes(list []Named) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.Code)
	}
	return out
}

func names(list []Named) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.Name)
	}
	return out
}
