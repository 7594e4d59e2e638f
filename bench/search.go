package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/huiqi/huiqi/bench/floor"
	"github.com/huiqi/huiqi/platform/search"
)

// searched are the words of the figure: one that every ticket holds, one in sixteen, one in five hundred, and two at once.
var searched = []string{"申请", "停车", "独角兽", "路灯 街道"}

// searchTickets has SIZE tickets of one person searched over HTTP with everything, beside the bare full-text statement over
// the same file: the mean of the words. It stops and starts the server to load them.
func searchTickets(ctx context.Context, s *server) error {
	size := os.Getenv("SIZE")
	n := map[string]int{"": 100_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}[size]
	if n == 0 {
		return errors.New("SIZE is 10k, 100k or 1m")
	}
	if size == "" {
		size = "100k"
	}
	s.stop()
	file := filepath.Join(s.dir, "demo", "huiqi.db")
	if err := loadTickets(ctx, file, s.kind, n); err != nil {
		return err
	}
	// #nosec G204 -- runs the built program
	if out, err := exec.Command("bin/huiqi", "search", "rebuild", "--data", filepath.Join(s.dir, "demo"), "--only", "ticket").CombinedOutput(); err != nil {
		return fmt.Errorf("index the tickets: %w: %s", err, out)
	}
	if err := s.start(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	base := "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		if err := floor.ServeSearch(ctx, l, file); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
		}
	}()
	f := figure{Bench: "search_tickets", Size: size, Unit: "requests/s"}
	least := 0.0
	for _, typed := range searched {
		words, err := search.Parse(typed)
		if err != nil {
			return err
		}
		ours, p99, err := load(s.base+"/api/tickets?q="+url.QueryEscape(typed), "GET", s.cookie, s.csrf, nil)
		if err != nil {
			return fmt.Errorf("search %s: %w", typed, err)
		}
		bare, _, err := load(base+"/search?match="+url.QueryEscape(words.FTS5()), "GET", "", "", nil)
		if err != nil {
			return fmt.Errorf("floor of %s: %w", typed, err)
		}
		fmt.Fprintf(os.Stderr, "search %s: %.0f of %.0f requests/s\n", typed, ours, bare)
		f.Value += ours / float64(len(searched))
		least += bare / float64(len(searched))
		f.P99 = max(f.P99, p99)
	}
	ratio := f.Value / least
	f.Floor, f.Ratio = &least, &ratio
	emit(f)
	return nil
}

// loadTickets adds n tickets of the registered person, their texts made of words that come as often as in real ones.
func loadTickets(ctx context.Context, file, kind string, n int) error {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `
		INSERT INTO tickets (number, query_hash, type_code, title, body, urgency, status, version, source, requester_name, phone_sealed, user_id, enterprise_id, enterprise_name,
			unit_name, created_at, due_at, reply, opinion)
		WITH RECURSIVE x (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < ?),
			who AS (SELECT t.user_id, t.enterprise_id, t.phone_sealed, t.number FROM users AS u JOIN tickets AS t ON t.user_id = u.id ORDER BY t.id DESC LIMIT 1)
		SELECT 'GD20250101-' || printf('%07d', i), '', ?, '企业申请办理第' || i || '件事项',
			'门店在' || substr('新华西街北苑南路运河大道通胡大街九棵树路', 1 + (i * 7) % 16, 4) || '，' ||
			CASE WHEN i % 16 = 3 THEN '停车位不足，' ELSE '' END || CASE WHEN i % 500 = 77 THEN '独角兽企业落户，' ELSE '' END ||
			CASE i % 5 WHEN 0 THEN '路灯不亮请街道修复' WHEN 1 THEN '用工补贴如何申请' WHEN 2 THEN '排水不畅影响经营' WHEN 3 THEN '办理许可需要哪些材料' ELSE '电费票据开具' END || '，联系人在店里等候，请尽快答复。',
			'normal', 'closed', 1, 'h5', '林晓梅', who.phone_sealed, who.user_id, who.enterprise_id, '北京麦香烘焙有限公司', '', '2025-01-01 00:00:00+00:00', '2025-01-02 00:00:00+00:00', '已答复', ''
		FROM x, who`, n, kind)
	if err == nil {
		_, err = db.ExecContext(ctx, "ANALYZE")
	}
	return err
}
