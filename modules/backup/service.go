package backup

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// Options are what an installation sets.
type Options struct {
	Target     string // folder of the sets
	CopyTo     string // second target; empty is none
	Recipients []string
	Cron       string
	Retention  snapshot.Retention
}

// Deps are what the module needs. Source describes the installation for one making.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Options Options
	Source  func(ctx context.Context) (snapshot.Source, error)
}

// Service keeps the runs and works them.
type Service struct {
	Deps

	bell chan struct{}
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Log == nil || d.Source == nil || d.Options.Target == "" {
		panic("backup: Deps is not complete")
	}
	return &Service{Deps: d, bell: make(chan struct{}, 1)}
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "backup.daily", Title: "每日备份并自动恢复验证", Cron: s.Options.Cron, Run: func(ctx context.Context) error {
		if len(s.Options.Recipients) == 0 {
			return ErrUnset
		}
		_, err := s.ask(ctx, access.SystemActor("job:backup.daily"), BySchedule, "")
		if errors.Is(err, ErrOpen) {
			return nil
		}
		return err
	}}}
}

// Ask asks for a set now. It needs backup.run and returns ErrOpen while another run is not over and ErrUnset without
// recipients. The run is worked in the background; Get and List tell how far it is.
func (s *Service) Ask(ctx context.Context, actor access.Actor, key string) (Item, error) {
	if err := actor.Need(PermRun); err != nil {
		return Item{}, err
	}
	if len(s.Options.Recipients) == 0 {
		return Item{}, ErrUnset
	}
	id, err := s.ask(ctx, actor, ByHand, key)
	if err != nil {
		return Item{}, err
	}
	return s.Get(ctx, actor, id)
}

func (s *Service) ask(ctx context.Context, actor access.Actor, cause, key string) (int64, error) {
	now := s.Clock.Now()
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "backup.ask", Key: key, Now: now}, func() (int64, error) {
			r := Run{State: Waiting, Cause: cause, Attempt: 1, AskedAt: now, AskedBy: by(actor), NotBefore: now}
			if err := insert(ctx, tx, &r); err != nil {
				return 0, err
			}
			return r.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "backup.ask", Object: "backup", ObjectID: r.ID, Summary: "申请备份"})
		})
		if err == nil {
			database.AfterCommit(tx, s.wake)
		}
		return err
	})
	return id, err
}

// insert adds a run, ErrOpen when another is not over.
func insert(ctx context.Context, tx bun.Tx, r *Run) error {
	found, err := tx.NewSelect().Model((*Run)(nil)).Where("state IN ?", bun.Tuple(open)).Exists(ctx)
	if err != nil {
		return err
	}
	if found {
		return ErrOpen
	}
	// Two at once pass the question; the index lets one of them in.
	if _, err := tx.NewInsert().Model(r).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return ErrOpen.Wrap(err)
	} else if err != nil {
		return err
	}
	return nil
}

func by(actor access.Actor) string {
	if actor.Party == access.System {
		return "系统"
	}
	return actor.Name
}

func (s *Service) wake() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// Get returns one run. It needs backup.view.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (Item, error) {
	if err := actor.Need(PermView); err != nil {
		return Item{}, err
	}
	var r Run
	if err := s.DB.Read().NewSelect().Model(&r).Where("b.id = ?", id).Scan(ctx); err != nil {
		return Item{}, database.Found(err)
	}
	items, err := s.placed([]Run{r})
	if err != nil {
		return Item{}, err
	}
	return items[0], nil
}

// ListFilter narrows a list of runs.
type ListFilter struct {
	State  State
	Cursor string
	Limit  int
}

// List returns a page of the runs, newest first, and the cursor of the next page. It needs backup.view.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	var rows []Run
	q := s.DB.Read().NewSelect().Model(&rows).OrderExpr("b.id DESC").Limit(int64(f.Limit + 1))
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("b.id < ?", before)
	}
	if f.State != "" {
		q = q.Where("b.state = ?", f.State)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	items, err := s.placed(rows)
	return items, next, err
}

// placed adds to runs what is in the target.
func (s *Service) placed(rows []Run) ([]Item, error) {
	sets, _, err := snapshot.List(s.Options.Target)
	if err != nil {
		return nil, err
	}
	present := map[string]bool{}
	for _, set := range sets {
		present[set.Name()] = true
	}
	keep := s.Options.Retention.Keep(sets, s.Clock.Now())
	items := make([]Item, 0, len(rows))
	for i := range rows {
		it := rows[i].item()
		it.Present, it.Kept = present[it.Set], keep[it.Set]
		items = append(items, it)
	}
	return items, nil
}

// Standing is how backups stand: what the page shows above its list.
type Standing struct {
	Recipients int                `json:"recipients"`
	Target     string             `json:"target"`
	CopyTo     string             `json:"copyTo"`
	Cron       string             `json:"cron"`
	Retention  snapshot.Retention `json:"retention"`
	Last       Last               `json:"last"`
	Sets       []SetItem          `json:"sets" doc:"The sets in the target, newest first."`
	Broken     []string           `json:"broken" doc:"Sets in the target that cannot be read."`
	Free       int64              `json:"free" doc:"Bytes left where the target is; -1 when it cannot be told."`
	CanRun     bool               `json:"canRun"`
}

