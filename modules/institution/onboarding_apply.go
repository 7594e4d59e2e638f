package institution

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// most is how many documents an application and how many pictures a document may carry.
const (
	mostDocuments = 20
	mostPictures  = 5
)

// Apply is embedded by every command of an applicant: what stands in the form, and which version of the draft they saw. A
// draft that is not there yet has version 0.
type Apply struct {
	Key     string `json:"-"`
	Version int64
	Form
}

// NewDocument is a licence or permit that an applicant adds.
type NewDocument struct {
	Apply
	Document Licence
	FileIDs  []int64 `json:"-"` // a repeat uploads again and is the same command
}

// RemoveDocument takes one out again.
type RemoveDocument struct {
	Apply
	ID int64
}

// SaveDraft keeps what is typed, right or not. Only the applicant sees a draft. It returns ErrOpen for a second open
// application, ErrApplication for a stale version and ErrSent for one that waits or is decided.
func (s *Service) SaveDraft(ctx context.Context, actor access.Actor, cmd Apply) (ApplicationView, error) {
	return s.apply(ctx, actor, "save", cmd, cmd, "保存机构入驻草稿", nil)
}

// AddDocument keeps what is typed and adds a document with its pictures. Errors as SaveDraft.
func (s *Service) AddDocument(ctx context.Context, actor access.Actor, cmd NewDocument) (ApplicationView, error) {
	var wrong []error
	keep := func(v string, err error) string {
		wrong = append(wrong, err)
		return v
	}
	line := func(field, label, value string, most int) string {
		v, err := text.Line(field, value, 2, most)
		return keep(v, text.Named(err, label))
	}
	d := document{Name: line("docName", "证照名称", cmd.Document.Name, 100), No: line("docNo", "证照编号", cmd.Document.No, 60), To: cmd.Document.To}
	wrong = append(wrong, s.validTo("docTo", d.To))
	switch {
	case len(cmd.FileIDs) == 0:
		wrong = append(wrong, fault.InvalidField("docFiles", "NO_FILE", "请上传证照的照片或扫描件"))
	case len(cmd.FileIDs) > mostPictures:
		wrong = append(wrong, fault.InvalidField("docFiles", "TOO_MANY_FILES", fmt.Sprintf("每份证照最多上传 %d 个文件，请删减后添加", mostPictures)))
	}
	if err := fault.Merge(wrong...); err != nil {
		return ApplicationView{}, err
	}
	return s.apply(ctx, actor, "document", cmd.Apply, cmd, "添加入驻证照", func(ctx context.Context, tx bun.Tx, a *Application) error {
		have, err := documents(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if len(have) >= mostDocuments {
			return fault.InvalidField("docName", "TOO_MANY_DOCUMENTS", fmt.Sprintf("最多添加 %d 份证照", mostDocuments))
		}
		row := d
		row.ApplicationID, row.AddedAt = a.ID, s.Clock.Now()
		if err := database.Insert(ctx, tx, &row); err != nil {
			return err
		}
		for _, id := range cmd.FileIDs {
			if err := s.Files.Claim(ctx, tx, actor, id, ObjectDocument, row.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveDocument keeps what is typed and takes a document out. Rounds that were sent with it still show it.
func (s *Service) RemoveDocument(ctx context.Context, actor access.Actor, cmd RemoveDocument) (ApplicationView, error) {
	return s.apply(ctx, actor, "document_remove", cmd.Apply, cmd, "移除入驻证照", func(ctx context.Context, tx bun.Tx, a *Application) error {
		err := database.Changed(tx.NewUpdate().Model((*document)(nil)).Set("removed_at = ?", s.Clock.Now()).
			Where("id = ? AND application_id = ? AND removed_at IS NULL", cmd.ID, a.ID).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrNotFound
		}
		return err
	})
}

// validTo checks the last day of a document: a day from today on, or none.
func (s *Service) validTo(field, to string) error {
	if to == "" {
		return nil
	}
	if _, err := text.Day(field, to, clock.Beijing); err != nil {
		return fault.InvalidField(field, "BAD_DATE", "有效期应为日期，例如 2027-06-30；长期有效的不填")
	}
	if to < s.today() {
		return fault.InvalidField(field, "EXPIRED", "该证照已过有效期，请更换有效证照")
	}
	return nil
}

func (s *Service) today() string { return s.Clock.Now().In(clock.Beijing).Format("2006-01-02") }

// Submit sends the application to the reviewers. What is wrong is one fault with a field for each input. It returns
// ErrRegistered for the code of an institution that is here, ErrCodeOpen for one whose application waits, and otherwise
// what SaveDraft returns.
func (s *Service) Submit(ctx context.Context, actor access.Actor, cmd Apply) (ApplicationView, error) {
	d, wrong := Details{Name: cmd.Name, Kind: cmd.Kind, CreditCode: cmd.CreditCode, LegalPerson: cmd.LegalPerson, Phone: cmd.Phone, Address: cmd.Address,
		Summary: cmd.Summary}.clean(s.DemoCodes)
	errs := []error{wrong}
	offers, err := text.Block("offers", cmd.Offers, 10, 1000)
	errs = append(errs, text.Named(err, "服务内容"))
	contact, err := text.Line("contactName", cmd.ContactName, 1, 30)
	errs = append(errs, text.Named(err, "联系人"))
	number, err := phone.Normalize(cmd.ContactPhone)
	errs = append(errs, onField(err, "contactPhone"))
	form := cmd.rough()
	if form.Account == "" {
		errs = append(errs, fault.InvalidField("account", "BAD_ACCOUNT", "请填写管理员账号，入驻通过后用它登录管理后台"))
	} else if actor.SignedIn() {
		errs = append(errs, s.Accounts.MayAdminister(ctx, s.DB.Read(), actor.UserID, form.Account))
	}
	if err := fault.Merge(errs...); err != nil {
		return ApplicationView{}, err
	}
	v, err := s.apply(ctx, actor, "submit", cmd, cmd, "提交机构入驻申请", func(ctx context.Context, tx bun.Tx, a *Application) error {
		now := s.Clock.Now()
		papers, err := documents(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if len(papers) == 0 {
			return ErrNoDocument
		}
		for _, p := range papers {
			if p.To != "" && p.To < s.today() {
				return fault.InvalidField("documents", "EXPIRED", "“"+p.Name+"”已过有效期，请移除后添加有效的证照")
			}
		}
		if known, err := tx.NewSelect().Model((*Institution)(nil)).Where("i.credit_code = ?", d.CreditCode).Exists(ctx); err != nil {
			return err
		} else if known {
			return ErrRegistered
		}
		due, err := s.Desk.ReviewDue(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("time limit of the review: %w", err)
		}
		if err := a.submit(d, offers, contact, form.Account, now, due); err != nil {
			return err
		}
		a.ContactSealed = s.Box.Seal([]byte(number), contactPlace(a.ID))
		sent := snapshot{Form: a.form(), Contact: text.MaskPhone(number)}
		for _, p := range papers {
			files, err := s.Files.Of(ctx, tx, ObjectDocument, p.ID)
			if err != nil {
				return err
			}
			sent.Papers = append(sent.Papers, paper{ID: p.ID, Licence: Licence{Name: p.Name, No: p.No, To: p.To}, Files: len(files)})
		}
		r := round{ApplicationID: a.ID, Round: a.Round, Sent: sent, SubmittedAt: now, DueAt: due, Outcome: Waiting}
		if _, err := tx.NewInsert().Model(&r).Exec(ctx); database.IsDuplicate(err) {
			return ErrApplication.Wrap(err) // sent twice at once
		} else if err != nil {
			return err
		}
		_, err = event.Append(ctx, tx, actor, now, OnboardingSubmitted{a.head(), due})
		return err
	})
	return v, err
}

// WithdrawApplication takes a sent application back.
type WithdrawApplication struct{ Ref }

// Withdraw takes the person's application back from the reviewers as long as it is not decided; it is a draft again, and its
// rounds stay. It returns ErrDecided for one that does not wait, and ErrApplication when a reviewer was first.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd WithdrawApplication) (ApplicationView, error) {
	if !actor.SignedIn() {
		return ApplicationView{}, fault.ErrUnauthorized
	}
	if actor.Party != access.Enterprise || actor.UserID == 0 {
		return ApplicationView{}, ErrForbidden
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.apply_withdraw", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			a, err := findApplication(ctx, tx, actor, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			r := new(round)
			if err := database.Found(tx.NewSelect().Model(r).Where("r.application_id = ? AND r.round = ?", a.ID, a.Round).Scan(ctx)); errors.Is(err, fault.ErrNotFound) {
				return outcome{}, ErrDecided.With("该申请尚未提交，无需撤回")
			} else if err != nil {
				return outcome{}, err
			}
			if err := a.withdraw(); err != nil {
				return outcome{}, err
			}
			if a.Version != cmd.Version {
				return outcome{}, ErrApplication
			}
			r.Outcome, r.DecidedAt = Withdrawn, &now
			if err := r.save(ctx, tx); err != nil {
				return outcome{}, err
			}
			if err := saveApplication(ctx, tx, a, cmd.Version, now); err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, OnboardingWithdrawn{a.head()}); err != nil {
				return outcome{}, err
			}
			return outcome{a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.apply_withdraw", Object: ObjectApplication, ObjectID: a.ID,
				Summary: "撤回机构入驻申请 " + a.Name, Detail: map[string]any{"round": a.Round}})
		})
		return err
	})
	if err != nil {
		return ApplicationView{}, fmt.Errorf("withdraw application %d: %w", cmd.ID, err)
	}
	return s.Application(ctx, actor, cmd.ID)
}

// onField moves a fault about one input to the field under which the form has it.
func onField(err error, field string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	at := *f
	at.Fields = nil
	return at.On(field)
}

func (a *Application) form() Form {
	return Form{Name: a.Name, Kind: a.Kind, CreditCode: a.CreditCode, LegalPerson: a.LegalPerson, Phone: a.Phone, Address: a.Address, Summary: a.Summary,
		Offers: a.Offers, ContactName: a.ContactName, Account: a.Account}
}

// fill takes over what a draft holds.
func (a *Application) fill(f Form) {
	a.Name, a.Kind, a.CreditCode, a.LegalPerson, a.Phone, a.Address, a.Summary = f.Name, f.Kind, f.CreditCode, f.LegalPerson, f.Phone, f.Address, f.Summary
	a.Offers, a.ContactName, a.Account = f.Offers, f.ContactName, f.Account
}

// apply is the frame of every command of an applicant: person, key, draft, version, step, audit, in one transaction.
func (s *Service) apply(ctx context.Context, actor access.Actor, action string, cmd Apply, request any, summary string,
	step func(ctx context.Context, tx bun.Tx, a *Application) error,
) (ApplicationView, error) {
	if !actor.SignedIn() {
		return ApplicationView{}, fault.ErrUnauthorized
	}
	if actor.Party != access.Enterprise || actor.UserID == 0 {
		return ApplicationView{}, ErrForbidden
	}
	now := s.Clock.Now()
	form := cmd.rough()
	var done outcome
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		// The phone is in no request that is kept: of it only a keyed hash counts.
		asked := []any{request, s.Box.Blind("phone", form.ContactPhone)}
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.apply_" + action, Key: cmd.Key, Request: asked, Now: now}, func() (outcome, error) {
			a, err := s.draft(ctx, tx, actor, cmd.Version)
			if err != nil {
				return outcome{}, err
			}
			read := a.Version
			a.fill(form)
			a.ContactSealed = s.Box.Seal([]byte(form.ContactPhone), contactPlace(a.ID))
			if step != nil {
				if err := step(ctx, tx, a); err != nil {
					return outcome{}, err
				}
			}
			if err := saveApplication(ctx, tx, a, read, now); err != nil {
				return outcome{}, err
			}
			return outcome{a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.apply_" + action, Object: ObjectApplication, ObjectID: a.ID,
				Summary: summary + " " + a.Name, Detail: map[string]any{"round": a.Round}})
		})
		return err
	})
	if err != nil {
		return ApplicationView{}, fmt.Errorf("%s application of user %d: %w", action, actor.UserID, err)
	}
	return s.Application(ctx, actor, done.ID)
}

