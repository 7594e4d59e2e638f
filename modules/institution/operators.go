package institution

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// Operator is the account of a person who works for an institution.
type Operator struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Account     string     `json:"account"`
	PhoneMasked string     `json:"phoneMasked"`
	Roles       []string   `json:"roles" doc:"By name."`
	State       string     `json:"state" enum:"active,locked,disabled"`
	Version     int64      `json:"version"`
	Self        bool       `json:"self"`
	SeenAt      *time.Time `json:"seenAt,omitempty"`
}

// OperatorRole is a role that an institution's people may have.
type OperatorRole struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Staff are the people of an institution and the roles they may have.
type Staff struct {
	Items []Operator     `json:"items"`
	Roles []OperatorRole `json:"roles"`
}

// NewOperator is an account that an institution opens.
type NewOperator struct {
	InstitutionID int64
	Name          string
	Account       string
	Phone         string
	Role          string
	Hash          string
}

// OperatorSwitch disables an account, or lets it in again.
type OperatorSwitch struct {
	InstitutionID int64
	ID, Version   int64
	On            bool
	Reason        string // why it is disabled
}

// Operators keeps the accounts of institutions' people. An account of another institution is fault.ErrNotFound.
type Operators interface {
	Staff(ctx context.Context, db bun.IDB, institutionID int64) (Staff, error)
	Open(ctx context.Context, tx bun.Tx, actor access.Actor, o NewOperator) (int64, error)
	Switch(ctx context.Context, tx bun.Tx, actor access.Actor, o OperatorSwitch) error
}

// administers returns ErrForbidden unless the actor keeps the accounts of their own institution.
func administers(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party != access.Institution || a.InstitutionID == 0 {
		return ErrForbidden
	}
	return a.Need(PermOperators)
}

// OperatorList lists the people of the actor's institution. It needs institution.operators.
func (s *Service) OperatorList(ctx context.Context, actor access.Actor) (Staff, error) {
	if err := administers(actor); err != nil {
		return Staff{}, err
	}
	list, err := s.Operators.Staff(ctx, s.DB.Read(), actor.InstitutionID)
	if err != nil {
		return Staff{}, fmt.Errorf("operators of institution %d: %w", actor.InstitutionID, err)
	}
	for i := range list.Items {
		list.Items[i].Self = list.Items[i].ID == actor.UserID
	}
	return list, nil
}

// OpenOperator asks to open an account for a person of the actor's institution.
type OpenOperator struct {
	Key                        string `json:"-"`
	Name, Account, Phone, Role string
}

// OperatorOpening is the people of the institution after an account was opened, and its first password, shown once.
type OperatorOpening struct {
	Staff
	Account  string `json:"account"`
	Password string `json:"password"`
}

// OpenOperator opens an account within the actor's institution; the password must be changed at the first sign-in. It needs
// institution.operators. A repeat with the same key returns the same account and password.
func (s *Service) OpenOperator(ctx context.Context, actor access.Actor, cmd OpenOperator) (OperatorOpening, error) {
	if err := administers(actor); err != nil {
		return OperatorOpening{}, err
	}
	name, err := text.Line("name", cmd.Name, 1, 30)
	wrong := []error{text.Named(err, "姓名")}
	number, err := phone.Normalize(cmd.Phone)
	wrong = append(wrong, err)
	if err := fault.Merge(wrong...); err != nil {
		return OperatorOpening{}, err
	}
	account := strings.ToLower(strings.TrimSpace(cmd.Account))
	password, hash, err := s.Accounts.FirstPassword(ctx, actor, cmd.Key, account)
	if err != nil {
		return OperatorOpening{}, err
	}
	asked := []any{name, account, cmd.Role, s.Box.Blind("phone", number)}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.operator_open", Key: cmd.Key, Request: asked, Now: s.Clock.Now()}, func() (outcome, error) {
			id, err := s.Operators.Open(ctx, tx, actor, NewOperator{InstitutionID: actor.InstitutionID, Name: name, Account: account, Phone: number, Role: cmd.Role, Hash: hash})
			return outcome{id}, err
		})
		return err
	})
	if err != nil {
		return OperatorOpening{}, fmt.Errorf("open operator of institution %d: %w", actor.InstitutionID, err)
	}
	list, err := s.OperatorList(ctx, actor)
	return OperatorOpening{Staff: list, Account: account, Password: password}, err
}

// DisableOperator asks to end the sessions of a colleague and let them in no more.
type DisableOperator struct {
	Ref
	Reason string
}

// DisableOperator disables an account of the actor's institution, never their own. It needs institution.operators, and
// returns ErrNotFound for an account that is not of the institution.
func (s *Service) DisableOperator(ctx context.Context, actor access.Actor, cmd DisableOperator) (Staff, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return Staff{}, text.Named(err, "停用原因")
	}
	return s.switchOperator(ctx, actor, cmd.Ref, false, reason)
}

// EnableOperator lets a disabled account in again. Errors as DisableOperator.
func (s *Service) EnableOperator(ctx context.Context, actor access.Actor, ref Ref) (Staff, error) {
	return s.switchOperator(ctx, actor, ref, true, "")
}

func (s *Service) switchOperator(ctx context.Context, actor access.Actor, ref Ref, on bool, reason string) (Staff, error) {
	if err := administers(actor); err != nil {
		return Staff{}, err
	}
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.operator_switch", Key: ref.Key, Request: []any{ref, on, reason}, Now: s.Clock.Now()}, func() (outcome, error) {
			return outcome{ref.ID}, s.Operators.Switch(ctx, tx, actor, OperatorSwitch{InstitutionID: actor.InstitutionID, ID: ref.ID, Version: ref.Version, On: on, Reason: reason})
		})
		return err
	})
	if err != nil {
		return Staff{}, fmt.Errorf("switch operator %d: %w", ref.ID, err)
	}
	return s.OperatorList(ctx, actor)
}
