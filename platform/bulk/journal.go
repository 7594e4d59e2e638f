package bulk

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
)

// entry is one step of some object: its fact and its line of the audit log.
type entry struct {
	at    time.Time
	order int64
	event *event.Event // nil for a step that announces nothing
	audit *audit.Entry // nil for a fact whose action has its line with another
}

// journal keeps the steps that are told until all before them are, so that ids and positions follow the time as they do
// where people work. It holds no more than what the objects that overlap have still before them.
type journal struct {
	waiting entries
	told    int64
	pos     int64 // of the last event
}

func (l *Load) openJournal(ctx context.Context) error {
	err := l.db.Read().NewSelect().Model((*event.Event)(nil)).ColumnExpr("coalesce(max(pos), 0)").Scan(ctx, &l.pos)
	if err != nil {
		return err
	}
	open, err := l.db.Read().NewSelect().Model((*event.Event)(nil)).Where("pos IS NULL").Exists(ctx)
	if err == nil && open {
		return fmt.Errorf("bulk: events without a position; let the listeners read them first")
	}
	return err
}

// Tell keeps one step: what event.Append and audit.Write would have kept in its transaction. seq is the fact's number within
// its object, from 1. A nil fact announces nothing.
func (l *Load) Tell(actor access.Actor, at time.Time, seq int64, fact event.Fact, record audit.Record) error {
	_, err := l.Fact(actor, at, seq, fact, record)
	return err
}

// Fact is Tell, and returns what was kept of the fact, still without its id, for who folds the facts of one object at once. There
// must be a fact.
func (l *Load) Fact(actor access.Actor, at time.Time, seq int64, fact event.Fact, record audit.Record) (event.Event, error) {
	line, err := audit.Make(actor, at, record)
	if err != nil {
		return event.Event{}, err
	}
	made, err := l.keep(actor, at, seq, fact, &line)
	if err != nil || made == nil {
		return event.Event{}, err
	}
	return *made, nil
}

// Announce keeps a fact alone, of an action that announces several and has its line in the audit log with the last.
func (l *Load) Announce(actor access.Actor, at time.Time, seq int64, fact event.Fact) error {
	_, err := l.keep(actor, at, seq, fact, nil)
	return err
}

func (l *Load) keep(actor access.Actor, at time.Time, seq int64, fact event.Fact, line *audit.Entry) (*event.Event, error) {
	e := entry{at: at, order: l.told, audit: line}
	l.told++
	if fact != nil {
		made, err := event.Make(actor, at, fact)
		if err != nil {
			return nil, err
		}
		made.Seq = seq
		e.event = &made
	}
	heap.Push(&l.waiting, e)
	return e.event, nil
}

// Until writes the steps before at. Whoever tells objects in the order of their first steps calls it with each first step.
func (l *Load) Until(at time.Time) error {
	for len(l.waiting) > 0 && l.waiting[0].at.Before(at) {
		e := heap.Pop(&l.waiting).(entry)
		if e.event != nil {
			e.event.ID = l.NextID("events")
			l.pos++
			pos := l.pos
			e.event.Pos = &pos
			if err := l.Add(e.event); err != nil {
				return err
			}
		}
		if e.audit == nil {
			continue
		}
		e.audit.ID = l.NextID("audit_entries")
		if err := l.Add(e.audit); err != nil {
			return err
		}
	}
	return nil
}

func (l *Load) flushJournal() error {
	return l.Until(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
}

type entries []entry

// Len, Less, Swap, Push and Pop are heap's contract.
func (e entries) Len() int { return len(e) }

// Less orders by time, and within one moment as told.
func (e entries) Less(i, j int) bool {
	if c := e[i].at.Compare(e[j].at); c != 0 {
		return c < 0
	}
	return e[i].order < e[j].order
}

// Swap exchanges two.
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push adds one at the end.
func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }

// Pop takes the last.
func (e *entries) Pop() any {
	old := *e
	x := old[len(old)-1]
	old[len(old)-1] = entry{}
	*e = old[:len(old)-1]
	return x
}
