// s3bucket waits until the S3 server of the tests answers and makes their bucket.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func main() {
	u, err := url.Parse(os.Args[1])
	if err != nil {
		fail(err)
	}
	c, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4("huiqi-test", "a-secret-only-tests-know", ""), Region: "us-east-1", MaxRetries: 1})
	if err != nil {
		fail(err)
	}
	for range 300 {
		if err = c.MakeBucket(context.Background(), "huiqi", minio.MakeBucketOptions{}); err == nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	fail(err)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "s3bucket:", err)
	os.Exit(1)
}
