package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/importing"
	"github.com/huiqi/huiqi/platform/fault"
)

// The faults of reading a register from outside, for the person who imports.
var (
	errFeedDown    = fault.New(fault.Conflict, "FEED_UNAVAILABLE", "登记系统接口多次没有答复，已读取的页已保存；请稍后点“继续读取”，从中断的页接着读")
	errFeedRefused = fault.New(fault.Conflict, "FEED_REFUSED", "登记系统拒绝访问，请联系系统管理员核对接口的标识和密钥后再继续")
)

// feeds are the registers from outside that may be imported.
func (h *house) feeds(client *registry.Client) []importing.Feed {
	if client == nil {
		return nil
	}
	return []importing.Feed{{
		Name: "registry", Title: "企业登记系统接口", Target: "enterprises", Source: string(enterprise.FromRegistry),
		Note: "按统一社会信用代码逐页读取登记系统的全部企业，每页 1000 家；中断后从未读完的页继续。读取后先检查、去重，确认后再发布。",
		Page: func(ctx context.Context, cursor string, limit int) (importing.FeedPage, error) {
			p, err := client.Page(ctx, cursor, limit)
			switch {
			case errors.Is(err, registry.ErrRefused):
				return importing.FeedPage{}, errFeedRefused.Wrap(err)
			case errors.Is(err, registry.ErrUnavailable):
				return importing.FeedPage{}, errFeedDown.Wrap(err)
			case err != nil:
				return importing.FeedPage{}, err
			}
			out := importing.FeedPage{Next: p.Next, Total: p.Total, Records: make([]map[string]string, 0, len(p.Companies))}
			for _, c := range p.Companies {
				out.Records = append(out.Records, feedRecord(c))
			}
			return out, nil
		},
	}}
}

// feedRecord is a company of the registry as a row of a register would have it.
func feedRecord(c registry.Company) map[string]string {
	v := map[string]string{"name": c.Name, "creditCode": c.CreditCode, "legalPerson": c.LegalPerson, "established": c.Established, "industry": c.IndustryCode,
		"address": c.Address, "status": c.Status, "region": regionOf(c.Street)}
	if v["region"] == "" {
		v["region"] = c.Street
	}
	if c.RegisteredCapital > 0 {
		const wan = 1_000_000 // fen
		v["capital"] = strconv.FormatInt(c.RegisteredCapital/wan, 10)
		if cents := c.RegisteredCapital % wan / 10_000; cents > 0 {
			v["capital"] += "." + strconv.FormatInt(100+cents, 10)[1:]
		}
	}
	return v
}
