package catalog

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Suits says which companies a product suits, in what is known of companies. Empty and zero ask nothing. It does not keep
// anybody from applying: it is what recommendations go by.
type Suits struct {
	Sections     []string `json:"sections"` // codes of industries, 39 or C
	Regions      []string `json:"regions"`  // codes of streets and towns, or of the district
	Sizes        []string `json:"sizes"`    // large, medium, small, micro
	Titles       []string `json:"titles"`   // one of these qualifications
	Years        int      `json:"years"`    // established at least so many years
	EmployeesMin int64    `json:"employeesMin"`
	EmployeesMax int64    `json:"employeesMax"`
	RevenueMin   int64    `json:"revenueMin"` // fen, of last year
	RevenueMax   int64    `json:"revenueMax"` // fen
	CleanRecord  bool     `json:"cleanRecord" doc:"On no list of those in default."`
}

// Value keeps it as JSON, "" when it asks nothing.
func (s Suits) Value() (driver.Value, error) {
	if s.empty() {
		return "", nil
	}
	b, err := json.Marshal(s)
	return string(b), err
}

// Scan reads it.
func (s *Suits) Scan(src any) error {
	var err error
	switch v := src.(type) {
	case string:
		*s, err = readSuits(v)
	case []byte:
		*s, err = readSuits(string(v))
	default:
		err = fmt.Errorf("whom a product suits from %T", src)
	}
	return err
}

// MarshalJSON writes nothing chosen as an empty list.
func (s Suits) MarshalJSON() ([]byte, error) {
	type plain Suits
	for _, list := range []*[]string{&s.Sections, &s.Regions, &s.Sizes, &s.Titles} {
		*list = append([]string{}, *list...)
	}
	return json.Marshal(plain(s))
}

// same reports whether two say the same.
func (s Suits) same(o Suits) bool {
	a, _ := json.Marshal(s)
	b, _ := json.Marshal(o)
	return string(a) == string(b)
}

// Option is a code that may be chosen.
type Option struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// SuitOptions are what may be chosen.
type SuitOptions struct {
	Sections []Option `json:"sections"`
	Regions  []Option `json:"regions"`
	Sizes    []Option `json:"sizes"`
	Titles   []Option `json:"titles"`
	// Lists are those of which a company with a clean record stands on none.
	Lists []string `json:"-"`
}

// Value and bounds of the figures.
const (
	maxYears     = 100
	maxEmployees = 1_000_000
	maxChosen    = 60
)

// check says what is wrong, each at its input.
func (s Suits) check(o SuitOptions) error {
	var errs []error
	chosen := func(field, label string, codes []string, of []Option) {
		if len(codes) > maxChosen {
			errs = append(errs, fault.InvalidField(field, "SUITS_MANY", fmt.Sprintf("%s最多选择 %d 项", label, maxChosen)))
			return
		}
		for _, c := range codes {
			if !slices.ContainsFunc(of, func(x Option) bool { return x.Code == c }) {
				errs = append(errs, fault.InvalidField(field, "SUITS_UNKNOWN", "没有这项"+label+"，请重新选择"))
				return
			}
		}
	}
	chosen("sections", "行业", s.Sections, o.Sections)
	chosen("regions", "地区", s.Regions, o.Regions)
	chosen("sizes", "企业规模", s.Sizes, o.Sizes)
	chosen("titles", "资质", s.Titles, o.Titles)
	between := func(field, label string, n, most int64) {
		if n < 0 || n > most {
			errs = append(errs, fault.InvalidField(field, "SUITS_RANGE", label+"超出范围，请重新填写"))
		}
	}
	between("years", "成立年限", int64(s.Years), maxYears)
	between("employeesMin", "从业人员下限", s.EmployeesMin, maxEmployees)
	between("employeesMax", "从业人员上限", s.EmployeesMax, maxEmployees)
	between("revenueMin", "营业收入下限", s.RevenueMin, maxAmount)
	between("revenueMax", "营业收入上限", s.RevenueMax, maxAmount)
	if s.EmployeesMax > 0 && s.EmployeesMax < s.EmployeesMin {
		errs = append(errs, fault.InvalidField("employeesMax", "SUITS_ORDER", "从业人员上限不能小于下限"))
	}
	if s.RevenueMax > 0 && s.RevenueMax < s.RevenueMin {
		errs = append(errs, fault.InvalidField("revenueMax", "SUITS_ORDER", "营业收入上限不能小于下限"))
	}
	return fault.Merge(errs...)
}

type clause map[string]any

