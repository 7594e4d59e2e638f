package enterprise

import (
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Group is a group of fields, as a company gives consent for it.
type Group struct{ Code, Name string }

// Groups are the groups of fields, in the order in which they are shown.
func Groups() []Group {
	var out []Group
	for _, g := range groupNames() {
		out = append(out, Group{g[0], g[1]})
	}
	return out
}

// GroupOf is the code of the group a field belongs to, "" for a field that does not exist.
func GroupOf(name string) string {
	f, ok := fieldOf(name)
	if !ok {
		return ""
	}
	return groupKeys[f.group]
}

// Consents says what of a company a reader may read (requirement B2), and keeps who has read.
type Consents interface {
	// Read returns the codes of the groups the actor may read of one company for the purpose, and a fault of the kind
	// Forbidden that says what to do when there are none. basis is the code of a basis the reader claims, "" is consent.
	Read(ctx context.Context, actor access.Actor, id int64, r Reading) ([]string, error)
	// BasisName is what a basis is called that the actor claims for a purpose; the code itself where it is not offered to them.
	BasisName(ctx context.Context, actor access.Actor, purpose, basis string) (string, error)
	// ReadAll is Read for several companies; those that may not be read are missing.
	ReadAll(ctx context.Context, actor access.Actor, ids []int64, r Reading) (map[int64][]string, error)
}

// Reading says what for and where a reader reads.
type Reading struct{ Purpose, Basis, What string }

// The purposes for which this module reads.
const (
	forPortrait    = "portrait"
	forInstitution = "share_institution"
)

// within leaves the facts of the groups. What is reckoned from other facts needs their groups too.
func within(list []FactView, groups []string) []FactView {
	return slices.DeleteFunc(list, func(v FactView) bool {
		f, _ := fieldOf(v.Field)
		return slices.ContainsFunc(append([]string{v.Field}, f.from...), func(name string) bool { return !slices.Contains(groups, GroupOf(name)) })
	})
}

// factsWithin leaves the facts of the groups, before anything is reckoned from them.
func factsWithin(rows []Fact, groups []string) []Fact {
	return slices.DeleteFunc(slices.Clone(rows), func(x Fact) bool { return !slices.Contains(groups, GroupOf(x.Field)) })
}

// withheld reads the groups; when there is nothing to read it says so in words instead of failing.
func (s *Service) withheld(ctx context.Context, actor access.Actor, id int64, r Reading) (groups []string, why string, err error) {
	groups, err = s.consents.Read(ctx, actor, id, r)
	if f, ok := fault.As(err); ok && f.Kind == fault.Forbidden {
		return nil, f.Message, nil
	}
	return groups, "", err
}

// Profile is what somebody outside the desk may read of a company.
type Profile struct {
	Item
	Facts []FactView `json:"facts"`
}

// Profile returns what the people of an institution may read of a company that has applied to them: the caller has
// established that it has. It returns the fault of Consents when the company does not agree.
func (s *Service) Profile(ctx context.Context, actor access.Actor, id int64, where string) (Profile, error) {
	if !actor.SignedIn() {
		return Profile{}, fault.ErrUnauthorized
	}
	groups, err := s.consents.Read(ctx, actor, id, Reading{Purpose: forInstitution, What: where})
	if err != nil {
		return Profile{}, err
	}
	db := s.db.Read()
	e := new(Enterprise)
	if err := db.NewSelect().Model(e).Where("ent.id = ?", id).Scan(ctx); err != nil {
		return Profile{}, database.Found(err)
	}
	rows, err := factsOf(ctx, db, id)
	if err != nil {
		return Profile{}, err
	}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return Profile{}, err
	}
	sizes, err := s.readThresholds(ctx, db)
	return Profile{e.item(), within(s.factViews(rule, sizes, rows[id]), groups)}, err
}

// ErrSign: only a verified company gives consent.
var ErrSign = fault.New(fault.Conflict, "SIGN_UNVERIFIED", "企业通过认证后才能办理数据授权，请先完成企业认证")

// MaySign returns nil when the person may bind the company, once it is verified: its owner, or a member mandated for it. It
// returns ErrNotFound for a stranger, ErrRight for another member, ErrSign for a company nobody has verified.
func (s *Service) MaySign(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error {
	if err := s.Entitled(ctx, db, enterpriseID, userID, RightConsent); err != nil {
		return err
	}
	b, err := s.Brief(ctx, db, enterpriseID)
	if err == nil && b.Verification != string(Verified) {
		return ErrSign
	}
	return err
}

// Signers are the people who may bind the company: its owner, and the members mandated for it.
func (s *Service) Signers(ctx context.Context, db bun.IDB, enterpriseID int64) ([]int64, error) {
	return s.EntitledOf(ctx, db, enterpriseID, RightConsent)
}

// Names are what the companies are called.
func (s *Service) Names(ctx context.Context, db bun.IDB, ids []int64) (map[int64]string, error) {
	out := make(map[int64]string, len(ids))
	for part := range slices.Chunk(ids, 500) {
		var rows []Enterprise
		if err := db.NewSelect().Model(&rows).Column("id", "name").Where("ent.id IN (?)", bun.List(part)).Scan(ctx); err != nil {
			return nil, err
		}
		for _, e := range rows {
			out[e.ID] = e.Name
		}
	}
	return out, nil
}

// Visible returns nil when the actor may see the company, ErrNotFound when they may not.
func (s *Service) Visible(ctx context.Context, db bun.IDB, actor access.Actor, id int64) error {
	_, err := find(ctx, db, actor, id)
	return err
}

// errNoConsents is a mistake of the wiring.
var errNoConsents = errors.New("enterprise: nobody says what may be read")

// noConsents lets nobody read; it stands in until the wiring gives another.
type noConsents struct{}

func (noConsents) Read(context.Context, access.Actor, int64, Reading) ([]string, error) {
	return nil, errNoConsents
}

func (noConsents) BasisName(context.Context, access.Actor, string, string) (string, error) {
	return "", errNoConsents
}

func (noConsents) ReadAll(context.Context, access.Actor, []int64, Reading) (map[int64][]string, error) {
	return nil, errNoConsents
}