// SetItem is a set in the target.
type SetItem struct {
	Name       string     `json:"name"`
	At         time.Time  `json:"at"`
	Size       int64      `json:"size"`
	Rows       int64      `json:"rows"`
	Files      int64      `json:"files"`
	Program    string     `json:"program"`
	VerifiedAt *time.Time `json:"verifiedAt,omitempty"`
	Kept       string     `json:"kept" doc:"Why it stays; empty when the next tidying removes it."`
}

// Standing tells how backups stand. It needs backup.view.
func (s *Service) Standing(ctx context.Context, actor access.Actor) (Standing, error) {
	if err := actor.Need(PermView); err != nil {
		return Standing{}, err
	}
	st := Standing{Recipients: len(s.Options.Recipients), Target: s.Options.Target, CopyTo: s.Options.CopyTo, Cron: s.Options.Cron,
		Retention: s.Options.Retention, Sets: []SetItem{}, Broken: []string{}, Free: snapshot.Free(s.Options.Target), CanRun: actor.Can(PermRun)}
	var err error
	if st.Last, err = s.LastBackup(ctx); err != nil {
		return Standing{}, err
	}
	sets, broken, err := snapshot.List(s.Options.Target)
	if err != nil {
		return Standing{}, err
	}
	st.Broken = append(st.Broken, broken...)
	keep := s.Options.Retention.Keep(sets, s.Clock.Now())
	for _, set := range sets {
		it := SetItem{Name: set.Name(), At: set.Manifest.At, Size: set.Manifest.Size(), Rows: set.Manifest.Rows(), Files: set.Manifest.Files.Count,
			Program: set.Manifest.Program, Kept: keep[set.Name()]}
		if set.Verified != nil {
			it.VerifiedAt = &set.Verified.At
		}
		st.Sets = append(st.Sets, it)
	}
	return st, nil
}

// Last is what the health rules read.
type Last struct {
	// Configured says whether there is anybody to encrypt for; without, nothing is backed up.
	Configured bool `json:"configured"`
	// VerifiedAt is the instant of the newest data that was restored and found equal.
	VerifiedAt *time.Time `json:"verifiedAt,omitempty"`
	// Fault is why the last run that is over failed; empty when it did not.
	Fault string `json:"fault"`
	// CopyFault is why the last set did not reach the second target.
	CopyFault string `json:"copyFault"`
	// Lost counts the files of the last set whose content was missing or not what its row says.
	Lost    int64 `json:"lost"`
	Running bool  `json:"running"`
}

// Problem says in Chinese what a person must look after, "" when all is well: the one sentence of the health page.
func (l Last) Problem(now time.Time) string {
	switch {
	case !l.Configured:
		return "尚未配置备份公钥，数据没有备份"
	case l.Fault != "":
		return "最近一次备份未完成：" + l.Fault
	case l.VerifiedAt == nil && !l.Running:
		return "还没有验证通过的备份"
	case l.VerifiedAt != nil && now.Sub(*l.VerifiedAt) > 26*time.Hour:
		return "超过 26 小时没有验证通过的备份，最近一次为 " + clock.Show(*l.VerifiedAt)
	case l.Lost > 0:
		return "最近一次备份中有 " + strconv.FormatInt(l.Lost, 10) + " 个附件缺失或损坏"
	case l.CopyFault != "":
		return "备份未能复制到第二位置：" + l.CopyFault
	}
	return ""
}

// LastBackup tells how backups stand, for the health rules of the house.
func (s *Service) LastBackup(ctx context.Context) (Last, error) {
	l := Last{Configured: len(s.Options.Recipients) > 0}
	db := s.DB.Read()
	one := func(q *bun.SelectQuery, r *Run) (bool, error) {
		err := database.Found(q.Model(r).OrderExpr("b.id DESC").Limit(1).Scan(ctx))
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		return err == nil, err
	}
	var verified, over Run
	found, err := one(db.NewSelect().Where("b.state = ?", Done), &verified)
	if err != nil {
		return l, err
	}
	if found {
		l.VerifiedAt = utc(verified.StartedAt)
	}
	if found, err = one(db.NewSelect().Where("b.state IN ?", bun.Tuple([]State{Done, Failed})), &over); err != nil {
		return l, err
	}
	if found {
		l.Fault, l.CopyFault, l.Lost = over.Fault, over.CopyFault, over.FilesMissing+over.FilesDamaged
	}
	l.Running, err = db.NewSelect().Model((*Run)(nil)).Where("b.state IN ?", bun.Tuple(open)).Exists(ctx)
	return l, err
}

// reachable says whether a folder that should be there, such as a mounted one, is.
func reachable(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return fault.New(fault.Unavailable, "BACKUP_FOLDER", "第二备份位置不可用，请检查挂载："+dir)
	}
	return nil
}
