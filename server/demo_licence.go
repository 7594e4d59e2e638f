package server

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/modules/licence"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoPapers are what the first companies keep: days from now until the end, 0 is no end.
var demoPapers = []struct {
	kind, number, issuer string
	until                int
}{
	{"business", "副本 1-1", "区市场监督管理局", 0},
	{"food", "JY11112190012345", "区市场监督管理局", 24},
	{"fire", "通消安检字〔2025〕第0088号", "区消防救援支队", 0},
}

// seedLicences gives the first companies some papers; the first one's permit ends soon and was renewed once before.
func (h *house) seedLicences(ctx context.Context, s *seeded) error {
	if err := h.ensureLicenceKinds(ctx); err != nil {
		return err
	}
	owners := h.demoSigners(s)
	for i, o := range owners[:min(4, len(owners))] {
		actor, err := s.as(ctx, h, "owner", o.Key)
		if err != nil {
			return err
		}
		s.at.Set(s.now.AddDate(0, 0, -60-i))
		keep := func(kind, number, issuer, issued, until string, old licence.View) (licence.View, error) {
			picture, err := demoLicence()
			if err != nil {
				return licence.View{}, err
			}
			file, err := h.uploads.Save(ctx, actor, "licence", "证照"+demo.Mark+".png", bytes.NewReader(picture))
			if err != nil {
				return licence.View{}, err
			}
			return h.licences.Keep(ctx, actor, licence.Keep{Paper: licence.Paper{Kind: kind, Number: number, Issuer: issuer, IssuedOn: issued, ExpiresOn: until, FileIDs: []int64{file.ID}},
				Replaces: old.ID, Version: old.Version})
		}
		day := func(days int) string { return s.now.AddDate(0, 0, days).In(clock.Beijing).Format(time.DateOnly) }
		for j, p := range demoPapers {
			var old licence.View
			until := ""
			if p.until != 0 {
				until = day(p.until + i*40)
				if old, err = keep(p.kind, p.number, p.issuer, day(-2200), day(-30), licence.View{}); err != nil {
					return fmt.Errorf("%s: %w", o.Key, err)
				}
			}
			if _, err := keep(p.kind, fmt.Sprint(p.number, []string{"", "（二）", "（三）", "（四）"}[i]), p.issuer, day(-360-j), until, old); err != nil {
				return fmt.Errorf("%s: %w", o.Key, err)
			}
		}
	}
	return nil
}
