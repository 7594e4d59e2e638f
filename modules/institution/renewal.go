package institution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Renewal is a licence or permit that an institution hands in, in the place of one it works under or beside them. It counts
// once a reviewer has passed it.
type Renewal struct {
	bun.BaseModel `bun:"table:institution_renewals,alias:n"`

	ID            int64      `bun:"id,pk,autoincrement"`
	InstitutionID int64      `bun:"institution_id,notnull"`
	Replaces      string     `bun:"replaces,notnull"` // the number of the qualification it takes the place of; "" for one more
	Name          string     `bun:"name,notnull"`
	No            string     `bun:"no,notnull"`
	To            string     `bun:"valid_to,notnull"` // the last day; "" without a term
	State         State      `bun:"state,notnull"`    // waiting, approved, returned or withdrawn
	Reason        string     `bun:"reason,notnull"`
	UserID        int64      `bun:"user_id,notnull"`
	UserName      string     `bun:"user_name,notnull"`
	ReviewerID    int64      `bun:"reviewer_id,notnull"`
	ReviewerName  string     `bun:"reviewer_name,notnull"`
	Version       int64      `bun:"version,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	DecidedAt     *time.Time `bun:"decided_at"`
	Was           string     `bun:"was,notnull"` // JSON of the qualification it took the place of, when it counted
}

// The faults of handing in.
var (
	// ErrRenewalOpen: for the same qualification one waits already.
	ErrRenewalOpen = fault.New(fault.Conflict, "RENEWAL_OPEN", "该证照已有一份更新正在审核，请等待审核或先撤回")
	// ErrNoPaper: the qualification that is to be replaced is not there.
	ErrNoPaper = fault.New(fault.Conflict, "RENEWAL_PAPER", "要更换的证照已有变化，请刷新后重新提交")
	// ErrRenewalDecided: it does not wait any more.
	ErrRenewalDecided = fault.New(fault.Conflict, "RENEWAL_STATE", "该证照更新不在待审核状态，请刷新后查看")
)

// RenewalView is a renewal as it is listed.
type RenewalView struct {
	ID              int64  `json:"id"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	Replaces        string `json:"replaces" doc:"The number of the qualification it takes the place of; empty for one more."`
	Licence
	State     State      `json:"state" enum:"waiting,approved,returned,withdrawn"`
	Reason    string     `json:"reason"`
	UserName  string     `json:"userName"`
	Reviewer  string     `json:"reviewer" doc:"Empty for the institution."`
	Version   int64      `json:"version"`
	CreatedAt time.Time  `json:"createdAt"`
	DecidedAt *time.Time `json:"decidedAt,omitempty"`
	Files     []FileView `json:"files"`
	MayDecide bool       `json:"mayDecide"`
	MayTake   bool       `json:"mayWithdraw"`
	Undo      *UndoView  `json:"undo,omitempty" doc:"The decision that the actor may take back."`
}

// HandIn asks to take a licence or permit in.
type HandIn struct {
	Key      string `json:"-"`
	Replaces string
	Paper    Licence
	FileIDs  []int64
}

// ofInstitution returns ErrForbidden unless the actor keeps the papers of their own institution.
func ofInstitution(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party != access.Institution || a.InstitutionID == 0 {
		return ErrForbidden
	}
	return a.Need(PermPapers)
}

