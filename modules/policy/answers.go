package policy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
)

// AnswerKind is to whom an answer was given.
type AnswerKind string

// The kinds of answers.
const (
	OwnAnswer   AnswerKind = "own"   // to a company's people
	QuickAnswer AnswerKind = "quick" // to a visitor
	StaffAnswer AnswerKind = "staff" // to staff who looked at a company
)

// givenAnswer is one answer that was given: by which editions of which policies, on which facts. What it came to is judged again
// from these whenever it is opened, so that nothing that is learnt later changes it.
type givenAnswer struct {
	bun.BaseModel `bun:"table:policy_answers,alias:pa"`

	ID           int64      `bun:"id,pk,autoincrement"`
	Number       string     `bun:"number,notnull"` // nobody guesses it
	Kind         AnswerKind `bun:"kind,notnull"`
	EnterpriseID int64      `bun:"enterprise_id,nullzero"`
	UserID       int64      `bun:"user_id,nullzero"`
	Q            string     `bun:"q,notnull"`
	One          bool       `bun:"one,notnull"`      // about a single policy
	Editions     string     `bun:"editions,notnull"` // [][2]int64: policy and version
	Facts        string     `bun:"facts,notnull"`    // sealed keptFacts
	Fingerprint  string     `bun:"fingerprint,notnull"`
	Result       string     `bun:"result,notnull"` // hash of what it came to
	At           time.Time  `bun:"at,notnull"`
	SeenAt       time.Time  `bun:"seen_at,notnull"`
	ExpiresAt    time.Time  `bun:"expires_at,notnull"`
}

type keptFacts struct {
	Name  string         `json:"name,omitempty"`
	Facts criteria.Facts `json:"facts"`
}

// answerText is a policy as it stood at a version that an answer rests on.
type answerText struct {
	bun.BaseModel `bun:"table:policy_answer_texts,alias:pe"`

	PolicyID int64  `bun:"policy_id,pk"`
	Version  int64  `bun:"policy_version,pk"`
	Body     string `bun:"body,notnull"` // Policy
}

func answerPlace(number string) string { return "policy_answers.facts:" + number }

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{
		{Table: "policy_answers", Key: []string{"id"}, Name: "facts", With: []string{"number"}, Place: func(r secret.Row) string { return answerPlace(r.Text("number")) }},
		{Table: "policy_grant_items", Key: []string{"grant_id", "enterprise_id"}, Name: "evidence", Place: func(r secret.Row) string { return evidencePlace(r.Int("grant_id"), r.Int("enterprise_id")) }},
		{Table: "policy_objections", Key: []string{"id"}, Name: "contact", With: []string{"number"}, Place: func(r secret.Row) string { return objectionPlace(r.Text("number")) },
			Indexes: []secret.Index{{Name: "phone_blind", Make: func(b *secret.Box, _ secret.Row, plain string) string {
				var who objector
				_ = json.Unmarshal([]byte(plain), &who) // what was sealed was written by us
				return b.Blind("phone", who.Phone)
			}}}},
	}}
}

// kept is an answer to keep.
type kept struct {
	Kind         AnswerKind
	EnterpriseID int64
	UserID       int64
	Q            string
	One          bool
	Rules        []*rule
	Facts        criteria.Facts
	Name         string
	At           time.Time
}

// keepAnswer keeps an answer and returns its number. The same answer of the same day is kept once. An answer that cannot be kept
// is given all the same, without a number: reading does not hang on writing.
func (s *Service) keepAnswer(ctx context.Context, k kept) string {
	if s.reach == nil {
		return ""
	}
	number, err := s.tryKeep(ctx, k)
	if err != nil {
		s.log.WarnContext(ctx, "an answer was given and not kept", "kind", k.Kind, "error", err)
		return ""
	}
	return number
}

// seenAgain is how often at most it is written down that an answer was asked for again.
const seenAgain = time.Minute

