package contract

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// SignatureView is a signature as the parties see it.
type SignatureView struct {
	Side   Side      `json:"side" enum:"company,institution"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Making bool      `json:"making" doc:"It was confirmed, and is being made."`
	Fits   bool      `json:"fits" doc:"It verifies against the content as it is kept."`
}

// View is a contract as one actor may see it.
type View struct {
	ID              int64           `json:"id"`
	Version         int64           `json:"version"`
	Number          string          `json:"number"`
	Code            string          `json:"code,omitempty" doc:"With the number, verifies the contract on the public page."`
	State           State           `json:"state" enum:"draft,sent,half,effective,rejected,withdrawn,expired,voided"`
	CaseID          int64           `json:"caseId"`
	CaseNumber      string          `json:"caseNumber"`
	InstitutionName string          `json:"institutionName"`
	EnterpriseName  string          `json:"enterpriseName"`
	Title           string          `json:"title"`
	Body            string          `json:"body"`
	File            *FileView       `json:"file,omitempty"`
	Days            int             `json:"days"`
	Digest          string          `json:"digest,omitempty" doc:"SM3 of the frozen content."`
	By              string          `json:"by,omitempty" doc:"Empty for the company."`
	At              time.Time       `json:"at"`
	SentAt          *time.Time      `json:"sentAt,omitempty"`
	ExpiresAt       *time.Time      `json:"expiresAt,omitempty"`
	EffectiveAt     *time.Time      `json:"effectiveAt,omitempty"`
	EndedAt         *time.Time      `json:"endedAt,omitempty"`
	Reason          string          `json:"reason,omitempty"`
	VoidSide        Side            `json:"voidSide,omitempty" enum:",company,institution"`
	VoidReason      string          `json:"voidReason,omitempty"`
	Signing         bool            `json:"signing"`
	Signatures      []SignatureView `json:"signatures"`
	Actions         []string        `json:"actions" enum:"edit,send,withdraw,sign,reject,void,answer_void"`
}

func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, r *row, files map[int64]FileView) (View, error) {
	v := View{ID: r.ID, Version: r.Version, Number: r.Number, Code: checkCode(r.Digest), State: r.State, CaseID: r.CaseID, CaseNumber: r.CaseNumber, InstitutionName: r.InstitutionName,
		EnterpriseName: r.EnterpriseName, Title: r.Title, Body: r.Body, Days: r.Days, Digest: r.Digest, At: r.At.UTC(), SentAt: r.SentAt, ExpiresAt: r.ExpiresAt, EffectiveAt: r.EffectiveAt,
		EndedAt: r.EndedAt, Reason: r.Reason, VoidSide: r.VoidSide, VoidReason: r.VoidReason, Signing: r.Signing != "", Signatures: []SignatureView{}, Actions: []string{}}
	if actor.Party != access.Enterprise {
		v.By = r.By
	}
	if f, ok := files[r.FileID]; ok {
		v.File = &f
	}
	list, err := signaturesOf(ctx, db, r.ID)
	if err != nil {
		return v, err
	}
	for i := range list {
		g := &list[i]
		v.Signatures = append(v.Signatures, SignatureView{g.Side, g.Name, g.At.UTC(), g.Provider == "", s.fits(ctx, r, g)})
	}
	now := s.Clock.Now()
	may := func(name string, ok bool) {
		if ok && r.Signing == "" {
			v.Actions = append(v.Actions, name)
		}
	}
	drafts := r.drafts(actor) == nil
	may("edit", drafts && r.State == Draft)
	may("send", drafts && r.State == Draft)
	may("withdraw", drafts && (r.State == Draft || r.State.turn() != ""))
	side, err := s.signer(ctx, db, actor, r)
	if k := fault.KindOf(err); err != nil && k != fault.Forbidden && k != fault.NotFound {
		return v, err
	}
	signs := err == nil
	may("sign", signs && r.State.turn() == side && r.ExpiresAt.After(now))
	may("reject", signs && side == Company && r.State == Sent)
	may("void", signs && r.State == Effective && r.VoidSide == "")
	may("answer_void", signs && r.State == Effective && r.VoidSide != "" && r.VoidSide != side)
	return v, nil
}

func signaturesOf(ctx context.Context, db bun.IDB, id int64) ([]signature, error) {
	var list []signature
	err := db.NewSelect().Model(&list).Where("g.contract_id = ?", id).OrderExpr("g.made_at, g.side").Scan(ctx)
	return list, err
}

// fits reports whether a signature is of the contract as it is kept: the content has its digest, the payload names it, and the proof
// is of the payload.
func (s *Service) fits(ctx context.Context, r *row, g *signature) bool {
	var p payload
	return g.Provider != "" && digest([]byte(r.Content)) == r.Digest && json.Unmarshal([]byte(g.Payload), &p) == nil && p.Digest == r.Digest && p.Contract == r.Number && p.Side == g.Side &&
		s.Signer.Verify(ctx, []byte(g.Payload), Signed{g.Provider, g.Proof}) == nil
}

// Get returns one contract as the actor may see it.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	files, err := s.Files.Known(ctx, s.DB.Read(), []int64{r.FileID})
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.DB.Read(), actor, r, files)
}

// Of returns the contracts of a case that the actor may see, newest first, and whether they may draft one. What they may not see is
// not there; a case they may not see is ErrNotFound.
func (s *Service) Of(ctx context.Context, actor access.Actor, object string, id int64) (list []View, drafts bool, err error) {
	if !actor.SignedIn() {
		return nil, false, fault.ErrUnauthorized
	}
	cases, ok := s.Cases[object]
	if !ok {
		return nil, false, ErrNotFound
	}
	db := s.DB.Read()
	c, err := cases.Case(ctx, db, actor, id)
	if err != nil {
		return nil, false, err
	}
	var rows []row
	where, args := visible(actor)
	if err := db.NewSelect().Model(&rows).Where("c.object = ? AND c.object_id = ?", object, id).Where(where, args...).OrderExpr("c.id DESC").Limit(100).Scan(ctx); err != nil {
		return nil, false, err
	}
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.FileID)
	}
	files, err := s.Files.Known(ctx, db, ids)
	if err != nil {
		return nil, false, err
	}
	list = make([]View, 0, len(rows))
	for i := range rows {
		v, err := s.view(ctx, db, actor, &rows[i], files)
		if err != nil {
			return nil, false, err
		}
		list = append(list, v)
	}
	return list, actor.Party == access.Institution && actor.InstitutionID == c.InstitutionID && actor.Can(PermDraft) && c.Open, nil
}

// Package is everything of a contract that is needed to verify it without the platform.
type Package struct {
	Content    string          `json:"content" doc:"The bytes that were digested."`
	Digest     string          `json:"sm3"`
	Signatures []SignedPayload `json:"signatures"`
}

// SignedPayload is a signature with what it is over.
type SignedPayload struct {
	Payload string `json:"payload"`
	Signed
}

// Package returns what verifies a contract that was sent, for its parties.
func (s *Service) Package(ctx context.Context, actor access.Actor, id int64) (string, Package, error) {
	if !actor.SignedIn() {
		return "", Package{}, fault.ErrUnauthorized
	}
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return "", Package{}, err
	}
	if r.Content == "" {
		return "", Package{}, ErrStep
	}
	out := Package{Content: r.Content, Digest: r.Digest, Signatures: []SignedPayload{}}
	list, err := signaturesOf(ctx, s.DB.Read(), id)
	for _, g := range list {
		if g.Provider != "" {
			out.Signatures = append(out.Signatures, SignedPayload{g.Payload, Signed{g.Provider, g.Proof}})
		}
	}
	return r.Number, out, err
}

// Verdict is what everybody learns of a contract they hold.
type Verdict string

// The verdicts.
const (
	IsValid   Verdict = "valid"
	IsPending Verdict = "pending" // intact, and not signed by both
	IsVoid    Verdict = "void"    // intact, and ended
	IsAltered Verdict = "altered" // what is kept, or what was brought, is not what was signed
	IsUnknown Verdict = "unknown"
)

// Checked is a verdict with what is public of the contract: no person but by a masked name.
type Checked struct {
	Verdict     Verdict         `json:"verdict" enum:"valid,pending,void,altered,unknown"`
	Number      string          `json:"number,omitempty"`
	Title       string          `json:"title,omitempty"`
	Institution string          `json:"institution,omitempty"`
	Company     string          `json:"company,omitempty"`
	State       string          `json:"state,omitempty"`
	Signatures  []SignatureView `json:"signatures"`
}

// ErrCheck: number and code do not belong together, or there is no such contract.
var ErrCheck = fault.New(fault.NotFound, "CONTRACT_CHECK", "没有查到此合同，请核对合同编号和校验码")

// Check verifies a contract by number and check code, for everybody.
func (s *Service) Check(ctx context.Context, number, code string) (Checked, error) {
	r := new(row)
	number = strings.ToUpper(strings.TrimSpace(number))
	if number == "" || len(number) > 30 {
		return Checked{}, ErrCheck
	}
	err := s.DB.Read().NewSelect().Model(r).Where("c.number = ? AND c.digest <> ''", number).Limit(1).Scan(ctx)
	if err != nil || !sameCode(r.Digest, code) {
		if err == nil || fault.KindOf(notFound(err)) == fault.NotFound {
			return Checked{}, ErrCheck
		}
		return Checked{}, err
	}
	return s.checked(ctx, r)
}

// CheckFile verifies a file that somebody holds: the content as it was digested, or the PDF of a contract. A file that is of no
// contract is IsUnknown: it was changed, or never was one.
func (s *Service) CheckFile(ctx context.Context, b []byte) (Checked, error) {
	sum := digest(b)
	r := new(row)
	err := notFound(s.DB.Read().NewSelect().Model(r).Where("c.digest = ? OR c.file_digest = ?", sum, sum).OrderExpr("c.id DESC").Limit(1).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return Checked{Verdict: IsUnknown, Signatures: []SignatureView{}}, nil
	}
	if err != nil {
		return Checked{}, err
	}
	return s.checked(ctx, r)
}

func (s *Service) checked(ctx context.Context, r *row) (Checked, error) {
	out := Checked{Verdict: IsPending, Number: r.Number, Title: r.Title, Institution: r.InstitutionName, Company: r.EnterpriseName, State: r.State.Label(), Signatures: []SignatureView{}}
	list, err := signaturesOf(ctx, s.DB.Read(), r.ID)
	if err != nil {
		return out, err
	}
	intact := digest([]byte(r.Content)) == r.Digest
	made := 0
	for i := range list {
		g := &list[i]
		if g.Provider == "" {
			continue
		}
		made++
		fits := s.fits(ctx, r, g)
		intact = intact && fits
		out.Signatures = append(out.Signatures, SignatureView{g.Side, text.MaskName(g.Name), g.At.UTC(), false, fits})
	}
	switch {
	case !intact, r.State == Effective && made != 2:
		out.Verdict = IsAltered
	case r.State == Effective:
		out.Verdict = IsValid
	case r.State.turn() == "":
		out.Verdict = IsVoid
	}
	return out, nil
}
