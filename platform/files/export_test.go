package files

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// BeginParts begins an upload in parts and leaves it, as a killed process does.
func (s *S3) BeginParts(ctx context.Context, key string) error {
	name, err := s.object(key)
	if err != nil {
		return err
	}
	_, err = s.client.NewMultipartUpload(ctx, s.opts.Bucket, name, minio.PutObjectOptions{})
	return err
}
