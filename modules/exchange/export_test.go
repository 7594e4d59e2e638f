package exchange

import (
	"context"
	"errors"
)

// Pump does what the job exchange.pump does; Lease is how long a claim holds.
func (s *Service) Pump(ctx context.Context, partner int64) error {
	return s.pump(ctx, pumpArgs{PartnerID: partner})
}

// Sweep does one round of Run and of the tasks.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.mend(ctx), s.forgetCalls(ctx), s.wake(ctx))
}

// Spread fixes the chance by which pauses are spread.
func (s *Service) Spread(chance float64) { s.chance = func() float64 { return chance } }

// Lease is how long a claim holds.
const Lease = lease

// Pause is how long to wait after the n-th failure in a row.
var Pause = pause

// CheckNetwork reads a network of the allow-list.
var CheckNetwork = checkNetwork
