package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/scorecard"
	"github.com/huiqi/huiqi/platform/text"
)

// Item is one thing that is wanted of a side.
type Item struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Side     Side   `json:"side" enum:"institution,enterprise" doc:"Of whom it is wanted."`
	Files    string `json:"files" enum:"image,document,any" doc:"What kind of file."`
	Min      int    `json:"min" minimum:"1" maximum:"9" doc:"How many files."`
	Required bool   `json:"required" doc:"Without it the evidence is incomplete."`
	Hint     string `json:"hint,omitempty"`
}

// fileKinds are what an item may ask for.
var fileKinds = map[string]string{"image": "照片", "document": "文件", "any": "照片或文件"}

func (i Item) fits(mime string) bool {
	switch i.Files {
	case "image":
		return strings.HasPrefix(mime, "image/")
	case "document":
		return !strings.HasPrefix(mime, "image/") && !strings.HasPrefix(mime, "audio/") && !strings.HasPrefix(mime, "video/")
	}
	return true
}

var itemCode = regexp.MustCompile(`^[a-z][a-z0-9_-]{1,29}$`)

// List is the checklist of a kind of service.
type List struct {
	Items []Item `json:"items"`
}

// StandardList is the checklist an installation begins with.
func StandardList() List {
	return List{[]Item{
		{Code: "agreement", Name: "服务协议或合同", Side: Institution, Files: "document", Min: 1, Required: true, Hint: "双方盖章的扫描件"},
		{Code: "process", Name: "服务过程照片或记录", Side: Institution, Files: "any", Min: 1, Required: true, Hint: "上门、会议、培训等过程的照片或记录"},
		{Code: "result", Name: "服务成果", Side: Institution, Files: "any", Min: 1, Required: true, Hint: "报告、证书、放款凭证等"},
		{Code: "confirmation", Name: "企业确认材料", Side: Enterprise, Files: "any", Min: 1, Hint: "验收单、回执等，有则上传"},
	}}
}

// Offline is the kind of the services that were given without the platform.
const Offline = "offline"

// OfflineList is the checklist of services given without the platform that an installation begins with.
func OfflineList() List {
	return List{[]Item{
		{Code: "scene", Name: "签到表或现场照片", Side: Institution, Files: "any", Min: 1, Required: true, Hint: "能看出时间、地点和参加人员"},
		{Code: "material", Name: "服务材料或成果", Side: Institution, Files: "any", Min: 1, Hint: "讲义、方案、报告等，有则上传"},
		{Code: "confirmation", Name: "企业确认材料", Side: Enterprise, Files: "any", Min: 1, Hint: "回执、照片等，有则上传"},
	}}
}

// Check tidies the checklist and returns a fault that says what is wrong with it.
func (l *List) Check() error {
	if len(l.Items) > 20 {
		return fault.InvalidField("items", "EVIDENCE_ITEMS", "佐证清单不超过 20 项")
	}
	var errs []error
	for i := range l.Items {
		it, field := &l.Items[i], fmt.Sprintf("items[%d]", i)
		var err error
		if it.Name, err = text.Line(field+".name", it.Name, 2, 30); err != nil {
			errs = append(errs, text.Named(err, "佐证名称"))
		}
		if it.Hint, err = text.Line(field+".hint", it.Hint, 0, 100); err != nil {
			errs = append(errs, text.Named(err, "说明"))
		}
		if !itemCode.MatchString(it.Code) {
			errs = append(errs, fault.InvalidField(field+".code", "EVIDENCE_CODE", "编码为 2 至 30 位小写字母、数字、连字符或下划线，以字母开头"))
		}
		if slices.ContainsFunc(l.Items[:i], func(o Item) bool { return o.Code == it.Code }) {
			errs = append(errs, fault.InvalidField(field+".code", "EVIDENCE_CODE", "编码“"+it.Code+"”重复"))
		}
		if it.Side != Institution && it.Side != Enterprise {
			errs = append(errs, fault.InvalidField(field+".side", "EVIDENCE_SIDE", "请选择由机构还是企业上传"))
		}
		if fileKinds[it.Files] == "" {
			errs = append(errs, fault.InvalidField(field+".files", "EVIDENCE_FILES", "请选择文件种类"))
		}
		if it.Min < 1 || it.Min > 9 {
			errs = append(errs, fault.InvalidField(field+".min", "EVIDENCE_MIN", "份数请填 1 至 9"))
		}
	}
	return fault.Merge(errs...)
}

