package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// headRows is how many rows are looked at to find the heads.
const headRows = 10

// errEnough ends reading early.
var errEnough = errors.New("enough")

// look reads every sheet people see to its end: what is wrong with it is said now and not by a worker.
func (s *Service) look(t sheet.Target, book *sheet.Book) ([]seen, error) {
	var out []seen
	some := false
	for i, info := range book.Sheets {
		x := seen{Index: i, Name: info.Name, Heads: []string{}, Sample: [][]string{}, First: []sheetRow{}}
		if info.Hidden {
			x.Skipped = true
			out = append(out, x)
			continue
		}
		var first []sheet.Row
		rows := 0
		merges, err := book.Rows(i, func(r sheet.Row) error {
			if rows++; rows <= headRows+5 {
				first = append(first, r)
			}
			if rows > s.most(t)+headRows {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil, s.tooMany(t)
		}
		if err != nil {
			return nil, err
		}
		if rows == 0 {
			x.Skipped = true
			out = append(out, x)
			continue
		}
		some = true
		spread := sheet.Spread(first, merges)
		at := headOf(t, spread[:min(len(spread), headRows)])
		x.Head, x.Heads = spread[at].Number, texts(spread[at])
		if x.Rows = rows - at - 1; x.Rows > s.most(t) {
			return nil, s.tooMany(t)
		}
		for n, r := range spread {
			if n > at && len(x.Sample) < 5 {
				x.Sample = append(x.Sample, texts(r))
			}
			if n < headRows {
				x.First = append(x.First, sheetRow{r.Number, texts(r)})
			}
		}
		out = append(out, x)
	}
	if !some {
		return nil, sheet.ErrEmpty
	}
	return out, nil
}

// most is how many rows of one file t takes.
func (s *Service) most(t sheet.Target) int { return max(s.Limits.Rows, t.Rows) }

func (s *Service) tooMany(t sheet.Target) error {
	return ErrRows.With("一次最多导入 %d 行，请拆成几个文件后分别上传", s.most(t)).On("file")
}

func texts(r sheet.Row) []string {
	out := make([]string, 0, len(r.Cells))
	for _, c := range r.Cells {
		rs := []rune(strings.TrimSpace(c.Text))
		if len(rs) > 100 {
			rs = append(rs[:100], '…')
		}
		out = append(out, string(rs))
	}
	return out
}

// headOf finds the row that names the most fields; where none does, the first with two cells.
func headOf(t sheet.Target, rows []sheet.Row) int {
	best, most := -1, 0
	for i, r := range rows {
		if n := len(guess(t, texts(r))); n > most {
			best, most = i, n
		}
	}
	if best >= 0 {
		return best
	}
	for i, r := range rows {
		n := 0
		for _, c := range r.Cells {
			if strings.TrimSpace(c.Text) != "" {
				n++
			}
		}
		if n >= 2 {
			return i
		}
	}
	return 0
}

var marks = strings.NewReplacer(" ", "", "　", "", "*", "", "＊", "", "（必填）", "", "(必填)", "", "必填", "", "：", "", ":", "", "\n", "", "（", "", "）", "", "(", "", ")", "")

func bare(head string) string { return strings.ToLower(marks.Replace(norm.NFKC.String(head))) }

// guess says which column each field is likely in: heads that are the field's title or one of its other names first, then
// heads that hold one.
func guess(t sheet.Target, heads []string) map[string]int {
	out := map[string]int{}
	taken := map[int]bool{}
	pick := func(fits func(head, name string) bool) {
		for _, f := range t.Fields {
			if _, done := out[f.Key]; done {
				continue
			}
			for c, h := range heads {
				if taken[c] || bare(h) == "" {
					continue
				}
				if slices.ContainsFunc(append([]string{f.Title}, f.Aliases...), func(name string) bool { return fits(bare(h), bare(name)) }) {
					out[f.Key], taken[c] = c, true
					break
				}
			}
		}
	}
	pick(func(head, name string) bool { return head == name })
	pick(func(head, name string) bool { return len([]rune(head)) <= 12 && strings.Contains(head, name) })
	return out
}

// headsHash names a row of heads, to remember its mapping by.
func headsHash(heads []string) string {
	h := sha256.New()
	for _, x := range heads {
		fmt.Fprintf(h, "%q", bare(x))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// recall returns how the owner mapped such heads before, or what they look like.
func (s *Service) recall(ctx context.Context, r *row, t sheet.Target, heads []string) (map[string]int, error) {
	var m remembered
	err := database.Found(s.DB.Read().NewSelect().Model(&m).Where("owner_id = ? AND target = ? AND heads = ?", r.OwnerID, t.Name, headsHash(heads)).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return guess(t, heads), nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	return out, json.Unmarshal([]byte(m.Columns), &out)
}