// HandIn hands a paper of the actor's institution in for review. It needs institution.papers. It returns ErrNoPaper when what
// it replaces is not there, ErrRenewalOpen when one waits already.
func (s *Service) HandIn(ctx context.Context, actor access.Actor, cmd HandIn) (RenewalView, error) {
	if err := ofInstitution(actor); err != nil {
		return RenewalView{}, err
	}
	name, err := text.Line("name", cmd.Paper.Name, 2, 100)
	wrong := []error{text.Named(err, "证照名称")}
	no, err := text.Line("no", cmd.Paper.No, 2, 60)
	wrong = append(wrong, text.Named(err, "证照编号"), s.validTo("to", cmd.Paper.To))
	switch {
	case len(cmd.FileIDs) == 0:
		wrong = append(wrong, fault.InvalidField("fileIds", "NO_FILE", "请上传证照的照片或扫描件"))
	case len(cmd.FileIDs) > mostPictures:
		wrong = append(wrong, fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("每份证照最多上传 %d 个文件，请删减后提交", mostPictures)))
	}
	if err := fault.Merge(wrong...); err != nil {
		return RenewalView{}, err
	}
	now := s.Clock.Now()
	var done outcome
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.renewal_hand_in", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			i, err := find(ctx, tx, visible(actor), actor.InstitutionID)
			if err != nil {
				return outcome{}, err
			}
			if _, err := i.replaced(cmd.Replaces, Licence{Name: name, No: no, To: cmd.Paper.To}); err != nil {
				return outcome{}, err
			}
			r := Renewal{InstitutionID: i.ID, Replaces: cmd.Replaces, Name: name, No: no, To: cmd.Paper.To, State: Waiting, UserID: actor.UserID, UserName: actor.Name, Version: 1, CreatedAt: now}
			if _, err := tx.NewInsert().Model(&r).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
				return outcome{}, ErrRenewalOpen.Wrap(err)
			} else if err != nil {
				return outcome{}, err
			}
			for _, id := range cmd.FileIDs {
				if err := s.Files.Claim(ctx, tx, actor, id, ObjectRenewal, r.ID); err != nil {
					return outcome{}, err
				}
			}
			if _, err := event.Append(ctx, tx, actor, now, RenewalSubmitted{r.head(i.Name)}); err != nil {
				return outcome{}, err
			}
			return outcome{r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.renewal_hand_in", Object: ObjectRenewal, ObjectID: r.ID, Summary: "提交机构证照 " + name})
		})
		return err
	})
	if err != nil {
		return RenewalView{}, fmt.Errorf("hand a paper in for institution %d: %w", actor.InstitutionID, err)
	}
	return s.Renewal(ctx, actor, done.ID)
}

// replaced returns the qualifications with the paper in the place of the one with that number, or after them.
func (i *Institution) replaced(no string, with Licence) (licences, error) {
	list := slices.Clone(i.Qualifications)
	if no == "" {
		if len(list) >= mostDocuments {
			return nil, fault.InvalidField("name", "TOO_MANY_DOCUMENTS", fmt.Sprintf("最多登记 %d 份证照，请更换已有的证照", mostDocuments))
		}
		return append(list, with), nil
	}
	at := slices.IndexFunc(list, func(q Licence) bool { return q.No == no })
	if at < 0 {
		return nil, ErrNoPaper
	}
	list[at] = with
	return list, nil
}

// PassRenewal finds a paper right.
type PassRenewal struct{ Ref }

// PassRenewal puts the paper among the institution's qualifications, in the place of the one it replaces. It needs
// institution.review. It returns ErrRenewalDecided when it does not wait, ErrNoPaper when what it replaces is gone.
func (s *Service) PassRenewal(ctx context.Context, actor access.Actor, cmd PassRenewal) (RenewalView, error) {
	return s.decideRenewal(ctx, actor, "pass", PermReview, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, r *Renewal, i *Institution) (event.Fact, error) {
		if r.To != "" && r.To < s.today() {
			return nil, fault.New(fault.Conflict, "EXPIRED", "“"+r.Name+"”已过有效期，请退回机构更换")
		}
		list, err := i.replaced(r.Replaces, Licence{Name: r.Name, No: r.No, To: r.To})
		if err != nil {
			return nil, err
		}
		read := i.Version
		if r.Was, err = i.remembered(r.Replaces); err != nil {
			return nil, err
		}
		i.Qualifications, i.UpdatedAt = list, s.Clock.Now()
		if err := save(ctx, tx, i, read); errors.Is(err, fault.ErrChanged) {
			return nil, stale(ctx, tx, i.ID)
		} else if err != nil {
			return nil, err
		}
		if _, err := event.Append(ctx, tx, actor, s.Clock.Now(), Edited{i.head()}); err != nil {
			return nil, err
		}
		r.State = Approved
		return RenewalPassed{r.head(i.Name)}, nil
	})
}

// ReturnRenewal sends a paper back with the reason the institution reads.
type ReturnRenewal struct {
	Ref
	Reason string
}

