package offline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// Record is a service that was given.
type Record struct {
	CreditCode    string  `json:"creditCode"`
	InstitutionID int64   `json:"institutionId,omitempty" doc:"For operators, when there is no product; an institution records its own."`
	ProductID     int64   `json:"productId,omitempty"`
	Service       string  `json:"service,omitempty" doc:"What it was, when it is no listed product."`
	Day           string  `json:"day" doc:"2006-01-02, Beijing."`
	Place         string  `json:"place"`
	Persons       string  `json:"persons" doc:"Who served and who was there."`
	Content       string  `json:"content"`
	Phone         string  `json:"phone,omitempty" doc:"Mobile; used only for a company whose owner has no account."`
	FileIDs       []int64 `json:"fileIds,omitempty" maxItems:"9"`
	Sure          bool    `json:"sure,omitempty" doc:"It is no duplicate of one some days before or after."`
	Key           string  `json:"-"`
}

func (c *Record) check(now time.Time) error {
	var errs []error
	line := func(field, label string, s *string, least, most int) {
		tidy, err := text.Line(field, *s, least, most)
		if err != nil {
			errs = append(errs, text.Named(err, label))
		}
		*s = tidy
	}
	c.CreditCode = strings.ToUpper(strings.TrimSpace(c.CreditCode))
	if len(c.CreditCode) != 18 {
		errs = append(errs, fault.InvalidField("creditCode", "OFFLINE_CODE", "请填写 18 位统一社会信用代码"))
	}
	if c.ProductID == 0 {
		line("service", "服务名称", &c.Service, 2, 50)
	}
	line("place", "服务地点", &c.Place, 2, 100)
	line("persons", "参加人员", &c.Persons, 2, 100)
	var err error
	if c.Content, err = text.Block("content", c.Content, 5, 1000); err != nil {
		errs = append(errs, text.Named(err, "服务内容"))
	}
	day, err := text.Day("day", c.Day, clock.Beijing)
	switch {
	case err != nil:
		errs = append(errs, err)
	case day.After(now):
		errs = append(errs, fault.InvalidField("day", "OFFLINE_DAY", "服务日期不能晚于今天"))
	case now.Sub(day) > oldestDay*24*time.Hour:
		errs = append(errs, fault.InvalidField("day", "OFFLINE_DAY", fmt.Sprintf("只登记 %d 天内的服务", oldestDay)))
	}
	if c.Phone != "" {
		n, err := phone.Contact(c.Phone)
		if f, ok := fault.As(err); ok {
			errs = append(errs, fault.InvalidField("phone", f.Code, f.Message))
		} else if len(n) != 11 || n[0] != '1' {
			errs = append(errs, fault.InvalidField("phone", "OFFLINE_PHONE", "请填写手机号码，确认短信发到此号"))
		}
		c.Phone = n
	}
	if len(c.FileIDs) > maxFiles {
		errs = append(errs, fault.InvalidField("fileIds", "OFFLINE_FILES", fmt.Sprintf("最多上传 %d 个附件", maxFiles)))
	}
	return fault.Merge(errs...)
}

// Record keeps a service and asks the company to confirm it. It takes offline.record; an institution records its own services. It
// returns ErrTwice for one that is there, ErrNear for one that looks like it, and the faults of the fields.
func (s *Service) Record(ctx context.Context, actor access.Actor, cmd Record) (View, error) {
	if err := actor.Need(PermRecord); err != nil {
		return View{}, err
	}
	platform := actor.Party == access.Platform && actor.Scope == access.ScopeDistrict
	if !platform && (actor.Party != access.Institution || actor.InstitutionID == 0) {
		return View{}, ErrForbidden
	}
	now := s.Clock.Now()
	if err := cmd.check(now); err != nil {
		return View{}, err
	}
	request := cmd
	request.FileIDs = nil // tied already when the same command comes again
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "offline.record", Key: cmd.Key, Request: request, Now: now}, func() (int64, error) {
			return s.record(ctx, tx, actor, cmd, platform, now)
		})
		return err
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, id)
}

