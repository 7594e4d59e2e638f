package licence

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Companies says who acts for a company.
type Companies interface {
	// MayKeep returns nil when the person may see and keep the company's papers, and otherwise a fault that says whom to ask;
	// fault.ErrNotFound for a stranger.
	MayKeep(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error
	// Keepers are the people of a company who may, to be reminded.
	Keepers(ctx context.Context, db bun.IDB, enterpriseID int64) ([]int64, error)
}

// FileView is a picture as the files module tells it.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps the pictures.
type Files interface {
	// Keep stores an upload of the actor's for the portal's form, which sends it with the other inputs.
	Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error)
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Companies Companies
	Files     Files
	// Sees returns nil when the actor may see an object a paper was handed in with, fault.ErrNotFound otherwise.
	Sees func(ctx context.Context, actor access.Actor, object string, id int64) error
}

// Service keeps the papers.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Companies == nil || d.Files == nil || d.Sees == nil {
		panic("licence: Deps is not complete")
	}
	return &Service{d}
}

// View is a paper in words.
type View struct {
	ID        int64      `json:"id"`
	Kind      string     `json:"kind"`
	KindName  string     `json:"kindName"`
	Number    string     `json:"number"`
	Issuer    string     `json:"issuer"`
	IssuedOn  string     `json:"issuedOn"`
	ExpiresOn string     `json:"expiresOn"`
	State     string     `json:"state" enum:"current,replaced,removed"`
	Standing  string     `json:"standing" enum:"valid,soon,expired,past" doc:"past: replaced or removed."`
	Word      string     `json:"word"`
	Replaces  int64      `json:"replaces,omitempty"`
	Version   int64      `json:"version"`
	At        time.Time  `json:"createdAt"`
	ByName    string     `json:"createdName"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Files     []FileView `json:"files"`
	Uses      int        `json:"uses" doc:"How often it was handed in."`
}

// Shelf are all papers of a company: the current ones, those that end first before the others; then the past ones.
type Shelf struct {
	Items []View `json:"items"`
	Kinds []Kind `json:"kinds"`
}

// mine returns a fault unless the actor may keep papers of the company they act for.
func (s *Service) mine(ctx context.Context, db bun.IDB, a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party != access.Enterprise || a.EnterpriseID == 0 {
		return ErrForbidden
	}
	return s.Companies.MayKeep(ctx, db, a.EnterpriseID, a.UserID)
}

func kinds(ctx context.Context, db bun.IDB) ([]Kind, error) {
	var rows []Kind
	err := db.NewSelect().Model(&rows).OrderExpr("k.sort, k.code").Scan(ctx)
	return rows, err
}

// find reads a paper of the company the actor acts for.
func find(ctx context.Context, db bun.IDB, a access.Actor, id int64) (*Licence, error) {
	l := new(Licence)
	return l, database.Found(db.NewSelect().Model(l).Where("l.id = ? AND l.enterprise_id = ?", id, a.EnterpriseID).Scan(ctx))
}

func (s *Service) view(ctx context.Context, db bun.IDB, l *Licence, all []Kind) (View, error) {
	v := View{ID: l.ID, Kind: l.Kind, KindName: l.Kind, Number: l.Number, Issuer: l.Issuer, IssuedOn: l.IssuedOn, ExpiresOn: l.ExpiresOn, State: l.State, Standing: "valid",
		Word: "有效", Replaces: l.Replaces, Version: l.Version, At: l.At.UTC(), ByName: l.ByName, Reason: l.Reason, Files: []FileView{}}
	if l.EndedAt != nil {
		at := l.EndedAt.UTC()
		v.EndedAt = &at
	}
	soon := 60
	for _, k := range all {
		if k.Code == l.Kind {
			v.KindName = k.Name
			for i, d := range k.Remind {
				if i == 0 || d > soon {
					soon = d
				}
			}
		}
	}
	left, dated := l.Left(s.Clock.Now())
	switch {
	case l.State == Replaced:
		v.Standing, v.Word = "past", "已更新为新证"
	case l.State == Removed:
		v.Standing, v.Word = "past", "已移除"
	case dated && left < 0:
		v.Standing, v.Word = "expired", "已过有效期"
	case dated && left == 0:
		v.Standing, v.Word = "soon", "今天到期"
	case dated && left <= soon:
		v.Standing, v.Word = "soon", fmt.Sprintf("还有 %d 天到期", left)
	}
	files, err := s.Files.Of(ctx, db, Object, l.ID)
	if err != nil {
		return v, err
	}
	v.Files = append(v.Files, files...)
	n, err := db.NewSelect().Model((*use)(nil)).Where("u.licence_id = ?", l.ID).Count(ctx)
	v.Uses = int(n)
	return v, err
}

// Mine lists the papers of the company the actor acts for.
func (s *Service) Mine(ctx context.Context, actor access.Actor) (Shelf, error) {
	db := s.DB.Read()
	if err := s.mine(ctx, db, actor); err != nil {
		return Shelf{}, err
	}
	all, err := kinds(ctx, db)
	if err != nil {
		return Shelf{}, err
	}
	var rows []Licence
	err = db.NewSelect().Model(&rows).Where("l.enterprise_id = ?", actor.EnterpriseID).
		OrderExpr("CASE WHEN l.state = 'current' THEN 0 ELSE 1 END, CASE WHEN l.expires_on = '' THEN '9999' ELSE l.expires_on END, l.id DESC").Limit(300).Scan(ctx)
	if err != nil {
		return Shelf{}, err
	}
	out := Shelf{Items: make([]View, 0, len(rows)), Kinds: all}
	for i := range rows {
		v, err := s.view(ctx, db, &rows[i], all)
		if err != nil {
			return Shelf{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// Get returns one paper of the company the actor acts for.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	db := s.DB.Read()
	if err := s.mine(ctx, db, actor); err != nil {
		return View{}, err
	}
	l, err := find(ctx, db, actor, id)
	if err != nil {
		return View{}, err
	}
	all, err := kinds(ctx, db)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, db, l, all)
}

// Keep asks to keep a paper. Replaces is the current paper it takes the place of, with the version that was seen; 0 is none.
type Keep struct {
	Key string `json:"-"`
	Paper
	Replaces int64
	Version  int64
}

type done struct {
	ID int64 `json:"id"`
}

// Keep keeps a paper. It returns ErrTwice for one with the same kind and number, ErrReplaced when the paper to replace is
// none that counts, and a Conflict when somebody changed it meanwhile.
func (s *Service) Keep(ctx context.Context, actor access.Actor, cmd Keep) (View, error) {
	if err := s.mine(ctx, s.DB.Read(), actor); err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	var out done
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "licence.keep", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now},
			func() (done, error) { return s.keep(ctx, tx, actor, cmd, now) })
		return err
	})
	if database.IsDuplicate(err) {
		err = ErrTwice
	}
	if err != nil {
		return View{}, fmt.Errorf("keep licence of enterprise %d: %w", actor.EnterpriseID, err)
	}
	return s.Get(ctx, actor, out.ID)
}

func (s *Service) keep(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Keep, now time.Time) (done, error) {
	if err := s.mine(ctx, tx, actor); err != nil {
		return done{}, err
	}
	all, err := kinds(ctx, tx)
	if err != nil {
		return done{}, err
	}
	p, kind, err := cmd.clean(all)
	if err != nil {
		return done{}, err
	}
	if cmd.Replaces != 0 {
		old, err := find(ctx, tx, actor, cmd.Replaces)
		if err != nil {
			return done{}, err
		}
		if old.Kind != p.Kind {
			return done{}, fault.InvalidField("kind", "LICENCE_KIND", "更新证照时种类不能改变，请另行添加")
		}
		if err := end(ctx, tx, old, cmd.Version, Replaced, "", now); err != nil {
			return done{}, err
		}
	}
	l := Licence{EnterpriseID: actor.EnterpriseID, Kind: p.Kind, Number: p.Number, Issuer: p.Issuer, IssuedOn: p.IssuedOn, ExpiresOn: p.ExpiresOn, State: Current,
		Replaces: cmd.Replaces, Version: 1, At: now, ByID: actor.UserID, ByName: actor.Name}
	if _, err := tx.NewInsert().Model(&l).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return done{}, err
	}
	for _, f := range p.FileIDs {
		if err := s.Files.Claim(ctx, tx, actor, f, Object, l.ID); err != nil {
			return done{}, err
		}
	}
	head := l.head(kind.Name)
	if _, err := event.Append(ctx, tx, actor, now, Kept{head}); err != nil {
		return done{}, err
	}
	return done{l.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "licence.keep", Object: Object, ObjectID: l.ID, Summary: "保存证照：" + kind.Name, Detail: head})
}

func (l *Licence) head(kind string) Head {
	return Head{ID: l.ID, EnterpriseID: l.EnterpriseID, Kind: l.Kind, KindName: kind, Replaces: l.Replaces}
}

// end takes a paper off the shelf, if it is current and at the version that was seen.
func end(ctx context.Context, tx bun.Tx, l *Licence, seen int64, state, reason string, now time.Time) error {
	if l.State != Current {
		return ErrReplaced
	}
	if l.Version != seen {
		return fault.ErrChanged
	}
	l.State, l.Reason, l.EndedAt, l.Version = state, reason, &now, seen+1
	return database.Changed(tx.NewUpdate().Model(l).Column("state", "reason", "ended_at", "version").Where("id = ? AND version = ?", l.ID, seen).Exec(ctx))
}

// Remove asks to take a paper off the shelf; it stays where it was handed in.
type Remove struct {
	Key     string `json:"-"`
	ID      int64
	Version int64
	Reason  string
}

// Remove takes a paper off the shelf.
func (s *Service) Remove(ctx context.Context, actor access.Actor, cmd Remove) (View, error) {
	reason, err := text.Block("reason", cmd.Reason, 0, 200)
	if err != nil {
		return View{}, text.Named(err, "移除原因")
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "licence.remove", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now}, func() (done, error) {
			if err := s.mine(ctx, tx, actor); err != nil {
				return done{}, err
			}
			l, err := find(ctx, tx, actor, cmd.ID)
			if err != nil {
				return done{}, err
			}
			if err := end(ctx, tx, l, cmd.Version, Removed, reason, now); err != nil {
				return done{}, err
			}
			head := l.head("")
			if _, err := event.Append(ctx, tx, actor, now, WasRemoved{head}); err != nil {
				return done{}, err
			}
			return done{l.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "licence.remove", Object: Object, ObjectID: l.ID, Summary: "移除证照", Detail: head})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("remove licence %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// EnsureKinds keeps the kinds an installation begins with, where the code is not there yet. Only the system may.
func (s *Service) EnsureKinds(ctx context.Context, actor access.Actor, list []Kind) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, k := range list {
			if _, err := tx.NewInsert().Model(&k).On("CONFLICT (code) DO NOTHING").Exec(ctx); err != nil {
				return fmt.Errorf("licence kind %s: %w", k.Code, err)
			}
		}
		return nil
	})
}
