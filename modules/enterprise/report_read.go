package enterprise

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

func (r *report) view() (ReportView, error) {
	v := ReportView{Digest: r.Digest, Code: reportCode(r.Digest), Own: r.Own}
	if reportDigest(r.Content) != r.Digest {
		return v, fmt.Errorf("enterprise: the content of report %s does not have its digest", r.Number)
	}
	return v, json.Unmarshal([]byte(r.Content), &v.Report)
}

func findReport(ctx context.Context, db bun.IDB, number string) (*report, error) {
	r := new(report)
	err := db.NewSelect().Model(r).Where("rp.number = ?", number).Scan(ctx)
	return r, database.Found(err)
}

// Report returns a kept report as it was made. The company's people read all of their company, staff those staff made, with the
// company's consent or a legal basis that still covers all it holds; each reading of theirs is logged.
func (s *Service) Report(ctx context.Context, actor access.Actor, number, basis string) (ReportView, error) {
	r, err := s.reportFor(ctx, actor, number, basis)
	if err != nil {
		return ReportView{}, err
	}
	return r.view()
}

// ReportContent returns the content of a report of the actor's company exactly as it was digested.
func (s *Service) ReportContent(ctx context.Context, actor access.Actor, number string) (string, error) {
	if err := needOwner(actor); err != nil {
		return "", err
	}
	r, err := s.reportFor(ctx, actor, number, "")
	if err != nil {
		return "", err
	}
	return r.Content, nil
}

func (s *Service) reportFor(ctx context.Context, actor access.Actor, number, basis string) (*report, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	db := s.db.Read()
	r := new(report)
	err := visible(db.NewSelect().Model(r), actor, "rp.enterprise_id").Where("rp.number = ?", number).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	if actor.Party == access.Enterprise {
		if r.EnterpriseID != actor.EnterpriseID {
			return nil, ErrNotFound
		}
		return r, nil
	}
	if r.Own {
		return nil, ErrNotFound
	}
	groups, err := s.consents.Read(ctx, actor, r.EnterpriseID, Reading{forPortrait, basis, "查看企业征信报告 " + r.Number})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(r.Groups, func(g string) bool { return !slices.Contains(groups, g) }) {
		return nil, ErrReportBeyond
	}
	return r, nil
}

// Reports returns a page of the reports of a company, the newest first, and the cursor of the next page: to its people all,
// to staff with enterprise.view those that staff made.
func (s *Service) Reports(ctx context.Context, actor access.Actor, enterpriseID int64, cursor string, limit int) ([]ReportItem, string, error) {
	if actor.Party == access.Enterprise {
		if err := needOwner(actor); err != nil {
			return nil, "", err
		}
		enterpriseID = actor.EnterpriseID
	} else if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	db := s.db.Read()
	if _, err := find(ctx, db, actor, enterpriseID); err != nil {
		return nil, "", err
	}
	before, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	var rows []report
	q := db.NewSelect().Model(&rows).ExcludeColumn("content").Where("rp.enterprise_id = ?", enterpriseID).OrderExpr("rp.id DESC").Limit(int64(limit + 1))
	if actor.Party != access.Enterprise {
		q = q.Where("NOT rp.own")
	}
	if before > 0 {
		q = q.Where("rp.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(r report) int64 { return r.ID })
	out := make([]ReportItem, 0, len(rows))
	for _, r := range rows {
		out = append(out, ReportItem{Number: r.Number, MadeAt: r.MadeAt.UTC(), MadeName: r.MadeName, Own: r.Own, Basis: r.Basis, Code: reportCode(r.Digest)})
	}
	return out, next, nil
}

// Genuine is all that a stranger learns of a report.
type Genuine struct {
	Number string
	Name   string // masked
	MadeAt time.Time
}

// Genuine says that there is a report with the number and the code: its whole digest, or at least the first sixteen digits. Any
// other is ErrNotGenuine, whether or not there is such a number.
func (s *Service) Genuine(ctx context.Context, number, code string) (Genuine, error) {
	number = strings.ToUpper(strings.TrimSpace(norm.NFKC.String(number)))
	if day, end, ok := strings.Cut(number, "-"); ok { // the end has neither digit
		number = day + "-" + strings.NewReplacer("0", "O", "1", "I").Replace(end)
	}
	typed := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "—", "", "–", "").Replace(norm.NFKC.String(code)))
	if len(typed) < codeLength || len(typed) > 2*sm3.Size || len(number) > 40 {
		return Genuine{}, ErrNotGenuine
	}
	r, err := findReport(ctx, s.db.Read(), number)
	if fault.KindOf(err) == fault.NotFound {
		return Genuine{}, ErrNotGenuine
	}
	if err != nil {
		return Genuine{}, err
	}
	if subtle.ConstantTimeCompare([]byte(r.Digest[:len(typed)]), []byte(typed)) != 1 {
		return Genuine{}, ErrNotGenuine
	}
	v, err := r.view()
	if err != nil {
		return Genuine{}, err
	}
	return Genuine{Number: r.Number, Name: maskCompany(v.Portrait.Name), MadeAt: r.MadeAt.UTC()}, nil
}

// maskCompany leaves the beginning of a company's name and its form: 麦香****有限公司.
func maskCompany(name string) string {
	r := []rune(name)
	end := 1
	for _, form := range []string{"股份有限公司", "有限责任公司", "有限公司", "合伙企业"} {
		if strings.HasSuffix(name, form) {
			end = len([]rune(form))
			break
		}
	}
	if len(r) < end+3 {
		return string(r[:1]) + "****"
	}
	return string(r[:2]) + "****" + string(r[len(r)-end:])
}