func (s *Service) tryKeep(ctx context.Context, k kept) (string, error) {
	editions := make([][2]int64, 0, len(k.Rules))
	for _, r := range k.Rules {
		editions = append(editions, [2]int64{r.policy.ID, r.policy.Version})
	}
	of, err1 := json.Marshal(editions)
	facts, err2 := json.Marshal(keptFacts{Name: k.Name, Facts: k.Facts})
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	user := k.UserID
	if k.Kind == OwnAnswer {
		user = 0 // what one of a company's people was told is the company's
	}
	print := hashOf(k.Kind, k.EnterpriseID, user, k.Q, k.One, dayOf(k.At), string(of), string(facts))
	var row givenAnswer
	err := database.Found(s.db.Read().NewSelect().Model(&row).Column("id", "number", "seen_at").Where("pa.fingerprint = ?", print).Scan(ctx))
	if err == nil {
		if k.At.Sub(row.SeenAt) < seenAgain {
			return row.Number, nil
		}
		return row.Number, s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewUpdate().Model((*givenAnswer)(nil)).Set("seen_at = ?", k.At).Where("id = ?", row.ID).Exec(ctx); err != nil {
				return err
			}
			return markAsked(ctx, tx, k)
		})
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return "", err
	}
	row = givenAnswer{Number: secret.Token(), Kind: k.Kind, EnterpriseID: k.EnterpriseID, UserID: k.UserID, Q: k.Q, One: k.One, Editions: string(of), Fingerprint: print,
		Result: resultHash(k.Rules, k.Facts, k.At), At: k.At, SeenAt: k.At, ExpiresAt: k.At.Add(s.reach.KeepOwn)}
	if k.Kind == QuickAnswer {
		row.ExpiresAt = k.At.Add(s.reach.KeepQuick)
	}
	row.Facts = s.reach.Box.Seal(facts, answerPlace(row.Number))
	fresh, err := s.freshEditions(k.Rules)
	if err != nil {
		return "", err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for chunk := range slices.Chunk(fresh, 100) {
			if _, err := tx.NewInsert().Model(&chunk).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
				return fmt.Errorf("keep editions: %w", err)
			}
		}
		is, err := database.InsertNew(ctx, tx, &row, "fingerprint")
		if err == nil && !is {
			err = database.QueryOne(ctx, tx, []any{&row.Number}, "SELECT number FROM policy_answers WHERE fingerprint = ?", print)
		}
		if err != nil {
			return err
		}
		return markAsked(ctx, tx, k)
	})
	if err == nil {
		for _, e := range fresh {
			s.editions.Store([2]int64{e.PolicyID, e.Version}, true)
		}
	}
	return row.Number, err
}

// freshEditions are the editions that this process has not written yet.
func (s *Service) freshEditions(rules []*rule) ([]answerText, error) {
	var out []answerText
	for _, r := range rules {
		if _, done := s.editions.Load([2]int64{r.policy.ID, r.policy.Version}); done {
			continue
		}
		body, err := json.Marshal(r.policy)
		if err != nil {
			return nil, err
		}
		out = append(out, answerText{PolicyID: r.policy.ID, Version: r.policy.Version, Body: string(body)})
	}
	return out, nil
}

