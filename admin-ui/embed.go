// Package adminui carries the built back office inside the binary. The files come from the front-end build; in a fresh
// clone dist holds only a marker, so Dist has no index.html and the server says how to build it.
package adminui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var files embed.FS

// Dist is the built back office, rooted at its index.html. It has no index.html until the front-end was built.
var Dist = mustSub()

func mustSub() fs.FS {
	sub, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // the folder is embedded above; it cannot be missing
	}
	return sub
}
