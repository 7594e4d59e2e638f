package server

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestDemoPartnersGetTheMainJob has the demo's partner get every event of a ticket and the acceptance of an application,
// and the demo's address kept at the sandbox of this start.
func TestDemoPartnersGetTheMainJob(t *testing.T) {
	t.Parallel()
	h, ctx := testHouse(t), context.Background()
	for _, addr := range []string{"127.0.0.1:1001", "127.0.0.1:1002"} {
		if err := h.demoPartners(ctx, addr, "whsec_c2FuZGJveC1wYXJ0bmVyLXNlY3JldC0wMDAx"); err != nil {
			t.Fatal(err)
		}
	}
	system := access.SystemActor("test")
	partners, _, err := h.exchange.Partners(ctx, system, exchange.PartnerFilter{})
	if err != nil || len(partners) != 3 {
		t.Fatalf("%d partners, %v", len(partners), err)
	}
	city := partners[slices.IndexFunc(partners, func(p exchange.PartnerView) bool { return p.Code == "city-hotline" })]
	if !strings.HasPrefix(city.URL, "http://127.0.0.1:1002/") {
		t.Errorf("pushed to %s", city.URL)
	}
	for _, f := range []event.Fact{ticket.Opened{}, ticket.Answered{}, ticket.Declined{}, ticket.Dispatched{}, ticket.Signed{}, ticket.Replied{},
		ticket.CalledBack{}, ticket.Closed{}, ticket.Reopened{}, ticket.Voided{}, ticket.Rated{}, application.Accepted{}} {
		if typ, _, _ := f.Event(); !slices.Contains(city.Events, typ) {
			t.Errorf("%s is not pushed", typ)
		}
	}
	for _, p := range partners {
		for _, e := range p.Events {
			if !slices.ContainsFunc(exchangeTopics(), func(topic exchange.Topic) bool { return topic.Type == e }) {
				t.Errorf("%s subscribed to %s, which is not offered", p.Code, e)
			}
		}
		if len(p.Events) == 0 {
			t.Errorf("%s subscribed to nothing: the demo's names and ours differ", p.Code)
		}
	}
	err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := event.Append(ctx, tx, system, h.clock.Now(), application.Accepted{Head: application.Head{ID: 5, Number: "SQ20261122-000005",
			ProductName: "云河流水贷", EnterpriseName: "北京麦香烘焙有限公司", UserID: 99}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.feed.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	got, _, err := h.exchange.Deliveries(ctx, system, exchange.DeliveryFilter{Subject: "SQ20261122-000005"})
	if err != nil || len(got) != 2 {
		t.Fatalf("%d deliveries, %v", len(got), err)
	}
	v, err := h.exchange.Delivery(ctx, system, got[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		SpecVersion, Type, Subject string
		Data                       map[string]any
	}
	if err := json.Unmarshal([]byte(v.Body), &e); err != nil || e.SpecVersion != "1.0" || e.Type != "cn.huiqi.application.accepted" || e.Data["productName"] != "云河流水贷" || e.Data["userId"] != nil {
		t.Errorf("%s, %v", v.Body, err)
	}
}

// TestAddressesInChinese has the form say why an address cannot be used.
func TestAddressesInChinese(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://partner.example/": "https://", "https://10.0.0.1/": "内网", "https://127.1/": "四段数字", "https://a:b@partner.example/": "密码",
		"https:///": "域名", "https://partner.example:22/": "端口", "://": "无法识别", "ftp://partner.example/": "https://",
	} {
		err := pusher{}.Check(exchange.Endpoint{URL: address})
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != "url" || !strings.Contains(f.Message, want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	if err := (pusher{}).Check(exchange.Endpoint{URL: "http://10.1.2.3/", AllowCIDRs: []string{"10.1.0.0/16"}}); err != nil {
		t.Errorf("in a listed network: %v", err)
	}
}
