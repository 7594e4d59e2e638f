package sheet

import (
	"strconv"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// The limits of the file format (ECMA-376 as Excel keeps it).
const (
	MaxRows    = 1_048_576
	MaxColumns = 16_384
	// MaxCell is the longest text of one cell, in UTF-16 units.
	MaxCell = 32_767
)

type kind uint8

const (
	empty kind = iota
	text
	number
	date
	moment
)

// Cell is one value of a row. The zero Cell is empty.
type Cell struct {
	kind kind
	text string // of text, and of a number as it is written
	at   time.Time
}

// Text is words. They never become a formula, whatever they begin with.
func Text(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{kind: text, text: s}
}

// Int is a whole number. One of more than fifteen digits is written as text: spreadsheets keep no more.
func Int(n int64) Cell {
	s := strconv.FormatInt(n, 10)
	if n > 999_999_999_999_999 || n < -999_999_999_999_999 {
		return Cell{kind: text, text: s}
	}
	return Cell{kind: number, text: s}
}

// Fen is an amount of money, written in yuan with two places.
func Fen(n int64) Cell {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	if n > 9_999_999_999_999_99 {
		return Cell{kind: text, text: sign + strconv.FormatInt(n/100, 10) + "." + two(n%100)}
	}
	return Cell{kind: number, text: sign + strconv.FormatInt(n/100, 10) + "." + two(n%100)}
}

func two(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// Date is the day of t in Beijing; the zero time is an empty cell.
func Date(t time.Time) Cell {
	if t.IsZero() {
		return Cell{}
	}
	return Cell{kind: date, at: t}
}

// Time is t in Beijing to the second; the zero time is an empty cell.
func Time(t time.Time) Cell {
	if t.IsZero() {
		return Cell{}
	}
	return Cell{kind: moment, at: t}
}

// TimeOf is Time of a moment that may be missing.
func TimeOf(t *time.Time) Cell {
	if t == nil {
		return Cell{}
	}
	return Time(*t)
}

// Bool is 是 or 否.
func Bool(b bool) Cell {
	if b {
		return Cell{kind: text, text: "是"}
	}
	return Cell{kind: text, text: "否"}
}

// String is the cell as a person reads it, before anything is made harmless.
func (c Cell) String() string {
	switch c.kind {
	case date:
		return c.at.In(clock.Beijing).Format("2006-01-02")
	case moment:
		return c.at.In(clock.Beijing).Format("2006-01-02 15:04:05")
	}
	return c.text
}

// serial returns the day Excel counts t as in Beijing, and the second of the day; false before March 1900, where Excel
// counts a day that never was.
func serial(t time.Time) (days, seconds int64, ok bool) {
	local := t.Unix() + 8*3600
	days, seconds = local/86400, local%86400
	if seconds < 0 {
		days, seconds = days-1, seconds+86400
	}
	days += 25569 // 1970-01-01
	return days, seconds, days >= 61 && days < 2958466
}

// Column is the head of a column being written.
type Column struct {
	Title string
	Width float64 // in characters; 0 is 16
}
