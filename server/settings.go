package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// settingsFormat is the layout this program writes and the only one it reads.
const settingsFormat = 1

// settingsFile carries dictionaries and rules from one installation to another (requirement O5). It holds no secrets and
// no personal data. What a file leaves out stays as it is; nothing is ever removed by an import.
type settingsFile struct {
	Format   int       `yaml:"format"`
	Program  string    `yaml:"program"`
	District string    `yaml:"district"`
	At       time.Time `yaml:"at"`

	Departments []departmentSetting `yaml:"departments,omitempty"`
	Roles       []roleSetting       `yaml:"roles,omitempty"`
	TicketTypes []typeSetting       `yaml:"ticket_types,omitempty"`
	Partners    []partnerSetting    `yaml:"partners,omitempty"`
	Policies    []policySetting     `yaml:"policies,omitempty"`
	// Rest are the other kinds, by their keywords.
	Rest map[string]yaml.Node `yaml:",inline"`
}

type departmentSetting struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Parent string `yaml:"parent,omitempty"`
	Sort   int    `yaml:"sort"`
}

type roleSetting struct {
	Code        string   `yaml:"code"` // of a role that came with the program; one of one's own is known by its name
	Name        string   `yaml:"name"`
	Party       string   `yaml:"party"`
	Scope       string   `yaml:"scope"`
	Permissions []string `yaml:"permissions"`
}

type typeSetting struct {
	Code     string `yaml:"code"`
	Name     string `yaml:"name"`
	Category string `yaml:"category"`
	Urgency  string `yaml:"urgency"`
	Hours    int    `yaml:"hours"`
	Sort     int    `yaml:"sort"`
	// What a file of before does not say stays as it is.
	CategoryCode string `yaml:"category_code,omitempty"`
	Review       *bool  `yaml:"review,omitempty"`
	Retired      *bool  `yaml:"retired,omitempty"`
}

type partnerSetting struct {
	Code           string   `yaml:"code"`
	Name           string   `yaml:"name"`
	Note           string   `yaml:"note,omitempty"`
	URL            string   `yaml:"url,omitempty"`
	AllowCIDRs     []string `yaml:"allow_cidrs,omitempty"`
	Events         []string `yaml:"events"`
	Fields         []string `yaml:"fields"`
	ShowNames      bool     `yaml:"show_names"`
	CallsPerMinute int      `yaml:"calls_per_minute"`
	CallsPerDay    int      `yaml:"calls_per_day"`
}

type amountSetting struct {
	What string `yaml:"what"`
	Fen  int64  `yaml:"fen"`
	Cap  bool   `yaml:"cap,omitempty"`
}

type policySetting struct {
	Title          string            `yaml:"title"`
	DocNumber      string            `yaml:"doc_number"`
	Status         string            `yaml:"status"`
	Issuer         string            `yaml:"issuer"`
	Level          string            `yaml:"level"`
	Topic          string            `yaml:"topic"`
	Kinds          []string          `yaml:"kinds,omitempty"`
	Region         string            `yaml:"region,omitempty"`
	EffectiveOn    string            `yaml:"effective_on,omitempty"`
	PublishedOn    string            `yaml:"published_on"`
	OpensOn        string            `yaml:"opens_on,omitempty"`
	ClosesOn       string            `yaml:"closes_on,omitempty"`
	ExpiresOn      string            `yaml:"expires_on,omitempty"`
	Benefit        string            `yaml:"benefit"`
	Benefits       []amountSetting   `yaml:"benefits,omitempty"`
	CapFen         int64             `yaml:"cap_fen"`
	Handler        string            `yaml:"handler,omitempty"` // name of the department
	Link           string            `yaml:"link,omitempty"`
	Materials      []string          `yaml:"materials,omitempty"`
	FAQ            []questionSetting `yaml:"faq,omitempty"`
	Text           string            `yaml:"text"`
	Interpretation string            `yaml:"interpretation,omitempty"`
	Conditions     any               `yaml:"conditions,omitempty"` // the condition tree, as the interface writes it
}

type questionSetting struct {
	Q string `yaml:"q"`
	A string `yaml:"a"`
}

// settingsActor is who imports: the person at the server's terminal, whom the operating system knows.
func settingsActor(who string) access.Actor { return access.SystemActor("config:" + who) }

// exportSettings writes everything that settings cover.
func (h *house) exportSettings(ctx context.Context, c Config, out io.Writer) error {
	f := settingsFile{Format: settingsFormat, Program: version, District: c.District, At: h.clock.Now().In(clock.Beijing).Truncate(time.Second)}
	now, err := h.currentSettings(ctx)
	if err != nil {
		return err
	}
	f.Departments, f.Roles, f.TicketTypes, f.Partners, f.Policies = now.departments(), now.roleList, now.types, now.partnerList(), now.policyList()
	var doc yaml.Node
	if err := doc.Encode(f); err != nil {
		return err
	}
	titles := "部门、角色、诉求类型、对接方、政策"
	for _, k := range h.kinds() {
		part, err := k.export(ctx, settingsActor("read"))
		if err != nil {
			return fmt.Errorf("export %s: %w", k.keyword(), err)
		}
		if titles += "、" + k.words(); part != nil {
			doc.Content = append(doc.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k.keyword()}, part)
		}
	}
	enc := yaml.NewEncoder(out)
	enc.SetIndent(2)
	if _, err := fmt.Fprintf(out, "# 惠企台配置：%s。不含密钥和个人信息。\n# 导入：huiqi config import 文件（先看差异），确认后加 --apply。\n", titles); err != nil {
		return err
	}
	return errors.Join(enc.Encode(&doc), enc.Close())
}

