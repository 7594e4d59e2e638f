// Package h5 holds the built mobile front-end, so that one binary serves it under /m/.
package h5

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built files with index.html at the root. On a clone where nothing was built it holds only .keep,
// so whoever serves it must look for index.html first.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a constant valid path, so Sub cannot refuse it
	}
	return sub
}
