package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// doctorSays runs the command over a data directory.
func doctorSays(t *testing.T, dir string) (string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main([]string{"doctor", "--data", dir}, &out, &errs)
	if errs.Len() > 0 {
		t.Errorf("on the side: %s", errs.String())
	}
	return out.String(), code
}

// TestDoctor looks over installations that lack something, with no server running.
func TestDoctor(t *testing.T) {
	ctx := context.Background()
	has := func(out string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(out, p) {
				t.Errorf("it does not say %q:\n%s", p, out)
			}
		}
	}
	out, code := doctorSays(t, t.TempDir())
	if code != 2 {
		t.Errorf("without a configuration: exit %d", code)
	}
	has(out, "✗ 配置文件：", "处理：请对照 huiqi.example.yaml", "异常 1 项")

	dir := t.TempDir()
	if _, err := readDemo(dir); err != nil { // marks it as a demo
		t.Fatal(err)
	}
	out, code = doctorSays(t, dir)
	if code != 1 {
		t.Errorf("a demo that was never started: exit %d", code)
	}
	has(out, "✓ 配置文件：可以使用", "可以写入", "! 数据库：huiqi.db 还不存在")
	if _, err := os.Stat(filepath.Join(dir, "huiqi.db")); err == nil {
		t.Error("looking made a database")
	}

	db, err := database.Open(ctx, filepath.Join(dir, "huiqi.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if out, _ = doctorSays(t, dir); !strings.Contains(out, "步升级尚未执行") {
		t.Errorf("an empty database:\n%s", out)
	}
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		t.Fatal(err)
	}
	out, code = doctorSays(t, dir)
	if code != 1 { // nobody is on duty, nothing was backed up
		t.Errorf("a fresh demo: exit %d\n%s", code, out)
	}
	has(out, "✓ 数据库版本：与程序一致", "✓ 文件存放：可以使用", "磁盘剩余空间：剩余 ", "✓ 审计日志封印：全部已封印", "! 值班人员：没有值班人员", "! 备份：还没有验证通过的备份")

	now := clock.System{}.Now()
	for _, q := range []string{
		`INSERT INTO backups (state, cause, attempt, asked_at, asked_by, not_before, claim, started_at, ended_at, stage, stage_done, stage_total, set_name, size, rows,
			files, files_new, files_missing, files_damaged, copy_fault, fault) VALUES ('failed', 'schedule', 3, ?0, '系统', ?0, '', ?0, ?0, '', 0, 0, '', 0, 0, 0, 0, 0, 0, '', '备份目录空间不足')`,
		`INSERT INTO schema_migrations (id, at) VALUES ('29991231000000_tomorrow', ?0)`,
	} {
		if _, err := db.Writer().NewRaw(q, now).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		if out, code = doctorSays(t, dir); code != 2 {
			t.Errorf("exit %d after %s\n%s", code, q, out)
		}
		if strings.HasPrefix(q, "INSERT INTO backups") {
			has(out, "✗ 备份：最近一次备份未完成：备份目录空间不足", "处理：请在“备份”查看原因")
		}
	}
	has(out, "✗ 数据库版本：高于本程序（29991231000000_tomorrow）")
}
