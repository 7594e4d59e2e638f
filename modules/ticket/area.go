package ticket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Area is a street or town of the district.
type Area struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Areas tells the streets and towns.
type Areas interface {
	// Areas lists them in the order they are shown in.
	Areas() []Area
	// AreaIn is the code of the one a text names; "" when it names none, or several.
	AreaIn(words string) string
}

// NoArea, in a filter, stands for the tickets whose street or town nobody knows.
const NoArea = "none"

// ErrArea: no street or town has this code.
var ErrArea = fault.InvalidField("area", "TICKET_AREA", "没有这个街道或乡镇，请重新选择")

// Located is announced when somebody says in which street or town the matter of a ticket lies.
type Located struct {
	Head        // Area is the new one
	Was  string `json:"was,omitempty"` // the code before
	Name string `json:"name,omitempty"`
}

// Event names the fact.
func (f Located) Event() (string, string, int64) { return f.kind(), Object, f.ID }

func (Located) kind() string { return "ticket.located" }

// Areas lists the streets and towns a ticket may lie in, for everybody who is signed in.
func (s *Service) Areas(_ context.Context, actor access.Actor) ([]Area, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	if s.areas == nil {
		return []Area{}, nil
	}
	return s.areas.Areas(), nil
}

// areaName is what a code is called; a code of before a reform of the divisions stays itself.
func (s *Service) areaName(code string) string {
	if name, ok := s.areaNames()[code]; ok {
		return name
	}
	return code
}

// namesOf are the names of the areas by their codes; they stay as they are while the program runs.
func namesOf(areas Areas) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		names := map[string]string{}
		if areas != nil {
			for _, a := range areas.Areas() {
				names[a.Code] = a.Name
			}
		}
		return names
	})
}

// areaCode finds a street or town by its code or whole name; "" when there is none.
func (s *Service) areaCode(word string) string {
	for code, name := range s.areaNames() {
		if word == code || word == name {
			return code
		}
	}
	return ""
}

// area checks a code that was chosen; without one the words of the request tell, as far as they do.
func (s *Service) area(chosen string, words ...string) (string, error) {
	switch {
	case s.areas == nil && chosen == "":
		return "", nil
	case chosen != "" && s.areaNames()[chosen] == "":
		return "", ErrArea
	case chosen != "":
		return chosen, nil
	}
	return s.areas.AreaIn(strings.Join(words, "\n")), nil
}

// byArea keeps the tickets of some streets and towns.
func (s *Service) byArea(f *ListFilter, add func(string, ...any)) error {
	if len(f.Areas) == 0 {
		return nil
	}
	codes := make([]string, 0, len(f.Areas))
	for _, a := range f.Areas {
		if a != NoArea {
			if _, err := s.area(a); err != nil {
				return err
			}
		} else {
			a = ""
		}
		codes = append(codes, a)
	}
	add("t.area IN ("+marksFor(len(codes))+")", anys(codes)...)
	return nil
}

// LocateTicket asks to say where the matter lies. Seen is the area the actor saw; another one meanwhile is a conflict. Both
// are codes, "" for unknown.
type LocateTicket struct {
	ID   int64  `json:"id"`
	Key  string `json:"-"`
	Area string `json:"area"`
	Seen string `json:"seen"`
}

