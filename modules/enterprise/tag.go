package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Tags (企业标签, requirement B4) are words for kinds of companies that an operator defines: by a rule over what is known of a
// company, or to be given by hand with a reason. A definition has editions; each is entered by one person and published by
// another. Beside them stand the labels that an office's data bring (the field tag), which nobody edits here.

// The rights to tags.
const (
	// PermTags is the right to define tags, and to give and take those given by hand.
	PermTags access.Permission = "enterprise.tags"
	// PermTagPublish is the right to put a definition into force that somebody else has entered.
	PermTagPublish access.Permission = "enterprise.tag_publish"
)

// How a company comes to a tag.
const (
	TagByRule = "rule"
	TagByHand = "hand"
)

// maxTags is how many tags may be in use at once.
const maxTags = 100

// TagBody is the definition of a tag.
type TagBody struct {
	Code  string `json:"code" maxLength:"31"`
	Name  string `json:"name" maxLength:"60"`
	About string `json:"about" maxLength:"600"`
	Kind  string `json:"kind" enum:"rule,hand"`
	// Open says that the company itself sees it.
	Open    bool `json:"open" doc:"The company itself sees it."`
	Retired bool `json:"retired"`
	// Condition is what a company of a rule-made tag is asked; see the conditions of policies.
	Condition any `json:"condition,omitempty" doc:"Of a rule-made tag: what is asked, written as the conditions of policies."`
}