// condition is the same as a condition over what is known of companies; the zero Condition when nothing is asked.
func (s Suits) condition(schema criteria.Schema, o SuitOptions) (criteria.Condition, error) {
	var all []clause
	ask := func(field, op string, value any) { all = append(all, clause{"field": field, "op": op, "value": value}) }
	if len(s.Sections) > 0 {
		ask("industry", "under", s.Sections)
	}
	if len(s.Regions) > 0 {
		ask("region", "under", s.Regions)
	}
	if len(s.Sizes) > 0 {
		ask("sizeClass", "in", s.Sizes)
	}
	if len(s.Titles) > 0 {
		ask("qualification", "has", s.Titles)
	}
	if s.Years > 0 {
		ask("established", "years_since_gte", s.Years)
	}
	figure := func(field, unit string, low, high, per int64) {
		if low > 0 {
			all = append(all, clause{"field": field, "op": "gte", "value": low / per, "unit": unit})
		}
		if high > 0 {
			all = append(all, clause{"field": field, "op": "lte", "value": high / per, "unit": unit})
		}
	}
	figure("employees", "人", s.EmployeesMin, s.EmployeesMax, 1)
	figure("revenue", "元", s.RevenueMin, s.RevenueMax, 100)
	if s.CleanRecord && len(o.Lists) > 0 {
		ask("creditStanding", "notOn", o.Lists)
	}
	if len(all) == 0 {
		return criteria.Condition{}, nil
	}
	text, err := json.Marshal(clause{"all": all})
	if err != nil {
		return criteria.Condition{}, err
	}
	return criteria.Parse(text, schema)
}

// empty reports whether nothing is asked.
func (s Suits) empty() bool {
	return len(s.Sections)+len(s.Regions)+len(s.Sizes)+len(s.Titles) == 0 && s.Years == 0 && s.EmployeesMin+s.EmployeesMax+s.RevenueMin+s.RevenueMax == 0 && !s.CleanRecord
}

type suitsRow struct {
	bun.BaseModel `bun:"table:product_suits,alias:ps"`

	ProductID int64     `bun:"product_id,pk"`
	Suits     string    `bun:"suits,notnull"` // JSON; "" when it asks nothing any more
	Stamp     int64     `bun:"stamp,notnull"` // by which the others learn of it
	Version   int64     `bun:"version,notnull"`
	SetAt     time.Time `bun:"set_at,notnull"`
	SetBy     string    `bun:"set_by,notnull"`
	Reason    string    `bun:"reason,notnull"` // of the platform, "" of an edition
}

// SuitsView is whom a product suits, as those who work on it see it.
type SuitsView struct {
	Suits   Suits      `json:"suits"`
	Words   []string   `json:"words" doc:"The same in words, for companies."`
	Version int64      `json:"version"`
	SetAt   *time.Time `json:"setAt,omitempty"`
	SetBy   string     `json:"setBy,omitempty"`
	Reason  string     `json:"reason" doc:"Why the platform changed it beside the editions; empty when it is what an edition says."`
	Edits   bool       `json:"edits" doc:"Whether the actor may change it beside the editions, with a reason."`
}

// SuitChoices lists what may be chosen, for those who work on products.
func (s *Service) SuitChoices(_ context.Context, actor access.Actor) (SuitOptions, error) {
	return s.Options, actor.Need(PermView)
}

// SuitsOf returns whom a product suits, for those who work on it. It returns ErrNotFound when the actor does not see the product.
func (s *Service) SuitsOf(ctx context.Context, actor access.Actor, id int64) (SuitsView, error) {
	if err := actor.Need(PermView); err != nil {
		return SuitsView{}, err
	}
	db := s.DB.Read()
	d, err := find(ctx, db, visible(actor, s.Clock.Now()), id)
	if err != nil {
		return SuitsView{}, err
	}
	if !isOwner(actor, d.Product) && !isDesk(actor) {
		return SuitsView{}, fault.ErrNotFound
	}
	v := SuitsView{Words: []string{}, Edits: setsSuits(actor)}
	r, err := suitsInForce(ctx, db, id)
	if err != nil {
		return SuitsView{}, err
	}
	if r != nil {
		v.Version, v.SetAt, v.SetBy, v.Reason = r.Version, utc(&r.SetAt), r.SetBy, r.Reason
		if v.Suits, err = readSuits(r.Suits); err != nil {
			return SuitsView{}, err
		}
		v.Words = s.inWords(v.Suits)
	}
	return v, nil
}

func readSuits(kept string) (Suits, error) {
	var s Suits
	if kept == "" {
		return s, nil
	}
	return s, json.Unmarshal([]byte(kept), &s)
}

// inWords says whom it suits.
func (s *Service) inWords(x Suits) []string {
	c, err := x.condition(s.Schema, s.Options)
	if err != nil || x.empty() {
		return []string{}
	}
	out := []string{}
	for _, clause := range c.Evaluate(nil, s.Clock.Now()).Clauses {
		out = append(out, clause.Label+clause.Required)
	}
	return out
}

// setsSuits reports whether the actor may say whom a product suits beside its editions.
func setsSuits(actor access.Actor) bool {
	return isDesk(actor) && actor.Party == access.Platform && actor.Can(PermReviewPlatform)
}

// ErrSuitsReviewed: an institution says whom a product suits in the product itself, which is reviewed.
var ErrSuitsReviewed = fault.New(fault.Forbidden, "SUITS_REVIEWED", "适合的企业是产品版本的一部分，随版本一起审核，请在产品表单中填写后提交审核")

