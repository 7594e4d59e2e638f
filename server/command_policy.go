package server

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/seed/reference"
)

// policyCommands read policies without an installation.
type policyCommands struct {
	Draft struct {
		File string `arg:"" help:"Text of a policy in UTF-8; - reads standard input."`
	} `cmd:"" help:"Propose the conditions of a policy from its text, as JSON, for a person to check."`
	Match struct {
		Policy  string `help:"Policy as JSON: its conditions, or what policy draft printed." required:""`
		Company string `help:"Company as JSON." required:""`
		On      string `help:"Day of judging, 2026-11-29; empty is today."`
		JSON    bool   `name:"json" help:"Print JSON."`
	} `cmd:"" help:"Hold a company against the conditions of a policy and say how each clause comes out."`
}

// lookCommands need neither configuration nor database.
type lookCommands struct {
	Policy    policyCommands `cmd:"" help:"Policies: draft the conditions, match a company."`
	CheckCode struct {
		Code string `arg:"" help:"Unified social credit code."`
		JSON bool   `name:"json" help:"Print JSON."`
	} `cmd:"" help:"Check a unified social credit code. Exit code 0: right, 1: wrong."`
}

// look runs the commands that need no installation; handled is false for any other.
func (l *lookCommands) look(command string, out io.Writer) (code int, handled bool, err error) {
	switch command {
	case "policy draft <file>":
		return 0, true, draftPolicy(l.Policy.Draft.File, os.Stdin, out)
	case "policy match":
		return 0, true, l.Policy.match(out)
	case "check-code <code>":
		code, err = checkCode(l.CheckCode.Code, l.CheckCode.JSON, out)
		return code, true, err
	}
	return 0, false, nil
}

func draftPolicy(file string, in io.Reader, out io.Writer) error {
	text, err := readText(file, in)
	if err != nil {
		return err
	}
	r, err := draftReader()
	if err != nil {
		return err
	}
	return printJSON(out, r.Read(text))
}

// draftReader reads with the reference lists of the program.
func draftReader() (*draft.Reader, error) {
	var l draft.Lexicon
	divisions, err := reference.Divisions()
	if err != nil {
		return nil, err
	}
	for _, d := range divisions {
		l.Regions = append(l.Regions, d.Name)
	}
	industries, err := reference.Industries()
	if err != nil {
		return nil, err
	}
	for _, i := range industries {
		if i.Level <= 2 {
			l.Industries = append(l.Industries, i.Name)
		}
	}
	qualifications, err := reference.Qualifications()
	if err != nil {
		return nil, err
	}
	for _, q := range qualifications {
		l.Qualifications = append(l.Qualifications, q.Name)
	}
	return draft.New(l), nil
}

// readText reads a file, or in for -, that must hold some UTF-8.
func readText(file string, in io.Reader) (string, error) {
	if file != "-" {
		f, err := os.Open(file) // #nosec G304 -- the person at the terminal names their own file
		if err != nil {
			return "", configErrorf("%s 打不开：%v", file, cause(err))
		}
		defer f.Close()
		in = f
	}
	if file == "-" {
		file = "标准输入"
	}
	raw, err := io.ReadAll(io.LimitReader(in, draft.MaxText+1))
	if err != nil {
		return "", configErrorf("%s 读不出：%v", file, cause(err))
	}
	if len(raw) >= 3 && string(raw[:3]) == "\ufeff" {
		raw = raw[3:]
	}
	switch {
	case len(raw) > draft.MaxText:
		return "", configErrorf("%s 过大，最多 %d KB", file, draft.MaxText>>10)
	case !utf8.Valid(raw):
		return "", configErrorf("%s 不是 UTF-8 编码（可能是 GBK），请先转换，例如 iconv -f GBK -t UTF-8", file)
	case len(raw) == 0 || utf8.RuneCount(raw) < 2:
		return "", configErrorf("%s 没有内容，请给出政策正文", file)
	}
	return string(raw), nil
}

// cause is a file error without the path it repeats.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func checkCode(code string, asJSON bool, out io.Writer) (int, error) {
	e := uscc.Examine(code)
	exit := 1
	if e.Valid {
		exit = 0
	}
	if asJSON {
		return exit, printJSON(out, e)
	}
	if e.Valid {
		fmt.Fprintf(out, "%s 正确\n", e.Code)
		line := func(label, value, note string) {
			if value == "" {
				value = "（2015 年代码表未列）"
			}
			fmt.Fprintf(out, "  %s：%s%s\n", label, value, note)
		}
		line("登记管理部门", e.Authority, "（第 1 位）")
		line("机构类别", e.Category, "（第 2 位）")
		line("登记机关行政区划", e.Division, "（第 3—8 位）")
		line("组织机构代码", e.Organ, "（第 9—17 位）")
		line("校验码", e.CheckChar, "（第 18 位）")
		if e.Demo {
			fmt.Fprintln(out, "  注意：这是演示号段，没有真实企业使用，正式环境不接受")
		}
	} else {
		fmt.Fprintf(out, "%s 有误\n  %s\n", e.Code, e.Reason)
	}
	for _, f := range []struct {
		name string
		*uscc.Failed
	}{{"统一社会信用代码校验码（GB 32100）", e.Check}, {"组织机构代码校验码（GB 11714）", e.InnerCheck}} {
		if f.Failed != nil {
			fmt.Fprintf(out, "  第 %d 位 %s 不符：现为「%s」，按其余各位应为「%s」\n", f.Position, f.name, f.Has, f.Wants)
		}
	}
	if e.Valid && e.InnerCheck != nil {
		fmt.Fprintln(out, "  组织机构代码校验不符不影响使用，少数早期代码如此，请核对营业执照")
	}
	if len(e.Corrections) > 0 {
		fmt.Fprintln(out, "  只改一处即可通过全部校验的写法（请对照营业执照确认）：")
		for _, c := range e.Corrections {
			fmt.Fprintf(out, "    %s  %s\n", c.Code, c.Change)
		}
	}
	return exit, nil
}