// draft reads the person's open application, or makes it for version 0.
func (s *Service) draft(ctx context.Context, tx bun.Tx, actor access.Actor, version int64) (*Application, error) {
	a := new(Application)
	q := tx.NewSelect().Model(a).Where("a.user_id = ? AND a.state IN (?, ?, ?, ?)", actor.UserID, Draft, Waiting, Checked, Returned)
	err := database.Found(q.Scan(ctx))
	now := s.Clock.Now()
	switch {
	case err == nil && a.underReview():
		return nil, ErrSent
	case err == nil && version == 0:
		return nil, ErrOpen
	case err == nil && a.Version != version:
		return nil, ErrApplication
	case err == nil:
		return a, nil
	case !errors.Is(err, fault.ErrNotFound):
		return nil, err
	case version != 0:
		return nil, ErrSent
	}
	a = &Application{UserID: actor.UserID, UserName: actor.Name, State: Draft, Version: 1, CreatedAt: now, UpdatedAt: now}
	if _, err := tx.NewInsert().Model(a).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return nil, ErrOpen.Wrap(err)
	} else if err != nil {
		return nil, err
	}
	return a, nil
}

// saveApplication writes what a command may change, if the application is still at the version that was read.
func saveApplication(ctx context.Context, tx bun.Tx, a *Application, read int64, now any) error {
	a.Version = read + 1
	err := database.Changed(tx.NewUpdate().Model(a).ExcludeColumn("id", "user_id", "created_at", "updated_at").Set("updated_at = ?", now).
		Where("id = ? AND version = ?", a.ID, read).Exec(ctx))
	switch {
	case errors.Is(err, fault.ErrChanged):
		return ErrApplication
	case database.IsDuplicate(err):
		return ErrCodeOpen.Wrap(err)
	}
	return err
}

// documents are those an application has now, in the order they were added.
func documents(ctx context.Context, db bun.IDB, id int64) ([]document, error) {
	var rows []document
	err := db.NewSelect().Model(&rows).Where("p.application_id = ? AND p.removed_at IS NULL", id).OrderExpr("p.id").Scan(ctx)
	return rows, err
}

// SeesDocument returns nil when the actor may read the pictures of a document, ErrNotFound when they may not.
func (s *Service) SeesDocument(ctx context.Context, actor access.Actor, id int64) error {
	d := new(document)
	if err := database.Found(s.DB.Read().NewSelect().Model(d).Where("p.id = ?", id).Scan(ctx)); err != nil {
		return err
	}
	_, err := findApplication(ctx, s.DB.Read(), actor, d.ApplicationID)
	return err
}

// findApplication reads an application the actor may see: their own, and for staff with institution.view those that were
// sent.
func findApplication(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Application, error) {
	a := new(Application)
	return a, database.Found(visibleApplications(db.NewSelect().Model(a), actor).Where("a.id = ?", id).Scan(ctx))
}

// cursorOf reads where a page goes on.
func cursorOf(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	at, err := strconv.ParseInt(s, 10, 64)
	if err != nil || at <= 0 {
		return 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return at, nil
}