// Locate keeps in which street or town the matter of a ticket lies, beside the work on it: the version stays. It takes
// ticket.note and a ticket the actor may work on, or any for the desk. It returns ErrNotFound for one the actor does not see,
// ErrForbidden for one that is only theirs to read, ErrArea for an unknown code and ErrStale when somebody was faster.
func (s *Service) Locate(ctx context.Context, actor access.Actor, cmd LocateTicket) (View, error) {
	if err := colleagueMay(actor, PermNote); err != nil {
		return View{}, err
	}
	if cmd.Area != "" {
		if _, err := s.area(cmd.Area); err != nil {
			return View{}, err
		}
	}
	now := s.clock.Now()
	err := s.besideWork(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.locate", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if !locates(actor, t) {
				return outcome{}, ErrForbidden
			}
			return outcome{ID: t.ID}, s.locate(ctx, tx, actor, now, t, cmd)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("locate ticket %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// locates reports whether the actor may say where the matter of a ticket they see lies.
func locates(a access.Actor, t *Ticket) bool {
	return colleagueMay(a, PermNote) == nil && (isDesk(a) || isLead(a, t))
}

func (s *Service) locate(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, cmd LocateTicket) error {
	if t.Area == cmd.Area {
		return nil
	}
	f := Located{Was: t.Area, Name: s.areaName(cmd.Area)}
	err := database.Changed(database.Run(ctx, tx, "UPDATE tickets SET area = ? WHERE id = ? AND COALESCE(area, '') = ?", cmd.Area, t.ID, cmd.Seen))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStale.With("工单的区域已被他人改为“%s”，请刷新后再修改", s.areaOr(t.Area))
	} else if err != nil {
		return err
	}
	t.Area = cmd.Area
	f.Head = t.head()
	if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.locate", Object: Object, ObjectID: t.ID,
		Summary: "将区域由“" + s.areaOr(f.Was) + "”改为“" + s.areaOr(t.Area) + "” " + t.Number, Detail: map[string]any{"area": t.Area, "was": f.Was}})
}

// areaOr names an area, also the unknown one.
func (s *Service) areaOr(code string) string {
	if code == "" {
		return "未注明"
	}
	return s.areaName(code)
}

// areaPortion is how many tickets of before are placed at once, areaRun how many in one run of the task.
const (
	areaPortion = 500
	areaRun     = 20_000
)

// PlaceTickets reads the street or town of tickets that were received before there was an area, from their words, and returns
// how many. What nobody has changed meanwhile is written; nothing is announced, as nothing happened.
func (s *Service) PlaceTickets(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	done := 0
	for s.areas != nil && done < areaRun {
		var rows []Ticket
		err := database.QueryAll(ctx, s.db.Read(), &rows, "SELECT id, title, body FROM tickets WHERE area IS NULL ORDER BY id LIMIT ?", areaPortion)
		if err != nil || len(rows) == 0 {
			return done, err
		}
		of := map[string][]int64{}
		for i := range rows {
			code := s.areas.AreaIn(rows[i].Title + "\n" + rows[i].Body)
			of[code] = append(of[code], rows[i].ID)
		}
		err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for code, ids := range of {
				_, err := tx.NewUpdate().Model((*Ticket)(nil)).Set("area = ?", code).Where("t.area IS NULL").Where("t.id IN (?)", bun.List(ids)).Exec(ctx)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return done, fmt.Errorf("place tickets: %w", err)
		}
		done += len(rows)
	}
	return done, nil
}

func (s *Service) placing() jobs.Task {
	return jobs.Task{
		Name: "ticket.areas", Title: "识别升级前工单的街道乡镇", Every: time.Minute,
		Failure: "升级前的工单还没有全部标注街道乡镇，按区域查询会缺少这些工单；请查看失败原因，恢复后会接着识别。",
		Run: func(ctx context.Context) error {
			n, err := s.PlaceTickets(ctx, access.SystemActor("job:ticket.areas"))
			if n > 0 {
				jobs.Note(ctx, "识别 %d 件工单", n)
			}
			return err
		},
	}
}

// areaStep brings the street or town of a ticket; null until the words of a ticket of before were read. Streets differ by a
// thousand times in how many tickets they have: without its own index the first page of a quiet one walks all tickets
// (docs/decisions/0060).
var areaStep = database.Migration{
	ID: "20261129110000_ticket_area",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE tickets ADD COLUMN area VARCHAR",
			"ALTER TABLE ticket_bulk_rows ADD COLUMN before_area VARCHAR NOT NULL DEFAULT ''",
			"CREATE INDEX tickets_area ON tickets (area, id)",
			"CREATE INDEX tickets_secret ON tickets (id) WHERE secrecy <> 0", // few: what is counted over all leaves them out
		)
	},
}
