package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

var zone = clock.Beijing

// Anchor says in a file outside the database how the chain ended on a day. Who can write to the database alone can then
// neither shorten nor rewrite what was before.
type Anchor struct {
	Version int    `json:"version"` // 1
	Date    string `json:"date"`    // 2026-11-28, Asia/Shanghai
	MadeAt  string `json:"madeAt"`
	Count   int64  `json:"count"` // seals of the chain, which is the number of its last one
	EntryID int64  `json:"entryId"`
	Head    string `json:"head"` // the last seal: SM3 over the seal before and the row
	// Previous is the SM3 of the anchor file before, so that a missing file is noticed; "" for the first.
	Previous  string `json:"previous"`
	Signature string `json:"signature"`

	sum string // SM3 of the file
}

const anchorPurpose = "audit.anchor"

func (a Anchor) parts() []string {
	return []string{strconv.Itoa(a.Version), a.Date, a.MadeAt, strconv.FormatInt(a.Count, 10), strconv.FormatInt(a.EntryID, 10), a.Head, a.Previous}
}

func (a Anchor) encode() ([]byte, error) {
	b, err := json.MarshalIndent(a, "", "  ")
	return append(b, '\n'), err
}

// anchorRow is what is known of a day's anchor within the database. The row comes first: a process that dies before the
// file is there leaves what the next one has to write.
type anchorRow struct {
	bun.BaseModel `bun:"table:audit_anchors"`

	Day       string     `bun:"day,pk"`
	Content   string     `bun:"content,notnull,type:text"`
	WrittenAt *time.Time `bun:"written_at"`
}

// Anchors writes the anchor of each day into a folder, which may be a share that nothing can be removed from.
type Anchors struct {
	DB     *database.DB
	Clock  clock.Clock
	Signer Signer
	Dir    string
}

// ErrAnchorTaken is returned when the file of the day is there and says something else.
var ErrAnchorTaken = errors.New("锚点文件已存在且内容不同，请立即核对审计日志")

func anchorName(day string) string { return "audit-" + day + ".json" }

// Write makes sure that today's anchor is in the folder, and returns its file name. Called again on one day, by whatever
// process, it changes nothing. An existing file is never written to.
func (w Anchors) Write(ctx context.Context) (string, error) {
	now := w.Clock.Now()
	day := now.In(zone).Format(time.DateOnly)
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return "", fmt.Errorf("锚点目录无法使用：%w", err)
	}
	var row anchorRow
	err := w.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row = anchorRow{Day: day}
		err := tx.NewSelect().Model(&row).WherePK().Scan(ctx)
		if !isNone(err) {
			return err
		}
		h, err := findHead(ctx, tx)
		if err != nil {
			return err
		}
		var last []anchorRow
		if err := tx.NewSelect().Model(&last).OrderExpr("day DESC").Limit(1).Scan(ctx); err != nil {
			return err
		}
		a := Anchor{Version: 1, Date: day, MadeAt: now.Format(time.RFC3339Nano), Count: h.Seq, EntryID: h.EntryID, Head: h.Hash}
		if len(last) == 1 {
			a.Previous = sumOf([]byte(last[0].Content))
		}
		if w.Signer != nil {
			a.Signature = w.Signer.Sign(anchorPurpose, a.parts()...)
		}
		content, err := a.encode()
		if err != nil {
			return err
		}
		row.Content = string(content)
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT (day) DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		return tx.NewSelect().Model(&row).WherePK().Scan(ctx) // another process may have been faster
	})
	if err != nil {
		return "", err
	}
	name := anchorName(day)
	if err := writeOnce(filepath.Join(w.Dir, name), []byte(row.Content)); err != nil {
		return name, err
	}
	return name, w.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(&row).Set("written_at = ?", now).WherePK().Where("written_at IS NULL").Exec(ctx)
		return err
	})
}

