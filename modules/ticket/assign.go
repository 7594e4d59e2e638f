package ticket

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Seats tells who could take a ticket now.
type Seats interface {
	// Ready lists the people whose seats are free at the moment, for a type of ticket or "" for any.
	Ready(ctx context.Context, db bun.IDB, at time.Time, skill string) ([]int64, error)
}

// Assigning says how the tickets that wait at the desk are shared out among the seats that are ready.
type Assigning struct {
	// Mode is "" for not at all, "round_robin" for each in turn, "skill" for each in turn among those trained for the type, and
	// among all when none of them is ready.
	Mode string
	// Most is how many tickets that wait for the desk one person has before they get no more; 0 is 5.
	Most int
}

// The modes of assigning.
const (
	RoundRobin = "round_robin"
	BySkill    = "skill"
)

// Known reports whether the mode is one of the modes.
func (a Assigning) Known() bool { return slices.Contains([]string{"", RoundRobin, BySkill}, a.Mode) }

// assignPortion is how many tickets one run looks at: those that nobody is ready for wait for the next.
const assignPortion = 100

// AssignWaiting gives the tickets that wait at the desk to the seats that are ready, 危急 first, the oldest deadline first, each to
// whoever was served longest ago. Several processes may run it at once: they take turns, and each ticket is given once. It
// returns how many were given.
func (s *Service) AssignWaiting(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	if s.assigning.Mode == "" || s.seats == nil || s.people == nil {
		return 0, nil
	}
	f := ListFilter{Statuses: []Status{Received}, Fields: Fields{Queue: QueueFree, Sort: MostFirst}, Limit: assignPortion}
	db := s.db.Read()
	scopes, _, err := s.compile(ctx, db, actor, &f)
	if err != nil {
		return 0, err
	}
	waiting, _, err := s.pageRows(ctx, db, scopes, f)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	given := 0
	tried := map[string]bool{} // types nobody is ready for
	for i := range waiting {
		skill := ""
		if s.assigning.Mode == BySkill {
			skill = waiting[i].Type
		}
		if tried[skill] {
			continue
		}
		got, free, err := s.assignOne(ctx, actor, waiting[i].ID, skill)
		if err != nil {
			return given, err
		}
		if got {
			given++
		}
		if tried[skill] = !free; tried[""] && skill == "" {
			break
		}
	}
	return given, nil
}

// assignOne gives one ticket away; free is false when nobody could take it.
func (s *Service) assignOne(ctx context.Context, actor access.Actor, id int64, skill string) (got, free bool, err error) {
	now := s.clock.Now()
	err = s.besideWork(ctx, func(ctx context.Context, tx bun.Tx) error {
		got, free = false, false
		// The row of nobody is the turn of all: on PostgreSQL two processes wait for each other here.
		if _, err := database.Run(ctx, tx, "UPDATE ticket_turns SET turn = turn + 1 WHERE user_id = 0"); err != nil {
			return err
		}
		t, err := find(ctx, tx, visible(actor), id)
		if err != nil {
			return err
		}
		has, err := holderAt(ctx, tx, id, DeskPlace)
		if err != nil {
			return err
		}
		if has != nil || t.Status != Received {
			free = true // somebody was faster
			return nil
		}
		to, err := s.nextSeat(ctx, tx, now, skill)
		if err != nil || to.ID == 0 {
			return err
		}
		if free, err = take(ctx, tx, actor, now, t, DeskPlace, to); err != nil || !free {
			free = true
			return err
		}
		got = true
		if _, err := database.Run(ctx, tx, `INSERT INTO ticket_turns (user_id, turn) VALUES (?, (SELECT turn FROM ticket_turns WHERE user_id = 0))
			ON CONFLICT (user_id) DO UPDATE SET turn = EXCLUDED.turn`, to.ID); err != nil {
			return err
		}
		return s.tellHeld(ctx, tx, actor, now, t, Held{Head: t.head(), Place: DeskPlace, HolderID: to.ID, HolderName: to.Name, How: "handed", Auto: true})
	})
	return got, free, err
}

// nextSeat picks, of those who are ready and have not too much, whoever was served longest ago; the zero Person when there is
// nobody.
func (s *Service) nextSeat(ctx context.Context, tx bun.Tx, now time.Time, skill string) (Person, error) {
	ready, err := s.seats.Ready(ctx, tx, now, skill)
	if err == nil && len(ready) == 0 && skill != "" {
		ready, err = s.seats.Ready(ctx, tx, now, "")
	}
	if err != nil || len(ready) == 0 {
		return Person{}, err
	}
	people, err := s.people.Handlers(ctx, tx, DeskPlace)
	if err != nil {
		return Person{}, err
	}
	var rows []struct {
		UserID int64 `bun:"user_id"`
		Turn   int64 `bun:"turn"`
		Load   int   `bun:"load"`
	}
	err = database.QueryAll(ctx, tx, &rows, `SELECT k.user_id AS user_id, 0 AS turn, count(*) AS load FROM ticket_holders AS k JOIN tickets AS t ON t.id = k.ticket_id
		WHERE k.place = 0 AND t.status IN ('received', 'answered', 'replied', 'reviewed', 'callback') AND k.user_id IN (`+marksFor(len(ready))+`) GROUP BY k.user_id
		UNION ALL SELECT user_id, turn, 0 FROM ticket_turns WHERE user_id IN (`+marksFor(len(ready))+`)`, append(anys(ready), anys(ready)...)...)
	if err != nil {
		return Person{}, err
	}
	load, turn := map[int64]int{}, map[int64]int64{}
	for _, r := range rows {
		load[r.UserID] += r.Load
		turn[r.UserID] = max(turn[r.UserID], r.Turn)
	}
	most := s.assigning.Most
	if most <= 0 {
		most = 5
	}
	var best Person
	for _, id := range ready {
		i := slices.IndexFunc(people, func(p Person) bool { return p.ID == id })
		if i < 0 || load[id] >= most {
			continue
		}
		if best.ID == 0 || turn[id] < turn[best.ID] {
			best = people[i]
		}
	}
	return best, nil
}

// assignTask shares out what waits, every few seconds.
func (s *Service) assignTask() jobs.Task {
	return jobs.Task{
		Name: "ticket.assign", Title: "把待领取的工单分派给空闲坐席", Every: 10 * time.Second, Timeout: time.Minute,
		Failure: "待领取的工单没有自动分派；坐席仍可手动领取，恢复后会继续分派。",
		Run: func(ctx context.Context) error {
			n, err := s.AssignWaiting(ctx, access.SystemActor("job:ticket.assign"))
			if n > 0 {
				jobs.Note(ctx, "分派 %d 件", n)
			}
			return err
		},
	}
}

// DeskTasks are what the clock asks of the desk.
func (s *Service) DeskTasks() []jobs.Task {
	list := []jobs.Task{{Name: "ticket.presence", Title: "清理工单的在线查看记录", Every: time.Hour, Run: s.sweepPresence}}
	if s.assigning.Mode != "" {
		list = append(list, s.assignTask())
	}
	return list
}
