package export

import (
	"context"
	"errors"
	"fmt"

	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/secret"
)

// draft begins a file that will be kept under key, sealed with a key of its own: it may hold the full phones of thousands,
// and lies there for days. It returns that key as a row keeps it.
func (s *Service) draft(ctx context.Context, key string) (files.Draft, string, error) {
	root := s.Box.DataKey()
	c, err := secret.DataCipher(root)
	if err != nil {
		return nil, "", err
	}
	d, err := files.Sealed(s.Storage, c).Draft(ctx)
	if err != nil {
		return nil, "", err
	}
	return d, s.Box.Seal(root, filePlace(key)), nil
}

// open opens a file by the key its row keeps. One that came before files were sealed is read as it lies. It returns
// ErrDamaged for one that is not as it was written.
func (s *Service) open(ctx context.Context, key, seal string) (files.Object, error) {
	if seal == "" {
		return s.Storage.Open(ctx, key)
	}
	root, err := s.Box.Open(seal, filePlace(key))
	if err != nil {
		return nil, fmt.Errorf("the key of an exported file: %w", err)
	}
	c, err := secret.DataCipher(root)
	if err != nil {
		return nil, err
	}
	o, err := files.Sealed(s.Storage, c).Open(ctx, key)
	if errors.Is(err, files.ErrSealed) {
		return nil, ErrDamaged.Wrap(err)
	}
	return o, err
}
