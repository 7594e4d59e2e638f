package application

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Submit asks for a product on behalf of the actor's company. An empty ContactName or Phone takes that of the account.
type Submit struct {
	Key         string `json:"-"`
	ProductID   int64
	Amount      int64 // fen; financing only
	Term        int   // months; financing only
	Purpose     string
	Collateral  string // financing only
	ContactName string
	Phone       string
	Source      Source
	FileIDs     []int64
	PaperIDs    []int64 `json:",omitempty"` // licences of the company to be handed in
	// Fields are the answers to what administrators ask, by the keys of the fields.
	Fields map[string][]string `json:",omitempty"`

	unseen bool // nobody saw the form: what is required is not demanded
}

// unread stands for a number that was typed and is none.
const unread = -1

// command reads the form as it was typed. What is no number becomes unread, which Submit refuses in words.
func (t Typed) command() Submit {
	cmd := Submit{Purpose: t.Purpose, Collateral: t.Collateral, ContactName: t.ContactName, Phone: t.Phone, PaperIDs: t.Papers, Fields: t.Fields}
	if strings.TrimSpace(t.Amount) != "" {
		fen, ok := parseWan(t.Amount)
		if cmd.Amount = fen; !ok {
			cmd.Amount = unread
		}
	}
	if term := strings.TrimSuffix(strings.TrimSpace(t.Term), "个月"); term != "" {
		n, err := strconv.Atoi(strings.TrimSpace(term))
		if cmd.Term = n; err != nil || n < 0 {
			cmd.Term = unread
		}
	}
	for _, f := range t.Files {
		cmd.FileIDs = append(cmd.FileIDs, f.ID)
	}
	return cmd
}

// Submit makes the application, drops the draft of it and returns it. It refuses a company that is not verified
// (ErrUnverified), a product that is not listed (ErrUnlisted), a second open application for the product (ErrOpen), and
// wrong inputs with a message for each field; the draft is then kept as it is.
func (s *Service) Submit(ctx context.Context, actor access.Actor, cmd Submit) (View, error) {
	if err := applicant(actor); err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	var done outcome
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "application.submit", Key: cmd.Key, Request: s.fingerprint(actor, cmd), Now: now,
		}, func() (outcome, error) {
			id, err := s.submit(ctx, tx, actor, cmd, now)
			return outcome{ID: id}, err
		})
		return err
	})
	if errors.Is(err, ErrOpen) {
		err = s.sayOpen(ctx, actor, cmd.ProductID, err)
	}
	if err != nil {
		return View{}, fmt.Errorf("submit application: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// SubmitIn is Submit in the transaction of another module, whose own record makes a repeat harmless: what it makes is there exactly if
// what led to it is. The draft for the product goes as with Submit. Nobody saw the form: fields that administrators require may be
// left out.
func (s *Service) SubmitIn(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Submit) (Case, error) {
	if err := applicant(actor); err != nil {
		return Case{}, err
	}
	cmd.unseen = true
	id, err := s.submit(ctx, tx, actor, cmd, s.Clock.Now())
	if err != nil {
		return Case{}, fmt.Errorf("submit application: %w", err)
	}
	return s.Case(ctx, tx, actor, id)
}

func (s *Service) submit(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Submit, now time.Time) (int64, error) {
	a, phone, err := s.prepare(ctx, tx, actor, cmd)
	if err != nil {
		return 0, err
	}
	h, err := s.hours(ctx, tx)
	if err != nil {
		return 0, err
	}
	if err := a.Submit(now, h); err != nil {
		return 0, err
	}
	if a.Number, err = number(ctx, tx, now); err != nil {
		return 0, err
	}
	a.Version = 1
	a.PhoneSealed = s.Box.Seal([]byte(phone), phonePlace(a.Number))
	s.index(a, phone)
	if _, err := tx.NewInsert().Model(a).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return 0, ErrOpen.Wrap(err)
	} else if err != nil {
		return 0, fmt.Errorf("insert application: %w", err)
	}
	if err := keepAnswers(ctx, tx, a, actor.Name, now); err != nil {
		return 0, err
	}
	if err := fullText.Put(ctx, tx, a.doc()); err != nil {
		return 0, err
	}
	kept, err := event.Append(ctx, tx, actor, now, submitted(a))
	if err != nil {
		return 0, err
	}
	if err := s.claim(ctx, tx, actor, a.ID, kept.Seq, string(ToSubmit), cmd.FileIDs); err != nil {
		return 0, err
	}
	if err := s.handIn(ctx, tx, actor, a.ID, cmd.PaperIDs); err != nil {
		return 0, err
	}
	if s.Arrivals != nil {
		if err := s.Arrivals.Applied(ctx, tx, actor, a.ID, a.EnterpriseID); err != nil {
			return 0, err
		}
	}
	if _, err := dropDraft(ctx, tx, actor.UserID, actor.EnterpriseID, cmd.ProductID); err != nil {
		return 0, err
	}
	return a.ID, audit.Write(ctx, tx, actor, now, submitRecord(a))
}

// sayOpen names the application that stands in the way.
func (s *Service) sayOpen(ctx context.Context, actor access.Actor, productID int64, cause error) error {
	open, err := openOf(ctx, s.DB.Read(), actor.EnterpriseID, productID)
	if err != nil {
		return cause
	}
	return ErrOpen.With("贵企业已有一件此产品的申请 %s（%s），无需重复提交，可在“我的申请”查看进度", open.Number, open.Status.Label()).Wrap(cause)
}

// prepare asks everybody who has a word in it and checks what was typed.
func (s *Service) prepare(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Submit) (*Application, string, error) {
	company, err := s.Companies.Brief(ctx, tx, actor.EnterpriseID)
	if err != nil {
		return nil, "", err
	}
	if !company.Verified {
		return nil, "", ErrUnverified
	}
	offer, err := s.Products.Offer(ctx, tx, cmd.ProductID)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, "", s.unlisted(ctx, tx, actor, cmd.ProductID, err)
	} else if err != nil {
		return nil, "", err
	}
	if _, err := openOf(ctx, tx, actor.EnterpriseID, cmd.ProductID); err == nil {
		return nil, "", ErrOpen
	} else if !errors.Is(err, fault.ErrNotFound) {
		return nil, "", err
	}
	a := unsent(actor, cmd, offer, company.Name)
	asked, err := s.asked(ctx, tx, offer.Kind, offer.FinancingKind, false)
	if err != nil {
		return nil, "", err
	}
	phone, wrong := a.fill(cmd, offer)
	a.answers, err = answered(asked, cmd.Fields, !cmd.unseen)
	if err := fault.Merge(wrong, err); err != nil {
		return nil, "", err
	}
	if a.ContactName == "" || phone == "" {
		c, err := s.Contacts.Contact(ctx, tx, actor.UserID)
		if err != nil {
			return nil, "", err
		}
		if a.ContactName == "" {
			a.ContactName = c.Name
		}
		if phone == "" {
			if phone, err = telephone(c.Phone); err != nil {
				return nil, "", err
			}
		}
	}
	return a, phone, nil
}

