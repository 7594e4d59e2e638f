package demand

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Typed is the form of a demand as somebody left it: every field as it was typed, right or wrong.
type Typed struct {
	Kind        string  `json:"kind"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	BudgetMin   string  `json:"budgetMin" doc:"In units of ten thousand yuan; empty for none."`
	BudgetMax   string  `json:"budgetMax" doc:"In units of ten thousand yuan; of financing the amount that is needed."`
	Term        string  `json:"term" doc:"Months; financing only."`
	Until       string  `json:"until" doc:"Last day for quotes, 2006-01-02."`
	WantedBy    string  `json:"wantedBy" doc:"When it is to be done, 2006-01-02."`
	Place       string  `json:"place"`
	Named       bool    `json:"named" doc:"The hall shows the company's name."`
	ContactName string  `json:"contactName" doc:"Empty: that of the account."`
	Phone       string  `json:"phone" doc:"Empty: that of the account. Only the institution that is picked gets it."`
	ContactNote string  `json:"contactNote" doc:"When and how to call."`
	FileIDs     []int64 `json:"fileIds" nullable:"false"`
}

// maxTyped bounds one field of a draft.
const maxTyped = 4000

// fields are the texts of the form by name.
func (t *Typed) fields() map[string]string {
	return map[string]string{"kind": t.Kind, "title": t.Title, "description": t.Description, "budgetMin": t.BudgetMin, "budgetMax": t.BudgetMax, "term": t.Term,
		"until": t.Until, "wantedBy": t.WantedBy, "place": t.Place, "contactName": t.ContactName, "phone": t.Phone, "contactNote": t.ContactNote}
}

// bound says what cannot be kept even in a draft; whether it is right is asked when it is submitted.
func (t *Typed) bound() error {
	var errs []error
	for name, value := range t.fields() {
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			errs = append(errs, text.ErrBad.On(name))
		} else if n := utf8.RuneCountInString(value); n > maxTyped {
			errs = append(errs, text.ErrLong.With("草稿每项最多保存 %d 个字，现有 %d 个字，请删减", maxTyped, n).On(name))
		}
	}
	if len(t.FileIDs) > maxFiles {
		errs = append(errs, fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减", maxFiles)))
	}
	if t.FileIDs == nil {
		t.FileIDs = []int64{}
	}
	return fault.Merge(errs...)
}

// fixed reads a number typed with so many decimals at most and returns it times ten to their power. It takes what people type:
// full-width digits, thousands separators, a unit behind.
func fixed(typed string, places int, units ...string) (n int64, many, ok bool) {
	t := strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '．' || r == '。':
			return '.'
		case r == '％':
			return '%'
		case r == ',' || r == '，' || r == ' ' || r == '　':
			return -1
		}
		return r
	}, strings.TrimSpace(typed))
	for _, u := range units {
		t = strings.TrimSuffix(t, u)
	}
	whole, part, _ := strings.Cut(t, ".")
	if whole == "" || strings.Trim(whole+part, "0123456789") != "" || strings.HasSuffix(t, ".") || len(whole) > 14 || len(part) > 20 {
		return 0, false, false
	}
	if part = strings.TrimRight(part, "0"); len(part) > places {
		return 0, true, false
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", places-len(part)), 10, 64)
	return n, false, err == nil
}

// wan reads an amount in units of ten thousand yuan, to the yuan, and returns fen; 0 for nothing typed.
func wan(field, label, typed string) (int64, error) {
	if strings.TrimSpace(typed) == "" {
		return 0, nil
	}
	n, many, ok := fixed(typed, 4, "元", "万")
	switch {
	case many:
		return 0, fault.InvalidField(field, "AMOUNT_DECIMALS", label+"以万元为单位，最多 4 位小数（精确到元）")
	case !ok:
		return 0, fault.InvalidField(field, "AMOUNT_FORM", label+"应为数字，例如 50 或 12.5，单位为万元")
	case n == 0:
		return 0, fault.InvalidField(field, "AMOUNT_RANGE", label+"应大于 0")
	case n > maxAmount/100:
		return 0, fault.InvalidField(field, "AMOUNT_RANGE", label+"不能超过 100 亿元")
	}
	return n * 100, nil
}

// count reads a whole number typed with a unit behind; 0 for nothing typed.
func count(field, label, typed string, most int, units ...string) (int, error) {
	if strings.TrimSpace(typed) == "" {
		return 0, nil
	}
	n, many, ok := fixed(typed, 0, units...)
	if many || !ok || n < 1 || n > int64(most) {
		return 0, fault.InvalidField(field, "NUMBER_RANGE", fmt.Sprintf("%s应为 1 至 %d 的整数", label, most))
	}
	return int(n), nil
}

// day reads a day that is needed.
func day(field, label, typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", fault.InvalidField(field, "REQUIRED", "请填写"+label)
	}
	t, err := text.Day(field, typed, clock.Beijing)
	if err != nil {
		return "", fault.InvalidField(field, "DATE", label+"应为日期，例如 2026-12-31")
	}
	return t.Format(time.DateOnly), nil
}

// fill checks what was typed, puts it into the demand and returns the phone, "" when none was typed.
func (d *Demand) fill(t Typed, kinds []Kind, now time.Time) (string, error) {
	var errs []error
	keep := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	d.Kind, d.KindName, d.Lends = "", "", false
	for _, k := range kinds {
		if k.Code == t.Kind {
			d.Kind, d.KindName, d.Lends = k.Code, k.Name, k.Lends
		}
	}
	if d.Kind == "" {
		keep(fault.InvalidField("kind", "DEMAND_KIND", "请选择需求类别"))
	}
	d.Title, err = text.Typed("title", "需求标题", strings.ReplaceAll(t.Title, "\n", " "), maxTitle, true)
	keep(err)
	d.Description, err = text.Typed("description", "需求说明", t.Description, maxDescription, true)
	keep(err)
	amount := "预算上限"
	if d.Lends {
		amount = "融资金额"
	}
	var wrong error
	d.BudgetMax, wrong = wan("budgetMax", amount, t.BudgetMax)
	keep(wrong)
	d.BudgetMin, d.Term = 0, 0
	if d.Lends {
		if wrong == nil && d.BudgetMax == 0 {
			keep(fault.InvalidField("budgetMax", "REQUIRED", "请填写融资金额"))
		}
		d.Term, err = count("term", "使用期限", t.Term, maxTerm, "月", "个")
		keep(err)
		if err == nil && d.Term == 0 {
			keep(fault.InvalidField("term", "REQUIRED", "请填写使用期限"))
		}
	} else {
		d.BudgetMin, err = wan("budgetMin", "预算下限", t.BudgetMin)
		keep(err)
		switch {
		case err != nil || wrong != nil || d.BudgetMin == 0:
		case d.BudgetMax == 0:
			keep(fault.InvalidField("budgetMax", "BUDGET_ORDER", "填写了预算下限，请同时填写预算上限；不确定的两项都可不填"))
		case d.BudgetMax < d.BudgetMin:
			keep(fault.InvalidField("budgetMax", "BUDGET_ORDER", "预算上限不能小于下限 "+page.Money(d.BudgetMin)))
		}
	}
	d.Until, err = day("until", "报价截止日期", t.Until)
	switch first := today(now); {
	case err != nil:
		keep(err)
	case d.Until < first:
		keep(fault.InvalidField("until", "DEMAND_UNTIL", "报价截止日期不能早于今天"))
	case d.Until > dayAfter(first, longest):
		keep(fault.InvalidField("until", "DEMAND_UNTIL", fmt.Sprintf("报价截止日期应在 %d 天以内", longest)))
	}
	wrong = err
	d.PickUntil = dayAfter(d.Until, pickDays)
	d.WantedBy, err = day("wantedBy", "希望完成日期", t.WantedBy)
	switch {
	case err != nil:
		keep(err)
	case wrong == nil && d.WantedBy < d.Until:
		keep(fault.InvalidField("wantedBy", "DEMAND_WANTED", "希望完成日期不能早于报价截止日期 "+d.Until))
	}
	d.Place, err = text.Typed("place", "服务地点", strings.ReplaceAll(t.Place, "\n", " "), maxPlace, false)
	keep(err)
	d.ContactName, err = text.Typed("contactName", "联系人", strings.ReplaceAll(t.ContactName, "\n", " "), maxName, false)
	keep(err)
	d.ContactNote, err = text.Typed("contactNote", "联系说明", strings.ReplaceAll(t.ContactNote, "\n", " "), maxContactNote, false)
	keep(err)
	d.Named = t.Named
	number := ""
	if strings.TrimSpace(t.Phone) != "" {
		number, err = telephone(t.Phone)
		keep(err)
	}
	return number, fault.Merge(errs...)
}

// telephone brings a mobile or landline number to its normal form.
func telephone(typed string) (string, error) {
	n, err := phone.Contact(typed)
	if f, ok := fault.As(err); ok {
		return "", fault.InvalidField("phone", f.Code, f.Message)
	}
	return n, err
}

// Offered is the form of a quote as it was typed.
type Offered struct {
	ProductID  int64   `json:"productId" doc:"A listed product of the institution, of the kind of the demand."`
	Price      string  `json:"price" doc:"Yuan; services."`
	Days       string  `json:"days" doc:"Working days; services."`
	Amount     string  `json:"amount" doc:"In units of ten thousand yuan; financing."`
	Rate       string  `json:"rate" doc:"Per cent a year; financing."`
	Term       string  `json:"term" doc:"Months; financing."`
	Text       string  `json:"text"`
	ValidUntil string  `json:"validUntil" doc:"2006-01-02"`
	FileIDs    []int64 `json:"fileIds,omitempty"`
}

// fill checks what was typed against the product and puts it into the quote.
func (q *Quote) fill(o Offered, d *Demand, offer Offer, now time.Time) error {
	var errs []error
	keep := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	needed := func(field, label, typed string) bool {
		if strings.TrimSpace(typed) == "" {
			errs = append(errs, fault.InvalidField(field, "REQUIRED", "请填写"+label))
			return false
		}
		return true
	}
	var err error
	q.Price, q.Days, q.Amount, q.Rate, q.Term = 0, 0, 0, 0, 0
	if d.Lends {
		if needed("amount", "可提供金额", o.Amount) {
			q.Amount, err = wan("amount", "可提供金额", o.Amount)
			keep(err)
			if err == nil && (q.Amount < offer.AmountMin || offer.AmountMax > 0 && q.Amount > offer.AmountMax) {
				keep(fault.InvalidField("amount", "AMOUNT_RANGE", "金额应在所选产品的额度以内"+between(offer.AmountMin, offer.AmountMax)))
			}
		}
		if needed("rate", "年利率或费率", o.Rate) {
			n, many, ok := fixed(o.Rate, 2, "%")
			q.Rate = int(n)
			switch {
			case many:
				keep(fault.InvalidField("rate", "RATE_RANGE", "年利率或费率最多 2 位小数，例如 3.85"))
			case !ok || n > maxRate:
				keep(fault.InvalidField("rate", "RATE_RANGE", "年利率或费率应为 0 至 36 的数字，例如 3.85"))
			}
		}
		if needed("term", "期限", o.Term) {
			q.Term, err = count("term", "期限", o.Term, maxTerm, "月", "个")
			keep(err)
			if err == nil && (q.Term < offer.TermMin || offer.TermMax > 0 && q.Term > offer.TermMax) {
				keep(fault.InvalidField("term", "TERM_RANGE", fmt.Sprintf("期限应在所选产品的期限（%d 至 %d 个月）以内", max(offer.TermMin, 1), offer.TermMax)))
			}
		}
	} else {
		if needed("price", "报价", o.Price) {
			n, many, ok := fixed(o.Price, 2, "元")
			q.Price = n
			switch {
			case many:
				keep(fault.InvalidField("price", "AMOUNT_DECIMALS", "报价以元为单位，最多 2 位小数"))
			case !ok:
				keep(fault.InvalidField("price", "AMOUNT_FORM", "报价应为数字，例如 8000，单位为元；免费请填 0"))
			case n > maxAmount:
				keep(fault.InvalidField("price", "AMOUNT_RANGE", "报价不能超过 100 亿元"))
			}
		}
		if needed("days", "完成天数", o.Days) {
			q.Days, err = count("days", "完成天数", o.Days, maxDays, "天", "日", "工作", "个")
			keep(err)
		}
	}
	q.Text, err = text.Typed("text", "报价说明", o.Text, maxText, true)
	keep(err)
	q.ValidUntil, err = day("validUntil", "报价有效期", o.ValidUntil)
	switch {
	case err != nil:
		keep(err)
	case q.ValidUntil < today(now):
		keep(fault.InvalidField("validUntil", "QUOTE_VALID", "报价有效期不能早于今天"))
	case q.ValidUntil > dayAfter(today(now), 2*longest):
		keep(fault.InvalidField("validUntil", "QUOTE_VALID", fmt.Sprintf("报价有效期应在 %d 天以内", 2*longest)))
	}
	if len(o.FileIDs) > maxFiles {
		keep(fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减", maxFiles)))
	}
	return fault.Merge(errs...)
}

func between(low, high int64) string {
	switch {
	case low > 0 && high > 0:
		return "（" + page.Money(low) + "至 " + page.Money(high) + "）"
	case high > 0:
		return "（最高 " + page.Money(high) + "）"
	case low > 0:
		return "（最低 " + page.Money(low) + "）"
	}
	return ""
}

// budget is the budget in words.
func (d *Demand) budget() string {
	switch {
	case d.BudgetMax == 0:
		return "面议"
	case d.Lends:
		return page.Money(d.BudgetMax)
	case d.BudgetMin == 0:
		return page.Money(d.BudgetMax) + "以内"
	case d.BudgetMin == d.BudgetMax:
		return page.Money(d.BudgetMax)
	}
	return page.Money(d.BudgetMin) + "至 " + page.Money(d.BudgetMax)
}

// words reads a reason or a note and names it in what it finds wrong.
func words(field, label, typed string, least, most int) (string, error) {
	v, err := text.Block(field, typed, least, most)
	if f, ok := fault.As(err); ok {
		if f.Code == text.ErrRequired.Code {
			return "", fault.InvalidField(field, f.Code, "请填写"+label)
		}
		return "", fault.InvalidField(field, f.Code, label+"："+f.Message)
	}
	return v, err
}
