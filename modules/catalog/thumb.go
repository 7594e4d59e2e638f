package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// The size of a cover on the cards of lists, in pixels: four times what a card shows, for dense screens and for comparing.
const (
	thumbWidth  = 400
	thumbHeight = 300
)

// thumb is the small picture of a cover. It is made when it is first asked for, and the file it was made of never changes.
type thumb struct {
	bun.BaseModel `bun:"table:product_thumbs"`

	FileID  int64     `bun:"file_id,pk"`
	Tag     string    `bun:"tag,notnull"`
	Content []byte    `bun:"content,notnull"`
	MadeAt  time.Time `bun:"made_at,notnull"`
}

// thumbURL is the address of the small picture of the public edition's cover, "" without one.
func (d *dossier) thumbURL() string {
	for _, f := range d.public.Cover {
		return publicURL(d.ID, f.ID) + "/small"
	}
	return ""
}

// readable is a small picture as a download reads it.
type readable struct{ *bytes.Reader }

// Close does nothing.
func (readable) Close() error { return nil }

// PublicThumb opens the small picture of a public product's cover, whoever asks; ErrNotFound for any other file.
func (s *Service) PublicThumb(ctx context.Context, _ access.Actor, id, fileID int64) (web.Download, error) {
	d, err := find(ctx, s.DB.Read(), public(s.Clock.Now()), id)
	if err != nil {
		return web.Download{}, err
	}
	if s.Files == nil || !d.public.Cover.has(fileID) {
		return web.Download{}, ErrNotFound
	}
	t := new(thumb)
	err = database.Found(s.DB.Read().NewSelect().Model(t).Where("file_id = ?", fileID).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		t, err = s.makeThumb(ctx, fileID)
	}
	if err != nil {
		return web.Download{}, err
	}
	return web.Download{Mime: "image/jpeg", Disposition: "inline", Size: int64(len(t.Content)), Tag: t.Tag, Written: t.MadeAt, Content: readable{bytes.NewReader(t.Content)}}, nil
}

// makeThumb makes the small picture and keeps it. Of many who ask at once in one process one makes it; of several processes the
// first one's stays, and all of them made the same.
func (s *Service) makeThumb(ctx context.Context, fileID int64) (*thumb, error) {
	made, err, _ := s.thumbs.Do(strconv.FormatInt(fileID, 10), func() (any, error) {
		ctx := context.WithoutCancel(ctx) // others wait for it too
		content, err := s.Files.Small(ctx, fileID, thumbWidth, thumbHeight)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		t := &thumb{FileID: fileID, Tag: hex.EncodeToString(sum[:]), Content: content, MadeAt: s.Clock.Now()}
		return t, s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(t).On("CONFLICT DO NOTHING").Exec(ctx)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("small picture of file %d: %w", fileID, err)
	}
	return made.(*thumb), nil
}
