package intake

import "context"

// Deliver does what the jobs of the queue would: letters that wait, talks whose pictures are fetched, followers to be told.
func (s *Service) Deliver(ctx context.Context) error {
	var letters []letter
	if err := s.DB.Read().NewSelect().Model(&letters).Where("l.state IN ('queued', 'sending')").OrderExpr("l.id").Scan(ctx); err != nil {
		return err
	}
	for _, l := range letters {
		if err := s.sendLetter(ctx, l.ID); err != nil {
			return err
		}
	}
	var talks []talk
	if err := s.DB.Read().NewSelect().Model(&talks).Where("t.state = 'filing'").Scan(ctx); err != nil {
		return err
	}
	for _, t := range talks {
		if err := s.fileTalk(ctx, t.ID); err != nil {
			return err
		}
		var seen []seenNote
		if err := s.DB.Read().NewSelect().Model(&seen).Where("s.key LIKE 'talk:%'").Scan(ctx); err != nil {
			return err
		}
		for _, n := range seen {
			if err := s.tell(ctx, tellArgs{t.ID, n.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Unread makes the mailbox forget what was read, as a lost commit would.
func (s *Service) Unread(ctx context.Context) error {
	_, err := s.DB.Writer().NewUpdate().Model((*mailbox)(nil)).Set("last_uid = 0").Where("1 = 1").Exec(ctx)
	return err
}

// Reference is what our letters about a ticket carry.
func (s *Service) Reference(ticketID int64, address string) string {
	return s.reference(ticketID, address)
}

// LetterStates lists the states of the letters.
func (s *Service) LetterStates(ctx context.Context) (states []string, err error) {
	err = s.DB.Read().NewSelect().Model((*letter)(nil)).Column("l.state").OrderExpr("l.id").Scan(ctx, &states)
	return states, err
}