// writeOnce puts content at path durably, readable by the program only. It leaves a file that is there alone, and returns
// ErrAnchorTaken when that says something else.
func writeOnce(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".anchor-*")
	if err != nil {
		return fmt.Errorf("锚点目录不可写：%w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		// A link, unlike a rename, never replaces what is there, and the name never stands for half a file.
		err = os.Link(f.Name(), path)
	}
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = writeNew(path, content)
	}
	if errors.Is(err, fs.ErrExist) {
		// #nosec G304 -- the name of the day in the configured folder
		have, err := os.ReadFile(path)
		if err == nil && string(have) != string(content) {
			err = fmt.Errorf("%s：%w", filepath.Base(path), ErrAnchorTaken)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("写锚点文件 %s：%w", filepath.Base(path), err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = dir.Sync() // network shares may not know it
	return dir.Close()
}

// writeNew is for shares that know no links.
func writeNew(path string, content []byte) error {
	// #nosec G304 -- the name of the day in the configured folder
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

func sumOf(b []byte) string {
	sum := sm3.Sum(b)
	return hex.EncodeToString(sum[:])
}

// ReadAnchors reads the anchor files of a folder in the order of their days. A file that cannot be read as an anchor is an
// error that names it.
func ReadAnchors(dir string) ([]Anchor, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	names, err := fs.Glob(root.FS(), "audit-*.json")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []Anchor
	for _, name := range names {
		b, err := root.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var a Anchor
		if err := json.Unmarshal(b, &a); err != nil || a.Version != 1 || anchorName(a.Date) != name {
			return nil, fmt.Errorf("%s 不是有效的锚点文件，内容被改动或未写完", name)
		}
		a.sum = sumOf(b)
		list = append(list, a)
	}
	return list, nil
}

// anchoring compares anchors while the chain goes by.
type anchoring struct {
	list []Anchor
	next int
	last string // the day of the last anchor that fitted
	bad  bool   // the first that does not fit says it all
}

// begin checks the anchors themselves and those before the place where Verify begins.
func (o Options) begin(ctx context.Context, db *database.DB, r *Report) (*anchoring, error) {
	a := &anchoring{list: o.Anchors}
	previous := ""
	for i, x := range o.Anchors {
		if o.Signer != nil {
			if err := o.Signer.CheckSignature(x.Signature, anchorPurpose, x.parts()...); err != nil {
				r.add(AnchorBad, x.Count, x.EntryID, "锚点文件 %s 的签名不符，文件被改动或签名密钥已移除", anchorName(x.Date))
			}
		}
		if i > 0 && x.Previous != previous {
			r.add(AnchorBad, x.Count, 0, "锚点文件 %s 之前缺少文件，或 %s 被改动", anchorName(x.Date), anchorName(o.Anchors[i-1].Date))
		}
		previous = x.sum
	}
	if len(o.Anchors) > 0 && o.Signer == nil {
		r.Notes = append(r.Notes, "未配置密钥，锚点文件的签名未核对")
	}
	for a.next < len(a.list) && a.list[a.next].Count <= o.From.Seq {
		var hash string
		err := db.Read().NewSelect().Model((*seal)(nil)).Column("hash").Where("seq = ?", a.list[a.next].Count).Scan(ctx, &hash)
		if err != nil && !isNone(err) {
			return nil, err
		}
		a.compare(r, hash)
	}
	return a, a.days(ctx, db, r)
}

// days looks for anchors that were written and are not in the folder.
func (a *anchoring) days(ctx context.Context, db *database.DB, r *Report) error {
	if len(a.list) == 0 {
		return nil
	}
	var rows []anchorRow
	if err := db.Read().NewSelect().Model(&rows).Where("written_at IS NOT NULL AND day >= ?", a.list[0].Date).OrderExpr("day").Scan(ctx); err != nil {
		return err
	}
	have := map[string]bool{}
	for _, x := range a.list {
		have[x.Date] = true
	}
	var gone []string
	for _, row := range rows {
		if !have[row.Day] {
			gone = append(gone, row.Day)
		}
	}
	if len(gone) > 0 {
		r.add(AnchorBad, 0, 0, "缺少 %d 天的锚点文件：%s", len(gone), strings.Join(gone[:min(len(gone), 5)], "、"))
	}
	return nil
}

// pass is told of each seal of the chain.
func (a *anchoring) pass(r *Report, seq int64, hash string) {
	for a.next < len(a.list) && a.list[a.next].Count <= seq {
		if a.list[a.next].Count < seq {
			hash = "" // the seal the anchor speaks of is missing, or the anchor of a day goes back
		}
		a.compare(r, hash)
	}
}

func (a *anchoring) compare(r *Report, hash string) {
	x := a.list[a.next]
	a.next++
	switch {
	case x.Count == 0, hash == x.Head:
		r.Anchors++
		a.last = x.Date
	case !a.bad:
		a.bad = true
		since := "最早的日志"
		if a.last != "" {
			since = a.last + " 的锚点"
		}
		r.add(Rewritten, x.Count, x.EntryID, "与 %s 的锚点不符：%s之后、第 %d 号封印之前的日志被改写", x.Date, since, x.Count)
	}
}

// end is told how long the chain is.
func (a *anchoring) end(r *Report, seq int64) {
	if a.next < len(a.list) {
		last := a.list[len(a.list)-1]
		r.add(Truncated, seq+1, last.EntryID, "末尾的第 %d 至 %d 号封印及其日志被删除：%s 的锚点记有 %d 条，现只有 %d 条", seq+1, last.Count, last.Date, last.Count, seq)
	}
}