// tagEdition is one edition of a definition. The one of the greatest number is in force.
type tagEdition struct {
	bun.BaseModel `bun:"table:enterprise_tag_editions,alias:te"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Code      string    `bun:"code,notnull"`
	No        int64     `bun:"no,notnull"`
	Body      string    `bun:"body,notnull,type:text"` // JSON of a TagBody
	ByName    string    `bun:"by_name,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

// tagDraft is a definition that is being entered: one of each tag at a time.
type tagDraft struct {
	bun.BaseModel `bun:"table:enterprise_tag_drafts,alias:td"`

	Code      string    `bun:"code,pk"`
	Body      string    `bun:"body,notnull,type:text"`
	Version   int64     `bun:"version,notnull"`
	Writers   []int64   `bun:"writers,notnull,type:text"` // all who wrote it, none of whom publishes it
	UpdatedBy string    `bun:"updated_by,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type tagEdition20261130 struct {
	bun.BaseModel `bun:"table:enterprise_tag_editions"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Code      string    `bun:"code,notnull"`
	No        int64     `bun:"no,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	ByName    string    `bun:"by_name,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

type tagDraft20261130 struct {
	bun.BaseModel `bun:"table:enterprise_tag_drafts"`

	Code      string    `bun:"code,pk"`
	Body      string    `bun:"body,notnull,type:text"`
	Version   int64     `bun:"version,notnull"`
	Writers   string    `bun:"writers,notnull,type:text"`
	UpdatedBy string    `bun:"updated_by,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

// TagView is a tag as it is in force.
type TagView struct {
	TagBody
	No        int64     `json:"no" doc:"The number of the edition in force."`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Companies int       `json:"companies" doc:"How many have it now."`
	Words     []string  `json:"words" doc:"What the rule asks, clause by clause."`
}

// TagDraft is a definition that is being entered, as people see it.
type TagDraft struct {
	TagBody
	Version    int64     `json:"version"`
	New        bool      `json:"new" doc:"No edition is in force yet."`
	UpdatedBy  string    `json:"updatedBy"`
	UpdatedAt  time.Time `json:"updatedAt"`
	MayPublish bool      `json:"mayPublish" doc:"The actor has the right and wrote none of it."`
	Words      []string  `json:"words" doc:"What the rule asks, clause by clause."`
}

// The faults of definitions.
var (
	// ErrOwnTag: who entered a definition does not put it into force.
	ErrOwnTag = fault.New(fault.Forbidden, "OWN_TAG", "标签须由未参与录入的人员发布，请联系有发布权限的同事核对后发布")
	// ErrTagKind: what a tag is made by does not change.
	ErrTagKind = fault.InvalidField("kind", "TAG_KIND", "标签的产生方式不能修改，请停用后另建一个标签")
	// ErrTagName: two tags in use are not called the same.
	ErrTagName = fault.InvalidField("name", "TAG_NAME", "已有同名的标签，请换一个名称")
)

// TagChanged is announced when an edition of a tag came into force.
type TagChanged struct {
	ID   int64  `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
	No   int64  `json:"no"`
}

// Event names the fact.
func (f TagChanged) Event() (string, string, int64) { return "enterprise_tag.changed", objectTag, f.ID }

const objectTag = "enterprise_tag"

var tagCode = regexp.MustCompile(`^[a-z][a-z0-9_]{1,30}$`)

// Check tidies a definition and returns one fault with a field for each wrong input.
func (s *Service) CheckTag(b *TagBody) error {
	var errs []error
	if !tagCode.MatchString(b.Code) {
		errs = append(errs, fault.InvalidField("code", "TAG_CODE", "标识应以小写字母开头，由小写字母、数字和下划线组成，2 至 31 个字符"))
	}
	var err error
	if b.Name, err = line("name", "标签名称", b.Name, 2, 20); err != nil {
		errs = append(errs, err)
	}
	if b.About, err = text.Block("about", b.About, 0, 200); err != nil {
		errs = append(errs, err)
	}
	switch b.Kind {
	case TagByHand:
		b.Condition = nil
	case TagByRule:
		if _, err := s.tagCondition(b.Condition); err != nil {
			errs = append(errs, err)
		}
	default:
		errs = append(errs, fault.InvalidField("kind", "TAG_KIND_UNKNOWN", "请选择标签的产生方式"))
	}
	return fault.Merge(errs...)
}

// tagCondition reads the rule of a tag. What only a person can decide makes no rule.
func (s *Service) tagCondition(raw any) (criteria.Condition, error) {
	bad := func(why string) (criteria.Condition, error) {
		return criteria.Condition{}, fault.InvalidField("condition", "TAG_CONDITION", why)
	}
	if raw == nil {
		return bad("请添加至少一个条件")
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return bad("条件无法识别，请重新添加")
	}
	if wrong := criteria.Check(data, s.schema); len(wrong) > 0 {
		return bad("条件有误：" + wrong[0].Message)
	}
	c, err := criteria.Parse(data, s.schema)
	if err != nil {
		return bad("条件有误：" + err.Error())
	}
	out := c.Evaluate(criteria.Facts{}, s.clock.Now())
	switch {
	case len(out.Clauses) == 0:
		return bad("请添加至少一个条件")
	case slices.ContainsFunc(out.Clauses, func(c criteria.Clause) bool { return c.Verdict == criteria.HumanVerdict }):
		return bad("规则中不能有“需人工判定”的条件，请改为数据能判断的条件，或改用人工标注")
	}
	return c, nil
}

// words says what the rule of a definition asks.
func (s *Service) tagWords(b TagBody) []string {
	out := []string{}
	if b.Kind != TagByRule {
		return out
	}
	c, err := s.tagCondition(b.Condition)
	if err != nil {
		return out // of an edition before a field went
	}
	for _, x := range c.Evaluate(criteria.Facts{}, s.clock.Now()).Clauses {
		w := x.Label + " " + x.Required
		if x.Negated {
			w = "不得：" + w
		}
		out = append(out, w)
	}
	return out
}

func readTag(raw string) (TagBody, error) {
	var b TagBody
	err := json.Unmarshal([]byte(raw), &b)
	return b, err
}

// tagsInForce reads the editions in force, by code.
func tagsInForce(ctx context.Context, db bun.IDB) ([]tagEdition, error) {
	var rows []tagEdition
	err := db.NewSelect().Model(&rows).Where("te.no = (SELECT max(o.no) FROM enterprise_tag_editions AS o WHERE o.code = te.code)").OrderExpr("te.code").Scan(ctx)
	return rows, err
}

// Tags lists the tags as they are in force. It needs enterprise.view.
func (s *Service) Tags(ctx context.Context, actor access.Actor) ([]TagView, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	db := s.db.Read()
	rows, err := tagsInForce(ctx, db)
	if err != nil {
		return nil, err
	}
	var counts []struct {
		Code string `bun:"code"`
		N    int    `bun:"n"`
	}
	if err := db.NewSelect().TableExpr("enterprise_tagged").ColumnExpr("code, count(*) AS n").Where("ended_at IS NULL").GroupExpr("code").Scan(ctx, &counts); err != nil {
		return nil, err
	}
	out := make([]TagView, 0, len(rows))
	for _, r := range rows {
		b, err := readTag(r.Body)
		if err != nil {
			return nil, err
		}
		v := TagView{TagBody: b, No: r.No, By: r.ByName, At: r.CreatedAt.UTC(), Words: s.tagWords(b)}
		for _, c := range counts {
			if c.Code == r.Code {
				v.Companies = c.N
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// TagDrafts lists the definitions that are being entered. It needs enterprise.tags or enterprise.tag_publish.
func (s *Service) TagDrafts(ctx context.Context, actor access.Actor) ([]TagDraft, error) {
	if err := tagEditor(actor); err != nil {
		return nil, err
	}
	db := s.db.Read()
	var rows []tagDraft
	if err := db.NewSelect().Model(&rows).OrderExpr("td.code").Scan(ctx); err != nil {
		return nil, err
	}
	there, err := tagsInForce(ctx, db)
	if err != nil {
		return nil, err
	}
	out := make([]TagDraft, 0, len(rows))
	for _, r := range rows {
		b, err := readTag(r.Body)
		if err != nil {
			return nil, err
		}
		out = append(out, TagDraft{b, r.Version, !slices.ContainsFunc(there, func(e tagEdition) bool { return e.Code == r.Code }), r.UpdatedBy, r.UpdatedAt.UTC(),
			actor.Can(PermTagPublish) && !slices.Contains(r.Writers, actor.UserID), s.tagWords(b)})
	}
	return out, nil
}

// tagEditor returns a fault for whoever neither enters definitions nor puts them into force.
func tagEditor(actor access.Actor) error {
	if actor.Can(PermTags) || actor.Can(PermTagPublish) {
		return nil
	}
	return actor.Need(PermTags)
}

// SaveTagDraft enters a definition (Version 0 begins one) or changes what is entered.
type SaveTagDraft struct {
	TagBody
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// SaveTagDraft enters a definition for a second person to publish. It needs enterprise.tags; a version that is not the newest
// is a conflict.
func (s *Service) SaveTagDraft(ctx context.Context, actor access.Actor, cmd SaveTagDraft) ([]TagDraft, error) {
	if err := actor.Need(PermTags); err != nil {
		return nil, err
	}
	if err := s.CheckTag(&cmd.TagBody); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(cmd.TagBody)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.onTag(ctx, actor, "enterprise.tag_draft", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		if err := s.fitsOthers(ctx, tx, cmd.TagBody); err != nil {
			return "", err
		}
		row := tagDraft{Code: cmd.Code, Body: string(raw), Version: cmd.Version + 1, UpdatedBy: actor.Name, UpdatedAt: now}
		var is tagDraft
		err := database.Found(tx.NewSelect().Model(&is).Where("td.code = ?", cmd.Code).Scan(ctx))
		there := err == nil
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return "", err
		}
		if row.Writers = is.Writers; !slices.Contains(row.Writers, actor.UserID) {
			row.Writers = append(slices.Clone(row.Writers), actor.UserID)
		}
		switch {
		case !there && cmd.Version != 0, there && cmd.Version == 0:
			return "", fault.ErrChanged
		case !there:
			if _, err := tx.NewInsert().Model(&row).Exec(ctx); database.IsDuplicate(err) {
				return "", fault.ErrChanged.Wrap(err)
			} else if err != nil {
				return "", err
			}
		default:
			if err := database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("code").Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx)); err != nil {
				return "", err
			}
		}
		return "录入企业标签：" + cmd.Name, nil
	})
	if err != nil {
		return nil, err
	}
	return s.TagDrafts(ctx, actor)
}

// fitsOthers refuses a definition that does not go with those in force.
func (s *Service) fitsOthers(ctx context.Context, db bun.IDB, b TagBody) error {
	rows, err := tagsInForce(ctx, db)
	if err != nil {
		return err
	}
	used := 0
	for _, r := range rows {
		o, err := readTag(r.Body)
		switch {
		case err != nil:
			return err
		case o.Code == b.Code && o.Kind != b.Kind:
			return ErrTagKind
		case o.Code != b.Code && !o.Retired:
			if used++; o.Name == b.Name && !b.Retired {
				return ErrTagName
			}
		}
	}
	if used >= maxTags && !b.Retired {
		return fault.New(fault.Invalid, "TAG_COUNT", fmt.Sprintf("使用中的标签最多 %d 个，请先停用不再使用的标签", maxTags))
	}
	return nil
}

// onTag is the frame of a change of tags: key, change, audit, in one transaction.
func (s *Service) onTag(ctx context.Context, actor access.Actor, operation, key string, request any, step func(ctx context.Context, tx bun.Tx) (string, error)) error {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (started, error) {
			summary, err := step(ctx, tx)
			if err != nil {
				return started{}, err
			}
			return started{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: objectTag, Summary: summary, Detail: request})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// TagDraftRef names a draft at the version that was seen.
type TagDraftRef struct {
	Code    string `json:"code"`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

func takeTagDraft(ctx context.Context, tx bun.Tx, cmd TagDraftRef) (tagDraft, TagBody, error) {
	var d tagDraft
	if err := database.Found(tx.NewSelect().Model(&d).Where("td.code = ?", cmd.Code).Scan(ctx)); err != nil {
		return d, TagBody{}, err
	}
	if err := database.Changed(tx.NewDelete().Model((*tagDraft)(nil)).Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx)); err != nil {
		return d, TagBody{}, err
	}
	b, err := readTag(d.Body)
	return d, b, err
}

// DiscardTagDraft throws away what was entered. It needs enterprise.tags.
func (s *Service) DiscardTagDraft(ctx context.Context, actor access.Actor, cmd TagDraftRef) ([]TagDraft, error) {
	if err := actor.Need(PermTags); err != nil {
		return nil, err
	}
	err := s.onTag(ctx, actor, "enterprise.tag_discard", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		_, b, err := takeTagDraft(ctx, tx, cmd)
		return "放弃录入的企业标签：" + b.Name, err
	})
	if err != nil {
		return nil, err
	}
	return s.TagDrafts(ctx, actor)
}

// PublishTagDraft puts what was entered into force. It needs enterprise.tag_publish and a person who wrote none of it
// (ErrOwnTag). The companies get and lose the tag within minutes.
func (s *Service) PublishTagDraft(ctx context.Context, actor access.Actor, cmd TagDraftRef) ([]TagView, error) {
	if err := actor.Need(PermTagPublish); err != nil {
		return nil, err
	}
	err := s.onTag(ctx, actor, "enterprise.tag_publish", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		d, b, err := takeTagDraft(ctx, tx, cmd)
		if err != nil {
			return "", err
		}
		if slices.Contains(d.Writers, actor.UserID) {
			return "", ErrOwnTag
		}
		return "发布企业标签：" + b.Name, s.addTag(ctx, tx, actor, b, d.UpdatedBy+" 录入，"+actor.Name+" 发布")
	})
	if err != nil {
		return nil, err
	}
	return s.Tags(ctx, actor)
}

// AddTag adds an edition as another installation has it. Only the system may; people enter a draft, which a second person
// publishes.
func (s *Service) AddTag(ctx context.Context, actor access.Actor, b TagBody) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	if err := s.CheckTag(&b); err != nil {
		return err
	}
	return s.onTag(ctx, actor, "enterprise.tag_add", "", b, func(ctx context.Context, tx bun.Tx) (string, error) {
		return "导入企业标签：" + b.Name, s.addTag(ctx, tx, actor, b, actor.Name)
	})
}

// addTag adds an edition; two at once meet at the index of numbers.
func (s *Service) addTag(ctx context.Context, tx bun.Tx, actor access.Actor, b TagBody, by string) error {
	if err := s.fitsOthers(ctx, tx, b); err != nil {
		return err
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	var last int64
	if err := database.QueryOne(ctx, tx, []any{&last}, "SELECT coalesce(max(no), 0) FROM enterprise_tag_editions WHERE code = ?", b.Code); err != nil {
		return err
	}
	row := tagEdition{Code: b.Code, No: last + 1, Body: string(raw), ByName: by, CreatedAt: s.clock.Now()}
	if _, err := tx.NewInsert().Model(&row).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return fault.ErrChanged.Wrap(err)
	} else if err != nil {
		return err
	}
	_, err = event.Append(ctx, tx, actor, row.CreatedAt, TagChanged{row.ID, b.Code, b.Name, row.No})
	return err
}