// unsent is the application before anything typed is in it.
func unsent(actor access.Actor, cmd Submit, offer Offer, company string) *Application {
	return &Application{
		Status: Unsent, Source: cmd.Source, ProductID: offer.ID, ProductName: offer.Name, Edition: offer.Edition, Kind: offer.Kind, KindName: offer.KindName, FinancingKind: offer.FinancingKind, Lends: offer.Lends,
		InstitutionID: offer.InstitutionID, InstitutionName: offer.InstitutionName, Materials: strings.Join(offer.Materials, "\n"), PromisedDays: offer.Days,
		EnterpriseID: actor.EnterpriseID, EnterpriseName: company, UserID: actor.UserID,
	}
}

// unlisted says whether what was typed is kept. A product that never was listed is told the same way as one taken down.
func (s *Service) unlisted(ctx context.Context, tx bun.Tx, actor access.Actor, productID int64, cause error) error {
	_, err := findDraft(ctx, tx, actor.UserID, actor.EnterpriseID, productID)
	if errors.Is(err, fault.ErrNotFound) {
		return ErrUnlisted.With("该产品已下架，暂时不能申请，请选择其他产品").Wrap(cause)
	} else if err != nil {
		return err
	}
	return ErrUnlisted.Wrap(cause)
}

// fill checks each field against the product's terms and returns the phone, "" when none was typed.
func (a *Application) fill(cmd Submit, offer Offer) (string, error) {
	var errs []error
	keep := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	if a.Source != FromH5 && a.Source != FromPortal {
		keep(fault.InvalidField("source", "APPLICATION_SOURCE", "请从企业端页面提交申请"))
	}
	label := "需求说明"
	if offer.Lends {
		label = "资金用途"
		a.Amount, a.Term = cmd.Amount, cmd.Term
		keep(amountWithin(a.Amount, offer))
		keep(termWithin(a.Term, offer))
		a.Collateral, err = block("collateral", "担保或抵押情况", cmd.Collateral, maxCollateral, false)
		keep(err)
	}
	a.Purpose, err = block("purpose", label, cmd.Purpose, maxPurpose, true)
	keep(err)
	a.ContactName, err = line("contactName", "联系人", cmd.ContactName, maxName, false)
	keep(err)
	phone := ""
	if strings.TrimSpace(cmd.Phone) != "" {
		phone, err = telephone(cmd.Phone)
		keep(err)
	}
	return phone, fault.Merge(errs...)
}

func amountWithin(fen int64, o Offer) error {
	wrong := func(format string, args ...any) error {
		return fault.InvalidField("amount", "AMOUNT_RANGE", fmt.Sprintf(format, args...))
	}
	most := o.AmountMax
	if most <= 0 {
		most = maxAmount
	}
	switch {
	case fen == unread:
		return wrong("申请金额应为数字，例如 50 或 12.5，单位为万元")
	case fen <= 0:
		return wrong("请填写申请金额")
	case o.AmountMin > 0 && fen < o.AmountMin:
		return wrong("本产品最低申请 %s，您填写的是 %s", page.Money(o.AmountMin), page.Money(fen))
	case fen > most:
		return wrong("本产品最高申请 %s，您填写的是 %s", page.Money(most), page.Money(fen))
	case fen%100 != 0:
		return wrong("申请金额最多 4 位小数，精确到元，请修改")
	}
	return nil
}

func termWithin(months int, o Offer) error {
	wrong := func(format string, args ...any) error {
		return fault.InvalidField("term", "TERM_RANGE", fmt.Sprintf(format, args...))
	}
	most := o.TermMax
	if most <= 0 {
		most = maxTerm
	}
	switch {
	case months == unread:
		return wrong("申请期限应为整数，例如 12，单位为个月")
	case months <= 0:
		return wrong("请填写申请期限")
	case months < o.TermMin || months > most:
		return wrong("本产品期限为 %d 至 %d 个月，您填写的是 %d 个月", max(o.TermMin, 1), most, months)
	}
	return nil
}

// sent is what must be equal when the key comes again.
type sent struct {
	Submit
	EnterpriseID int64
}

// fingerprint puts the phone in as its keyed hash. Files stay out: a form without scripts sends them anew with each click.
func (s *Service) fingerprint(actor access.Actor, cmd Submit) sent {
	cmd.Phone = s.Box.Blind("phone", cmd.Phone)
	cmd.FileIDs = nil
	return sent{cmd, actor.EnterpriseID}
}
