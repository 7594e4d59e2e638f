package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
)

// change is one thing an import does. apply goes through the service, which checks and audits it; what it returns is for
// the person at the terminal alone.
type change struct {
	kind, name string
	fresh      bool
	lines      []string
	apply      func(ctx context.Context) (string, error)
}

// plan is what an import would do.
type plan struct {
	changes  []change
	problems []string // any of them stops the import before it changes anything
	notes    []string
	same     int
	seen     map[string]bool
}

func (p *plan) add(c change) { p.changes = append(p.changes, c) }

func (p *plan) refuse(kind, name string, err error) {
	p.problems = append(p.problems, fmt.Sprintf("%s“%s”：%s", kind, name, plain(err)))
}

func (p *plan) note(kind, name, text string) {
	p.notes = append(p.notes, fmt.Sprintf("%s“%s”%s", kind, name, text))
}

// once says whether the file names the thing for the first time; a second time is a problem.
func (p *plan) once(kind, key, name string) bool {
	key = kind + "\n" + key
	if p.seen[key] {
		p.problems = append(p.problems, fmt.Sprintf("%s“%s”在文件中出现了两次", kind, name))
		return false
	}
	p.seen[key] = true
	return true
}

// planSettings compares a file with the installation and checks all of it. It changes nothing.
func (h *house) planSettings(ctx context.Context, actor access.Actor, f settingsFile) (*plan, error) {
	now, err := h.currentSettings(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{seen: map[string]bool{}}
	h.planDepartments(p, actor, now, f.Departments)
	h.planRoles(p, actor, now, f.Roles)
	h.planTypes(p, actor, now, f.TicketTypes)
	h.planPartners(p, actor, now, f.Partners)
	h.planPolicies(p, actor, now, f.Policies)
	w, err := h.worldWith(ctx, actor, now, f)
	if err != nil {
		return nil, err
	}
	for _, k := range h.kinds() {
		part, given := f.Rest[k.keyword()]
		if !given {
			continue
		}
		if err := k.plan(ctx, actor, p, w, part); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// worldWith is what the installation will have when the file is imported.
func (h *house) worldWith(ctx context.Context, actor access.Actor, now *current, f settingsFile) (*world, error) {
	w := &world{types: map[string]bool{}, units: map[string]bool{}, retimed: map[string]bool{}}
	hours := map[string]int{}
	for _, t := range now.types {
		w.types[t.Code], hours[t.Code] = true, t.Hours
	}
	for _, t := range f.TicketTypes {
		w.types[t.Code], w.retimed[t.Code] = true, hours[t.Code] != t.Hours
	}
	for _, d := range slices.Concat(now.departments(), f.Departments) {
		w.units[d.Code] = true
	}
	var err error
	w.board, err = h.directory.Board(ctx, actor)
	return w, err
}

func (h *house) planDepartments(p *plan, actor access.Actor, now *current, list []departmentSetting) {
	ids, levels := map[string]int64{}, map[string]int{"": 0}
	have := map[string]departmentSetting{}
	for _, d := range now.tree { // parents come first
		ids[d.Code], have[d.Code] = d.ID, departmentSetting{d.Code, d.Name, d.Parent, d.Sort}
		levels[d.Code] = levels[d.Parent] + 1
	}
	for _, d := range list {
		if !p.once("部门", d.Code, d.Name) {
			continue
		}
		if is, exists := have[d.Code]; exists {
			if lines := unlike(is, d); len(lines) > 0 {
				p.note("部门", d.Name, "与现有的不同，导入只新增部门，不修改已有的")
			} else {
				p.same++
			}
			continue
		}
		above, known := levels[d.Parent]
		switch {
		case d.Code == "" || d.Name == "" || len([]rune(d.Name)) > 100:
			p.refuse("部门", d.Name, fmt.Errorf("编码和名称都要填写，名称最多 100 个字"))
			continue
		case !known:
			p.refuse("部门", d.Name, fmt.Errorf("上级部门 %s 不存在，也没有排在它前面", d.Parent))
			continue
		case above == 4:
			p.refuse("部门", d.Name, fmt.Errorf("部门最多四级"))
			continue
		}
		levels[d.Code] = above + 1
		p.add(change{kind: "部门", name: d.Name, fresh: true, apply: func(ctx context.Context) (string, error) {
			id, err := h.identity.CreateDepartment(ctx, actor, ids[d.Parent], d.Code, d.Name, d.Sort)
			ids[d.Code] = id
			return "", err
		}})
	}
}

func (h *house) planRoles(p *plan, actor access.Actor, now *current, list []roleSetting) {
	for _, r := range list {
		if !p.once("角色", r.Code+"\n"+r.Name, r.Name) {
			continue
		}
		slices.Sort(r.Permissions)
		want := r.role()
		if err := h.identity.CheckRole(want); err != nil {
			p.refuse("角色", r.Name, err)
			continue
		}
		i := slices.IndexFunc(now.roles, func(v identity.RoleView) bool {
			return r.Code != "" && v.Code == r.Code || r.Code == "" && v.Custom && v.Name == r.Name
		})
		if i < 0 && r.Code != "" {
			p.refuse("角色", r.Name, fmt.Errorf("本程序没有编码为 %s 的角色；自建角色请不写编码", r.Code))
			continue
		}
		if i < 0 {
			p.add(change{kind: "角色", name: r.Name, fresh: true, apply: func(ctx context.Context) (string, error) {
				_, err := h.identity.CreateRole(ctx, actor, want)
				return "", err
			}})
			continue
		}
		is := now.roles[i]
		if r.Party != string(is.Party) || r.Scope != string(is.Scope) || r.Name != is.Name {
			p.note("角色", r.Name, "的名称、适用人员或数据范围与现有的不同，导入只修改权限")
		}
		lines := unlike(struct {
			Permissions []string `yaml:"permissions"`
		}{roleSettingOf(is).Permissions}, struct {
			Permissions []string `yaml:"permissions"`
		}{r.Permissions})
		if len(lines) == 0 {
			p.same++
			continue
		}
		p.add(change{kind: "角色", name: r.Name, lines: lines, apply: func(ctx context.Context) (string, error) {
			_, err := h.identity.EditRole(ctx, actor, identity.EditRole{Code: is.Code, Version: is.Version, Permissions: want.Permissions})
			return "", err
		}})
	}
}

func (h *house) planTypes(p *plan, actor access.Actor, now *current, list []typeSetting) {
	have := map[string]typeSetting{}
	for _, t := range now.types {
		have[t.Code] = t
	}
	for _, t := range list {
		if !p.once("诉求类型", t.Code, t.Name) {
			continue
		}
		if err := t.kind().Check(); err != nil {
			p.refuse("诉求类型", t.Name, err)
			continue
		}
		is, exists := have[t.Code]
		if t.CategoryCode == "" {
			t.CategoryCode = is.CategoryCode
		}
		if t.Review == nil {
			t.Review = is.Review
		}
		if t.Retired == nil {
			t.Retired = is.Retired
		}
		c := change{kind: "诉求类型", name: t.Code + " " + t.Name, fresh: !exists, apply: func(ctx context.Context) (string, error) { return "", h.setType(ctx, actor, t) }}
		if exists {
			if c.lines = unlike(is, t); len(c.lines) == 0 {
				p.same++
				continue
			}
		}
		p.add(c)
	}
}

// setType gives the desk a type, and says whether it is reviewed and in use where the file does.
func (h *house) setType(ctx context.Context, actor access.Actor, t typeSetting) error {
	if err := h.tickets.SetTypes(ctx, actor, []ticket.Type{t.kind()}); err != nil {
		return err
	}
	v, err := h.tickets.Type(ctx, actor, t.Code)
	if err != nil {
		return err
	}
	if t.Review != nil && *t.Review != v.Review {
		if err := h.tickets.SetReview(ctx, actor, t.Code, *t.Review); err != nil {
			return err
		}
	}
	if t.Retired != nil && *t.Retired != v.Retired {
		_, err = h.tickets.RetireType(ctx, actor, t.Code, v.Version, *t.Retired, "")
	}
	return err
}

func (h *house) planPartners(p *plan, actor access.Actor, now *current, list []partnerSetting) {
	have := map[string]partnerSetting{}
	for _, s := range now.partnerList() {
		have[s.Code] = s
	}
	for _, s := range list {
		if !p.once("对接方", s.Code, s.Name) {
			continue
		}
		is, exists := have[s.Code]
		if exists && len(unlike(is, s)) == 0 {
			p.same++
			continue
		}
		if err := h.exchange.Check(s.Code, s.fields()); err != nil {
			p.refuse("对接方", s.Name, err)
			continue
		}
		if !exists {
			p.add(change{kind: "对接方", name: s.Name, fresh: true, apply: func(ctx context.Context) (string, error) {
				v, err := h.exchange.Create(ctx, actor, exchange.CreatePartner{Code: s.Code, PartnerFields: s.fields()})
				return "新的签名密钥（只显示这一次）：" + v.Secret, err
			}})
			continue
		}
		p.add(change{kind: "对接方", name: s.Name, lines: unlike(is, s), apply: func(ctx context.Context) (string, error) {
			v := now.partners[s.Code]
			_, err := h.exchange.Update(ctx, actor, exchange.UpdatePartner{ID: v.ID, Version: v.Version, PartnerFields: s.fields()})
			return "", err
		}})
	}
}

// show prints the plan.
func (p *plan) show(out io.Writer) {
	for _, c := range p.changes {
		word := "修改"
		if c.fresh {
			word = "新增"
		}
		fmt.Fprintf(out, "%s%s：%s\n", word, c.kind, c.name)
		for _, l := range c.lines {
			fmt.Fprintf(out, "    %s\n", l)
		}
	}
	for _, n := range p.notes {
		fmt.Fprintf(out, "说明：%s\n", n)
	}
	for _, n := range p.problems {
		fmt.Fprintf(out, "错误：%s\n", n)
	}
	fmt.Fprintf(out, "共 %d 项变更，%d 项相同，%d 项说明，%d 项错误\n", len(p.changes), p.same, len(p.notes), len(p.problems))
}

// apply does what the plan says, each change in its own transaction. When one fails the rest is left; running the import
// again goes on from there.
func (h *house) applySettings(ctx context.Context, actor access.Actor, p *plan, raw []byte, out io.Writer) error {
	for n, c := range p.changes {
		said, err := c.apply(ctx)
		if err != nil {
			return fmt.Errorf("已完成 %d 项，%s“%s”未能导入：%s；处理后重新导入即可继续", n, c.kind, c.name, plain(err))
		}
		if said != "" {
			fmt.Fprintf(out, "%s“%s”%s\n", c.kind, c.name, said)
		}
	}
	if len(p.changes) == 0 {
		return nil
	}
	sum := sha256.Sum256(raw)
	return h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, h.clock.Now(), audit.Record{Action: "config.import", Object: "config", Summary: fmt.Sprintf("导入配置，共 %d 项变更", len(p.changes)),
			Detail: map[string]any{"sha256": hex.EncodeToString(sum[:])}})
	})
}