func (s *Service) record(ctx context.Context, tx bun.Tx, actor access.Actor, cmd Record, platform bool, now time.Time) (int64, error) {
	company, err := s.Companies.ByCode(ctx, tx, cmd.CreditCode)
	if errors.Is(err, fault.ErrNotFound) {
		return 0, ErrNoCompany.On("creditCode")
	}
	if err != nil {
		return 0, err
	}
	r := row{State: Waiting, InstitutionID: cmd.InstitutionID, ProductName: cmd.Service, EnterpriseID: company.ID, EnterpriseName: company.Name, Day: cmd.Day, Place: cmd.Place,
		Persons: cmd.Persons, Content: cmd.Content, ByID: actor.UserID, By: actor.Name, ByPlatform: platform, At: now}
	if !platform {
		r.InstitutionID = actor.InstitutionID
	}
	if cmd.ProductID != 0 {
		p, err := s.Offers.Product(ctx, tx, cmd.ProductID)
		if errors.Is(err, fault.ErrNotFound) || err == nil && r.InstitutionID != 0 && p.InstitutionID != r.InstitutionID {
			return 0, fault.InvalidField("productId", "OFFLINE_PRODUCT", "没有找到此产品，或不是该机构的产品")
		}
		if err != nil {
			return 0, err
		}
		r.ProductID, r.ProductName, r.InstitutionID = p.ID, p.Name, p.InstitutionID
	}
	if r.InstitutionName, err = s.Offers.InstitutionName(ctx, tx, r.InstitutionID); errors.Is(err, fault.ErrNotFound) {
		return 0, fault.InvalidField("institutionId", "OFFLINE_INSTITUTION", "请选择服务机构")
	} else if err != nil {
		return 0, err
	}
	if company.Phone == "" && cmd.Phone == "" {
		return 0, fault.InvalidField("phone", "OFFLINE_PHONE", "该企业还没有平台账号，请填写企业联系人的手机号码，确认短信发到此号")
	}
	if err := s.unlikeOthers(ctx, tx, &r, cmd.Sure); err != nil {
		return 0, err
	}
	day := now.In(clock.Beijing).Format("20060102")
	n, err := database.NextOfDay(ctx, tx, "offline_numbers", day)
	if err != nil {
		return 0, err
	}
	r.Number = fmt.Sprintf("XX%s-%06d", day, n)
	r.PhoneSealed = s.Box.Seal([]byte(cmd.Phone), phonePlace(r.Number))
	if err := database.Insert(ctx, tx, &r); database.IsDuplicate(err) {
		return 0, ErrTwice
	} else if err != nil {
		return 0, err
	}
	if len(cmd.FileIDs) > 0 {
		if err := s.Evidence.Lay(ctx, tx, actor, r.ID, cmd.FileIDs); err != nil {
			return 0, err
		}
	}
	if err := s.ask(ctx, tx, &r, company.Phone, now); err != nil {
		return 0, err
	}
	if _, err := event.Append(ctx, tx, actor, now, r.fact()); err != nil {
		return 0, err
	}
	return r.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "offline.record", Object: Object, ObjectID: r.ID, Summary: "登记线下服务 " + r.Number,
		Detail: map[string]any{"enterprise": r.EnterpriseID, "institution": r.InstitutionID, "product": r.ProductID, "day": r.Day}})
}

// unlikeOthers looks for the same service, and for one of the institution for the company some days before or after.
func (s *Service) unlikeOthers(ctx context.Context, tx bun.Tx, r *row, sure bool) error {
	day, err := time.Parse(time.DateOnly, r.Day)
	if err != nil {
		return err
	}
	var near []row
	err = tx.NewSelect().Model(&near).Where("o.enterprise_id = ? AND o.institution_id = ? AND o.state IN ('waiting', 'confirmed') AND o.day >= ? AND o.day <= ?", r.EnterpriseID, r.InstitutionID,
		day.AddDate(0, 0, -nearDays).Format(time.DateOnly), day.AddDate(0, 0, nearDays).Format(time.DateOnly)).OrderExpr("o.id").Limit(20).Scan(ctx)
	if err != nil {
		return err
	}
	for _, o := range near {
		if o.Day == r.Day && o.ProductID == r.ProductID {
			return ErrTwice.With("同一企业、产品、机构、日期的服务已登记（%s，%s），不重复计数", o.Number, o.State.Label())
		}
	}
	if len(near) > 0 && !sure {
		return ErrNear.With("前后 %d 天内已登记过该企业的服务（%s，%s，%s），确认不是重复后再登记", nearDays, near[0].Number, near[0].Day, near[0].ProductName).On("sure")
	}
	return nil
}

// ask sends the link to the owner's phone, or to the one that was typed where there is no owner.
func (s *Service) ask(ctx context.Context, tx bun.Tx, r *row, owner string, now time.Time) error {
	to := owner
	if to == "" {
		typed, err := s.Box.Open(r.PhoneSealed, phonePlace(r.Number))
		if err != nil {
			return err
		}
		to = string(typed)
	}
	if s.Texts == nil || to == "" {
		return nil
	}
	token, err := s.Links.Make(ctx, tx, linkPurpose, Object, r.ID, LinkDays)
	if err != nil {
		return err
	}
	if _, err := database.Run(ctx, tx, "UPDATE offline_services SET sent = sent + 1, sent_at = ? WHERE id = ?", now, r.ID); err != nil {
		return err
	}
	return s.Texts.Ask(ctx, tx, to, r.InstitutionName, token)
}

// recorder reports whether the actor recorded the service, or does so for the same institution or the platform.
func recorder(a access.Actor, r *row) bool {
	return a.Can(PermRecord) && (a.Party == access.Platform && wide(a) || a.Party == access.Institution && a.InstitutionID == r.InstitutionID && !r.ByPlatform)
}