type listRow struct {
	bun.BaseModel `bun:"table:evidence_lists,alias:l"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Kind      string    `bun:"kind,notnull"` // "" is the checklist of all kinds that have none of their own
	Body      string    `bun:"body,notnull"`
	By        string    `bun:"made_by,notnull"`
	At        time.Time `bun:"made_at,notnull"`
	Withdrawn bool      `bun:"withdrawn,notnull"`
}

// ListView is a version of a checklist.
type ListView struct {
	ID       int64     `json:"id" doc:"Number of the version; the greatest of its kind is in force."`
	Kind     string    `json:"kind"`
	KindName string    `json:"kindName"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	List
	Withdrawn bool `json:"withdrawn,omitempty"`
}

func newestList(ctx context.Context, db bun.IDB, kind string) (ListView, error) {
	r := new(listRow)
	if err := database.Found(db.NewSelect().Model(r).Where("l.kind = ?", kind).OrderExpr("l.id DESC").Limit(1).Scan(ctx)); err != nil {
		return ListView{}, err
	}
	v := ListView{ID: r.ID, Kind: r.Kind, By: r.By, At: r.At.UTC(), Withdrawn: r.Withdrawn}
	return v, json.Unmarshal([]byte(r.Body), &v.List)
}

// listInForce is the checklist of a kind of service.
func listInForce(ctx context.Context, db bun.IDB, kind string) (ListView, error) {
	v, err := newestList(ctx, db, kind)
	if kind != "" && (errors.Is(err, fault.ErrNotFound) || err == nil && v.Withdrawn) {
		return newestList(ctx, db, "")
	}
	return v, err
}

// Lists lists the last version of each checklist, the general one first. It takes evidence.manage.
func (s *Service) Lists(ctx context.Context, actor access.Actor) ([]ListView, error) {
	if err := actor.Need(PermManage); err != nil {
		return nil, err
	}
	var out []ListView
	for _, k := range append([]Kind{{Name: "通用"}}, s.Kinds...) {
		v, err := newestList(ctx, s.DB.Read(), k.Code)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.KindName = k.Name
		out = append(out, v)
	}
	return out, nil
}

// SetList is a new version of a checklist; Base is the one it was made from.
type SetList struct {
	Kind string `json:"kind"`
	Base int64  `json:"base" doc:"id of the last version of the kind; 0 when there is none."`
	List
	Withdraw bool   `json:"withdraw,omitempty" doc:"The kind is asked for the general checklist again."`
	Key      string `json:"-"`
}

// CheckList tidies the version and returns the faults of its kind and of the checklist.
func (s *Service) CheckList(c *SetList) error {
	if c.Kind != "" && !slices.ContainsFunc(s.Kinds, func(k Kind) bool { return k.Code == c.Kind }) {
		return fault.InvalidField("kind", "EVIDENCE_KIND", "没有编码为 "+c.Kind+" 的服务类别")
	}
	if c.Withdraw && c.Kind == "" {
		return fault.InvalidField("withdraw", "EVIDENCE_KIND", "通用佐证清单不能停用")
	}
	if c.Withdraw {
		return nil
	}
	return c.List.Check()
}

// SetList puts a new version in force; what was given stays. It takes evidence.manage.
func (s *Service) SetList(ctx context.Context, actor access.Actor, cmd SetList) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := s.CheckList(&cmd); err != nil {
		return err
	}
	return s.versioned(ctx, actor, "evidence.list", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		last, err := newestList(ctx, tx, cmd.Kind)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		if last.ID != cmd.Base {
			return ErrStale.With("佐证清单已由%s更新，请刷新后再修改", last.By)
		}
		if cmd.Withdraw {
			cmd.List = last.List
		}
		body, err := json.Marshal(cmd.List)
		if err != nil {
			return err
		}
		row := listRow{Kind: cmd.Kind, Body: string(body), By: actor.Name, At: now, Withdrawn: cmd.Withdraw}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evidence.list", Object: Object, Summary: "更新服务佐证清单",
			Detail: map[string]any{"version": row.ID, "kind": cmd.Kind, "withdrawn": cmd.Withdraw, "list": cmd.List}})
	})
}

// versioned runs a change of checklists or cards once per key, one at a time: the first card's row is the lock.
func (s *Service) versioned(ctx context.Context, actor access.Actor, operation, key string, request any, fn func(ctx context.Context, tx bun.Tx, now time.Time) error) error {
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (bool, error) {
			if _, err := database.Run(ctx, tx, "UPDATE evidence_cards SET name = name WHERE id = 1"); err != nil {
				return false, err
			}
			return true, fn(ctx, tx, now)
		})
		return err
	})
}

// Target is whose work the government assesses.
type Target string

// The targets.
const (
	OfInstitution Target = "institution"
	OfOperator    Target = "operator"
)

