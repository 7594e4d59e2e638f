package text

import (
	"strconv"

	"github.com/huiqi/huiqi/platform/fault"
)

// Cursor reads the cursor of a list that is paged by the id of its rows: 0 for "", the first page.
func Cursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return id, nil
}
