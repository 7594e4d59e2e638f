package enterprise

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
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
