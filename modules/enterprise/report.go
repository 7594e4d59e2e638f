package enterprise

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// A credit report (企业征信报告) is a portrait as a document of its own: numbered, frozen when it is made, with the SM3 digest of
// its content. Whoever is shown one may ask, without an account, whether it is genuine.

// report is one credit report. It never changes.
type report struct {
	bun.BaseModel `bun:"table:enterprise_reports,alias:rp"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Number       string    `bun:"number,notnull"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	Content      string    `bun:"content,notnull,type:text"` // JSON of a Report, as it was digested
	Digest       string    `bun:"digest,notnull"`            // SM3 over Content, hexadecimal
	Groups       []string  `bun:"groups,notnull,type:text"`  // of fields it holds
	Own          bool      `bun:"own,notnull"`               // the company made it itself
	Basis        string    `bun:"basis,notnull"`             // on what it was made, in words
	MadeAt       time.Time `bun:"made_at,notnull"`
	MadeBy       int64     `bun:"made_by,notnull"`
	MadeName     string    `bun:"made_name,notnull"`
}

type report20261130 struct {
	bun.BaseModel `bun:"table:enterprise_reports"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Number       string    `bun:"number,notnull"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	Content      string    `bun:"content,notnull,type:text"`
	Digest       string    `bun:"digest,notnull"`
	Groups       string    `bun:"groups,notnull,type:text"`
	Own          bool      `bun:"own,notnull"`
	Basis        string    `bun:"basis,notnull"`
	MadeAt       time.Time `bun:"made_at,notnull"`
	MadeBy       int64     `bun:"made_by,notnull"`
	MadeName     string    `bun:"made_name,notnull"`
}

// Report is the content of a credit report.
type Report struct {
	Number     string     `json:"number"`
	Portrait   Portrait   `json:"portrait"`
	Names      []NameView `json:"names" doc:"The names the company has and had; none where the name never changed."`
	Persons    []NameView `json:"persons" doc:"Its legal persons, in the same way."`
	MadeBy     string     `json:"madeBy"`
	Basis      string     `json:"basis" doc:"On what it was made."`
	Within     []string   `json:"within" doc:"The groups of fields it holds."`
	LeftOut    []string   `json:"leftOut" doc:"The groups the company did not agree to have read."`
	Disclaimer string     `json:"disclaimer"`
}

// ReportView is a credit report with what tells it genuine.
type ReportView struct {
	Report
	Digest string `json:"digest" doc:"SM3 over the UTF-8 of the kept content, hexadecimal."`
	Code   string `json:"code" doc:"The beginning of the digest as it is typed to verify: AB12-CD34-EF56-7890."`
	Own    bool   `json:"own" doc:"The company made it itself."`
}

// ReportItem is a credit report in a list.
type ReportItem struct {
	Number   string    `json:"number"`
	MadeAt   time.Time `json:"madeAt"`
	MadeName string    `json:"madeName"`
	Own      bool      `json:"own"`
	Basis    string    `json:"basis"`
	Code     string    `json:"code"`
}

// MaxReports is how many reports of one company may be made within a day.
const MaxReports = 20

const reportDisclaimer = "本报告根据平台归集的数据自动生成，每项数据注明来源和数据日期，评价按公开的算法计算，供企业和获得授权的使用人参考，不替代征信机构依法出具的信用报告，不作为行政管理、资格认定的依据。"

// The faults of credit reports.
var (
	// ErrReportLimit: the day's reports are made.
	ErrReportLimit = fault.New(fault.TooMany, "REPORT_LIMIT", fmt.Sprintf("该企业今天生成的报告已达 %d 份，请使用已生成的报告，或明天再生成", MaxReports))
	// ErrReportUnverified: there is nothing to report of a company nobody knows.
	ErrReportUnverified = fault.New(fault.Conflict, "REPORT_UNVERIFIED", "企业通过认证后才能生成征信报告，请先完成企业认证")
	// ErrReportBeyond: what may be read by now is less than what the report holds.
	ErrReportBeyond = fault.New(fault.Forbidden, "REPORT_BEYOND", "报告中的部分数据已不在现在可查阅的范围内，不能查看这份报告。请按现在的授权重新生成")
	// ErrNotGenuine: no report has this number and this code.
	ErrNotGenuine = fault.New(fault.NotFound, "REPORT_NOT_GENUINE", "没有查到与该编号和核验码一致的报告，请核对后重新输入。仍不一致的，该报告不是本平台出具的")
)

// MakeReport asks for a credit report: of the company the actor acts for, or, by staff, of the one it names.
type MakeReport struct {
	Key          string `json:"-"` // the same key is the same report
	EnterpriseID int64
	Basis        string // code of the basis staff claim, "" is the company's consent
}

// numbered is what a repeat of the command needs to find its report.
type numbered struct {
	Number string `json:"number"`
}

