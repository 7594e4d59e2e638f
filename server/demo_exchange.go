package server

import (
	"context"
	"slices"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoPartners opens the demo's partners and, as the sandbox has another address at each start, tells the exchange where
// they are now. They get what happens after their first start; the story that was seeded is not pushed.
func (h *house) demoPartners(ctx context.Context, sandboxAddr, secret string) error {
	world, err := demo.Generate(h.clock.Now())
	if err != nil {
		return err
	}
	topics := exchangeTopics()
	for _, p := range world.Partners {
		in := exchange.InstalledPartner{Code: p.Code, Secret: secret, Hosts: []string{sandboxAddr}, PartnerFields: exchange.PartnerFields{
			Name: p.Name, Note: p.Note, CallsPerMinute: 120, CallsPerDay: p.Quota,
		}}
		if p.Direction != "pull" {
			in.URL = "http://" + sandboxAddr + "/sandbox/partner/" + p.Code + "/events"
		}
		for _, t := range topics {
			if slices.Contains(p.Events, t.Type) {
				in.Events = append(in.Events, t.Type)
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
