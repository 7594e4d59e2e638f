package seat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Train asks to set what a person is trained for; no codes at all have them take every matter.
type Train struct {
	UserID int64    `json:"userId"`
	Codes  []string `json:"codes" maxItems:"200"`
	Key    string   `json:"-"`
}

// Train sets the skills of a person. Who manages seats may.
func (s *Service) Train(ctx context.Context, actor access.Actor, cmd Train) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	all, err := s.matters.Matters(ctx)
	if err != nil {
		return err
	}
	cmd.Codes = slices.Compact(slices.Sorted(slices.Values(cmd.Codes)))
	for _, c := range cmd.Codes {
		if !slices.ContainsFunc(all, func(m Matter) bool { return m.Code == c }) {
			return fault.InvalidField("codes", "SEAT_SKILL", "没有编码为"+text.Truncate(c, 20)+"的诉求类型，请重新选择")
		}
	}
	p, err := s.Person(ctx, s.db.Read(), cmd.UserID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "seat.train", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			if _, err := database.Run(ctx, tx, "DELETE FROM seat_skills WHERE user_id = ?", cmd.UserID); err != nil {
				return false, err
			}
			for _, c := range cmd.Codes {
				if _, err := tx.NewInsert().Model(&skill{UserID: cmd.UserID, Code: c}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
					return false, err
				}
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "seat.train", Object: Object, ObjectID: p.ID,
				Summary: "设置坐席" + p.Name + "的技能", Detail: map[string]any{"codes": cmd.Codes}})
		})
		return err
	})
}

// TeamView is a team as it is shown.
type TeamView struct {
	ID       int64   `json:"id"`
	Version  int64   `json:"version"`
	Name     string  `json:"name"`
	LeaderID int64   `json:"leaderId"`
	Members  []int64 `json:"members"`
}

// Teams lists the teams and the people who may be in one. Who sees seats may.
func (s *Service) Teams(ctx context.Context, actor access.Actor) ([]TeamView, []Person, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, nil, err
	}
	db := s.db.Read()
	people, err := s.people.With(ctx, db, PermSit)
	if err != nil {
		return nil, nil, err
	}
	list, err := teams(ctx, db)
	return list, people, err
}

func teams(ctx context.Context, db bun.IDB) ([]TeamView, error) {
	var rows []team
	if err := db.NewSelect().Model(&rows).Where("NOT m.removed").OrderExpr("m.id").Scan(ctx); err != nil {
		return nil, err
	}
	var members []member
	if err := db.NewSelect().Model(&members).OrderExpr("n.user_id").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]TeamView, 0, len(rows))
	for _, t := range rows {
		v := TeamView{ID: t.ID, Version: t.Version, Name: t.Name, LeaderID: t.LeaderID, Members: []int64{}}
		for _, m := range members {
			if m.TeamID == t.ID {
				v.Members = append(v.Members, m.UserID)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// SaveTeam asks to make or change a team. ID 0 makes one; otherwise Version is the one the actor saw. Removed takes it away.
type SaveTeam struct {
	ID       int64   `json:"-"`
	Version  int64   `json:"version"`
	Name     string  `json:"name"`
	LeaderID int64   `json:"leaderId"`
	Members  []int64 `json:"members" maxItems:"200"`
	Removed  bool    `json:"removed,omitempty"`
	Key      string  `json:"-"`
}

// ErrTeamName: two teams of one name cannot be told apart.
var ErrTeamName = fault.New(fault.Conflict, "TEAM_NAME", "已有同名班组，请换一个名称").On("name")

var errStaleRow = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")

// SaveTeam keeps a team. Its members leave the team they were in. Who manages seats may.
func (s *Service) SaveTeam(ctx context.Context, actor access.Actor, cmd SaveTeam) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	name, err := text.Line("name", cmd.Name, 1, 30)
	if err != nil {
		return text.Named(err, "班组名称")
	}
	people, err := s.people.With(ctx, s.db.Read(), PermSit)
	if err != nil {
		return err
	}
	known := map[int64]string{}
	for _, p := range people {
		known[p.ID] = p.Name
	}
	for _, id := range append(slices.Clone(cmd.Members), cmd.LeaderID) {
		if known[id] == "" && !cmd.Removed {
			return ErrNoSeat.On("members")
		}
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "seat.team", Key: cmd.Key, Request: []any{cmd.ID, cmd}, Now: now}, func() (bool, error) {
			t := team{ID: cmd.ID, Name: name, LeaderID: cmd.LeaderID, Removed: cmd.Removed, Version: cmd.Version + 1}
			if cmd.ID == 0 {
				if err := database.Insert(ctx, tx, &t); err != nil {
					return false, err
				}
			} else if err := database.Changed(tx.NewUpdate().Model(&t).ExcludeColumn("id").Where("id = ? AND version = ? AND NOT removed", cmd.ID, cmd.Version).Exec(ctx)); err != nil {
				return false, err
			}
			if err := setMembers(ctx, tx, t.ID, cmd); err != nil {
				return false, err
			}
			names := []string{}
			for _, id := range cmd.Members {
				names = append(names, known[id])
			}
			verb := "保存"
			if cmd.Removed {
				verb = "撤销"
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "seat.team", Object: "seat_team", ObjectID: t.ID,
				Summary: verb + "班组“" + name + "”", Detail: map[string]any{"leader": known[cmd.LeaderID], "members": strings.Join(names, "、")}})
		})
		return err
	})
	switch {
	case errors.Is(err, fault.ErrChanged):
		return errStaleRow
	case database.IsDuplicate(err):
		return ErrTeamName
	case err != nil:
		return fmt.Errorf("save team: %w", err)
	}
	return nil
}

func setMembers(ctx context.Context, tx bun.Tx, id int64, cmd SaveTeam) error {
	if _, err := database.Run(ctx, tx, "DELETE FROM seat_members WHERE team_id = ?", id); err != nil || cmd.Removed {
		return err
	}
	for _, user := range cmd.Members {
		_, err := database.Run(ctx, tx, "INSERT INTO seat_members (user_id, team_id) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET team_id = EXCLUDED.team_id", user, id)
		if err != nil {
			return err
		}
	}
	return nil
}
