package intake

import (
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Published is announced when the desk writes a public description.
type Published struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

// Event names the fact.
func (f Published) Event() (string, string, int64) { return "intake.published", "intake_request", f.ID }

// PublicWords is what the public reads of a request that a partner made.
type PublicWords struct {
	Text    string `json:"text" doc:"Written by the operator; empty while the fixed words stand."`
	Shown   string `json:"shown" doc:"What is read now."`
	Public  bool   `json:"public" doc:"Its service is published, and it is not confidential."`
	Secret  bool   `json:"secret" doc:"The ticket is confidential: nobody reads of it."`
	Service string `json:"service"`
}

// Words tells what the public reads of a request. It needs intake.open311; the ticket is named by its number.
func (s *Service) Words(ctx context.Context, actor access.Actor, number string) (PublicWords, error) {
	if err := staff(actor, PermOpen311); err != nil {
		return PublicWords{}, err
	}
	var r requestRow
	if err := database.Found(s.DB.Read().NewSelect().Model(&r).Where("r.number = ?", number).Scan(ctx)); err != nil {
		return PublicWords{}, err
	}
	all, err := s.services(ctx)
	if err != nil {
		return PublicWords{}, err
	}
	p := Public{requestRow: r, Service: r.Code}
	v := PublicWords{Text: r.PublicText, Secret: r.Hidden}
	if i := slices.IndexFunc(all, func(v ServiceView) bool { return v.Code == r.Code }); i >= 0 {
		p.Service, v.Public = all[i].Name, all[i].Published && !r.Hidden
	}
	v.Shown, v.Service = p.text(), p.Service
	return v, nil
}

// Publish asks to give a request the description that the public reads; "" takes it back. Seen is the one the actor saw.
type Publish struct {
	Number, Text, Seen string
	Key                string `json:"-"`
}

// Publish keeps the description, with phone and identity numbers masked. It needs intake.open311; a text that somebody else wrote
// meanwhile is a conflict.
func (s *Service) Publish(ctx context.Context, actor access.Actor, cmd Publish) error {
	if err := staff(actor, PermOpen311); err != nil {
		return err
	}
	description, err := text.Block("text", cmd.Text, 0, 500)
	if err != nil {
		return text.Named(err, "公开说明")
	}
	description, _ = text.MaskNumbers(description)
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "intake.publish", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			var r requestRow
			if err := database.Found(tx.NewSelect().Model(&r).Where("r.number = ?", cmd.Number).Scan(ctx)); err != nil {
				return false, err
			}
			err := database.Changed(tx.NewUpdate().Model((*requestRow)(nil)).Set("public_text = ?", description).Set("updated_at = ?", now).
				Where("id = ? AND public_text = ?", r.ID, cmd.Seen).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				return false, ErrStale.With("公开说明已由他人修改，请刷新后再修改")
			} else if err != nil {
				return false, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Published{r.ID, description}); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "intake.publish", Object: "intake_request", ObjectID: r.ID, Summary: "公开诉求说明 " + cmd.Number,
				Detail: map[string]any{"text": description, "was": r.PublicText}})
		})
		return err
	})
}
