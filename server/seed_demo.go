package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoPassword opens the demo accounts of the staff; the second factor still goes to the account's phone.
// #nosec G101 -- the demo's password is public; a production start has no demo accounts
const demoPassword = "Tongzhou-2026-demo"

// demoEntry opens one of the world's people: under a short account name and phone where the guided tour uses them.
type demoEntry struct{ key, account, phone string }

// demoEntries are the staff of the demo who can sign in at once; everybody else waits for a password.
var demoEntries = []demoEntry{
	{"agent01", "agent", "19900000001"}, {"lead01", "lead", ""}, {"dispatcher01", "dispatcher", ""}, {"handler-cgw", "chengguan", "19900000002"}, {"handler-jxj", "jingxin", "19900000003"},
	{"leader-jxj", "jingxinld", "19900000004"}, {"sysadmin", "sysadmin", "19900000005"}, {"secadmin", "secadmin", "19900000006"},
	{"auditor", "auditor", "19900000007"}, {"operator01", "operator01", ""}, {"operator02", "operator02", ""},
	{"reviewer01", "reviewer01", ""}, {"reviewer02", "reviewer02", ""}, {"editor01", "editor01", ""},
}

// demoRoles gives the world's roles as ours.
var demoRoles = map[string]string{
	"system_admin": "platform_admin", "security_admin": "security_admin", "audit_admin": "audit_admin", "platform_operator": "operator",
	"editor": "editor", "agent": "agent", "desk_lead": "desk_lead", "dispatcher": "desk_lead", "callback": "agent", "government_reviewer": "reviewer",
	"handler": "dept_handler", "department_leader": "dept_leader",
}

// seeded is what the loaders of the demo district share: the world, the clock of the house they write with, and the ids
// of what is written already by kind and key: "department:TZ-JXJ", "staff:agent01", "company:…".
type seeded struct {
	world  demo.World
	at     *clock.Fake
	now    time.Time // when the story ends
	ids    map[string]int64
	actors map[int64]access.Actor
}

// demoAccount is one line of what a demo prints at its start.
type demoAccount struct{ account, phone, title string }

// demoAccounts lists the accounts that the demo prints.
func (h *house) demoAccounts() []demoAccount {
	world, err := demo.Generate(h.clock.Now())
	if err != nil {
		return nil
	}
	departments := map[string]string{}
	for _, d := range world.Departments {
		departments[d.Code] = d.Name
	}
	var list []demoAccount
	for _, e := range demoEntries {
		for _, s := range world.Staff {
			if s.Key == e.key {
				if e.phone == "" {
					e.phone = s.Phone
				}
				list = append(list, demoAccount{e.account, e.phone, departments[s.Department] + " " + s.Title})
			}
		}
	}
	for _, o := range world.Owners {
		if o.Key == world.Walk.BakeryOwner {
			list = append(list, demoAccount{"短信登录", o.Phone, "企业负责人，在门户或手机端登录"})
		}
		if o.Key == world.Walk.TwoCompanies {
			list = append(list, demoAccount{"短信登录", o.Phone, "两家企业的负责人，在“我的企业”切换"})
		}
	}
	for _, in := range world.Institutions {
		if in.Key == world.Walk.Bank || in.Key == world.Walk.Firm {
			for _, o := range in.Operators {
				title := " 操作员"
				if o.Administrator {
					title = " 机构管理员"
				}
				list = append(list, demoAccount{o.Key, o.Phone, in.Name + title})
			}
		}
	}
	return list
}

// seedMark is the last row of a demo that was loaded whole.
const seedMark = "demo.seeded"

// ensureDemo loads the demo district into an empty database. A load that was cut short is refused at the next start, so
// that nobody shows half a district.
func (h *house) ensureDemo(ctx context.Context, c Config, key string, out io.Writer) error {
	whole, err := h.db.Read().NewSelect().Model((*audit.Entry)(nil)).Where("action = ?", seedMark).Exists(ctx)
	if err != nil || whole {
		return err
	}
	empty, err := h.identity.Empty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		return configErrorf("演示区的装载曾经中断，请删除数据目录，或改用空的数据库")
	}
	fmt.Fprintln(out, "正在准备演示区数据，请稍候")
	return seedDemo(ctx, c, h, key)
}

