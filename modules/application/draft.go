package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/text"
)

// Typed is a form as somebody left it: every field as it was typed, right or wrong.
type Typed struct {
	Amount      string      `json:"amount"` // in units of ten thousand yuan
	Term        string      `json:"term"`   // months
	Purpose     string      `json:"purpose"`
	Collateral  string      `json:"collateral"`
	ContactName string      `json:"contactName"`
	Phone       string      `json:"phone"` // empty: that of the account
	Files       []DraftFile `json:"files" nullable:"false"`
	Papers      []int64     `json:"papers" nullable:"false" required:"false" doc:"Licences of the company to be handed in."`
	// Fields are the answers to what administrators ask, by the keys of the fields.
	Fields map[string][]string `json:"fields,omitempty"`
}

// DraftFile is an upload that belongs to its writer until the application is sent.
type DraftFile struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// DraftView is a draft as its writer reads it.
type DraftView struct {
	Typed
	SavedAt time.Time `json:"savedAt"`
}

// DraftItem is a draft in the list of its writer.
type DraftItem struct {
	ProductID       int64     `json:"productId"`
	ProductName     string    `json:"productName"`
	KindName        string    `json:"kindName"`
	InstitutionName string    `json:"institutionName"`
	SavedAt         time.Time `json:"savedAt"`
}

// Form is what the page of an application needs before anything is sent.
type Form struct {
	Product        Offer      `json:"product"`
	Listed         bool       `json:"listed"`   // false: taken down since the draft was written
	Verified       bool       `json:"verified"` // false: the company must be verified before it may apply
	EnterpriseName string     `json:"enterpriseName"`
	ContactName    string     `json:"contactName"`
	Phone          string     `json:"phone"` // of the account, masked
	Draft          *DraftView `json:"draft,omitempty"`
	// Known is what the institution will read of the company, as far as Sharing holds.
	Known   []ProfileFact `json:"known"`
	Sharing *Sharing      `json:"sharing,omitempty"`
	Papers  []Paper       `json:"papers"`
	// Fields are what administrators ask beside the rest.
	Fields     []form.OwnField `json:"fields" nullable:"false"`
	Prefill    Prefill         `json:"prefill"`
	Hint       *Hint           `json:"hint,omitempty" doc:"What is read before filling the form in."`
	OpenID     int64           `json:"openId,omitempty"` // the company's application that has not ended
	OpenNumber string          `json:"openNumber,omitempty"`
}

// applicant checks that the actor acts for a company.
func applicant(actor access.Actor) error {
	switch {
	case !actor.SignedIn():
		return fault.ErrUnauthorized
	case actor.Party != access.Enterprise || actor.UserID == 0:
		return ErrForbidden
	case actor.EnterpriseID == 0:
		return ErrNoEnterprise
	}
	return nil
}

// Form returns what is known before applying for the product: its terms, the actor's company and contact, the draft. It
// returns ErrNotFound for a product that is not listed, unless the actor has a draft of it.
func (s *Service) Form(ctx context.Context, actor access.Actor, productID int64) (Form, error) {
	if err := applicant(actor); err != nil {
		return Form{}, err
	}
	db := s.DB.Read()
	f := Form{Listed: true}
	row, err := findDraft(ctx, db, actor.UserID, actor.EnterpriseID, productID)
	if err == nil {
		typed, err := s.open(row)
		if err != nil {
			return Form{}, err
		}
		f.Draft = &DraftView{Typed: typed, SavedAt: row.SavedAt.UTC()}
	} else if !errors.Is(err, fault.ErrNotFound) {
		return Form{}, err
	}
	if f.Product, err = s.Products.Offer(ctx, db, productID); errors.Is(err, fault.ErrNotFound) && row != nil {
		f.Listed = false
		f.Product = Offer{ID: productID, Name: row.ProductName, KindName: row.KindName, Lends: row.Lends, InstitutionName: row.InstitutionName}
	} else if err != nil {
		return Form{}, err
	}
	if f.Product.Materials == nil {
		f.Product.Materials = []string{}
	}
	company, err := s.Companies.Brief(ctx, db, actor.EnterpriseID)
	if err != nil {
		return Form{}, err
	}
	f.EnterpriseName, f.Verified = company.Name, company.Verified
	contact, err := s.Contacts.Contact(ctx, db, actor.UserID)
	if err != nil {
		return Form{}, err
	}
	f.ContactName, f.Phone = contact.Name, text.MaskPhone(contact.Phone)
	if err := s.addKnown(ctx, db, actor, &f); err != nil {
		return Form{}, err
	}
	asked, err := s.asked(ctx, db, f.Product.Kind, f.Product.FinancingKind, false)
	if err != nil {
		return Form{}, err
	}
	f.Fields = ownFields(asked)
	open, err := openOf(ctx, db, actor.EnterpriseID, productID)
	if err == nil {
		f.OpenID, f.OpenNumber = open.ID, open.Number
	} else if !errors.Is(err, fault.ErrNotFound) {
		return Form{}, err
	}
	return f, nil
}

// Drafts lists what the actor has begun for the company and not sent, latest first.
func (s *Service) Drafts(ctx context.Context, actor access.Actor) ([]DraftItem, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	items := []DraftItem{}
	if applicant(actor) != nil {
		return items, nil
	}
	var rows []draftRow
	err := s.DB.Read().NewSelect().Model(&rows).Where("d.user_id = ? AND d.enterprise_id = ?", actor.UserID, actor.EnterpriseID).
		OrderExpr("d.saved_at DESC").Limit(50).Scan(ctx)
	for _, r := range rows {
		items = append(items, DraftItem{ProductID: r.ProductID, ProductName: r.ProductName, KindName: r.KindName, InstitutionName: r.InstitutionName, SavedAt: r.SavedAt.UTC()})
	}
	return items, err
}

