package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/sheet"
)

// PermQuality is the right to say by which rules the quality of registers is judged.
const PermQuality access.Permission = "enterprise.quality"

// QualityRules are the rules that hold, as one version.
type QualityRules struct {
	Version int64         `json:"version"`
	Note    string        `json:"note"`
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
	Rules   []QualityRule `json:"rules"`
	// Fields are what rules may name, with their titles.
	Fields map[string]string `json:"fields"`
	Checks map[string]string `json:"checks"`
}

// Quality returns the rules that hold now. It needs enterprise.view.
func (s *Service) Quality(ctx context.Context, actor access.Actor) (QualityRules, error) {
	if err := actor.Need(PermView); err != nil {
		return QualityRules{}, err
	}
	r, err := s.qualityRules(ctx, s.db.Read())
	if err != nil {
		return QualityRules{}, err
	}
	return QualityRules{Version: r.ID, Note: r.Note, By: r.ByName, At: r.At.UTC(), Rules: r.Rules, Fields: importFields(s.ImportTarget()), Checks: checkNames}, nil
}

// SaveQuality gives all rules anew; those of before stay with the scores they gave.
type SaveQuality struct {
	Version int64         `json:"version"` // the one that was seen
	Note    string        `json:"note"`
	Rules   []QualityRule `json:"rules"`
	Key     string        `json:"-"`
}

// QualityChanged is announced when other rules hold.
type QualityChanged struct {
	ID   int64  `json:"id"`
	Note string `json:"note"`
}

// Event names the fact.
func (f QualityChanged) Event() (string, string, int64) {
	return "enterprise_quality.changed", "enterprise_quality", f.ID
}

// maxRules bounds a set of rules: each is asked of every row.
const maxRules = 200

// SaveQuality makes a new version of the rules. It needs enterprise.quality; fault.ErrChanged when there is a newer one.
func (s *Service) SaveQuality(ctx context.Context, actor access.Actor, cmd SaveQuality) (QualityRules, error) {
	if err := actor.Need(PermQuality); err != nil {
		return QualityRules{}, err
	}
	note, err := line("note", "修改说明", cmd.Note, 2, 100)
	if err != nil {
		return QualityRules{}, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.quality", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			before, err := s.qualityRules(ctx, tx)
			if err != nil {
				return started{}, err
			}
			if before.ID != cmd.Version {
				return started{}, fault.ErrChanged.With("质量规则已被 %s 修改，请刷新后再改", before.ByName)
			}
			return started{}, s.newRules(ctx, tx, actor, before.ID, cmd.Rules, note, now)
		})
		return err
	})
	if err != nil {
		return QualityRules{}, fmt.Errorf("save the rules of quality: %w", err)
	}
	return s.Quality(ctx, actor)
}

// CheckRules returns the fault that saving the rules would give.
func (s *Service) CheckRules(rules []QualityRule) error {
	_, err := s.readyRules(rules)
	return err
}

func (s *Service) readyRules(rules []QualityRule) ([]QualityRule, error) {
	titles, seen := importFields(s.ImportTarget()), map[string]bool{}
	if len(rules) == 0 || len(rules) > maxRules {
		return nil, fault.InvalidField("rules", "QUALITY_RULES", fmt.Sprintf("规则应为 1 至 %d 条", maxRules))
	}
	rules = slices.Clone(rules)
	for i := range rules {
		if err := rules[i].ready(titles); err != nil {
			return nil, err
		}
		if seen[rules[i].Code] {
			return nil, fault.InvalidField("rules", "QUALITY_TWICE", "规则编码“"+rules[i].Code+"”重复，请修改后再保存")
		}
		seen[rules[i].Code] = true
	}
	return rules, nil
}

// newRules keeps a version of the rules behind the one that was read; of two at a time the second is refused.
func (s *Service) newRules(ctx context.Context, tx bun.Tx, actor access.Actor, before int64, rules []QualityRule, note string, now time.Time) error {
	rules, err := s.readyRules(rules)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	set := ruleSet{Body: string(raw), Note: note, ByID: actor.UserID, ByName: actor.Name, At: now}
	set.ID = before + 1
	if _, err := tx.NewInsert().Model(&set).Exec(ctx); database.IsDuplicate(err) {
		return fault.ErrChanged.Wrap(err)
	} else if err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, QualityChanged{set.ID, note}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.quality", Object: "enterprise_quality", ObjectID: set.ID, Summary: "修改数据质量规则：" + note,
		Detail: map[string]any{"rules": len(rules), "before": before}})
}