// SetSuits asks to say whom a product suits, beside what its edition says.
type SetSuits struct {
	Key     string `json:"-"`
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // 0 where nothing was said yet
	Suits   Suits  `json:"suits"`
	Reason  string `json:"reason"`
}

// checkSuits says what is wrong with what was said.
func (s *Service) checkSuits(x Suits) error {
	if err := x.check(s.Options); err != nil {
		return err
	}
	_, err := x.condition(s.Schema, s.Options)
	return err
}

// suitsInForce reads what recommendations go by, nil where nothing was ever said.
func suitsInForce(ctx context.Context, db bun.IDB, id int64) (*suitsRow, error) {
	var rows []suitsRow
	if err := db.NewSelect().Model(&rows).Where("ps.product_id = ?", id).Scan(ctx); err != nil {
		return nil, fmt.Errorf("whom product %d suits: %w", id, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// listSuits puts what the edition that becomes public says in force, in the transaction in which it becomes public.
func (s *Service) listSuits(ctx context.Context, tx bun.Tx, e *Edition, now time.Time) error {
	is, err := suitsInForce(ctx, tx, e.ProductID)
	if err != nil {
		return err
	}
	row := suitsRow{ProductID: e.ProductID, Version: 1, SetAt: now, SetBy: fmt.Sprintf("第 %d 版审核通过", e.Number)}
	text, err := e.Suits.Value()
	if err != nil {
		return err
	}
	if row.Suits, _ = text.(string); is == nil && row.Suits == "" || is != nil && is.Suits == row.Suits && is.Reason == "" {
		return nil
	}
	if row.Stamp, err = nextStamp(ctx, tx); err != nil {
		return err
	}
	if is != nil {
		row.Version = is.Version + 1
	}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (product_id) DO UPDATE").
		Set("suits = EXCLUDED.suits, stamp = EXCLUDED.stamp, version = EXCLUDED.version, set_at = EXCLUDED.set_at, set_by = EXCLUDED.set_by, reason = EXCLUDED.reason").Exec(ctx)
	return err
}

// changes is Changes and whom the product suits.
func (s *Service) changes(before, after Content) []Change {
	out := Changes(before, after)
	if before.Suits.same(after.Suits) {
		return out
	}
	return append(out, Change{"suits", "适合的企业", strings.Join(s.inWords(before.Suits), "\n"), strings.Join(s.inWords(after.Suits), "\n")})
}

// SetSuits says whom a product suits, from the next recommendation on, whatever its edition says; it holds until the next edition
// becomes public, which begins from it. The platform's staff with product.review_platform may, with a reason that the institution
// reads; an institution gets ErrSuitsReviewed. A version that is not the newest is a conflict.
func (s *Service) SetSuits(ctx context.Context, actor access.Actor, cmd SetSuits) (SuitsView, error) {
	if actor.Party == access.Institution && actor.Can(PermEdit) {
		return SuitsView{}, ErrSuitsReviewed
	}
	if !setsSuits(actor) {
		return SuitsView{}, ErrForbidden
	}
	reason, err := text.Block("reason", cmd.Reason, 2, 200)
	if err != nil {
		var e entry
		e.note(err, "reason", "调整原因")
		err = joined(e.errs)
	}
	if err := fault.Merge(s.checkSuits(cmd.Suits), err); err != nil {
		return SuitsView{}, err
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "product.suits", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			d, err := find(ctx, tx, visible(actor, now), cmd.ID)
			if err != nil {
				return false, err
			}
			row := suitsRow{ProductID: cmd.ID, Version: cmd.Version + 1, SetAt: now, SetBy: actor.Name, Reason: reason}
			kept, err := cmd.Suits.Value()
			if err != nil {
				return false, err
			}
			row.Suits, _ = kept.(string)
			if row.Stamp, err = nextStamp(ctx, tx); err != nil {
				return false, err
			}
			if cmd.Version == 0 {
				err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
			} else {
				err = database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("product_id").Where("product_id = ? AND version = ?", cmd.ID, cmd.Version).Exec(ctx))
			}
			if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "product.suits", Object: Object, ObjectID: cmd.ID, Summary: "调整适合的企业：" + d.Name, Detail: map[string]any{"suits": cmd.Suits, "reason": reason}})
		})
		return err
	})
	if err != nil {
		return SuitsView{}, fmt.Errorf("whom product %d suits: %w", cmd.ID, err)
	}
	return s.SuitsOf(ctx, actor, cmd.ID)
}

// nextStamp draws the next stamp; whoever draws one waits for those before, so that no stamp shows up behind a later one.
func nextStamp(ctx context.Context, tx bun.Tx) (int64, error) {
	if err := database.Changed(tx.NewUpdate().TableExpr("product_suit_stamps").Set("last = last + 1").Where("id = 1").Exec(ctx)); err != nil {
		return 0, err
	}
	return lastStamp(ctx, tx)
}

func lastStamp(ctx context.Context, db bun.IDB) (int64, error) {
	var last int64
	err := db.NewSelect().TableExpr("product_suit_stamps").Column("last").Where("id = 1").Scan(ctx, &last)
	return last, err
}
