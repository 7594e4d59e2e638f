// Package channel keeps by which ways companies come to the platform (requirement G3).
//
// # Words
//
// A channel (渠道) is one place where the platform is made known: a street's office, a bank's counter, an event, an article, a
// poster. Each has a code of six characters, a short link /c/CODE with it, and a QR code of the link. The link leads to a page of
// this site that is chosen from a list, never to another site.
//
// A visit (访问) is one visitor of a channel on one day, machines left out. Who opened a link carries that for some days (the rule
// says how many) in a signed cookie, or in a signed word where WeChat keeps no cookies. A company that registers meanwhile, and an
// application sent meanwhile, are attributed (归因) to the channel of the last link, once, in the transaction that makes them, and
// never anew; an application without a link goes to the channel its company registered by. A channel that is switched off or out
// of its days attributes nothing, and its link leads to the home page. docs/decisions/0160 says why.
//
// # Tables
//
// channels, channel_visits, channel_attributions, channel_rules.
//
// # Needs
//
// Applications says who may see an application, before they are told its channel.
package channel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// The permissions of the module.
const (
	PermView   access.Permission = "channel.view"
	PermManage access.Permission = "channel.manage"
	PermExport access.Permission = "channel.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "推广渠道", Label: "查看推广渠道和统计，查看申请的来源渠道"},
		{Name: PermManage, Group: "推广渠道", Label: "新建、修改、停用推广渠道，设置归因规则"},
		{Name: PermExport, Group: "推广渠道", Label: "导出推广渠道和统计"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStale: somebody changed it after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")
)

// Object is the name of a channel in audit rows.
const Object = "channel"

// Applications says who may see an application.
type Applications interface {
	// Sees returns nil when the actor may see it, fault.ErrNotFound otherwise.
	Sees(ctx context.Context, actor access.Actor, id int64) error
}

// Deps is what the module needs.
type Deps struct {
	DB    *database.DB
	Clock clock.Clock
	Box   *secret.Box
	// Site is the address of the installation, without a slash at its end: what QR codes begin with. Without it none are drawn.
	Site string
}

// Service keeps the channels.
type Service struct {
	Deps
	// Applications is set while the modules are joined: applications tell of themselves to the channels, and are there later.
	Applications Applications
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil {
		panic("channel: Deps is not complete")
	}
	return &Service{Deps: d}
}

// Kind is what a channel is.
type Kind string

// kinds are the kinds with their names, in the order in which they are shown.
var kinds = []Named{
	{"street", "街道"}, {"bank", "银行网点"}, {"event", "活动"}, {"wechat", "公众号"}, {"poster", "海报"}, {"other", "其他"},
}

// Named is a choice of a form.
type Named struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Label is the Chinese word of the kind.
func (k Kind) Label() string {
	for _, n := range kinds {
		if n.Value == string(k) {
			return n.Label
		}
	}
	return ""
}

// landings are the pages to which a link may lead, beside a policy, a product or an article by its number.
var landings = []Named{
	{"/", "门户首页"}, {"/register", "门户：企业注册"}, {"/policies", "门户：政策"}, {"/policies/match", "门户：一句话找政策"}, {"/products", "门户：服务产品"}, {"/finance", "门户：融资"},
	{"/news", "门户：资讯"}, {"/help", "门户：诉求与帮助"},
	{"/m/", "手机端首页"}, {"/m/register", "手机端：企业注册"}, {"/m/policies", "手机端：政策"}, {"/m/policies/match", "手机端：一句话找政策"}, {"/m/products", "手机端：服务产品"}, {"/m/news", "手机端：资讯"},
}

var numbered = regexp.MustCompile(`^(/m)?/(policies|products|news)/[1-9][0-9]{0,14}$`)

// Lands reports whether a link may lead to the path: a page of this site from the list, and nothing else.
func Lands(path string) bool {
	return slices.ContainsFunc(landings, func(n Named) bool { return n.Value == path }) || numbered.MatchString(path)
}

// row is one channel.
type row struct {
	bun.BaseModel `bun:"table:channels,alias:c"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Version int64     `bun:"version,notnull"`
	Code    string    `bun:"code,notnull"`
	Name    string    `bun:"name,notnull"`
	Kind    Kind      `bun:"kind,notnull"`
	Owner   string    `bun:"owner,notnull"`
	Landing string    `bun:"landing,notnull"`
	From    string    `bun:"from_day,notnull"` // "" from the beginning
	To      string    `bun:"to_day,notnull"`   // "" without an end
	On      bool      `bun:"switched_on,notnull"`
	By      string    `bun:"made_by,notnull"`
	At      time.Time `bun:"made_at,notnull"`
}

// State says whether a channel counts.
type State string

// The states. They follow from the switch and the days.
const (
	Live   State = "live"
	Ahead  State = "ahead"
	Over   State = "over"
	Silent State = "off"
)

var stateLabels = map[State]string{Live: "使用中", Ahead: "未开始", Over: "已到期", Silent: "已停用"}

// Label is the Chinese word of the state.
func (s State) Label() string { return stateLabels[s] }

func (r *row) state(today string) State {
	switch {
	case !r.On:
		return Silent
	case r.From != "" && today < r.From:
		return Ahead
	case r.To != "" && today > r.To:
		return Over
	}
	return Live
}

func day(at time.Time) string { return at.In(clock.Beijing).Format(time.DateOnly) }

func (s *Service) today() string { return day(s.Clock.Now()) }

// View is a channel as it is shown.
type View struct {
	ID      int64     `json:"id"`
	Version int64     `json:"version"`
	Code    string    `json:"code"`
	Link    string    `json:"link" doc:"The short link, in full."`
	Name    string    `json:"name"`
	Kind    Kind      `json:"kind" enum:"street,bank,event,wechat,poster,other"`
	Owner   string    `json:"owner" doc:"Who answers for it."`
	Landing string    `json:"landing"`
	From    string    `json:"from" doc:"First day, 2006-01-02; empty from the beginning."`
	To      string    `json:"to" doc:"Last day; empty without an end."`
	On      bool      `json:"on"`
	State   State     `json:"state" enum:"live,ahead,over,off"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

func (s *Service) view(r *row) View {
	return View{ID: r.ID, Version: r.Version, Code: r.Code, Link: s.link(r.Code), Name: r.Name, Kind: r.Kind, Owner: r.Owner, Landing: r.Landing, From: r.From, To: r.To, On: r.On,
		State: r.state(s.today()), By: r.By, At: r.At.UTC()}
}

func (s *Service) link(code string) string { return s.Site + "/c/" + code }

// visible is the one predicate that narrows every query of channels: those who look after the platform, and the government.
func visible(a access.Actor) string {
	if wide(a) {
		return "1 = 1"
	}
	return "1 = 0"
}

func wide(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

// need is nil for those who hold the right and see the channels: an institution never does, whatever its roles say.
func need(a access.Actor, p access.Permission) error {
	if err := a.Need(p); err != nil {
		return err
	}
	if !wide(a) {
		return ErrForbidden
	}
	return nil
}

func find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*row, error) {
	r := new(row)
	if err := database.Found(db.NewSelect().Model(r).Where("c.id = ?", id).Where(visible(actor)).Scan(ctx)); err != nil {
		return nil, err
	}
	return r, nil
}

// ofCode finds a channel by what stands in a link. The caller tells nothing of it but where it leads.
func ofCode(ctx context.Context, db bun.IDB, code string) (*row, error) {
	r := new(row)
	if err := database.Found(db.NewSelect().Model(r).Where("c.code = ?", code).Scan(ctx)); err != nil {
		return nil, err
	}
	return r, nil
}

// Fields are what an operator says of a channel.
type Fields struct {
	Kind    Kind   `json:"kind" enum:"street,bank,event,wechat,poster,other"`
	Owner   string `json:"owner,omitempty"`
	Landing string `json:"landing"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	On      bool   `json:"on"`
}

const maxName = 50

func (f *Fields) check() []error {
	var errs []error
	if f.Kind.Label() == "" {
		errs = append(errs, fault.InvalidField("kind", "CHANNEL_KIND", "请选择渠道类型"))
	}
	tidy, err := text.Line("owner", f.Owner, 0, maxName)
	if f.Owner = tidy; err != nil {
		errs = append(errs, text.Named(err, "负责人或单位"))
	}
	if !Lands(f.Landing) {
		errs = append(errs, fault.InvalidField("landing", "CHANNEL_LANDING", "请选择本站的页面；也可填写政策、产品、资讯的页面地址，例如 /policies/12"))
	}
	for _, d := range []struct{ field, day string }{{"from", f.From}, {"to", f.To}} {
		if d.day == "" {
			continue
		}
		if _, err := text.Day(d.field, d.day, clock.Beijing); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 && f.From != "" && f.To != "" && f.To < f.From {
		errs = append(errs, fault.InvalidField("to", "CHANNEL_DAYS", "结束日期不能早于开始日期"))
	}
	return errs
}

// Create makes one channel for each name, all with the same fields: thirty posters are made at once.
type Create struct {
	Names  []string `json:"names" minItems:"1" maxItems:"100"`
	Fields Fields   `json:"fields"`
	Key    string   `json:"-"`
}

const maxBatch = 100

func (c *Create) check() error {
	errs := c.Fields.check()
	if len(c.Names) == 0 || len(c.Names) > maxBatch {
		errs = append(errs, fault.InvalidField("names", "CHANNEL_NAMES", fmt.Sprintf("一次新建 1 至 %d 个渠道", maxBatch)))
	}
	seen := map[string]bool{}
	for i, n := range c.Names {
		tidy, err := text.Line("names", n, 2, maxName)
		if err != nil {
			errs = append(errs, text.Named(err, "渠道名称"))
			break
		}
		if seen[tidy] {
			errs = append(errs, fault.InvalidField("names", "CHANNEL_NAMES", "渠道名称“"+tidy+"”重复，请改为不同的名称"))
			break
		}
		seen[tidy], c.Names[i] = true, tidy
	}
	return fault.Merge(errs...)
}

// Create makes the channels. It takes channel.manage.
func (s *Service) Create(ctx context.Context, actor access.Actor, cmd Create) ([]View, error) {
	if err := need(actor, PermManage); err != nil {
		return nil, err
	}
	if err := cmd.check(); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	var ids []int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		ids, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "channel.create", Key: cmd.Key, Request: cmd, Now: now}, func() ([]int64, error) {
			var made []int64
			for _, name := range cmd.Names {
				f := cmd.Fields
				r := row{Version: 1, Name: name, Kind: f.Kind, Owner: f.Owner, Landing: f.Landing, From: f.From, To: f.To, On: f.On, By: actor.Name, At: now}
				if err := insert(ctx, tx, &r); err != nil {
					return nil, err
				}
				made = append(made, r.ID)
			}
			summary := "新建推广渠道 " + cmd.Names[0]
			if len(made) > 1 {
				summary += fmt.Sprintf(" 等 %d 个", len(made))
			}
			return made, audit.Write(ctx, tx, actor, now, audit.Record{Action: "channel.create", Object: Object, ObjectID: made[0], Summary: summary, Detail: map[string]any{"ids": made}})
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err := s.some(ctx, actor, ids)
	out := make([]View, 0, len(rows))
	for i := range rows {
		out = append(out, s.view(&rows[i]))
	}
	return out, err
}

// alphabet has no letter that is read as another, or as a digit.
const alphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

const codeLength = 6

func newCode() string {
	b := make([]byte, codeLength)
	for i := range b {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // the system's source of chance never fails
		}
		b[i] = alphabet[n.Int64()]
	}
	return string(b)
}

// insert gives the channel a code that no other has or had.
func insert(ctx context.Context, tx bun.Tx, r *row) error {
	for range 20 {
		r.Code = newCode()
		fresh, err := database.InsertNew(ctx, tx, r, "code")
		if err != nil {
			return fmt.Errorf("insert a channel: %w", err)
		}
		if fresh {
			return nil
		}
	}
	return errors.New("channel: no code is free")
}

// some returns the channels of the ids that the actor may see, oldest first.
func (s *Service) some(ctx context.Context, actor access.Actor, ids []int64) ([]row, error) {
	var rows []row
	if len(ids) == 0 {
		return rows, nil
	}
	err := s.DB.Read().NewSelect().Model(&rows).Where("c.id IN ?", bun.Tuple(ids)).Where(visible(actor)).OrderExpr("c.id").Scan(ctx)
	return rows, err
}

// Update changes a channel; its code stays.
type Update struct {
	ID      int64  `json:"-"`
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Fields  Fields `json:"fields"`
}

// Update changes what is said of a channel. It takes channel.manage and returns ErrStale when somebody else was first.
func (s *Service) Update(ctx context.Context, actor access.Actor, cmd Update) (View, error) {
	if err := need(actor, PermManage); err != nil {
		return View{}, err
	}
	errs := cmd.Fields.check()
	name, err := text.Line("name", cmd.Name, 2, maxName)
	if err != nil {
		errs = append(errs, text.Named(err, "渠道名称"))
	}
	if err := fault.Merge(errs...); err != nil {
		return View{}, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		before, err := find(ctx, tx, actor, cmd.ID)
		if err != nil {
			return err
		}
		f := cmd.Fields
		err = database.Changed(database.Run(ctx, tx, `UPDATE channels SET version = version + 1, name = ?, kind = ?, owner = ?, landing = ?, from_day = ?, to_day = ?, switched_on = ?
			WHERE id = ? AND version = ?`, name, string(f.Kind), f.Owner, f.Landing, f.From, f.To, f.On, cmd.ID, cmd.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		summary := "修改推广渠道 " + name
		if before.On != f.On {
			summary = map[bool]string{true: "启用推广渠道 ", false: "停用推广渠道 "}[f.On] + name
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "channel.update", Object: Object, ObjectID: cmd.ID, Summary: summary, Detail: f})
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// Get returns one channel. It takes channel.view.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := need(actor, PermView); err != nil {
		return View{}, err
	}
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	return s.view(r), nil
}

// Filter narrows the list.
type Filter struct {
	Kind   Kind
	State  State
	Words  string // of the name, the owner or the code
	Cursor string
	Limit  int
}

func (f *Filter) check() error {
	if f.Kind != "" && f.Kind.Label() == "" {
		return fault.InvalidField("kind", "CHANNEL_KIND", "没有这种渠道类型，请重新选择")
	}
	if f.State != "" && f.State.Label() == "" {
		return fault.InvalidField("state", "CHANNEL_STATE", "没有这种状态，请重新选择")
	}
	tidy, err := text.Line("q", f.Words, 0, maxName)
	f.Words = tidy
	return text.Named(err, "关键词")
}

// List returns a page of the channels, newest first, and the cursor of the next page. It takes channel.view.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) ([]View, string, error) {
	if err := need(actor, PermView); err != nil {
		return nil, "", err
	}
	if err := f.check(); err != nil {
		return nil, "", err
	}
	before, err := text.Cursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	today := s.today()
	var rows []row
	q := s.DB.Read().NewSelect().Model(&rows).Where(visible(actor)).OrderExpr("c.id DESC").Limit(int64(f.Limit + 1))
	if before != 0 {
		q = q.Where("c.id < ?", before)
	}
	if f.Kind != "" {
		q = q.Where("c.kind = ?", f.Kind)
	}
	switch f.State {
	case Silent:
		q = q.Where("c.switched_on = FALSE")
	case Ahead:
		q = q.Where("c.switched_on = TRUE AND c.from_day > ?", today)
	case Over:
		q = q.Where("c.switched_on = TRUE AND c.from_day <= ? AND c.to_day <> '' AND c.to_day < ?", today, today)
	case Live:
		q = q.Where("c.switched_on = TRUE AND c.from_day <= ? AND (c.to_day = '' OR c.to_day >= ?)", today, today)
	}
	if f.Words != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(f.Words) + "%"
		q = q.Where(`(c.name LIKE ? ESCAPE '\' OR c.owner LIKE ? ESCAPE '\' OR c.code = ?)`, like, like, strings.ToUpper(f.Words))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	out := make([]View, 0, len(rows))
	for i := range rows {
		out = append(out, s.view(&rows[i]))
	}
	return out, next, nil
}
