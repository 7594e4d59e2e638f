package channel

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/qr"
)

// pictureWidth is the least width of a PNG, in pixels: 5 cm at 300 dots an inch.
const pictureWidth = 600

// Picture is the QR code of a channel's link, as PNG or SVG. It takes channel.view.
func (s *Service) Picture(ctx context.Context, actor access.Actor, id int64, svg bool) (View, []byte, error) {
	v, err := s.Get(ctx, actor, id)
	if err != nil {
		return v, nil, err
	}
	b, err := s.draw(v.Link, svg)
	return v, b, err
}

// ErrSite: nobody knows where a printed code would lead.
var ErrSite = fault.New(fault.Conflict, "CHANNEL_SITE", "系统还没有设置平台网址，不能生成二维码，请联系系统管理员")

func (s *Service) draw(link string, svg bool) ([]byte, error) {
	if s.Site == "" {
		return nil, ErrSite
	}
	c, err := qr.Encode(link)
	if err != nil {
		return nil, fault.New(fault.Conflict, "CHANNEL_LINK", "平台网址过长，无法生成二维码，请联系系统管理员检查网址设置").Wrap(err)
	}
	if svg {
		return []byte(c.SVG()), nil
	}
	var b bytes.Buffer
	err = c.PNG(&b, pictureWidth)
	return b.Bytes(), err
}

// Pictures packs the QR codes of channels, each as PNG and SVG under the channel's name, with a list of their links. It takes
// channel.view and returns ErrNotFound when none of the ids is a channel.
func (s *Service) Pictures(ctx context.Context, actor access.Actor, ids []int64) ([]byte, error) {
	if err := need(actor, PermView); err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > maxBatch {
		return nil, fault.InvalidField("ids", "CHANNEL_IDS", fmt.Sprintf("请选择 1 至 %d 个渠道", maxBatch))
	}
	rows, err := s.some(ctx, actor, ids)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrNotFound
	}
	var b, list bytes.Buffer
	z, sheet := zip.NewWriter(&b), csv.NewWriter(&list)
	list.WriteString("\ufeff") // so that spreadsheets read it as UTF-8
	lines := [][]string{{"渠道名称", "类型", "负责人或单位", "编码", "短链接", "图片"}}
	for i := range rows {
		v := s.view(&rows[i])
		name := fileName(v)
		for _, svg := range []bool{false, true} {
			content, err := s.draw(v.Link, svg)
			if err != nil {
				return nil, err
			}
			w, err := z.Create(name + map[bool]string{false: ".png", true: ".svg"}[svg])
			if err != nil {
				return nil, err
			}
			if _, err := w.Write(content); err != nil {
				return nil, err
			}
		}
		lines = append(lines, []string{plain(v.Name), v.Kind.Label(), plain(v.Owner), v.Code, v.Link, plain(name) + ".png"})
	}
	if err := sheet.WriteAll(lines); err != nil {
		return nil, err
	}
	w, err := z.Create("清单.csv")
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(list.Bytes()); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// plain keeps a cell from being read as a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// fileName is the channel's name without what names of files may not have, and its code, which no other has.
func fileName(v View) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, strings.TrimLeft(v.Name, ".")) + "-" + v.Code
}