// readSettings reads a file, strictly: a key that nobody knows is a mistake somebody must look at.
func readSettings(raw []byte) (settingsFile, error) {
	var f settingsFile
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return f, configErrorf("配置文件无法识别：%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	for name := range f.Rest {
		if !slices.ContainsFunc((&house{}).kinds(), func(k settingKind) bool { return k.keyword() == name }) {
			return f, configErrorf("配置文件无法识别：没有 %s 这一项", name)
		}
	}
	if f.Format != settingsFormat {
		return f, configErrorf("配置文件的格式为 %d，本程序只能导入格式 %d", f.Format, settingsFormat)
	}
	return f, nil
}

// current is what the installation has now, by what a file calls it.
type current struct {
	tree     []identity.DepartmentNode
	roles    []identity.RoleView
	roleList []roleSetting
	types    []typeSetting
	partners map[string]exchange.PartnerView
	policies []policy.Kept
}

func (h *house) currentSettings(ctx context.Context) (*current, error) {
	actor := settingsActor("read")
	c := &current{partners: map[string]exchange.PartnerView{}}
	var err error
	if c.tree, err = h.identity.DepartmentTree(ctx, actor); err != nil {
		return nil, err
	}
	if c.roles, err = h.identity.Roles(ctx, actor); err != nil {
		return nil, err
	}
	for _, r := range c.roles {
		c.roleList = append(c.roleList, roleSettingOf(r))
	}
	types, err := h.tickets.Types(ctx, actor)
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		c.types = append(c.types, typeSetting{t.Code, t.Name, t.Category, string(t.Urgency), t.Hours, t.Sort, t.CategoryCode, &t.Review, &t.Retired})
	}
	for cursor := ""; ; {
		page, next, err := h.exchange.Partners(ctx, actor, exchange.PartnerFilter{Cursor: cursor, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			c.partners[p.Code] = p
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	c.policies, err = h.policies.All(ctx, actor)
	return c, err
}

func roleSettingOf(r identity.RoleView) roleSetting {
	s := roleSetting{Code: r.Code, Name: r.Name, Party: string(r.Party), Scope: string(r.Scope), Permissions: []string{}}
	if r.Custom {
		s.Code = "" // drawn at random, and another one elsewhere
	}
	for _, p := range r.Permissions {
		s.Permissions = append(s.Permissions, string(p))
	}
	slices.Sort(s.Permissions)
	return s
}

func (c *current) departments() []departmentSetting {
	var list []departmentSetting
	for _, d := range c.tree {
		list = append(list, departmentSetting{d.Code, d.Name, d.Parent, d.Sort})
	}
	return list
}

func (c *current) partnerList() []partnerSetting {
	var list []partnerSetting
	for _, p := range c.partners {
		list = append(list, partnerSetting{p.Code, p.Name, p.Note, p.URL, p.AllowCIDRs, p.Events, p.Fields, p.ShowNames, p.CallsPerMinute, p.CallsPerDay})
	}
	slices.SortFunc(list, func(a, b partnerSetting) int { return strings.Compare(a.Code, b.Code) })
	return list
}

func (p partnerSetting) fields() exchange.PartnerFields {
	return exchange.PartnerFields{Name: p.Name, Note: p.Note, URL: p.URL, AllowCIDRs: p.AllowCIDRs, Events: p.Events, Fields: p.Fields, ShowNames: p.ShowNames,
		CallsPerMinute: p.CallsPerMinute, CallsPerDay: p.CallsPerDay}
}

func (t typeSetting) kind() ticket.Type {
	return ticket.Type{Code: t.Code, Name: t.Name, Category: t.Category, Urgency: ticket.Urgency(t.Urgency), Hours: t.Hours, Sort: t.Sort, CategoryCode: t.CategoryCode}
}

func (r roleSetting) role() identity.NewRole {
	n := identity.NewRole{Name: r.Name, Party: access.Party(r.Party), Scope: access.Scope(r.Scope), Permissions: []access.Permission{}}
	for _, p := range r.Permissions {
		n.Permissions = append(n.Permissions, access.Permission(p))
	}
	return n
}

// unlike names the fields in which two settings of one kind differ, each with what is and what will be.
func unlike(is, will any) []string {
	a, b := reflect.ValueOf(is), reflect.ValueOf(will)
	var list []string
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if k := x.Kind(); k == reflect.Slice && x.Len() == 0 && y.Len() == 0 || reflect.DeepEqual(x.Interface(), y.Interface()) {
			continue
		}
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
		list = append(list, name+"："+difference(x.Interface(), y.Interface()))
	}
	return list
}

// difference shows a change in one line: of lists what comes and goes, of long texts only that they differ.
func difference(is, will any) string {
	if a, ok := is.([]string); ok {
		var parts []string
		b := will.([]string)
		for _, s := range b {
			if !slices.Contains(a, s) {
				parts = append(parts, "+"+s)
			}
		}
		for _, s := range a {
			if !slices.Contains(b, s) {
				parts = append(parts, "-"+s)
			}
		}
		if len(parts) == 0 {
			return "顺序不同"
		}
		return strings.Join(parts, " ")
	}
	if b, ok := is.(*bool); ok {
		is, will = b != nil && *b, will.(*bool) != nil && *will.(*bool)
	}
	a, b := fmt.Sprint(is), fmt.Sprint(will)
	if len([]rune(a)) > 60 || len([]rune(b)) > 60 {
		return fmt.Sprintf("内容不同（%d 字 → %d 字）", len([]rune(a)), len([]rune(b)))
	}
	return a + " → " + b
}