// QualityTarget is the rules that are taken in from a sheet: each row adds a rule or takes the place of the one of its code.
func (s *Service) QualityTarget() sheet.Target {
	return sheet.Target{
		Name: "quality_rules", Title: "数据质量规则", Permission: PermQuality, Key: "code", Updates: true,
		Note: "每行一条规则，按规则编码识别；已有编码选择“更新”后被替换。发布后形成新的规则版本，以前的评分保留当时的版本。",
		Fields: []sheet.TargetField{
			{Key: "code", Title: "规则编码", Kind: sheet.CodeField, Required: true, Help: "字母、数字、横线", Example: "person-present"},
			{Key: "name", Title: "规则名称", Kind: sheet.LineField, Required: true, Example: "法定代表人已填写"},
			{Key: "dimension", Title: "维度", Kind: sheet.LineField, Required: true, Help: "完整性、一致性、准确性、及时性、唯一性", Example: "完整性"},
			{Key: "field", Title: "字段", Aliases: []string{"检查字段"}, Kind: sheet.LineField, Required: true, Help: "企业名录的列名", Example: "法定代表人"},
			{Key: "check", Title: "检查方式", Kind: sheet.LineField, Required: true, Help: "必须填写、格式正确、符合格式、数值范围、取值范围、不早于若干天前、填写时须同时填写、不重复", Example: "必须填写"},
			{Key: "arg", Title: "参数", Kind: sheet.LineField, Help: "范围写 1..100；取值写 存续|在业", Example: ""},
			{Key: "weight", Title: "权重", Kind: sheet.CodeField, Required: true, Help: "1 至 100", Example: "5"},
			{Key: "threshold", Title: "达标线（%）", Aliases: []string{"阈值", "达标线"}, Kind: sheet.CodeField, Required: true, Help: "0 至 100", Example: "95"},
			{Key: "action", Title: "不通过时", Aliases: []string{"处理"}, Kind: sheet.LineField, Help: "只计分或人工审核，不填为只计分", Example: "只计分"},
		},
		Check: s.ruleCheck, Existing: s.ruleExisting, PublishMany: s.rulePublish,
		Publish: func(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, _ string, _ any) (sheet.Change, int64, error) {
			out, err := s.rulePublish(ctx, tx, actor, sheet.Batch{Duplicates: on}, []sheet.Record{r})
			if err != nil || out[0].Problem != nil {
				return "", 0, sheet.ErrExists.On("code").Wrap(err)
			}
			return out[0].Change, out[0].ObjectID, nil
		},
	}
}

// byName finds the code of something by the word people write for it, or the code itself.
func byName(names map[string]string, typed string) string {
	for code, name := range names {
		if typed == code || typed == name || strings.TrimSuffix(name, "性") == typed {
			return code
		}
	}
	return typed
}

func (s *Service) ruleOf(v map[string]string) QualityRule {
	dims := map[string]string{}
	for _, d := range dimensions {
		dims[d[0]] = d[1]
	}
	titles := importFields(s.ImportTarget())
	q := QualityRule{Code: v["code"], Name: v["name"], Dimension: byName(dims, v["dimension"]), Field: byName(titles, v["field"]), Check: byName(checkNames, v["check"]), Arg: v["arg"],
		Action: byName(map[string]string{actScore: "只计分", actReview: "人工审核"}, v["action"])}
	if q.Check == checkRequires {
		q.Arg = byName(titles, q.Arg)
	}
	if q.Action == "" {
		q.Action = actScore
	}
	q.Weight, _ = strconv.Atoi(v["weight"]) // 0 is refused
	var err error
	if q.Threshold, err = strconv.Atoi(strings.TrimSuffix(v["threshold"], "%")); err != nil {
		q.Threshold = -1 // refused
	}
	return q
}

func (s *Service) ruleCheck(_ context.Context, actor access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
	if err := actor.Need(PermQuality); err != nil {
		return r, nil, err
	}
	q := s.ruleOf(r.Values)
	err := q.ready(importFields(s.ImportTarget()))
	f, ok := fault.As(err)
	switch {
	case err == nil:
		return r, nil, nil
	case !ok:
		return r, nil, err
	}
	p := sheet.RowProblem{Code: f.Code, Message: f.Message}
	if len(f.Fields) > 0 {
		p.Field, p.Message = f.Fields[0].Name, f.Fields[0].Message
	}
	return r, []sheet.RowProblem{p}, nil
}

func (s *Service) ruleExisting(ctx context.Context, actor access.Actor, codes []string) (map[string]bool, error) {
	if err := actor.Need(PermQuality); err != nil {
		return nil, err
	}
	set, err := s.qualityRules(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, q := range set.Rules {
		out[q.Code] = slices.Contains(codes, q.Code)
	}
	return out, nil
}

func (s *Service) rulePublish(ctx context.Context, tx bun.Tx, actor access.Actor, b sheet.Batch, records []sheet.Record) ([]sheet.Outcome, error) {
	if err := actor.Need(PermQuality); err != nil {
		return nil, err
	}
	before, err := s.qualityRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	rules, out, changed := slices.Clone(before.Rules), make([]sheet.Outcome, len(records)), 0
	for i, r := range records {
		q := s.ruleOf(r.Values)
		at := slices.IndexFunc(rules, func(x QualityRule) bool { return x.Code == q.Code })
		switch {
		case at < 0 && len(rules) >= maxRules:
			out[i].Problem = &sheet.RowProblem{Code: "QUALITY_RULES", Message: fmt.Sprintf("规则最多 %d 条，请先删除不用的规则", maxRules)}
			continue
		case at < 0:
			rules, out[i].Change = append(rules, q), sheet.Created
		case b.Duplicates == sheet.Skip:
			out[i].Change = sheet.Skipped
			continue
		case b.Duplicates == sheet.Refuse:
			out[i].Problem = &sheet.RowProblem{Field: "code", Code: sheet.ErrExists.Code, Message: sheet.ErrExists.Message}
			continue
		default:
			rules[at], out[i].Change = q, sheet.Updated
		}
		out[i].ObjectID = before.ID + 1
		changed++
	}
	if changed == 0 {
		return out, nil
	}
	return out, s.newRules(ctx, tx, actor, before.ID, rules, fmt.Sprintf("从表格导入 %d 条", changed), s.clock.Now())
}