// ReturnRenewal sends a paper back; the institution hands another in. Errors as PassRenewal.
func (s *Service) ReturnRenewal(ctx context.Context, actor access.Actor, cmd ReturnRenewal) (RenewalView, error) {
	reason, err := text.Block("reason", cmd.Reason, 5, 500)
	if err != nil {
		return RenewalView{}, text.Named(err, "退回原因")
	}
	return s.decideRenewal(ctx, actor, "return", PermReview, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, r *Renewal, i *Institution) (event.Fact, error) {
		r.State, r.Reason = Returned, reason
		return RenewalReturned{r.head(i.Name), masked(reason)}, nil
	})
}

// WithdrawRenewal takes a paper back from the reviewers.
type WithdrawRenewal struct{ Ref }

// WithdrawRenewal takes a paper of the actor's institution back as long as it waits. It needs institution.papers.
func (s *Service) WithdrawRenewal(ctx context.Context, actor access.Actor, cmd WithdrawRenewal) (RenewalView, error) {
	if err := ofInstitution(actor); err != nil {
		return RenewalView{}, err
	}
	return s.decideRenewal(ctx, actor, "withdraw", PermPapers, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, r *Renewal, i *Institution) (event.Fact, error) {
		r.State = Withdrawn
		return RenewalWithdrawn{r.head(i.Name)}, nil
	})
}

// decideRenewal is the frame of every end of a renewal: right, key, version, step, event, audit, in one transaction.
func (s *Service) decideRenewal(ctx context.Context, actor access.Actor, action string, right access.Permission, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, r *Renewal, i *Institution) (event.Fact, error),
) (RenewalView, error) {
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		actor, err := s.reviewer(ctx, tx, actor, right)
		if err != nil {
			return err
		}
		_, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.renewal_" + action, Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			r := new(Renewal)
			if err := database.Found(visibleRenewals(tx.NewSelect().Model(r), actor).Where("n.id = ?", ref.ID).Scan(ctx)); err != nil {
				return outcome{}, err
			}
			if r.State != Waiting || r.Version != ref.Version {
				return outcome{}, ErrRenewalDecided
			}
			i, err := find(ctx, tx, scope{where: "1 = 1"}, r.InstitutionID)
			if err != nil {
				return outcome{}, err
			}
			fact, err := step(ctx, tx, r, i)
			if err != nil {
				return outcome{}, err
			}
			r.ReviewerID, r.ReviewerName, r.DecidedAt, r.Version = actor.UserID, actor.Name, &now, ref.Version+1
			err = database.Changed(tx.NewUpdate().Model(r).Column("state", "reason", "was", "reviewer_id", "reviewer_name", "decided_at", "version").
				Where("id = ? AND version = ? AND state = ?", r.ID, ref.Version, Waiting).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				return outcome{}, ErrRenewalDecided
			} else if err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return outcome{}, err
			}
			return outcome{r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.renewal_" + action, Object: ObjectRenewal, ObjectID: r.ID,
				Summary: "机构证照" + r.State.Label() + " " + r.Name, Detail: map[string]any{"institution": r.InstitutionID, "reason": masked(r.Reason)}})
		})
		return err
	})
	if err != nil {
		return RenewalView{}, fmt.Errorf("%s renewal %d: %w", action, ref.ID, err)
	}
	return s.Renewal(ctx, actor, ref.ID)
}

// visibleRenewals narrows every query of renewals: staff with institution.view see all, an institution its own.
func visibleRenewals(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	switch {
	case a.Party == access.System, (a.Party == access.Platform || a.Party == access.Government) && a.Can(PermView):
		return q
	case a.Party == access.Institution && a.InstitutionID != 0:
		return q.Where("n.institution_id = ?", a.InstitutionID)
	}
	return q.Where("1 = 0")
}

// Renewal returns a renewal as the actor may see it, ErrNotFound when they may not.
func (s *Service) Renewal(ctx context.Context, actor access.Actor, id int64) (RenewalView, error) {
	r := new(Renewal)
	db := s.DB.Read()
	if err := database.Found(visibleRenewals(db.NewSelect().Model(r), actor).Where("n.id = ?", id).Scan(ctx)); err != nil {
		return RenewalView{}, err
	}
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return RenewalView{}, err
	}
	return s.renewalView(ctx, db, lent.With(actor), r)
}

