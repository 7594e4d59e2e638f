package enterprise

import (
	"fmt"
	"math"
	"strings"
)

// radarChart is an evaluation as a polygon, drawn by the page without a script; a measure that could not be taken lies in the
// middle and says so in its label.
type radarChart struct {
	Told   string // the same in words
	Rings  []string
	Shape  string
	Labels []chartLabel
}

// barChart is a field over the years.
type barChart struct {
	Title, Told string
	Width       int
	Bars        []chartBar
	Rows        []Point
}

type chartLabel struct {
	X, Y int
	Text string
}

type chartBar struct {
	X, Y, Width, Height int
	Year, Value         chartLabel
}

// pointsText is a measure in a few characters.
func pointsText(n int) string {
	if n < 0 {
		return "数据不足"
	}
	return fmt.Sprintf("%d 分", n)
}

func radarOf(list []Measure) radarChart {
	const middle, height, radius = 170, 125, 85
	spot := func(i int, share float64) (x, y int) {
		angle := 2*math.Pi*float64(i)/float64(len(list)) - math.Pi/2
		return middle + int(math.Round(math.Cos(angle)*radius*share)), height + int(math.Round(math.Sin(angle)*radius*share))
	}
	polygon := func(share func(i int) float64) string {
		words := make([]string, 0, len(list))
		for i := range list {
			x, y := spot(i, share(i))
			words = append(words, fmt.Sprintf("%d,%d", x, y))
		}
		return strings.Join(words, " ")
	}
	var c radarChart
	for _, ring := range []float64{0.25, 0.5, 0.75, 1} {
		c.Rings = append(c.Rings, polygon(func(int) float64 { return ring }))
	}
	c.Shape = polygon(func(i int) float64 { return float64(max(0, list[i].Points)) / 100 })
	words := make([]string, 0, len(list))
	for i, m := range list {
		x, y := spot(i, 1.22)
		c.Labels = append(c.Labels, chartLabel{x, y + 4, m.Label})
		words = append(words, m.Label+" "+pointsText(m.Points))
	}
	c.Told = "各维度得分：" + strings.Join(words, "，")
	return c
}

func barsOf(x Series) barChart {
	const top, bottom, step, width = 24, 150, 84, 44
	c := barChart{Title: fmt.Sprintf("%s（%s）", x.Label, x.Unit), Width: step*max(3, len(x.Points)) + 8, Rows: x.Points}
	most := int64(1)
	for _, p := range x.Points {
		most = max(most, p.Value)
	}
	words := make([]string, 0, len(x.Points))
	for i, p := range x.Points {
		h := int(max(0, p.Value) * (bottom - top) / most)
		left := 4 + i*step + (step-width)/2
		c.Bars = append(c.Bars, chartBar{X: left, Y: bottom - h, Width: width, Height: h,
			Year: chartLabel{left + width/2, bottom + 18, fmt.Sprintf("%d 年", p.Year)}, Value: chartLabel{left + width/2, bottom - h - 6, p.Text}})
		words = append(words, fmt.Sprintf("%d 年 %s", p.Year, p.Text))
	}
	c.Told = c.Title + "：" + strings.Join(words, "，")
	return c
}

// portraitBlock is a portrait as the portal draws it, on its own page and in a report.
type portraitBlock struct {
	Total    string
	Scored   bool
	Radar    radarChart
	Measures []measureRow
	Note     string
	Size     *SizeView
	Charts   []barChart
	Parts    []PortraitPart
	Tags     []TagHeld
}

type measureRow struct {
	Measure
	Text string
}

func blockOf(p Portrait) portraitBlock {
	b := portraitBlock{Total: pointsText(p.Evaluation.Points), Scored: p.Evaluation.Points >= 0, Radar: radarOf(p.Evaluation.Measures), Note: p.Evaluation.Note, Size: p.Size, Parts: p.Parts, Tags: p.Tags}
	for _, m := range p.Evaluation.Measures {
		b.Measures = append(b.Measures, measureRow{m, pointsText(m.Points)})
	}
	for _, x := range p.Series {
		b.Charts = append(b.Charts, barsOf(x))
	}
	return b
}
