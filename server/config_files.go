package server

import (
	"strings"

	"github.com/huiqi/huiqi/integrations/clamav"
	"github.com/huiqi/huiqi/platform/files"
)

// Files say where uploads are kept and who looks for viruses in them.
type Files struct {
	// Storage is folder, below the data directory, or s3. The other may be configured beside it, to be copied to.
	Storage string `koanf:"storage"`
	S3      S3     `koanf:"s3"`
	// Clamd is the scanner's address, tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl; empty scans nothing.
	Clamd string `koanf:"clamd"`
}

// S3 is a bucket of any store that speaks Amazon S3's protocol.
type S3 struct {
	Endpoint string `koanf:"endpoint"`
	Bucket   string `koanf:"bucket"`
	Key      string `koanf:"key"`
	Secret   string `koanf:"secret"`
	Region   string `koanf:"region"`
	Prefix   string `koanf:"prefix"`
}

func (f Files) check(demo bool) error {
	if f.Storage != "folder" && f.Storage != "s3" {
		return configErrorf("files.storage：%q 应为 folder 或 s3", f.Storage)
	}
	if f.S3 != (S3{}) || f.Storage == "s3" {
		if f.S3.Endpoint == "" || f.S3.Bucket == "" || f.S3.Key == "" || f.S3.Secret == "" {
			return configErrorf("files.s3：须填写 endpoint、bucket、key、secret")
		}
		if err := files.CheckEndpoint(f.S3.Endpoint); err != nil {
			return configErrorf("files.s3.endpoint：%q 不是地址，例如 https://s3.example.gov.cn", f.S3.Endpoint)
		}
		if !demo && !strings.HasPrefix(f.S3.Endpoint, "https://") && !localAddress(f.S3.Endpoint) {
			return configErrorf("files.s3.endpoint：正式运行须用 https，或使用本机的存储")
		}
	}
	if f.Clamd != "" {
		if _, err := clamav.New(f.Clamd); err != nil {
			return configErrorf("files.clamd：%q 不是地址，例如 tcp://127.0.0.1:3310 或 unix:///run/clamav/clamd.ctl", f.Clamd)
		}
	}
	return nil
}

func localAddress(endpoint string) bool {
	for _, p := range []string{"http://127.", "http://localhost", "http://[::1]"} {
		if strings.HasPrefix(endpoint, p) {
			return true
		}
	}
	return false
}