// Label is the Chinese word of the target.
func (t Target) Label() string {
	switch t {
	case OfInstitution:
		return "服务机构"
	case OfOperator:
		return "平台运营"
	}
	return ""
}

// Targets are all of them, in the order in which they are shown.
var Targets = []Target{OfInstitution, OfOperator}

// StandardCard is the card an installation begins with.
func StandardCard(t Target) scorecard.Card {
	if t == OfOperator {
		return scorecard.Card{Items: []scorecard.Line{
			{Name: "撮合与跟进", Points: 40, Hint: "未及时分派、催办每次扣 5 分"}, {Name: "材料审核", Points: 30, Hint: "审核失误每处扣 10 分"}, {Name: "沟通服务", Points: 30, Hint: "企业反映的沟通问题每件扣 10 分"},
		}, Fatal: []string{"泄露企业信息", "弄虚作假"}}
	}
	return scorecard.Card{Items: []scorecard.Line{
		{Name: "服务及时", Points: 25, Hint: "超过承诺时限每次扣 5 分"}, {Name: "服务质量", Points: 35, Hint: "成果与约定不符每处扣 10 分"}, {Name: "佐证完整", Points: 20, Hint: "缺一项扣 5 分"}, {Name: "收费规范", Points: 20, Hint: "收费与公示不符扣 20 分"},
	}, Fatal: []string{"虚假服务", "违规收费", "泄露企业信息"}}
}

type cardRow struct {
	bun.BaseModel `bun:"table:evidence_cards,alias:k"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Target Target    `bun:"target,notnull"`
	Name   string    `bun:"name,notnull"`
	Body   string    `bun:"body,notnull"`
	By     string    `bun:"made_by,notnull"`
	At     time.Time `bun:"made_at,notnull"`
}

// CardView is a version of a card.
type CardView struct {
	ID     int64     `json:"id" doc:"Number of the version; the greatest of its target is in force."`
	Target Target    `json:"target" enum:"institution,operator"`
	Name   string    `json:"name"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	scorecard.Card
}

// card returns a version of a card, the one in force of a target for 0.
func card(ctx context.Context, db bun.IDB, t Target, id int64) (CardView, error) {
	r := new(cardRow)
	q := db.NewSelect().Model(r).Where("k.target = ?", t).OrderExpr("k.id DESC").Limit(1)
	if id != 0 {
		q = q.Where("k.id = ?", id)
	}
	if err := database.Found(q.Scan(ctx)); err != nil {
		return CardView{}, err
	}
	v := CardView{ID: r.ID, Target: r.Target, Name: r.Name, By: r.By, At: r.At.UTC()}
	return v, json.Unmarshal([]byte(r.Body), &v.Card)
}

// Cards lists the cards in force. It takes evidence.manage or evidence.assess.
func (s *Service) Cards(ctx context.Context, actor access.Actor) ([]CardView, error) {
	if !actor.Can(PermManage) {
		if err := actor.Need(PermAssess); err != nil {
			return nil, err
		}
	}
	var out []CardView
	for _, t := range Targets {
		v, err := card(ctx, s.DB.Read(), t, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SetCard is a new version of a card; Base is the one it was made from.
type SetCard struct {
	Target Target `json:"target" enum:"institution,operator"`
	Name   string `json:"name"`
	Base   int64  `json:"base"`
	scorecard.Card
	Key string `json:"-"`
}

// Check tidies the version and returns the faults of its target, of its name and of the card.
func (c *SetCard) Check() error {
	if c.Target.Label() == "" {
		return fault.InvalidField("target", "EVIDENCE_TARGET", "请写明评估对象：institution 或 operator")
	}
	name, err := text.Line("name", c.Name, 2, 50)
	c.Name = name
	return fault.Merge(text.Named(err, "评估表名称"), c.Card.Check())
}

// SetCard puts a new version in force. Assessments keep theirs. It takes evidence.manage.
func (s *Service) SetCard(ctx context.Context, actor access.Actor, cmd SetCard) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := cmd.Check(); err != nil {
		return err
	}
	return s.versioned(ctx, actor, "evidence.card", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		last, err := card(ctx, tx, cmd.Target, 0)
		if err != nil {
			return err
		}
		if last.ID != cmd.Base {
			return ErrStale.With("评估表已由%s更新，请刷新后再修改", last.By)
		}
		body, err := json.Marshal(cmd.Card)
		if err != nil {
			return err
		}
		row := cardRow{Target: cmd.Target, Name: cmd.Name, Body: string(body), By: actor.Name, At: now}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evidence.card", Object: Object, Summary: "更新政府评估表",
			Detail: map[string]any{"version": row.ID, "target": cmd.Target, "card": cmd.Card}})
	})
}
