package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// fileNow opens the ticket of a talk without pictures, with the talk's end and the answer.
func (s *Service) fileNow(ctx context.Context, actor access.Actor, t talk, before int64, key string) (string, error) {
	if err := failpoint.Hit("intake.talk-filing"); err != nil {
		return "", err
	}
	answer := ""
	f := s.filingOf(t, nil)
	f.Within = func(ctx context.Context, tx bun.Tx, f Filed) error {
		t := t
		s.empty(&t)
		answer = accepted(f)
		return s.keepTalk(ctx, tx, &t, before, key, answer)
	}
	err := s.Desk.Open(ctx, actor, f)
	if err != nil {
		if told, ok := fault.As(err); ok && !errors.Is(err, errLost) && told.Kind == fault.Invalid {
			return told.Message + "。可以发送“继续”修改后再发送“完成”。", nil
		}
		return "", err
	}
	return answer, nil
}

func (s *Service) filingOf(t talk, fileIDs []int64) Filing {
	body := t.Text
	if t.Place != "" {
		body += "\n\n" + t.Place
	}
	return Filing{Channel: Wechat, Type: t.Matter, Title: summary(t.Text), Body: body, FileIDs: fileIDs}
}

func accepted(f Filed) string {
	return fmt.Sprintf("诉求已受理。\n流水号：%s\n查询码：%s\n答复期限：%s\n进展会在这里通知您，也可发送“查询 %s %s”查看。", f.Number, f.QueryCode, clock.Show(f.DueAt), f.Number, f.QueryCode)
}

// fileTalk opens the ticket of a talk with pictures, and has the person told. A talk that is a ticket already is left alone.
func (s *Service) fileTalk(ctx context.Context, id int64) error {
	var t talk
	err := database.Found(s.DB.Read().NewSelect().Model(&t).Where("t.id = ?", id).Scan(ctx))
	if errors.Is(err, ErrNotFound) || err == nil && t.State != filing {
		return nil
	} else if err != nil {
		return err
	}
	openID, err := s.Box.Open(t.OpenID, openIDPlace)
	if err != nil {
		return jobs.Cancel(err)
	}
	actor, err := s.Accounts.ByOpenID(ctx, string(openID))
	if err != nil {
		return err
	}
	var ids []int64
	lost := 0
	for _, media := range t.media() {
		name, content, err := s.Wechat.Media(ctx, media)
		if err != nil {
			return fmt.Errorf("picture of talk %d: %w", id, err)
		}
		v, err := s.Files.Save(ctx, actor, name, bytes.NewReader(content))
		switch k := fault.KindOf(err); {
		case err == nil:
			ids = append(ids, v.ID)
		case k == fault.Invalid || k == fault.TooLarge || k == fault.BadMedia || k == fault.BadRequest:
			lost++
		default:
			return err
		}
	}
	if err := failpoint.Hit("intake.talk-filing"); err != nil {
		return err
	}
	f := s.filingOf(t, ids)
	key := fmt.Sprintf("talk:%d:%d", t.ID, t.Version)
	f.Within = func(ctx context.Context, tx bun.Tx, f Filed) error {
		t := t
		before := t.Version
		s.empty(&t)
		answer := accepted(f)
		if lost > 0 {
			answer += fmt.Sprintf("\n有 %d 张图片格式不符，没有保存。", lost)
		}
		if err := s.keepTalk(ctx, tx, &t, before, key, answer); err != nil {
			return err
		}
		return s.queue.Insert(ctx, tx, tellArgs{t.ID, key}, jobs.On(jobs.Delivery))
	}
	err = s.Desk.Open(ctx, actor, f)
	if errors.Is(err, errLost) { // another worker was faster
		return nil
	}
	return err
}

// tell sends a follower the answer that was kept for them.
func (s *Service) tell(ctx context.Context, job tellArgs) error {
	answer, err := s.told(ctx, job.Key)
	if err != nil || answer == nil {
		return err
	}
	var t talk
	if err := s.DB.Read().NewSelect().Model(&t).Where("t.id = ?", job.TalkID).Scan(ctx); err != nil {
		return err
	}
	openID, err := s.Box.Open(t.OpenID, openIDPlace)
	if err != nil {
		return jobs.Cancel(err)
	}
	if permanent, err := s.Wechat.Tell(ctx, string(openID), *answer); permanent {
		return jobs.Cancel(err)
	} else if err != nil {
		return err
	}
	return nil
}
