package importing

import (
	"context"
	"io"

	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/secret"
)

// keep stores a file sealed with a key of its own: it holds names and phones of many people, and lies there for days. It
// returns the key as the row of the import keeps it.
func (s *Service) keep(ctx context.Context, r io.Reader, name string) (files.Stored, string, error) {
	key := s.Box.DataKey()
	c, err := secret.DataCipher(key)
	if err != nil {
		return files.Stored{}, "", err
	}
	stored, err := s.Files.Sealed(c).Put(ctx, r, name, "import")
	if err != nil {
		return files.Stored{}, "", err
	}
	return stored, s.Box.Seal(key, filePlace(stored.Key)), nil
}

// open opens the file of an import. One that came before files were sealed is read as it lies.
func (s *Service) open(ctx context.Context, r *row) (files.Object, error) {
	if r.FileSeal == "" {
		return s.Files.Open(ctx, r.FileKey)
	}
	key, err := s.Box.Open(r.FileSeal, filePlace(r.FileKey))
	if err != nil {
		return nil, err
	}
	c, err := secret.DataCipher(key)
	if err != nil {
		return nil, err
	}
	return s.Files.Sealed(c).Open(ctx, r.FileKey)
}