// SaveDraft keeps what the actor has typed for the product, in place of what was kept before: sending it again changes
// nothing. It returns ErrNotFound for a product that is not listed, unless a draft of it exists, and ErrOpen when the company
// has applied meanwhile, so that a late save does not bring a sent draft back.
func (s *Service) SaveDraft(ctx context.Context, actor access.Actor, productID int64, typed Typed) (DraftView, error) {
	if err := applicant(actor); err != nil {
		return DraftView{}, err
	}
	if err := typed.check(); err != nil {
		return DraftView{}, err
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		open, err := openOf(ctx, tx, actor.EnterpriseID, productID)
		if err == nil {
			return ErrOpen.With("贵企业已有一件此产品的申请 %s 正在办理，可在“我的申请”查看进度", open.Number)
		} else if !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		row, err := findDraft(ctx, tx, actor.UserID, actor.EnterpriseID, productID)
		begun := errors.Is(err, fault.ErrNotFound)
		if begun {
			row = &draftRow{UserID: actor.UserID, EnterpriseID: actor.EnterpriseID, ProductID: productID}
		} else if err != nil {
			return err
		}
		offer, err := s.Products.Offer(ctx, tx, productID)
		if err == nil {
			row.ProductName, row.KindName, row.Lends, row.InstitutionName = offer.Name, offer.KindName, offer.Lends, offer.InstitutionName
		} else if begun || !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		row.SavedAt = now
		if row.Sealed, err = s.seal(row, typed); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(row).On("CONFLICT (user_id, enterprise_id, product_id) DO UPDATE").
			Set("product_name = EXCLUDED.product_name, kind_name = EXCLUDED.kind_name, lends = EXCLUDED.lends, institution_name = EXCLUDED.institution_name").
			Set("sealed = EXCLUDED.sealed, saved_at = EXCLUDED.saved_at").Exec(ctx)
		if err != nil || !begun {
			return err // each further save would drown the audit log
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "application.draft", Object: "product", ObjectID: productID, Summary: "开始填写申请草稿"})
	})
	if err != nil {
		return DraftView{}, fmt.Errorf("save draft of product %d: %w", productID, err)
	}
	return DraftView{Typed: typed, SavedAt: now}, nil
}

// DiscardDraft forgets what the actor typed for the product. Without a draft it does nothing.
func (s *Service) DiscardDraft(ctx context.Context, actor access.Actor, productID int64) error {
	if err := applicant(actor); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		gone, err := dropDraft(ctx, tx, actor.UserID, actor.EnterpriseID, productID)
		if err != nil || !gone {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "application.discard", Object: "product", ObjectID: productID, Summary: "删除申请草稿"})
	})
}

// check bounds what a draft may hold; whether it is right is asked when it is sent.
func (t *Typed) check() error {
	for _, f := range []struct {
		name  string
		value string
	}{{"amount", t.Amount}, {"term", t.Term}, {"purpose", t.Purpose}, {"collateral", t.Collateral}, {"contactName", t.ContactName}, {"phone", t.Phone}} {
		if !utf8.ValidString(f.value) {
			return text.ErrBad.On(f.name)
		}
		if n := utf8.RuneCountInString(f.value); n > maxTyped {
			return text.ErrLong.With("草稿每项最多保存 %d 个字，现有 %d 个字，请删减", maxTyped, n).On(f.name)
		}
	}
	if len(t.Files) > maxFiles {
		return fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减", maxFiles))
	}
	for _, f := range t.Files {
		if utf8.RuneCountInString(f.Name) > 255 || !utf8.ValidString(f.Name) {
			return fault.InvalidField("fileIds", "FILE_NAME", "附件名称过长或含有无法识别的字符，请改名后重新上传")
		}
	}
	if len(t.Papers) > maxPapers {
		return fault.InvalidField("paperIds", "TOO_MANY_PAPERS", fmt.Sprintf("最多使用 %d 份证照，请减少后提交", maxPapers))
	}
	if err := checkTyped(t.Fields); err != nil {
		return err
	}
	if t.Papers == nil {
		t.Papers = []int64{}
	}
	if t.Files = slices.Clone(t.Files); t.Files == nil {
		t.Files = []DraftFile{}
	}
	return nil
}

// DraftFiles lists the uploads that the person's drafts name. It is asked by the keeper of files before it throws away what
// was never sent.
func (s *Service) DraftFiles(ctx context.Context, userID int64) ([]int64, error) {
	var rows []draftRow
	if err := s.DB.Read().NewSelect().Model(&rows).Where("d.user_id = ?", userID).Scan(ctx); err != nil {
		return nil, err
	}
	var list []int64
	for _, r := range rows {
		t, err := s.open(&r)
		if err != nil {
			return nil, err
		}
		for _, f := range t.Files {
			list = append(list, f.ID)
		}
	}
	return list, nil
}

func (r *draftRow) place() string {
	return fmt.Sprintf("application.draft:%d:%d:%d", r.UserID, r.EnterpriseID, r.ProductID)
}

// seal locks the whole draft: it may hold a phone, and amounts nobody else should learn before they are sent.
func (s *Service) seal(r *draftRow, t Typed) (string, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return s.Box.Seal(plain, r.place()), nil
}

func (s *Service) open(r *draftRow) (Typed, error) {
	t := Typed{Files: []DraftFile{}, Papers: []int64{}}
	plain, err := s.Box.Open(r.Sealed, r.place())
	if err != nil {
		return t, fmt.Errorf("open draft: %w", err)
	}
	return t, json.Unmarshal(plain, &t)
}
