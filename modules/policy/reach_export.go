package policy

import (
	"context"
	"fmt"
	"strconv"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
)

// GrantSource is the list that leaves as a spreadsheet.
func (s *Service) GrantSource() sheet.Source {
	of := sheet.Of[GrantCompany]
	grantOf := func(f sheet.Filter) (int64, error) {
		id, err := strconv.ParseInt(f["grant"], 10, 64)
		if err != nil || f.Only("grant") != nil {
			return 0, sheet.ErrFilter
		}
		return id, nil
	}
	return sheet.List[GrantCompany]{Name: "policy_grants", Title: "免申即享名单", Permission: PermGrant, Fields: []sheet.Field[GrantCompany]{
		of("name", "企业名称", 36, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Name) }),
		of("creditCode", "统一社会信用代码", 22, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.CreditCode) }),
		of("town", "所在街道（镇）", 18, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Town) }),
		of("state", "状态", 12, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.StateName) }),
		of("reason", "移出原因", 30, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.Reason) }),
		of("confirmedBy", "确认人", 12, func(c *GrantCompany) sheet.Cell { return sheet.Text(c.ConfirmedBy) }),
		of("decidedAt", "确认时间", 20, func(c *GrantCompany) sheet.Cell { return sheet.TimeOf(c.DecidedAt) }),
	}, Describe: func(f sheet.Filter) (string, error) {
		id, err := grantOf(f)
		return fmt.Sprintf("名单 %d", id), err
	}, Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]GrantCompany, string, error) {
		id, err := grantOf(f)
		if err != nil {
			return nil, "", err
		}
		return s.GrantCompanies(ctx, actor, id, after, limit)
	}}.Source()
}

// ReverseSource is whom a policy fits, as it leaves as a spreadsheet: one set, with the reasons.
func (s *Service) ReverseSource() sheet.Source {
	of := sheet.Of[Judgement]
	return sheet.List[Judgement]{Name: "policy_companies", Title: "政策适配企业", Permission: PermReverseTake, Fields: []sheet.Field[Judgement]{
		of("name", "企业名称", 36, func(j *Judgement) sheet.Cell { return sheet.Text(j.Name) }),
		of("creditCode", "统一社会信用代码", 22, func(j *Judgement) sheet.Cell { return sheet.Text(j.CreditCode) }),
		of("verified", "企业认证", 10, func(j *Judgement) sheet.Cell {
			return sheet.Text(map[bool]string{true: "已认证", false: "未认证"}[j.Verified])
		}),
		of("town", "所在街道（镇）", 18, func(j *Judgement) sheet.Cell { return sheet.Text(j.Town) }),
		of("industry", "所属行业", 24, func(j *Judgement) sheet.Cell { return sheet.Text(j.Industry) }),
		of("decision", "匹配结果", 12, func(j *Judgement) sheet.Cell { return sheet.Text(j.Word) }),
		of("summary", "说明", 50, func(j *Judgement) sheet.Cell { return sheet.Text(j.Summary) }),
		of("reasons", "未满足或待确认的条件", 60, func(j *Judgement) sheet.Cell { return sheet.Text(j.reasons()) }),
	}, Describe: func(f sheet.Filter) (string, error) {
		id, c, err := s.reverseFilter(f)
		return fmt.Sprintf("政策 %d，%s", id, s.audienceText(Audience{Sets: sets(c.Set), Narrow: c.Narrow})), err
	}, Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]Judgement, string, error) {
		id, c, err := s.reverseFilter(f)
		if err != nil {
			return nil, "", err
		}
		c.Cursor, c.Limit = after, limit
		list, next, err := s.companies(ctx, actor, id, c)
		return list, next, err
	}}.Source()
}
