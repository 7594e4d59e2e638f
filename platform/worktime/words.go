package worktime

import (
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// Moment is a moment as people read it: 11月26日（四）14:00.
func Moment(at time.Time) string {
	return DayOf(at).Show() + at.In(clock.Beijing).Format("15:04")
}

// SkippedWords names the days that were not counted, those of one reason that follow each other together.
func SkippedWords(skips []Skip) []string {
	words := []string{}
	for i := 0; i < len(skips); {
		j := i
		for j+1 < len(skips) && skips[j+1].Day == skips[j].Day+1 && skips[j+1].Why == skips[i].Why {
			j++
		}
		text := skips[i].Day.Show()
		if j > i {
			text += "至" + skips[j].Day.Show()
		}
		words = append(words, text+skips[i].Why)
		i = j + 1
	}
	return words
}
