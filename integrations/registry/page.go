package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxPage is how many companies one page may hold.
const MaxPage = 1000

// Page is a part of the whole register, in the order of the credit codes.
type Page struct {
	Companies []Company `json:"items"`
	// Next is the cursor of the next page, "" after the last.
	Next  string `json:"next"`
	Total int64  `json:"total"` // of the whole register
}

// pauses are how long the client waits before it asks for a page again.
var pauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// Page returns the companies behind a cursor ("" for the first page), at most MaxPage:
//
//	GET {base}/v1/companies?cursor=…&limit=1000   200 {"items":[company…],"next":"…","total":…}
//
// A registry that gives no usable answer is asked again five times, each after a longer pause, half a minute in all; then
// Page returns ErrUnavailable. ErrRefused comes at once. The same cursor always gives the same page, so that who was cut off
// asks for it again.
func (c *Client) Page(ctx context.Context, cursor string, limit int) (Page, error) {
	query := url.Values{"limit": {strconv.Itoa(min(max(limit, 1), MaxPage))}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	for try := 0; ; try++ {
		var p struct {
			Page
			Companies *[]Company `json:"items"`
		}
		err := c.call(ctx, http.MethodGet, "/v1/companies?"+query.Encode(), nil, &p)
		if err == nil && p.Companies == nil {
			err = fmt.Errorf("%w: a page without items", ErrUnavailable)
		}
		if err == nil {
			p.Page.Companies = *p.Companies
			return p.Page, nil
		}
		if !errors.Is(err, ErrUnavailable) || try == len(pauses) {
			return Page{}, fmt.Errorf("registry: page behind %q: %w", cursor, err)
		}
		if err := c.cfg.Pause(ctx, pauses[try]); err != nil {
			return Page{}, err
		}
	}
}

// pause waits, or returns why it must not go on waiting.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