// Again sends the link once more, once a day and three times in all; the link before does not work any more.
func (s *Service) Again(ctx context.Context, actor access.Actor, id int64) (View, error) {
	return s.step(ctx, actor, id, "again", "重发确认短信", func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if !recorder(actor, r) {
			return ErrForbidden
		}
		if r.Sent >= maxSent || r.SentAt != nil && now.Sub(*r.SentAt) < 24*time.Hour {
			return ErrOften
		}
		company, err := s.Companies.Owner(ctx, tx, r.EnterpriseID)
		if err != nil {
			return err
		}
		return s.ask(ctx, tx, r, company.Phone, now)
	})
}

// Cancel takes a record back that the company has not settled.
func (s *Service) Cancel(ctx context.Context, actor access.Actor, id int64, why string) (View, error) {
	reason, err := text.Line("reason", why, 2, 200)
	if err != nil {
		return View{}, text.Named(err, "撤销原因")
	}
	return s.step(ctx, actor, id, "cancel", "撤销线下服务登记", func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if !recorder(actor, r) {
			return ErrForbidden
		}
		if err := s.Links.End(ctx, tx, linkPurpose, Object, r.ID); err != nil {
			return err
		}
		return settle(ctx, tx, r, Cancelled, "", reason, now)
	})
}

// step is the frame of a command on a record that waits.
func (s *Service) step(ctx context.Context, actor access.Actor, id int64, action, summary string, fn func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r, err := find(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		if r.State != Waiting {
			return ErrStep
		}
		if err := fn(ctx, tx, r, now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "offline." + action, Object: Object, ObjectID: r.ID, Summary: summary + " " + r.Number})
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, id)
}

func settle(ctx context.Context, tx bun.Tx, r *row, to State, how, words string, now time.Time) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE offline_services SET state = ?, settled_at = ?, settled_how = ?, words = ? WHERE id = ? AND state = ?", to, now, how, words, r.ID, Waiting))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStep
	}
	r.State = to
	return err
}

// Answer is the company's word: it was served so, or it was not.
type Answer struct {
	Yes   bool   `json:"yes"`
	Words string `json:"words,omitempty" doc:"Needed when it was not."`
}

func (a *Answer) check() error {
	least := 0
	if !a.Yes {
		least = 2
	}
	words, err := text.Line("words", a.Words, least, 200)
	a.Words = words
	return text.Named(err, "情况说明")
}

func (s *Service) answered(ctx context.Context, tx bun.Tx, actor access.Actor, r *row, a Answer, how string, now time.Time) error {
	to := Denied
	if a.Yes {
		to = Confirmed
	}
	if err := settle(ctx, tx, r, to, how, a.Words, now); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, Settled{r.fact(), to, r.ByID})
	return err
}

// Answer keeps the word of somebody who signed in for the company.
func (s *Service) Answer(ctx context.Context, actor access.Actor, id int64, a Answer) (View, error) {
	if err := a.check(); err != nil {
		return View{}, err
	}
	return s.step(ctx, actor, id, "answer", "企业答复线下服务登记", func(ctx context.Context, tx bun.Tx, r *row, now time.Time) error {
		if actor.Party != access.Enterprise || actor.EnterpriseID != r.EnterpriseID {
			return ErrForbidden
		}
		if err := s.Links.End(ctx, tx, linkPurpose, Object, r.ID); err != nil {
			return err
		}
		return s.answered(ctx, tx, actor, r, a, "signed_in", now)
	})
}

// AtLink returns what is confirmed with a link: no names of the recorder's people.
func (s *Service) AtLink(ctx context.Context, actor access.Actor, token string) (View, error) {
	link, err := s.Links.Find(ctx, actor, linkPurpose, token)
	if err != nil {
		return View{}, err
	}
	r, err := find(ctx, s.DB.Read(), access.SystemActor("offline.link"), link.ObjectID)
	if err != nil {
		return View{}, err
	}
	if r.State != Waiting {
		return View{}, ErrStep
	}
	return r.view(), nil
}

// AnswerByLink keeps the word of whoever has the link. Of two at once one is kept.
func (s *Service) AnswerByLink(ctx context.Context, actor access.Actor, token string, a Answer) error {
	link, err := s.Links.Find(ctx, actor, linkPurpose, token)
	if err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	system := access.SystemActor("offline.link")
	system.IP = actor.IP
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.Links.Use(ctx, tx, link); err != nil {
			return err
		}
		r, err := find(ctx, tx, system, link.ObjectID)
		if err != nil {
			return err
		}
		if err := s.answered(ctx, tx, system, r, a, "link", now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, system, now, audit.Record{Action: "offline.answer", Object: Object, ObjectID: r.ID, Summary: "企业通过短信链接答复线下服务登记 " + r.Number})
	})
}
