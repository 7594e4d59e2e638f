package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var embedded embed.FS

// Assets are the style sheet, the script and the drawings, with "portal.css" at the root. The server answers
// /assets/<hash>/<name> from it: for ever when hash is AssetHash(), briefly or not at all otherwise.
var Assets = mustSub(embedded, "assets")

// AssetHash is one hash over all assets. It stands as a folder in their address, so that relative references between
// them (a picture in the style sheet) change with the content too.
var AssetHash = sync.OnceValue(func() string {
	h := sha256.New()
	err := fs.WalkDir(Assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Assets, name)
		fmt.Fprintf(h, "%s %d\n", name, len(b))
		h.Write(b)
		return err
	})
	if err != nil {
		panic(err) // embedded files can always be read
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
})

// AssetPath returns the address of an asset, as in "/assets/3f2a1b9c0d1e/portal.css".
func AssetPath(name string) string {
	return "/assets/" + AssetHash() + "/" + strings.TrimPrefix(name, "/")
}

func mustSub(fsys fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err)
	}
	return sub
}

// loadIcons reads the icons that templates set into the text, so that they take its colour.
func loadIcons() (map[string]template.HTML, error) {
	files, err := fs.Glob(Assets, "icons/*.svg")
	if err != nil {
		return nil, err
	}
	icons := make(map[string]template.HTML, len(files))
	for _, f := range files {
		b, err := fs.ReadFile(Assets, f)
		if err != nil {
			return nil, fmt.Errorf("icon %s: %w", f, err)
		}
		name := strings.TrimSuffix(path.Base(f), ".svg")
		svg := strings.TrimSpace(string(b))
		rest, ok := strings.CutPrefix(svg, "<svg ")
		if !ok {
			return nil, fmt.Errorf("icon %s is no svg", f)
		}
		// #nosec G203 -- icons are embedded files
		icons[name] = template.HTML(`<svg class="icon icon-` + name + `" aria-hidden="true" focusable="false" ` + rest)
	}
	return icons, nil
}
