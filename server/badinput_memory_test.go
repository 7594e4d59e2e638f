//go:build !race

package server

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/uscc"
)

// hugeInputs are what of 26, 28 and 32 is small on the way and huge once it is unpacked: a server of its own refuses it, and
// its memory is measured meanwhile.
func hugeInputs(t *testing.T) []badInput {
	if runtime.GOOS != "linux" || os.Getenv("TEST_DATABASE_URL") != "" {
		return nil // the memory of a process is read from /proc, and is the same with either database
	}
	k := &weighed{killed: startKilled(t, "GOGC=", "GOMEMLIMIT=")} // collects garbage as an installation does, not as this suite
	t.Cleanup(func() { k.stop() })
	k.client.Timeout = time.Minute
	k.enter("operator01")
	good := book(t, [][]any{{"企业名称", "统一社会信用代码"}, {"北京麦香烘焙有限公司", string(uscc.Demo(1))}}, nil)
	importing := func(content func(testing.TB) []byte) func(*testing.T) answer {
		return func(t *testing.T) answer {
			kind, body := importForm(t, "enterprises", "a.xlsx", content(t))
			return k.give(t, "/api/imports", kind, body)
		}
	}
	upload := func(name string, content []byte) func(*testing.T) answer {
		return func(t *testing.T) answer {
			kind, body := form(t, "attachment", name, content)
			return k.give(t, "/api/files", kind, body)
		}
	}
	texts := func(head, unit string) func(*testing.T) answer {
		return importing(func(t testing.TB) []byte { return unpacking(t, good, "xl/sharedStrings.xml", head, unit, 1<<30) })
	}
	const (
		mb     = 1 << 20
		resave = "另存为 .xlsx"
		split  = "拆成几个文件"
		image  = "图片已损坏或尺寸过大"
	)
	// What is taken may have 25 million pixels of four bytes each, and is made smaller and written anew.
	return []badInput{
		{26, "memory of 16,384 × 16,384", k.within(100*mb, upload("a.webp", vp8l(16_384, 16_384))), 422, "IMAGE_BAD", "file", image, nil},
		{26, "memory of 65,536 trees", k.within(100*mb, upload("a.webp", vp8lGroups(16, 16))), 422, "IMAGE_BAD", "file", image, nil},
		{26, "memory of 25 million pixels that end too soon", k.within(100*mb, upload("a.webp", vp8lShort(5_000, 5_000))), 422, "IMAGE_BAD", "file", image, nil},
		{26, "memory of the most pixels that are taken", k.within(300*mb, upload("a.webp", vp8lPlain(5_000, 5_000))), 201, "", "", "", nil},
		{28, "memory of 1,000,000 parts", k.within(100*mb, importing(crowded(1_000_000))), 422, "SHEET_BAD", "file", resave, nil},
		{28, "memory of 1,000,000 parts said to be few", k.within(100*mb, importing(modest(1_000_000))), 422, "SHEET_BAD", "file", resave, nil},
		{32, "memory of 1 GB of texts", k.within(100*mb, texts("<sst>", "<si><t>"+strings.Repeat("长", 300)+"</t></si>")), 422, "SHEET_BAD", "file", split, nil},
		{32, "memory of 1 GB of short texts", k.within(100*mb, texts("<sst>", "<si><t>长</t></si>")), 422, "SHEET_BAD", "file", split, nil},
		{32, "memory of a text of 1 GB", k.within(100*mb, texts("<sst><si><t>", "长")), 422, "SHEET_BAD", "file", resave, nil},
	}
}

// unpacking is a workbook of which one part is about size bytes long, made of units.
func unpacking(t testing.TB, book []byte, part, head, unit string, size int) []byte {
	t.Helper()
	pack := func(text []byte) []byte { // to be followed by more
		var b bytes.Buffer
		w := must(flate.NewWriter(&b, flate.BestSpeed))(t)
		must(w.Write(text))(t)
		must(0, w.Flush())(t)
		return b.Bytes()
	}
	block := bytes.Repeat([]byte(unit), 1<<20/len(unit))
	n := size / len(block)
	packed := append(pack([]byte(head)), bytes.Repeat(pack(block), n)...)
	packed = append(packed, 3, 0) // an empty block, the last
	sum := crc32.ChecksumIEEE([]byte(head))
	for range n {
		sum = crc32.Update(sum, crc32.IEEETable, block)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	r := must(zip.NewReader(bytes.NewReader(book), int64(len(book))))(t)
	for _, f := range r.File {
		if f.Name != part {
			must(0, w.Copy(f))(t)
		}
	}
	h := &zip.FileHeader{Name: part, Method: zip.Deflate, CRC32: sum, CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(len(head) + n*len(block))} //nolint:gosec // lengths
	must(must(w.CreateRaw(h))(t).Write(packed))(t)
	must(0, w.Close())(t)
	return out.Bytes()
}

// weighed is a server whose memory is watched.
type weighed struct {
	*killed
	grown int // by the last answer
}

// give sends a form to the server.
func (k *weighed) give(t *testing.T, path, kind string, body io.Reader) answer {
	t.Helper()
	req := must(http.NewRequest("POST", k.base+path, body))(t)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-CSRF-Token", k.csrf)
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+k.visitor+"; __Host-huiqi="+k.session)
	res := must(k.client.Do(req))(t)
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header, body: must(io.ReadAll(res.Body))(t)}
	must(0, json.Unmarshal(a.body, &a.Problem))(t)
	return a
}

// within says that the server takes at most so many bytes more of memory for an answer than it had.
func (k *weighed) within(most int, do func(*testing.T) answer) func(*testing.T) answer {
	return func(t *testing.T) answer {
		if k.grown > 5<<20 { // what an answer before took and gave back would be taken again unseen
			k.stop()
			k.start()
		}
		for rest := k.memory(t, "VmRSS"); ; { // until what a start does beside is done
			time.Sleep(100 * time.Millisecond)
			now := k.memory(t, "VmRSS")
			if now <= rest {
				break
			}
			rest = now
		}
		// 5 begins the peak anew, where that is allowed; otherwise it is the highest since the start, which is more
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", k.cmd.Process.Pid), []byte("5"), 0)
		before := k.memory(t, "VmRSS")
		a := do(t)
		k.grown = k.memory(t, "VmHWM") - before
		t.Logf("from %d to %d MB", before>>20, (before+k.grown)>>20)
		if k.grown > most {
			t.Errorf("it took %d MB more, of %d", k.grown>>20, most>>20)
		}
		return a
	}
}

// memory reads a line of the server's memory in bytes.
func (k *weighed) memory(t *testing.T, name string) int {
	t.Helper()
	raw := must(os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid)))(t)
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); f[0] == name+":" {
			return must(strconv.Atoi(f[1]))(t) << 10
		}
	}
	t.Fatalf("no %s in %s", name, raw)
	return 0
}