// hashOf names what it is given.
func hashOf(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text := fmt.Sprint(p)
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// resultHash names what an answer came to: the decision and every clause of every policy.
func resultHash(rules []*rule, facts criteria.Facts, at time.Time) string {
	h := sha256.New()
	for _, r := range rules {
		j := r.judge(facts, at)
		raw, err := json.Marshal([]any{j.Policy.ID, j.Policy.Version, j.Decision, j.Lines})
		if err != nil {
			panic(fmt.Sprintf("policy: a judgement that cannot be written: %v", err)) // of texts and numbers only
		}
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// AnswerItem is an answer in a list.
type AnswerItem struct {
	Number   string     `json:"number"`
	Kind     AnswerKind `json:"kind" enum:"own,quick,staff"`
	KindName string     `json:"kindName"`
	At       time.Time  `json:"at"`
	Q        string     `json:"q,omitempty"`
	Policies int        `json:"policies"`
	Title    string     `json:"title,omitempty"`   // of a single policy, as it read then
	Edition  int64      `json:"edition,omitempty"` // its edition that was judged
	Until    time.Time  `json:"until"`             // it can be opened until then
}

// AnswerView is an answer opened again.
type AnswerView struct {
	AnswerItem
	Result Result `json:"result"`
	// Same tells that judging anew came to what was answered then. It is false only when the program judges otherwise than it
	// did.
	Same bool `json:"same"`
}

func (k AnswerKind) label() string {
	return map[AnswerKind]string{OwnAnswer: "本企业匹配", QuickAnswer: "快速匹配", StaffAnswer: "工作人员查看"}[k]
}

func (r *givenAnswer) item() (AnswerItem, error) {
	var editions [][2]int64
	err := json.Unmarshal([]byte(r.Editions), &editions)
	return AnswerItem{Number: r.Number, Kind: r.Kind, KindName: r.Kind.label(), At: r.At.UTC(), Q: r.Q, Policies: len(editions), Until: r.ExpiresAt.UTC()}, err
}

// MyAnswers lists what the company the actor acts for was answered and what the actor asked by a quick match while signed in,
// newest first, and the cursor of the next page.
func (s *Service) MyAnswers(ctx context.Context, actor access.Actor, cursor string, limit int) ([]AnswerItem, string, error) {
	if err := reader(actor); err != nil {
		return nil, "", err
	}
	before, err := strconv.ParseInt(cmp.Or(cursor, "0"), 10, 64)
	if err != nil || before < 0 {
		return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []givenAnswer
	q := s.db.Read().NewSelect().Model(&rows).ExcludeColumn("facts").Where("pa.expires_at > ?", s.clock.Now()).
		Where("(pa.enterprise_id = ? AND pa.kind = ? OR pa.user_id = ? AND pa.kind = ?)", actor.EnterpriseID, OwnAnswer, actor.UserID, QuickAnswer).OrderExpr("pa.id DESC").Limit(int64(limit + 1))
	if before > 0 {
		q = q.Where("pa.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("answers of user %d: %w", actor.UserID, err)
	}
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]AnswerItem, 0, len(rows))
	for i := range rows {
		item, err := rows[i].item()
		if err != nil {
			return nil, "", fmt.Errorf("answer %d: %w", rows[i].ID, err)
		}
		out = append(out, item)
	}
	return out, next, s.titled(ctx, rows, out)
}

// titled names the policy of each answer about a single one, as it read then.
func (s *Service) titled(ctx context.Context, rows []givenAnswer, items []AnswerItem) error {
	for i := range rows {
		if !rows[i].One {
			continue
		}
		rules, err := s.editionRules(ctx, &rows[i])
		if err != nil {
			return err
		}
		items[i].name(rules)
	}
	return nil
}

// name tells of which policy a single answer is.
func (i *AnswerItem) name(rules []*rule) {
	if len(rules) == 1 {
		i.Title, i.Edition = rules[0].policy.Title, rules[0].policy.Edition
	}
}

// Answer opens an answer again: the same policies as they read then, the facts as they were known then, the clauses as they
// were judged then. A company's answer is for its people and for staff who may look for companies, one to staff for such
// staff, one to a visitor for whoever has its number. Everybody else gets ErrNotFound.
func (s *Service) Answer(ctx context.Context, actor access.Actor, number string) (AnswerView, error) {
	var row givenAnswer
	err := s.db.Read().NewSelect().Model(&row).Where("pa.number = ? AND pa.expires_at > ?", number, s.clock.Now()).Scan(ctx)
	if err != nil {
		return AnswerView{}, database.Found(err)
	}
	if err := s.mayOpen(ctx, actor, &row); err != nil {
		return AnswerView{}, err
	}
	plain, err := s.reach.Box.Open(row.Facts, answerPlace(row.Number))
	if err != nil {
		return AnswerView{}, fmt.Errorf("open answer %d: %w", row.ID, err)
	}
	var known keptFacts
	if err := json.Unmarshal(plain, &known); err != nil {
		return AnswerView{}, fmt.Errorf("answer %d: %w", row.ID, err)
	}
	rules, err := s.editionRules(ctx, &row)
	if err != nil {
		return AnswerView{}, err
	}
	out := AnswerView{Result: s.sum(rules, known.Facts, row.At.UTC(), row.Q)}
	if out.AnswerItem, err = row.item(); err != nil {
		return AnswerView{}, err
	}
	if row.One {
		out.name(rules)
	}
	out.Result.Enterprise = known.Name
	if row.Kind == QuickAnswer {
		out.Result = quickWords(out.Result)
	}
	out.Result.Answer = row.Number
	out.Same = resultHash(rules, known.Facts, row.At.UTC()) == row.Result
	if row.Kind != QuickAnswer && actor.Party != access.Enterprise {
		return out, s.looked(ctx, actor, "policy.answer", 0, "查看企业的匹配答复", map[string]any{"enterprise": row.EnterpriseID, "answer": row.ID})
	}
	return out, nil
}

func (s *Service) mayOpen(ctx context.Context, actor access.Actor, row *givenAnswer) error {
	switch {
	case row.Kind == QuickAnswer && row.UserID == 0, row.Kind == QuickAnswer && row.UserID == actor.UserID:
		return nil
	case row.Kind == QuickAnswer:
		return fault.ErrNotFound
	case row.Kind == OwnAnswer && actor.Party == access.Enterprise && actor.EnterpriseID == row.EnterpriseID && actor.UserID != 0:
		return nil
	case s.staff(actor, PermReverse) != nil:
		return fault.ErrNotFound
	}
	named, err := s.reach.Register.Named(ctx, s.db.Read(), actor, row.EnterpriseID)
	if err != nil {
		return err
	}
	if _, sees := named[row.EnterpriseID]; !sees {
		return fault.ErrNotFound
	}
	return nil
}

// RemoveAnswer asks to delete an answer before its time.
type RemoveAnswer struct {
	Key    string
	Number string
}

// ErrAnswerOwner: only who speaks for the company deletes what it was answered.
var ErrAnswerOwner = fault.New(fault.Forbidden, "OWNER_ONLY", "本企业的匹配答复须由企业负责人删除，请联系本企业负责人")

// RemoveAnswer deletes an answer: a company's by who speaks for it, a quick one by the person who asked, a visitor's by
// whoever has its number. What staff looked at stays. Everybody else gets ErrNotFound, other people of the company
// ErrAnswerOwner.
func (s *Service) RemoveAnswer(ctx context.Context, actor access.Actor, cmd RemoveAnswer) error {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.answer_remove", Key: cmd.Key, Request: cmd.Number, Now: now}, func() (outcome, error) {
			row := new(givenAnswer)
			err := tx.NewSelect().Model(row).ExcludeColumn("facts").Where("pa.number = ? AND pa.expires_at > ?", cmd.Number, now).Scan(ctx)
			if err != nil {
				return outcome{}, database.Found(err)
			}
			if err := s.mayRemove(ctx, tx, actor, row); err != nil {
				return outcome{}, err
			}
			if _, err := tx.NewDelete().Model((*givenAnswer)(nil)).Where("id = ?", row.ID).Exec(ctx); err != nil {
				return outcome{}, err
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.answer_remove", Object: "policy_answer", ObjectID: row.ID, Summary: "删除匹配答复（" + row.Kind.label() + "）"})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("remove answer: %w", err)
	}
	return nil
}

func (s *Service) mayRemove(ctx context.Context, tx bun.Tx, actor access.Actor, row *givenAnswer) error {
	switch {
	case row.Kind == QuickAnswer && row.UserID == actor.UserID, row.Kind == QuickAnswer && row.UserID == 0:
		return nil
	case row.Kind != OwnAnswer || actor.Party != access.Enterprise || actor.UserID == 0 || actor.EnterpriseID != row.EnterpriseID:
		return fault.ErrNotFound
	}
	owners, err := s.reach.Register.Owners(ctx, tx, row.EnterpriseID)
	if err == nil && owners[row.EnterpriseID] != actor.UserID {
		err = ErrAnswerOwner
	}
	return err
}

// editionRules are the policies an answer rests on, as they read then, in their order.
func (s *Service) editionRules(ctx context.Context, row *givenAnswer) ([]*rule, error) {
	var pairs [][2]int64
	if err := json.Unmarshal([]byte(row.Editions), &pairs); err != nil {
		return nil, fmt.Errorf("answer %d: %w", row.ID, err)
	}
	by := map[[2]int64]*rule{}
	for chunk := range slices.Chunk(pairs, 200) {
		ids := make([]int64, 0, len(chunk))
		for _, p := range chunk {
			ids = append(ids, p[0])
		}
		var rows []answerText
		if err := s.db.Read().NewSelect().Model(&rows).Where("pe.policy_id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("editions: %w", err)
		}
		for _, e := range rows {
			key := [2]int64{e.PolicyID, e.Version}
			if !slices.Contains(chunk, key) {
				continue
			}
			p := new(Policy)
			if err := json.Unmarshal([]byte(e.Body), p); err != nil {
				return nil, fmt.Errorf("edition %d of policy %d: %w", e.Version, e.PolicyID, err)
			}
			by[key] = s.rule(ctx, p)
		}
	}
	out := make([]*rule, 0, len(pairs))
	for _, p := range pairs {
		if by[p] == nil {
			return nil, fmt.Errorf("answer %d: edition %d of policy %d is gone", row.ID, p[1], p[0])
		}
		out = append(out, by[p])
	}
	return out, nil
}

// Judgement says how a policy stands for one company, with every clause, and keeps that it was said. It needs
// policy.reverse, and that the company agreed or that basis, the code of a basis the reader claims, covers them: ErrUnread. A
// company the actor may not see is ErrNotFound.
func (s *Service) Judgement(ctx context.Context, actor access.Actor, policyID, enterpriseID int64, basis string) (Judgement, error) {
	if err := s.staff(actor, PermReverse); err != nil {
		return Judgement{}, err
	}
	p, err := s.find(ctx, s.db.Read(), actor, policyID)
	if err != nil {
		return Judgement{}, err
	}
	now := s.clock.Now()
	r := s.rule(ctx, p)
	if !r.readable {
		return Judgement{}, ErrByHand
	}
	list, err := s.explain(ctx, actor, r, now, basis, []int64{enterpriseID})
	if err != nil {
		return Judgement{}, err
	}
	if len(list) == 0 || list[0].Name == "" {
		return Judgement{}, fault.ErrNotFound
	}
	if list[0].Withheld {
		return Judgement{}, ErrUnread
	}
	known, err := s.reach.Register.InRegister(ctx, s.db.Read(), enterpriseID)
	if err != nil {
		return Judgement{}, err
	}
	out := list[0]
	out.Answer = s.keepAnswer(ctx, kept{Kind: StaffAnswer, EnterpriseID: enterpriseID, UserID: actor.UserID, One: true, Rules: []*rule{r}, Facts: known[enterpriseID], Name: out.Name, At: now})
	return out, s.looked(ctx, actor, "policy.judgement", policyID, "查看企业的政策匹配", map[string]any{"enterprise": enterpriseID})
}

// answersAtOnce bounds one transaction of forgetting.
const answersAtOnce = 500

// ForgetAnswers drops answers whose time is over, and the editions that no answer rests on any more stay: they are the
// public text.
func (s *Service) ForgetAnswers(ctx context.Context) error {
	for {
		var n int64
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			old := tx.NewSelect().Model((*givenAnswer)(nil)).Column("id").Where("pa.expires_at <= ?", s.clock.Now()).OrderExpr("pa.id").Limit(answersAtOnce)
			res, err := tx.NewDelete().Model((*givenAnswer)(nil)).Where("id IN (?)", old).Exec(ctx)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("forget answers: %w", err)
		}
		if n < answersAtOnce {
			return nil
		}
	}
}
