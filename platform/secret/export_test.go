package secret

import "time"

// Occupy takes one of the turns of HashPassword, as a run that lasts until the function it returns is called.
func (b *Box) Occupy() (done func()) {
	b.passwords <- struct{}{}
	return func() { <-b.passwords }
}

// LosePatience has callers wait until the channel gives something.
func (b *Box) LosePatience(ch <-chan time.Time) { b.waiting = func() <-chan time.Time { return ch } }
