package exchange_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/fault"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		out  exchange.Outcome
		want exchange.Verdict
		says string
	}{
		{exchange.Outcome{Trouble: exchange.TimedOut}, exchange.Again, "未在规定时间内应答"},
		{exchange.Outcome{Trouble: exchange.Refused}, exchange.Again, "拒绝连接"},
		{exchange.Outcome{Trouble: exchange.Cut}, exchange.Again, "连接中断"},
		{exchange.Outcome{Trouble: exchange.Unresolved}, exchange.Again, "域名无法解析"},
		{exchange.Outcome{Trouble: exchange.Unreachable}, exchange.Again, "网络不通"},
		{exchange.Outcome{Trouble: exchange.Untrusted}, exchange.Slowly, "证书"},
		{exchange.Outcome{Trouble: exchange.Blocked}, exchange.Slowly, "不在允许范围内"},
		{exchange.Outcome{Trouble: exchange.Misconfigured}, exchange.Slowly, "更换密钥"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 500}, exchange.Again, "500，对方系统故障"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 503}, exchange.Again, "503"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 408}, exchange.Again, "408"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 409}, exchange.Again, "409"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 425}, exchange.Again, "425"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 429}, exchange.Again, "要求放慢"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 401}, exchange.Slowly, "核对密钥"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 403}, exchange.Slowly, "拒绝接收"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 404}, exchange.Slowly, "地址不存在"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 410}, exchange.Slowly, "地址不存在"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 302}, exchange.Slowly, "地址已迁移"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 400}, exchange.Never, "内容不合格"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 422}, exchange.Never, "内容不合格"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 413}, exchange.Never, "内容过大"},
		{exchange.Outcome{Trouble: exchange.Answered, Status: 405}, exchange.Never, "405"},
	} {
		if got := c.out.Verdict(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.out, got, c.want)
		}
		if got := c.out.Words(); !strings.Contains(got, c.says) {
			t.Errorf("%+v says %q, want %q", c.out, got, c.says)
		}
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v     exchange.Verdict
		n     int
		asked time.Duration
		want  time.Duration
	}{
		{exchange.Again, 1, 0, time.Second}, {exchange.Again, 2, 0, 5 * time.Second}, {exchange.Again, 3, 0, 30 * time.Second},
		{exchange.Again, 4, 0, 2 * time.Minute}, {exchange.Again, 5, 0, 10 * time.Minute}, {exchange.Again, 99, 0, 10 * time.Minute},
		{exchange.Again, 1, time.Minute, time.Minute}, {exchange.Again, 5, time.Minute, 10 * time.Minute},
		{exchange.Slowly, 1, 0, time.Minute}, {exchange.Slowly, 4, 0, 30 * time.Minute}, {exchange.Slowly, 50, 0, 30 * time.Minute},
	} {
		if got := exchange.Pause(c.v, c.n, c.asked, 0.5); got != c.want {
			t.Errorf("%s %d asked %s: %s, want %s", c.v, c.n, c.asked, got, c.want)
		}
	}
	low, high := exchange.Pause(exchange.Again, 5, 0, 0), exchange.Pause(exchange.Again, 5, 0, 1)
	if low != 8*time.Minute || high != 12*time.Minute {
		t.Errorf("spread from %s to %s, want a fifth to either side", low, high)
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.20.0.0/16": "10.20.0.0/16", "10.20.3.4/16": "10.20.0.0/16", "192.168.1.9": "192.168.1.9/32", "172.20.0.0/14": "172.20.0.0/14",
		"fd00:1::/32": "fd00:1::/32",
		"127.0.0.0/8": "", "127.0.0.1": "", "169.254.169.254": "", "0.0.0.0/0": "", "10.0.0.0/7": "", "8.8.8.0/24": "", "::1": "", "fe80::/10": "",
		"内网": "", "10.20.0.0/40": "", "": "",
	} {
		got, err := exchange.CheckNetwork(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v is no fault of the input", in, err)
		}
	}
}

func TestStatesHaveWords(t *testing.T) {
	t.Parallel()
	for _, s := range []exchange.State{exchange.Queued, exchange.Sending, exchange.Delivered, exchange.Failed, exchange.Dead, exchange.Skipped, exchange.Kept} {
		if s.Label() == "" {
			t.Errorf("%s has no word", s)
		}
	}
	p := exchange.Partner{State: exchange.Active}
	if err := p.Resume(); !errors.Is(err, exchange.ErrState) {
		t.Errorf("resumed an active partner: %v", err)
	}
	if err := p.Pause(); err != nil || p.State != exchange.Paused {
		t.Errorf("%v %s", err, p.State)
	}
	if err := p.Pause(); !errors.Is(err, exchange.ErrState) {
		t.Errorf("paused twice: %v", err)
	}
}
