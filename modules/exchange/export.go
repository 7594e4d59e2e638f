package exchange

import (
	"context"
	"strconv"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
)

// PermExport is the right to take the record of deliveries out.
const PermExport access.Permission = "exchange.export"

// ExportSource is the record of deliveries that leaves as a spreadsheet, newest first.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[DeliveryItem]
	return sheet.List[DeliveryItem]{
		Name: "deliveries", Title: "推送记录", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			parsed, err := deliveryFilter(f)
			if err != nil {
				return "", err
			}
			var words []string
			if parsed.PartnerID != 0 {
				words = append(words, "对接方编号："+strconv.FormatInt(parsed.PartnerID, 10))
			}
			if parsed.State != "" {
				words = append(words, "状态："+parsed.State.Label())
			}
			if parsed.Subject != "" {
				words = append(words, "业务编号："+parsed.Subject)
			}
			return strings.Join(words, "；"), nil
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]DeliveryItem, string, error) {
			parsed, err := deliveryFilter(f)
			if err != nil {
				return nil, "", err
			}
			parsed.Cursor, parsed.Limit = after, min(limit, 100)
			return s.Deliveries(ctx, actor, parsed)
		},
		Fields: []sheet.Field[DeliveryItem]{
			of("subject", "业务编号", 20, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.Subject) }),
			of("type", "事件", 20, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.TypeLabel) }),
			of("seq", "顺序", 8, func(d *DeliveryItem) sheet.Cell { return sheet.Int(d.Seq) }),
			of("state", "状态", 10, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.State.Label()) }),
			of("partner", "对接方", 24, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.PartnerName) }),
			of("attempts", "推送次数", 10, func(d *DeliveryItem) sheet.Cell { return sheet.Int(int64(d.Attempts)) }),
			of("reason", "原因", 40, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.Reason) }),
			of("createdAt", "产生时间", 20, func(d *DeliveryItem) sheet.Cell { return sheet.Time(d.CreatedAt) }),
			of("settledAt", "送达时间", 20, func(d *DeliveryItem) sheet.Cell { return sheet.TimeOf(d.SettledAt) }),
			of("messageId", "事件编号", 30, func(d *DeliveryItem) sheet.Cell { return sheet.Text(d.MessageID) }),
		},
	}.Source()
}

func deliveryFilter(f sheet.Filter) (DeliveryFilter, error) {
	out := DeliveryFilter{State: State(f["state"]), Subject: strings.TrimSpace(f["subject"])}
	if err := f.Only("partner", "state", "subject"); err != nil {
		return out, err
	}
	if f["partner"] != "" {
		var err error
		if out.PartnerID, err = strconv.ParseInt(f["partner"], 10, 64); err != nil || out.PartnerID <= 0 {
			return out, sheet.ErrFilter
		}
	}
	if out.State != "" && out.State.Label() == "" || len(out.Subject) > 60 {
		return out, sheet.ErrFilter
	}
	return out, nil
}
