package ticket

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
)

// AccountHolder is somebody with an account of a company.
type AccountHolder struct {
	UserID int64  `json:"userId"`
	Name   string `json:"name"`
	// EnterpriseID is the company the person acts for now, 0 for none.
	EnterpriseID int64 `json:"enterpriseId"`
}

// Firm is a company as the desk sees a caller's.
type Firm struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	CreditCode string `json:"creditCode,omitempty"`
	Verified   bool   `json:"verified"`
}

// Callers tells who calls.
type Callers interface {
	// PersonByPhone returns who has the phone, fault.ErrNotFound for nobody; staff are nobody.
	PersonByPhone(ctx context.Context, db bun.IDB, phone string) (AccountHolder, error)
	// Firm returns fault.ErrNotFound for an unknown company.
	Firm(ctx context.Context, db bun.IDB, id int64) (Firm, error)
}

// LookUp asks who calls: by phone, by the credit code of the company, or both.
type LookUp struct {
	Phone      string
	CreditCode string
}

// Caller is who calls and what they asked before, within what the asker may see.
type Caller struct {
	Person *AccountHolder `json:"person,omitempty" doc:"When the phone belongs to an account."`
	Firm   *Firm          `json:"firm,omitempty" doc:"The company of the credit code, or of the person."`
	// Name is the name the last ticket of this phone was written down with.
	Name   string `json:"name,omitempty"`
	Open   []Item `json:"open" doc:"Tickets that are not ended, newest first."`
	Recent []Item `json:"recent" doc:"The last ended ones."`
	More   bool   `json:"more" doc:"There are older ones."`
	Note   string `json:"note,omitempty"`
}

const (
	callerOpen   = 20
	callerRecent = 10
	// callerReach is how many of the newest tickets of one phone, person or company are looked at.
	callerReach = 200
)

// Caller tells an agent with ticket.open who calls, their open tickets first. An incomplete number finds nobody and is no
// error: it is asked while somebody types.
func (s *Service) Caller(ctx context.Context, actor access.Actor, ask LookUp) (Caller, error) {
	out := Caller{Open: []Item{}, Recent: []Item{}}
	if err := actor.Need(PermOpen); err != nil {
		return out, err
	}
	if !isDesk(actor) {
		return out, ErrForbidden
	}
	db := s.db.Read()
	of, err := s.same(ctx, db, ask, &out)
	if err != nil || len(of) == 0 {
		return out, err
	}
	rows, err := s.asked(ctx, db, visible(actor), of, callerReach)
	if err != nil {
		return out, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return out, err
	}
	for i := range rows {
		done := slices.Contains(over, rows[i].Status)
		switch {
		case !done && len(out.Open) < callerOpen:
			out.Open = append(out.Open, rows[i].item(names))
		case done && len(out.Recent) < callerRecent:
			out.Recent = append(out.Recent, rows[i].item(names))
		default:
			out.More = true
		}
		if out.Name == "" && slices.Contains(s.box.Blinds("phone", of.phone()), rows[i].PhoneBlind) {
			out.Name = rows[i].RequesterName
		}
	}
	return out, nil
}

// sameAs are conditions under which a ticket is of the same phone, person or company.
type sameAs []sameness

type sameness struct {
	where string
	args  []any
	word  string // the number that was asked for
}

func (a sameAs) phone() string {
	for _, c := range a {
		if c.word != "" {
			return c.word
		}
	}
	return ""
}

// same finds whose tickets are asked for, and tells it in out.
func (s *Service) same(ctx context.Context, db bun.IDB, ask LookUp, out *Caller) (sameAs, error) {
	var of sameAs
	firm := int64(0)
	if phone, err := telephone("phone", ask.Phone); err == nil {
		of = append(of, sameness{"t.phone_blind IN (?)", []any{bun.List(s.box.Blinds("phone", phone))}, phone})
		if s.callers != nil {
			p, err := s.callers.PersonByPhone(ctx, db, phone)
			switch {
			case err == nil:
				out.Person, firm = &p, p.EnterpriseID
				of = append(of, sameness{where: "t.user_id = ?", args: []any{p.UserID}})
			case fault.KindOf(err) != fault.NotFound:
				return nil, err
			}
		}
	}
	if code := uscc.Normalize(strings.ToUpper(strings.TrimSpace(ask.CreditCode))); len(code) == 18 {
		ids, err := s.requesters.EnterprisesByCode(ctx, db, code, 1)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			out.Note = "没有找到该信用代码的企业，可填写企业名称登记"
		} else {
			firm = ids[0]
		}
	}
	if firm == 0 {
		return of, nil
	}
	of = append(of, sameness{where: "t.enterprise_id = ?", args: []any{firm}})
	if s.callers == nil {
		return of, nil
	}
	f, err := s.callers.Firm(ctx, db, firm)
	if fault.KindOf(err) == fault.NotFound {
		return of, nil
	} else if err != nil {
		return nil, err
	}
	out.Firm = &f
	return of, nil
}

// asked reads the newest tickets of any of the conditions within the scopes, newest first, each by its own index.
func (s *Service) asked(ctx context.Context, db bun.IDB, scopes []scope, of sameAs, reach int) ([]Ticket, error) {
	var ids []int64
	for _, c := range of {
		var some []int64
		q := db.NewSelect().Model((*Ticket)(nil)).Column("id").Where(c.where, c.args...).OrderExpr("t.id DESC").Limit(int64(reach))
		if err := q.Scan(ctx, &some); err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return s.seen(ctx, db, scopes, ids)
}

// seen reads those of the tickets that the scopes let through, newest first.
func (s *Service) seen(ctx context.Context, db bun.IDB, scopes []scope, ids []int64) ([]Ticket, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	var rows []Ticket
	err := narrow(db.NewSelect().Model(&rows).Where("t.id IN (?)", bun.List(slices.Compact(ids))), scopes).OrderExpr("t.id DESC").Scan(ctx)
	return rows, err
}
