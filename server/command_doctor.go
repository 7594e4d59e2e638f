package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// The exit codes of huiqi doctor: the worst of its lines.
const (
	doctorWell = 0
	doctorWarn = 1
	doctorIll  = 2
)

// doctor looks an installation over, whether the server runs or not, and says line by line how it stands and what to do.
// It changes nothing but for a file it removes again.
type doctor struct {
	out   io.Writer
	worst int
	count [3]int
}

func (d *doctor) say(state operations.State, title, text, advice string) {
	mark, code := "✓", doctorWell
	switch state {
	case operations.Warn:
		mark, code = "!", doctorWarn
	case operations.Bad:
		mark, code = "✗", doctorIll
	}
	d.worst = max(d.worst, code)
	d.count[code]++
	fmt.Fprintf(d.out, "%s %s：%s\n", mark, title, text)
	if advice != "" && code != doctorWell {
		fmt.Fprintf(d.out, "    处理：%s\n", advice)
	}
}

func (d *doctor) head(text string) { fmt.Fprintf(d.out, "\n%s\n", text) }

// runDoctor is huiqi doctor. It returns the exit code: 0 all is well, 1 something is to be noted, 2 something is wrong.
func runDoctor(ctx context.Context, path string, flags map[string]any, out io.Writer) int {
	d := &doctor{out: out}
	fmt.Fprintf(out, "惠企台 %s 自检 %s\n", version, clock.Show(time.Now()))
	d.head("配置")
	c, err := load(path, flags)
	if err != nil {
		d.say(operations.Bad, "配置文件", plain(err), "请对照 huiqi.example.yaml 修改配置，或检查 HUIQI_ 开头的环境变量。")
		return d.sum()
	}
	d.say(operations.Normal, "配置文件", "可以使用", "")
	d.configured(c)
	d.head("数据目录")
	d.folder(c.Data)
	d.head("数据库")
	db := d.database(ctx, c)
	if db == nil {
		return d.sum()
	}
	defer db.Close()
	d.rules(ctx, c, db)
	return d.sum()
}

func (d *doctor) sum() int {
	fmt.Fprintf(d.out, "\n合计：正常 %d 项，注意 %d 项，异常 %d 项\n", d.count[doctorWell], d.count[doctorWarn], d.count[doctorIll])
	return d.worst
}

// configured says which outside systems the configuration names. What must be there load has refused already.
func (d *doctor) configured(c Config) {
	if c.Demo {
		d.say(operations.Normal, "外部系统", "演示环境，短信、微信、登记库均为沙箱", "")
	} else {
		d.named("短信", c.SMS.Templates, message.SMSNames(), "sms.templates")
		if c.Wechat.AppID == "" {
			d.say(operations.Warn, "微信", "未配置公众号，微信登录和消息停用", "如需使用，请填写 wechat。")
		} else {
			d.named("微信", c.Wechat.Templates, message.WechatNames(), "wechat.templates")
		}
		if c.Registry.URL == "" {
			d.say(operations.Warn, "企业登记库", "未配置，企业认证全部转人工审核", "如需自动核验，请填写 registry。")
		} else {
			d.say(operations.Normal, "企业登记库", "已配置", "")
		}
	}
	if c.Files.Clamd == "" {
		d.say(operations.Warn, "附件查毒", "未配置，上传的附件不查毒", "请安装 clamd 并填写 files.clamd。")
	} else {
		d.say(operations.Normal, "附件查毒", "已配置", "")
	}
	if len(c.Backup.Recipients) == 0 && !c.Demo {
		d.say(operations.Bad, "备份", "未配置备份公钥，数据没有备份", "请用 huiqi backup keygen 生成密钥对，把公钥填入 backup.recipients，私钥另行保管。")
	} else if c.Backup.CopyTo == "" {
		d.say(operations.Warn, "备份", "只有一份，没有第二位置", "请在 backup.copy_to 填写另一台机器上的目录，以防本机磁盘损坏。")
	} else {
		d.say(operations.Normal, "备份", "已配置，有第二位置", "")
	}
}

