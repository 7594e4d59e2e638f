package intake_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/intake"
)

// said is a text of the owner, with a mark of its own.
func said(n int, text string) intake.Note {
	return intake.Note{Key: fmt.Sprintf("msg:%d", n), OpenID: "oWang", Kind: intake.Said, Text: text}
}

// talk sends each text and checks what the answer says.
func (f fixture) talk(t *testing.T, openID string, turns ...[2]string) {
	t.Helper()
	for _, turn := range turns {
		n := intake.Note{Key: "msg:" + openID + turn[0] + fmt.Sprint(f.desk.last.Add(0), time.Now().UnixNano()), OpenID: openID, Kind: intake.Said, Text: turn[0]}
		switch kind, rest, _ := strings.Cut(turn[0], ":"); kind {
		case "picture":
			n.Kind, n.Text, n.MediaID = intake.Picture, "", rest
		case "place":
			n.Kind, n.Text, n.Lat, n.Long = intake.Place, rest, 39.9092, 116.6633
		case "key":
			n.Kind, n.Text = intake.Pressed, rest
		case "mumbled":
			n.Kind, n.Text = intake.Mumbled, ""
		case "followed":
			n.Kind, n.Text = intake.Followed, ""
		case "video":
			n.Kind, n.Text = "", ""
		}
		answer, err := f.Answer(ctx, n)
		if err != nil || !strings.Contains(answer, turn[1]) || len(answer) > 2048 {
			t.Fatalf("%s: %q %v, want %q", turn[0], answer, err, turn[1])
		}
	}
}

func TestTalk(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.talk(t, "oWang", [2]string{"followed:", "北京市通州区惠企台"}, [2]string{"你好", "发送“诉求”"}, [2]string{"完成", "发送“诉求”"}, [2]string{"key:query", "查询码"}, [2]string{"查询", "例如"},
		[2]string{"key:ask", "请写明您的诉求"}, [2]string{"诉求", "接着写"}, [2]string{"完成", "还没有写"}, [2]string{"门口路灯不亮", "已记下"}, [2]string{"mumbled:", "没有听清"}, [2]string{"video:", "不能识别"},
		[2]string{"place:新华西街", "已记下位置"}, [2]string{"晚上很不安全", "已记下"}, [2]string{strings.Repeat("长", 1801), "最多"}, [2]string{"完成", "1 政策与资金\n2 要素保障"},
		[2]string{"3", "数字之一"}, [2]string{"１", "1 政策咨询\n2 补贴奖励申报"}, [2]string{"2", "流水号：GD20261122-000001\n查询码：100001"})
	o, by := f.desk.opens[0], f.desk.by[0]
	if o.Type != "010102" || o.Channel != intake.Wechat || by.UserID != owner.UserID || !strings.HasPrefix(o.Body, "门口路灯不亮\n晚上很不安全\n\n地点：新华西街\n坐标：39.90") || o.Title != "门口路灯不亮 晚上很不安全" {
		t.Errorf("%+v by %+v", o, by)
	}
	f.talk(t, "oWang", [2]string{"完成", "发送“诉求”"}, [2]string{"查询 GD20261122-000001 100001", "当前状态：办理中\n承办单位：区财政局"},
		[2]string{"诉求：井盖松动", "已记下"}, [2]string{"取消", "已取消"}, [2]string{"继续", "发送“诉求”"}, [2]string{"诉求 井盖松动", "已记下"})
	// Ten minutes later the person is asked; what was written is still there.
	f.clock.Advance(11 * time.Minute)
	f.talk(t, "oWang", [2]string{"在吗", "没有提交的诉求：“井盖松动”"}, [2]string{"继续", "接着写"}, [2]string{"在路口", "已记下"}, [2]string{"完成", "1 政策"}, [2]string{"2", "流水号：GD20261122-000002"})
	if got := f.desk.opens[1].Body; got != "井盖松动\n在路口" {
		t.Errorf("%q", got)
	}
}

func TestTalkOfAStranger(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.talk(t, "oNew", [2]string{"诉求 想问贷款贴息", "已记下"}, [2]string{"完成", "https://tz.example.gov.cn/wechat/authorize?return=%2Fm%2F"})
	f.clock.Advance(50 * time.Minute)
	f.talk(t, "oNew", [2]string{"完成", "还差一步"})
	for range 5 {
		f.talk(t, "oNew", [2]string{"查询 GD20261122-000001 000000", "不正确"})
	}
	f.talk(t, "oNew", [2]string{"查询 GD20261122-000001 100001", "错误次数过多"})
	f.clock.Advance(61 * time.Minute)
	f.talk(t, "oNew", [2]string{"查询 GD20261122-000001 100001", "办理中"})
	if f.desk.count() != 0 {
		t.Error("a ticket of nobody")
	}
}

// TestTalkTwice: the same message three times in parallel is one ticket and one answer; so are two messages at once that
// both would file.
func TestTalkTwice(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.talk(t, "oWang", [2]string{"诉求 路灯不亮", "已记下"}, [2]string{"完成", "1 政策"})
	var wg sync.WaitGroup
	answers, errs := make([]string, 6), make([]error, 6)
	for i := range answers {
		wg.Go(func() { answers[i], errs[i] = f.Answer(ctx, said(900+i/3, "2")) })
	}
	wg.Wait()
	tickets := map[string]bool{}
	for i, a := range answers {
		if errs[i] != nil || a != answers[i/3*3] {
			t.Errorf("answer %d: %q and %q, %v", i, a, answers[i/3*3], errs[i])
		}
		if strings.Contains(a, "流水号：") {
			tickets[a] = true
		}
	}
	if n := f.desk.count(); n != 1 || len(tickets) != 1 {
		t.Errorf("%d tickets, %d told", n, len(tickets))
	}
}

// TestTalkWithPictures: they are fetched by a job, which also tells the person; done again it does nothing.
func TestTalkWithPictures(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.talk(t, "oWang", [2]string{"诉求 垃圾没有清运", "已记下"}, [2]string{"picture:p1", "第 1 张"}, [2]string{"picture:virus", "第 2 张"}, [2]string{"完成", "1 政策"}, [2]string{"2", "2 张图片"}, [2]string{"好了吗", "正在提交"})
	for range 2 {
		if err := f.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if f.desk.count() != 1 || len(f.desk.opens[0].FileIDs) != 1 {
		t.Fatalf("%+v", f.desk.opens)
	}
	if len(f.line.told) != 1 || !strings.HasPrefix(f.line.told[0], "oWang: 诉求已受理。\n流水号：GD20261122-00000") || !strings.Contains(f.line.told[0], "有 1 张图片格式不符") {
		t.Errorf("%q", f.line.told)
	}
	f.talk(t, "oWang", [2]string{"谢谢", "发送“诉求”"})
}
