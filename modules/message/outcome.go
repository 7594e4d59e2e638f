package message

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

// NoticeOutcome is what became of a notice.
type NoticeOutcome struct {
	// Letter is the state of its letters, empty when it has none: of several the one that got furthest counts.
	Letter State
	Read   bool
}

// furthest orders the states of letters, the one that got furthest first.
var furthest = []State{Sent, Queued, Sending, Unknown, Refused}

// OutcomesOf says what became of the notices with the keys, of which each has one person. One that was never written is
// missing. It is no operation of a person: the caller has asked who may know.
func (s *Service) OutcomesOf(ctx context.Context, db bun.IDB, keys []string) (map[string]NoticeOutcome, error) {
	out := make(map[string]NoticeOutcome, len(keys))
	for chunk := range slices.Chunk(keys, 300) {
		var told []message
		if err := db.NewSelect().Model(&told).Column("key", "read_at").Where("m.key IN ?", bun.Tuple(chunk)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("outcomes of notices: %w", err)
		}
		for _, m := range told {
			out[m.Key] = NoticeOutcome{Read: m.ReadAt != nil}
		}
		for _, table := range []string{"sms_messages", "wechat_messages"} {
			var letters []letter
			err := db.NewSelect().Model(&letters).ModelTableExpr("? AS o", bun.Ident(table)).Column("notice_key", "state").Where("o.notice_key IN ? AND o.notice_key <> ''", bun.Tuple(chunk)).Scan(ctx)
			if err != nil {
				return nil, fmt.Errorf("letters of notices: %w", err)
			}
			for _, l := range letters {
				o := out[l.NoticeKey]
				if o.Letter == "" || slices.Index(furthest, l.State) < slices.Index(furthest, o.Letter) {
					o.Letter = l.State
				}
				out[l.NoticeKey] = o
			}
		}
	}
	return out, nil
}

// HeldUntil is until when text messages that are not urgent wait, the zero time outside the quiet hours.
func (s *Service) HeldUntil(at time.Time) time.Time { return s.Quiet.end(at) }
