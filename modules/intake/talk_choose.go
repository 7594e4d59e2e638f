package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/width"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// choices are the groups of matters, or the matters of a group, whose codes begin with its first two digits.
func (s *Service) choices(ctx context.Context, group string) ([]Choice, error) {
	all, err := s.Desk.Matters(ctx)
	var list []Choice
	for _, m := range all {
		c := Choice{m.Code, m.Name}
		if group == "" {
			c = Choice{m.Code[:min(2, len(m.Code))], m.Group}
		} else if !strings.HasPrefix(m.Code, group) {
			continue
		}
		if len(list) == 0 || list[len(list)-1].Key != c.Key {
			list = append(list, c)
		}
	}
	return list, err
}

func ask(head string, list []Choice) string {
	var b strings.Builder
	b.WriteString(head)
	for i, c := range list {
		fmt.Fprintf(&b, "\n%d %s", i+1, c.Name)
	}
	return b.String()
}

// choose takes the number of a group, then that of a matter, with which the talk becomes a ticket.
func (s *Service) choose(ctx context.Context, t *talk, n Note, said string) (step, error) {
	list, err := s.choices(ctx, t.Matter)
	if err != nil {
		return step{}, err
	}
	chosen, err := strconv.Atoi(width.Narrow.String(said))
	if err != nil || chosen < 1 || chosen > len(list) || n.Kind != Said {
		return step{answer: ask("请回复下面的数字之一，或发送“取消”：", list)}, nil
	}
	first := t.Matter == ""
	t.Matter, t.TouchedAt = list[chosen-1].Key, s.Clock.Now()
	if first {
		if list, err = s.choices(ctx, t.Matter); err != nil || len(list) > 1 {
			return step{answer: ask("请回复数字，选择具体事项：", list)}, err
		}
		t.Matter = list[0].Key
	}
	actor, err := s.Accounts.ByOpenID(ctx, n.OpenID)
	if errors.Is(err, ErrNotFound) {
		return s.unbound(t), nil
	} else if err != nil {
		return step{}, err
	}
	if len(t.media()) > 0 {
		t.State = filing
		return step{answer: fmt.Sprintf("正在提交您的诉求和 %d 张图片，受理后马上把流水号发给您。", len(t.media()))}, nil
	}
	return step{file: &actor}, nil
}

// query tells how a ticket stands. Wrong codes are counted, five an hour.
func (s *Service) query(ctx context.Context, t *talk, m []string) (step, error) {
	now := s.Clock.Now()
	if now.Sub(t.WrongAt) > triesSpan {
		t.Wrong, t.WrongAt = 0, now
	}
	if t.Wrong >= mostTries {
		return step{answer: "查询码错误次数过多，请一小时后再试，或登录后在“我的诉求”中查看。"}, nil
	}
	told, err := s.Desk.ByCode(ctx, "wechat:"+t.Blind, m[1], m[2])
	switch fault.KindOf(err) {
	case fault.TooMany: // somebody else, or another way, was wrong about this number; the fault says until when
		f, _ := fault.As(err)
		return step{answer: f.Message + "。"}, nil
	case fault.NotFound:
		t.Wrong++
		return step{answer: "流水号或查询码不正确，请核对受理时告知您的流水号和六位查询码。"}, nil
	case "":
	default:
		return step{}, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s（%s）\n当前状态：%s", told.Number, told.TypeName, told.Status)
	if told.UnitName != "" {
		b.WriteString("\n承办单位：" + told.UnitName)
	}
	b.WriteString("\n提交时间：" + clock.Show(told.At))
	if !told.Ended {
		b.WriteString("\n答复期限：" + clock.Show(told.DueAt))
	}
	if told.Reply != "" {
		b.WriteString("\n答复：" + text.Truncate(told.Reply, 300))
	}
	return step{answer: b.String()}, nil
}