// MakeReport makes a credit report and keeps it as it is. A company's owner, or a member mandated for it, makes their own; staff
// need enterprise.view and the company's consent or a legal basis, which is logged. It returns ErrReportUnverified and
// ErrReportLimit.
func (s *Service) MakeReport(ctx context.Context, actor access.Actor, cmd MakeReport) (ReportView, error) {
	own := actor.Party == access.Enterprise
	if own {
		cmd.EnterpriseID, cmd.Basis = actor.EnterpriseID, ""
		if err := needOwner(actor); err != nil {
			return ReportView{}, err
		}
	} else if err := actor.Need(PermView); err != nil {
		return ReportView{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, cmd.EnterpriseID)
	if err != nil {
		return ReportView{}, err
	}
	if own {
		if err := s.Entitled(ctx, db, e.ID, actor.UserID, RightReports); err != nil {
			return ReportView{}, err
		}
	}
	if e.Verification != Verified {
		return ReportView{}, ErrReportUnverified
	}
	groups, basis := allGroups(), "企业自行生成"
	if !own {
		if groups, err = s.consents.Read(ctx, actor, e.ID, Reading{forPortrait, cmd.Basis, "生成企业征信报告"}); err != nil {
			return ReportView{}, err
		}
		if basis = "企业数据授权（企业画像）"; cmd.Basis != "" {
			name, err := s.consents.BasisName(ctx, actor, forPortrait, cmd.Basis)
			if err != nil {
				return ReportView{}, err
			}
			basis = "法定依据：" + name
		}
	}
	row, err := s.drawUp(ctx, db, actor, e, groups, basis)
	if err != nil {
		return ReportView{}, fmt.Errorf("report of enterprise %d: %w", e.ID, err)
	}
	var done numbered
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.report", Key: cmd.Key, Request: []any{cmd.EnterpriseID, cmd.Basis}, Now: row.MadeAt},
			func() (numbered, error) { return numbered{row.Number}, s.keepReport(ctx, tx, actor, row) })
		return err
	})
	if err != nil {
		return ReportView{}, fmt.Errorf("report of enterprise %d: %w", e.ID, err)
	}
	kept, err := findReport(ctx, s.db.Read(), done.Number)
	if err != nil {
		return ReportView{}, err
	}
	return kept.view()
}

// drawUp freezes what is known of a company now.
func (s *Service) drawUp(ctx context.Context, db bun.IDB, actor access.Actor, e *Enterprise, groups []string, basis string) (report, error) {
	now := s.clock.Now().UTC().Truncate(time.Second)
	number := reportNumber(now)
	p, err := s.portrait(ctx, actor, e, groups, now)
	if err != nil {
		return report{}, err
	}
	names, err := namesOf(ctx, db, e.ID)
	if err != nil {
		return report{}, err
	}
	persons, err := heldOf(ctx, db, whatPerson, e.ID)
	if err != nil {
		return report{}, err
	}
	own := actor.Party == access.Enterprise
	by := actor.Name
	if !own && actor.DepartmentName != "" {
		by = actor.DepartmentName + " " + by
	}
	p.Mark = by + " " + clock.Show(now)
	p.FormerNames = former(names[e.ID], e.Name)
	r := Report{Number: number, Portrait: p, Names: nameViews(names[e.ID], false), Persons: nameViews(persons[e.ID], false), MadeBy: by, Basis: basis,
		Within: []string{}, LeftOut: []string{}, Disclaimer: reportDisclaimer}
	for _, g := range Groups() {
		if slices.Contains(groups, g.Code) {
			r.Within = append(r.Within, g.Name)
		} else {
			r.LeftOut = append(r.LeftOut, g.Name)
		}
	}
	// What may not be read is left out, not told to be missing.
	r.Portrait.Parts = slices.DeleteFunc(r.Portrait.Parts, func(x PortraitPart) bool { return slices.Contains(r.LeftOut, x.Title) })
	content, err := json.Marshal(r)
	if err != nil {
		return report{}, err
	}
	return report{Number: number, EnterpriseID: e.ID, Content: string(content), Digest: reportDigest(string(content)), Groups: groups, Own: own, Basis: basis,
		MadeAt: now, MadeBy: actor.UserID, MadeName: by}, nil
}

func (s *Service) keepReport(ctx context.Context, tx bun.Tx, actor access.Actor, r report) error {
	today := r.MadeAt.In(clock.Beijing)
	midnight := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, clock.Beijing)
	n, err := tx.NewSelect().Model((*report)(nil)).Where("rp.enterprise_id = ? AND rp.made_at >= ?", r.EnterpriseID, midnight).Count(ctx)
	if err != nil {
		return err
	}
	if n >= MaxReports {
		return ErrReportLimit
	}
	if _, err := tx.NewInsert().Model(&r).ExcludeColumn("id").Exec(ctx); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, r.MadeAt, audit.Record{Action: "enterprise.report", Object: Object, ObjectID: r.EnterpriseID,
		Summary: "生成企业征信报告 " + r.Number, Detail: map[string]any{"number": r.Number, "digest": r.Digest, "basis": r.Basis, "groups": r.Groups}})
}

// reportNumber is the number of a new report. Its end is drawn, so that nobody counts the reports of others.
func reportNumber(now time.Time) string {
	return "ZX" + now.In(clock.Beijing).Format("20060102") + "-" + rand.Text()[:8] // A–Z and 2–7
}

// reportDigest is the SM3 digest of the content in hexadecimal.
func reportDigest(content string) string {
	sum := sm3.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// codeLength is how much of the digest is typed to verify a report.
const codeLength = 16

// reportCode is the beginning of a digest as people read it: AB12-CD34-EF56-7890.
func reportCode(digest string) string {
	c := strings.ToUpper(digest[:codeLength])
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:]
}