// SeesRenewal returns nil when the actor may read the pictures of a renewal, ErrNotFound when they may not.
func (s *Service) SeesRenewal(ctx context.Context, actor access.Actor, id int64) error {
	_, err := s.Renewal(ctx, actor, id)
	return err
}

func (s *Service) renewalView(ctx context.Context, db bun.IDB, actor access.Actor, r *Renewal) (RenewalView, error) {
	i, err := find(ctx, db, scope{where: "1 = 1"}, r.InstitutionID)
	if err != nil {
		return RenewalView{}, err
	}
	v := RenewalView{ID: r.ID, InstitutionID: r.InstitutionID, InstitutionName: i.Name, Replaces: r.Replaces, Licence: Licence{Name: r.Name, No: r.No, To: r.To}, State: r.State,
		Reason: r.Reason, UserName: r.UserName, Reviewer: r.ReviewerName, Version: r.Version, CreatedAt: r.CreatedAt.UTC(), DecidedAt: utcOf(r.DecidedAt),
		MayDecide: r.State == Waiting && actor.Party != access.Institution && actor.Can(PermReview), MayTake: r.State == Waiting && actor.Party == access.Institution && actor.Can(PermPapers)}
	if actor.Party == access.Institution {
		v.Reviewer = "" // names of the platform's staff are not for outside
	}
	if v.Undo, err = s.undoOfRenewal(ctx, db, actor, r, i); err != nil {
		return v, err
	}
	v.Files, err = s.Files.Of(ctx, db, ObjectRenewal, r.ID)
	return v, err
}

// Renewals returns a page of the renewals the actor may see, those of a state when one is named, newest first, and the cursor
// of the next page.
func (s *Service) Renewals(ctx context.Context, actor access.Actor, state State, cursor string, limit int) ([]RenewalView, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	at, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []Renewal
	db := s.DB.Read()
	q := visibleRenewals(db.NewSelect().Model(&rows), actor).OrderExpr("n.id DESC").Limit(int64(limit + 1))
	if state != "" {
		q = q.Where("n.state = ?", state)
	}
	if at > 0 {
		q = q.Where("n.id < ?", at)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list renewals: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return nil, "", err
	}
	list := make([]RenewalView, 0, len(rows))
	for i := range rows {
		v, err := s.renewalView(ctx, db, lent.With(actor), &rows[i])
		if err != nil {
			return nil, "", err
		}
		list = append(list, v)
	}
	return list, next, nil
}

// ObjectRenewal is the name of a renewal in events, audit rows and file links.
const ObjectRenewal = "institution_renewal"

// RenewalHead is what every fact about a renewal says. UserID handed it in.
type RenewalHead struct {
	ID              int64  `json:"id"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	UserID          int64  `json:"userId"`
	Paper           string `json:"paper"`
}

func (r *Renewal) head(institution string) RenewalHead {
	return RenewalHead{ID: r.ID, InstitutionID: r.InstitutionID, InstitutionName: institution, UserID: r.UserID, Paper: r.Name}
}

// RenewalSubmitted is announced when a paper was handed in.
type RenewalSubmitted struct{ RenewalHead }

// RenewalPassed is announced when it counts.
type RenewalPassed struct{ RenewalHead }

// RenewalReturned is announced when it was sent back.
type RenewalReturned struct {
	RenewalHead
	Reason string `json:"reason"`
}

// RenewalWithdrawn is announced when the institution took it back.
type RenewalWithdrawn struct{ RenewalHead }

// Event names the fact.
func (f RenewalSubmitted) Event() (string, string, int64) {
	return "institution_renewal.submitted", ObjectRenewal, f.ID
}

// Event names the fact.
func (f RenewalPassed) Event() (string, string, int64) {
	return "institution_renewal.passed", ObjectRenewal, f.ID
}

// Event names the fact.
func (f RenewalReturned) Event() (string, string, int64) {
	return "institution_renewal.returned", ObjectRenewal, f.ID
}

// Event names the fact.
func (f RenewalWithdrawn) Event() (string, string, int64) {
	return "institution_renewal.withdrawn", ObjectRenewal, f.ID
}
