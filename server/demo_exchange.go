package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoPartners opens the demo's partners and, as the sandbox has another address at each start, tells the exchange where
// they are now. They get what happens after their first start; the story that was seeded is not pushed.
func (h *house) demoPartners(ctx context.Context, sandboxAddr, secret string) error {
	partners, err := demo.Partners()
	if err != nil {
		return err
	}
	topics := exchangeTopics()
	for _, p := range partners {
		in := exchange.InstalledPartner{Code: p.Code, Secret: secret, Hosts: []string{sandboxAddr}, PartnerFields: exchange.PartnerFields{
			Name: p.Name, Note: p.Note, CallsPerMinute: 120, CallsPerDay: p.Quota,
		}}
		if p.Direction != "pull" {
			in.URL = "http://" + sandboxAddr + "/sandbox/partner/" + p.Code + "/events"
		}
		for _, t := range topics {
			for _, e := range p.Events {
				if e == t.Type {
					in.Events = append(in.Events, e)
				}
			}
		}
		for _, f := range exchangeFields() {
			if f.Standard {
				in.Fields = append(in.Fields, f.Name())
			}
		}
		if err := h.exchange.Ensure(ctx, access.SystemActor("demo"), in); err != nil {
			return err
		}
	}
	return nil
}
