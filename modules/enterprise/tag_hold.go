package enterprise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// tagged is that a company has a tag, from when and until when. Rows of rule-made tags are kept by the clock (tag_task.go), so that
// lists can be narrowed by them; whether one company fits a rule is always reckoned anew.
type tagged struct {
	bun.BaseModel `bun:"table:enterprise_tagged,alias:tg"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Code         string     `bun:"code,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	ByID         int64      `bun:"by_id,notnull"` // 0 of a rule
	ByName       string     `bun:"by_name,notnull"`
	Reason       string     `bun:"reason,notnull"` // of one given by hand
	EndedAt      *time.Time `bun:"ended_at"`
	EndedName    string     `bun:"ended_name,notnull"`
	EndReason    string     `bun:"end_reason,notnull"`
}

type tagged20261130 struct {
	bun.BaseModel `bun:"table:enterprise_tagged"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Code         string     `bun:"code,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	ByID         int64      `bun:"by_id,notnull"`
	ByName       string     `bun:"by_name,notnull"`
	Reason       string     `bun:"reason,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	EndedName    string     `bun:"ended_name,notnull"`
	EndReason    string     `bun:"end_reason,notnull"`
}

// TagHeld is a tag that a company has, with who gave it, when and why.
type TagHeld struct {
	Code    string     `json:"code"`
	Name    string     `json:"name"`
	Kind    string     `json:"kind" enum:"rule,hand"`
	About   string     `json:"about,omitempty"`
	Why     string     `json:"why" doc:"The reason that was given, or what the rule found."`
	ByName  string     `json:"byName,omitempty" doc:"Who gave it by hand, to staff."`
	Since   *time.Time `json:"since,omitempty"`
	EndedAt *time.Time `json:"endedAt,omitempty"`
	Ended   string     `json:"ended,omitempty" doc:"Who took it away and why, to staff."`
}

// CompanyTags are the tags of a company as staff read them.
type CompanyTags struct {
	Items   []TagHeld `json:"items"`
	History []TagHeld `json:"history" doc:"Those given by hand that were taken away, the newest first."`
	Offers  []TagView `json:"offers" doc:"Those the actor may give by hand."`
}

// The faults of tags of companies.
var (
	// ErrTagGiven: the company has it.
	ErrTagGiven = fault.New(fault.Conflict, "TAG_GIVEN", "该企业已有这个标签，请刷新后查看")
	// ErrTagNotGiven: the company does not have it.
	ErrTagNotGiven = fault.New(fault.Conflict, "TAG_NOT_GIVEN", "该企业没有这个标签，请刷新后查看")
	// ErrTagNotByHand: a rule gives and takes it.
	ErrTagNotByHand = fault.New(fault.Invalid, "TAG_NOT_BY_HAND", "只能标注人工标签；按规则产生的标签随企业数据自动变化，已停用的标签不能再标注")
)

// TagCompany asks to give a company a tag by hand, or to take it away.
type TagCompany struct {
	EnterpriseID int64
	Code         string
	Reason       string
	Key          string `json:"-"`
}

// GiveTag gives a company a tag by hand. It needs enterprise.tags; the reason is kept.
func (s *Service) GiveTag(ctx context.Context, actor access.Actor, cmd TagCompany) (CompanyTags, error) {
	err := s.onCompanyTag(ctx, actor, "enterprise.tag_give", cmd, func(ctx context.Context, tx bun.Tx, b TagBody, reason string, now time.Time) (string, error) {
		if b.Kind != TagByHand || b.Retired {
			return "", ErrTagNotByHand
		}
		row := tagged{EnterpriseID: cmd.EnterpriseID, Code: b.Code, StartedAt: now, ByID: actor.UserID, ByName: actor.Name, Reason: reason}
		if _, err := tx.NewInsert().Model(&row).ExcludeColumn("id").Exec(ctx); database.IsDuplicate(err) {
			return "", ErrTagGiven.Wrap(err)
		} else if err != nil {
			return "", err
		}
		return "标注企业标签：" + b.Name, nil
	})
	if err != nil {
		return CompanyTags{}, err
	}
	return s.CompanyTags(ctx, actor, cmd.EnterpriseID, "")
}

// TakeTag takes a tag away that was given by hand. It needs enterprise.tags; the reason is kept, and so is what was.
func (s *Service) TakeTag(ctx context.Context, actor access.Actor, cmd TagCompany) (CompanyTags, error) {
	err := s.onCompanyTag(ctx, actor, "enterprise.tag_take", cmd, func(ctx context.Context, tx bun.Tx, b TagBody, reason string, now time.Time) (string, error) {
		if b.Kind != TagByHand {
			return "", ErrTagNotByHand
		}
		err := database.Changed(tx.NewUpdate().Model((*tagged)(nil)).Set("ended_at = ?", now).Set("ended_name = ?", actor.Name).Set("end_reason = ?", reason).
			Where("enterprise_id = ? AND code = ? AND ended_at IS NULL", cmd.EnterpriseID, b.Code).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return "", ErrTagNotGiven.Wrap(err)
		}
		return "取消企业标签：" + b.Name, err
	})
	if err != nil {
		return CompanyTags{}, err
	}
	return s.CompanyTags(ctx, actor, cmd.EnterpriseID, "")
}

func (s *Service) onCompanyTag(ctx context.Context, actor access.Actor, operation string, cmd TagCompany,
	step func(ctx context.Context, tx bun.Tx, b TagBody, reason string, now time.Time) (string, error),
) error {
	if err := actor.Need(PermTags); err != nil {
		return err
	}
	reason, err := text.Block("reason", cmd.Reason, 2, 200)
	if errors.Is(err, text.ErrRequired) {
		err = text.ErrRequired.With("请写明原因，会留作记录").On("reason")
	}
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.onTag(ctx, actor, operation, cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		if _, err := find(ctx, tx, actor, cmd.EnterpriseID); err != nil {
			return "", err
		}
		b, err := tagOf(ctx, tx, cmd.Code)
		if err != nil {
			return "", err
		}
		return step(ctx, tx, b, reason, now)
	})
}

// tagOf reads the definition in force.
func tagOf(ctx context.Context, db bun.IDB, code string) (TagBody, error) {
	var e tagEdition
	if err := database.Found(db.NewSelect().Model(&e).Where("te.code = ?", code).OrderExpr("te.no DESC").Limit(1).Scan(ctx)); err != nil {
		return TagBody{}, err
	}
	return readTag(e.Body)
}

// tagRule is a rule-made tag that is in use.
type tagRule struct {
	TagBody
	cond   criteria.Condition
	groups []string // of fields it reads
}

// tagRulesOf reads the rules among definitions; one whose condition is not readable any more gives nothing.
func (s *Service) tagRulesOf(list []TagBody) []tagRule {
	var out []tagRule
	for _, b := range list {
		if b.Kind != TagByRule || b.Retired {
			continue
		}
		if c, err := s.tagCondition(b.Condition); err == nil {
			out = append(out, tagRule{b, c, groupsOf(c)})
		}
	}
	return out
}

// groupsOf are the groups of the fields a condition reads, with those a field is reckoned of.
func groupsOf(c criteria.Condition) []string {
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if g := GroupOf(n); g != "" && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	for _, name := range c.Fields() {
		f, _ := fieldOf(name)
		add(name)
		add(f.from...)
	}
	return out
}

// fits says why a company fits a rule, and whether it does.
func (r tagRule) fits(facts criteria.Facts, at time.Time) (string, bool) {
	out := r.cond.Evaluate(facts, at)
	if out.Decision != criteria.Eligible {
		return "", false
	}
	var words []string
	for _, c := range out.Clauses {
		if c.Verdict == criteria.True && !c.Negated {
			words = append(words, strings.TrimSpace(c.Label+" "+c.Actual))
		}
	}
	return strings.Join(words, "，"), true
}

func bodiesInForce(ctx context.Context, db bun.IDB) ([]TagBody, error) {
	rows, err := tagsInForce(ctx, db)
	if err != nil {
		return nil, err
	}
	out := make([]TagBody, 0, len(rows))
	for _, r := range rows {
		b, err := readTag(r.Body)
		if err != nil {
			return nil, fmt.Errorf("tag %s: %w", r.Code, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// heldTags are the tags a company has now: by the rules as its facts of the groups decide, and those given by hand, which are the
// platform's own notes. staff says who gave them; the company itself sees the open ones alone.
func (s *Service) heldTags(ctx context.Context, db bun.IDB, enterpriseID int64, facts criteria.Facts, groups []string, staff bool) (now, before []TagHeld, err error) {
	bodies, err := bodiesInForce(ctx, db)
	if err != nil || len(bodies) == 0 {
		return []TagHeld{}, []TagHeld{}, err
	}
	var rows []tagged
	if err := db.NewSelect().Model(&rows).Where("tg.enterprise_id = ?", enterpriseID).OrderExpr("tg.id DESC").Limit(500).Scan(ctx); err != nil {
		return nil, nil, err
	}
	at := s.clock.Now()
	now, before = []TagHeld{}, []TagHeld{}
	rules := s.tagRulesOf(bodies)
	for _, b := range bodies {
		if !staff && !b.Open {
			continue
		}
		held := TagHeld{Code: b.Code, Name: b.Name, Kind: b.Kind, About: b.About}
		standing := slices.IndexFunc(rows, func(r tagged) bool { return r.Code == b.Code && r.EndedAt == nil })
		if standing >= 0 {
			held.Since = utc(&rows[standing].StartedAt)
		}
		if i := slices.IndexFunc(rules, func(r tagRule) bool { return r.Code == b.Code }); i >= 0 {
			if slices.ContainsFunc(rules[i].groups, func(g string) bool { return !slices.Contains(groups, g) }) {
				continue
			}
			if why, ok := rules[i].fits(facts, at); ok {
				held.Why = why
				now = append(now, held)
			}
			continue
		}
		if b.Kind != TagByHand {
			continue
		}
		for i, r := range rows {
			if r.Code != b.Code || r.EndedAt == nil && b.Retired {
				continue
			}
			h := held
			h.Why, h.Since, h.EndedAt = r.Reason, utc(&rows[i].StartedAt), utc(r.EndedAt)
			if staff {
				h.ByName = r.ByName
			} else {
				h.Why = b.About
			}
			if r.EndedAt == nil {
				now = append(now, h)
			} else if staff {
				h.Ended = r.EndedName + "：" + r.EndReason
				before = append(before, h)
			}
		}
	}
	return now, before, nil
}

// CompanyTags are the tags of a company: by rule as far as it agreed to have read what the rules read, or as a basis covers. It
// needs enterprise.view.
func (s *Service) CompanyTags(ctx context.Context, actor access.Actor, id int64, basis string) (CompanyTags, error) {
	out := CompanyTags{Offers: []TagView{}}
	if err := actor.Need(PermView); err != nil {
		return out, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, id)
	if err != nil {
		return out, err
	}
	groups, _, err := s.withheld(ctx, actor, e.ID, Reading{forPortrait, basis, "企业标签"})
	if err != nil {
		return out, err
	}
	rows, err := factsOf(ctx, db, e.ID)
	if err != nil {
		return out, err
	}
	counts, err := s.counting(ctx, db)
	if err != nil {
		return out, err
	}
	out.Items, out.History, err = s.heldTags(ctx, db, e.ID, counts(factsWithin(rows[e.ID], groups), s.clock.Now()), groups, true)
	if err != nil || !actor.Can(PermTags) {
		return out, err
	}
	all, err := s.Tags(ctx, actor)
	for _, t := range all {
		if t.Kind == TagByHand && !t.Retired && !slices.ContainsFunc(out.Items, func(h TagHeld) bool { return h.Code == t.Code }) {
			out.Offers = append(out.Offers, t)
		}
	}
	return out, err
}

// tagFilter narrows a list of companies to those that have a tag.
type tagFilter struct {
	TagBody
	groups []string
}

// ErrTagFilter: there is no such tag.
var ErrTagFilter = fault.InvalidField("tag", "TAG_FILTER", "没有这个标签，请重新选择")

func (s *Service) tagFilterOf(ctx context.Context, db bun.IDB, code string) (tagFilter, error) {
	b, err := tagOf(ctx, db, code)
	if fault.KindOf(err) == fault.NotFound || err == nil && b.Retired {
		return tagFilter{}, ErrTagFilter
	}
	if err != nil || b.Kind == TagByHand {
		return tagFilter{TagBody: b}, err
	}
	c, err := s.tagCondition(b.Condition)
	return tagFilter{b, groupsOf(c)}, err
}

func (t tagFilter) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Where("ent.id IN (?)", q.NewSelect().TableExpr("enterprise_tagged AS tg").ColumnExpr("tg.enterprise_id").Where("tg.code = ? AND tg.ended_at IS NULL", t.Code))
}

func (t tagFilter) words() string   { return "标签：" + t.Name }
func (t tagFilter) needs() []string { return t.groups }