// seedDemo writes the demo district through a house of its own whose clock stands at the time of the story. Nobody is told
// of what happens in it: its listeners do not run, and those of the real house begin behind it.
func seedDemo(ctx context.Context, c Config, h *house, key string) error {
	now := h.clock.Now()
	world, err := demo.Generate(now)
	if err != nil {
		return err
	}
	s := &seeded{world: world, at: clock.NewFake(now), now: now, ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	story, err := build(ctx, c, h.db, key, parts{log: slog.New(slog.DiscardHandler), clock: s.at})
	if err != nil {
		return err
	}
	defer story.queue.Close()
	for _, load := range []struct {
		name string
		do   func(context.Context, *seeded) error
	}{
		{"departments", story.seedDepartments},
		{"staff", story.seedStaff},
		{"institutions", story.seedInstitutions},
		{"companies", story.seedCompanies},
		{"consents", story.seedConsents},
		{"licences", story.seedLicences},
		{"products", story.seedProducts},
		{"policies", story.seedPolicies},
		{"policy drafts", story.seedPolicyDrafts},
		{"content", story.seedContent},
		{"knowledge", story.seedKnowledge},
		{"canned replies", story.seedCanned},
		{"directory", story.seedDirectory},
		{"tickets", story.seedTickets},
		{"dispatches", story.seedDispatches},
		{"call-backs and evidence", story.seedCallbacks},
		{"channels", story.seedIntake},
		{"desk work", story.seedDeskWork},
		{"applications", story.seedApplications},
		{"demands", story.seedDemands},
		{"services", story.seedServices},
		{"promotion", story.seedChannels},
		{"supervision", story.seedSupervision},
		{"quality", story.seedQuality},
		{"reach", story.seedReach},
	} {
		s.at.Set(now.AddDate(0, -6, 0))
		if err := load.do(ctx, s); err != nil {
			return fmt.Errorf("demo %s: %w", load.name, err)
		}
	}
	if err := h.feed.Skip(ctx); err != nil {
		return err
	}
	if _, err := h.catalog.ReckonRatings(ctx, access.SystemActor("seed")); err != nil {
		return fmt.Errorf("demo ratings: %w", err)
	}
	if err := h.seedAppraisal(ctx, s); err != nil {
		return fmt.Errorf("demo appraisal: %w", err)
	}
	if err := h.feed.Skip(ctx); err != nil { // nobody is told that old months were frozen
		return err
	}
	return h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, access.SystemActor("seed"), h.clock.Now(), audit.Record{Action: seedMark, Object: "demo", Summary: "装入演示区数据"})
	})
}

// id returns the id of what a loader before has written.
func (s *seeded) id(kind, key string) (int64, error) {
	id, ok := s.ids[kind+":"+key]
	if !ok {
		return 0, fmt.Errorf("the demo has no %s %q", kind, key)
	}
	return id, nil
}

// as returns a person of the story with their rights: as("staff", "agent01").
func (s *seeded) as(ctx context.Context, h *house, kind, key string) (access.Actor, error) {
	id, err := s.id(kind, key)
	if err != nil {
		return access.Actor{}, err
	}
	if a, ok := s.actors[id]; ok {
		return a, nil
	}
	a, err := h.identity.ActorOf(ctx, access.SystemActor("seed"), id)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", kind, key, err)
	}
	s.actors[id] = a
	return a, nil
}

func (h *house) seedDepartments(ctx context.Context, s *seeded) error {
	for i, d := range s.world.Departments {
		id, err := h.identity.CreateDepartment(ctx, access.SystemActor("seed"), s.ids["department:"+d.Parent], d.Code, d.Name, i)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Code, err)
		}
		s.ids["department:"+d.Code] = id
	}
	return nil
}

func (h *house) seedStaff(ctx context.Context, s *seeded) error {
	entries := map[string]demoEntry{}
	for _, e := range demoEntries {
		entries[e.key] = e
	}
	for _, p := range s.world.Staff {
		in := identity.Staff{Name: p.Name, Account: p.Key, Phone: p.Phone, Party: access.Party(p.Party), DepartmentID: s.ids["department:"+p.Department],
			Roles: []string{demoRoles[p.Role]}}
		if e, ok := entries[p.Key]; ok {
			in.Account, in.Password = e.account, demoPassword
			if e.phone != "" {
				in.Phone = e.phone
			}
		}
		id, err := h.identity.CreateStaff(ctx, access.SystemActor("seed"), in)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		s.ids["staff:"+p.Key] = id
	}
	return nil
}
