package contract

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Placeholders are what a template may hold, as {{企业名称}}.
var Placeholders = []string{"合同编号", "企业名称", "机构名称", "申请编号", "产品名称", "申请金额", "申请期限", "批准金额", "批准期限", "年利率", "联系人", "经办人", "日期"}

var placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// fill puts the values of a case into a body; what has none stays, for the person to fill.
func fill(body string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(body, func(m string) string {
		if v := values[strings.TrimSpace(m[2:len(m)-2])]; v != "" {
			return v
		}
		return m
	})
}

const (
	maxBody  = 20000
	maxTitle = 60
)

// template is one edition of a template. Editions are never changed: a contract names the one it was made from.
type template struct {
	bun.BaseModel `bun:"table:contract_templates,alias:t"`

	ID            int64     `bun:"id,pk,autoincrement"`
	Family        string    `bun:"family,notnull"`
	Edition       int       `bun:"edition,notnull"`
	InstitutionID int64     `bun:"institution_id,notnull"` // 0 for those of the platform
	Title         string    `bun:"title,notnull"`
	Body          string    `bun:"body,notnull"`
	Withdrawn     bool      `bun:"withdrawn,notnull"`
	By            string    `bun:"made_by,notnull"`
	At            time.Time `bun:"made_at,notnull"`
}

// TemplateView is the edition of a template that is in force.
type TemplateView struct {
	ID        int64     `json:"id"`
	Family    string    `json:"family"`
	Edition   int       `json:"edition"`
	Own       bool      `json:"own" doc:"The asker may change it."`
	Platform  bool      `json:"platform"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Withdrawn bool      `json:"withdrawn"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// editor is whose templates the actor changes: 0 the platform's, an institution's otherwise.
func editor(a access.Actor) (int64, error) {
	if err := a.Need(PermTemplates); err != nil {
		return 0, err
	}
	switch {
	case a.Party == access.System, a.Party == access.Platform && a.Scope == access.ScopeDistrict:
		return 0, nil
	case a.Party == access.Institution && a.InstitutionID != 0:
		return a.InstitutionID, nil
	}
	return 0, ErrForbidden
}

// Templates lists the editions in force that the actor may use or change: those of the platform, and those of one's institution.
func (s *Service) Templates(ctx context.Context, actor access.Actor) ([]TemplateView, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	if !actor.Can(PermDraft) && !actor.Can(PermTemplates) {
		return nil, ErrForbidden
	}
	var rows []template
	err := s.DB.Read().NewSelect().Model(&rows).Where("t.institution_id IN (0, ?)", actor.InstitutionID).
		Where("t.edition = (SELECT max(edition) FROM contract_templates AS x WHERE x.family = t.family)").OrderExpr("t.institution_id, t.id").Limit(500).Scan(ctx)
	own, failed := editor(actor)
	out := make([]TemplateView, 0, len(rows))
	for _, r := range rows {
		mine := failed == nil && r.InstitutionID == own
		if r.Withdrawn && !mine {
			continue
		}
		out = append(out, TemplateView{r.ID, r.Family, r.Edition, mine, r.InstitutionID == 0, r.Title, r.Body, r.Withdrawn, r.By, r.At.UTC()})
	}
	return out, err
}

// SaveTemplate makes a template, or the next edition of one; Edition is the one the actor saw, 0 for a new template.
type SaveTemplate struct {
	Family    string `json:"family,omitempty"`
	Edition   int    `json:"edition,omitempty"`
	Title     string `json:"title"`
	Body      string `json:"body"`
	Withdrawn bool   `json:"withdrawn,omitempty"`
}

// SaveTemplate takes contract.templates. It returns ErrStep when somebody else made the next edition first.
func (s *Service) SaveTemplate(ctx context.Context, actor access.Actor, cmd SaveTemplate) error {
	institution, err := editor(actor)
	if err != nil {
		return err
	}
	var errs []error
	if cmd.Title, err = text.Line("title", cmd.Title, 2, maxTitle); err != nil {
		errs = append(errs, text.Named(err, "模板名称"))
	}
	if cmd.Body, err = text.Block("body", cmd.Body, 20, maxBody); err != nil {
		errs = append(errs, text.Named(err, "合同正文"))
	}
	for _, m := range placeholder.FindAllStringSubmatch(cmd.Body, -1) {
		if !slices.Contains(Placeholders, strings.TrimSpace(m[1])) {
			errs = append(errs, fault.InvalidField("body", "CONTRACT_PLACEHOLDER", "无法识别占位内容 "+m[0]+"，可用的有："+strings.Join(Placeholders, "、")))
			break
		}
	}
	if err := fault.Merge(errs...); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := template{Family: cmd.Family, Edition: cmd.Edition + 1, InstitutionID: institution, Title: cmd.Title, Body: cmd.Body, Withdrawn: cmd.Withdrawn, By: actor.Name, At: now}
		if cmd.Family == "" {
			r.Family, r.Edition = secret.Token(), 1
		} else {
			before := new(template)
			err := database.Found(tx.NewSelect().Model(before).Where("t.family = ? AND t.edition = ? AND t.institution_id = ?", cmd.Family, cmd.Edition, institution).Scan(ctx))
			if err != nil {
				return err
			}
		}
		fresh, err := database.InsertNew(ctx, tx, &r, "family, edition")
		if err != nil {
			return err
		}
		if !fresh {
			return ErrStep
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "contract.template", Object: "contract_template", ObjectID: r.ID, Summary: "保存合同模板 " + r.Title, Detail: map[string]any{"edition": r.Edition, "withdrawn": r.Withdrawn}})
	})
}