func (d *doctor) named(title string, have map[string]string, all []string, key string) {
	var missing []string
	for _, name := range all {
		if have[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		d.say(operations.Warn, title, "缺少模板 "+strings.Join(missing, "、")+"，相应消息只在平台内通知", "请向服务商报批后填写 "+key+"。")
		return
	}
	d.say(operations.Normal, title, "已配置，模板齐全", "")
}

// folder writes a file into the data folder and removes it.
func (d *doctor) folder(dir string) {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		d.say(operations.Warn, dir, "不存在，首次启动时建立", "如果服务已经投入使用，请检查 data 的写法和磁盘挂载。")
		return
	}
	if err == nil && !info.IsDir() {
		d.say(operations.Bad, dir, "不是目录", "请修改配置中的 data。")
		return
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err == nil {
		_, err = f.Write([]byte("huiqi"))
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		d.say(operations.Bad, dir, "不能写入："+err.Error(), "请检查目录的所有者、权限和磁盘是否只读或已满，运行 doctor 的用户应与服务相同。")
		return
	}
	d.say(operations.Normal, dir, "可以写入", "")
}

// database opens the database when it is there and has this program's schema; nil otherwise.
func (d *doctor) database(ctx context.Context, c Config) *database.DB {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	embedded := !strings.HasPrefix(c.Database, "postgres")
	if embedded {
		if _, err := os.Stat(c.Database); errors.Is(err, os.ErrNotExist) {
			d.say(operations.Warn, "数据库", filepath.Base(c.Database)+" 还不存在，首次启动时建立", "如果服务已经投入使用，请检查 data 的写法；数据丢失时请按《备份与恢复》手册恢复。")
			return nil
		}
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		d.say(operations.Bad, "数据库", "不能连接："+plain(err), "请检查 database 的地址、口令、网络和数据库服务是否启动。")
		return nil
	}
	missing, newer, err := database.Pending(ctx, db, Migrations())
	switch {
	case err != nil:
		d.say(operations.Bad, "数据库", "不能读取："+plain(err), "请检查数据库文件或账号权限。")
	case len(newer) > 0:
		d.say(operations.Bad, "数据库版本", "高于本程序（"+strings.Join(newer, "、")+"）", "请使用升级后的程序，或恢复升级前的备份。")
	case len(missing) > 0:
		d.say(operations.Warn, "数据库版本", fmt.Sprintf("有 %d 步升级尚未执行", len(missing)), "启动服务时自动执行，也可以先备份，再执行 huiqi migrate。")
	default:
		d.say(operations.Normal, "数据库版本", "与程序一致", "")
		return db
	}
	_ = db.Close()
	return nil
}

// rules measures what the page of health shows.
func (d *doctor) rules(ctx context.Context, c Config, db *database.DB) {
	key, err := c.rootKey()
	if err != nil {
		d.say(operations.Bad, "密钥", plain(err), "请检查密钥文件的路径和权限。")
		return
	}
	quiet := slog.New(slog.DiscardHandler)
	h, err := build(ctx, c, db, key, parts{log: quiet, clock: clock.System{}})
	if err != nil {
		d.say(operations.Bad, "程序", "不能装配："+plain(err), "请按提示修改配置。")
		return
	}
	defer h.queue.Close()
	d.head("文件存放")
	check, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := h.uploads.Store.Storage().Check(check); err != nil {
		d.say(operations.Bad, "文件存放", "不可用："+plain(err), "请检查 files 的配置、目录权限或对象存储的网络和账号。")
	} else {
		d.say(operations.Normal, "文件存放", "可以使用", "")
	}
	found, err := h.operations.Look(ctx)
	if err != nil {
		d.say(operations.Bad, "运行状态", plain(err), "请检查数据库。")
		return
	}
	group := ""
	for _, f := range found {
		if f.Group != group {
			group = f.Group
			d.head(group)
		}
		d.say(f.State, f.Title, f.Text, f.Advice)
	}
}
