package appraisal

import (
	"cmp"
	"slices"
)

// Board is the figures of a month.
type Board struct {
	Month   string     `json:"month"`
	Formula FormulaRef `json:"formula"`
	Rates   []RateInfo `json:"rates"`
	Units   []UnitRow  `json:"units"`
	Total   UnitRow    `json:"total"`
}

// FormulaRef names the formula that figures were reckoned with.
type FormulaRef struct {
	No   int64  `json:"no"`
	Name string `json:"name"`
	From string `json:"from" doc:"The first month it holds for."`
}

// RateInfo says what a rate is under the formula used.
type RateInfo struct {
	Rate  Rate   `json:"rate" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
	Label string `json:"label"`
	Words string `json:"words"`
}

// UnitRow is the figures of one unit.
type UnitRow struct {
	UnitID   int64           `json:"unitId"`
	UnitName string          `json:"unitName"`
	Cases    int             `json:"cases" doc:"All that ended in the month, also those left out."`
	Figures  []Figure        `json:"figures"`
	Excluded []ExcludedCount `json:"excluded"`
	Score    *int            `json:"score,omitempty" doc:"In hundredths of a point of 100; absent when a weighted rate has no case."`
	Rank     int             `json:"rank" doc:"0 when not ranked."`
	Note     string          `json:"note,omitempty" doc:"Why it is not ranked."`
}

// Figure is one rate of one unit.
type Figure struct {
	Rate  Rate         `json:"rate" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
	Good  int          `json:"good"`
	Of    int          `json:"of"`
	Share *int         `json:"share,omitempty" doc:"In hundredths of a percent; absent when there is no case."`
	Parts []ClassCount `json:"parts" doc:"All classes that occurred, also those that count in neither."`
}

// ClassCount is how many cases fell into a class.
type ClassCount struct {
	Class   Class  `json:"class"`
	Label   string `json:"label"`
	N       int    `json:"n"`
	Counted bool   `json:"counted"`
	Good    bool   `json:"good"`
}

// ExcludedCount is how many cases an exclusion left out of one rate or more.
type ExcludedCount struct {
	Exclusion Exclusion `json:"exclusion" enum:"appeal,duplicate,void,declined,returned,recalled,lapsed"`
	Label     string    `json:"label"`
	N         int       `json:"n"`
}

// group is how many cases of a unit are the same in all that counts.
type group struct {
	UnitID       int64     `bun:"unit_id"`
	UnitName     string    `bun:"unit_name"`
	Response     Class     `bun:"response"`
	Solution     Class     `bun:"solution"`
	Satisfaction Class     `bun:"satisfaction"`
	Sign         Class     `bun:"sign"`
	Handle       Class     `bun:"handle"`
	Return       Class     `bun:"given_back"`
	Evidence     Class     `bun:"evidence"`
	Exclusion    Exclusion `bun:"exclusion"`
	N            int       `bun:"n"`
}

func (g group) class(r Rate) Class {
	c := Case{Response: g.Response, Solution: g.Solution, Satisfaction: g.Satisfaction, Sign: g.Sign, Handle: g.Handle, Return: g.Return, Evidence: g.Evidence}
	return c.class(r)
}

// reckon makes the board of a month from the groups of its cases. It depends on nothing but its arguments.
func reckon(month string, f FormulaRef, b Body, groups []group) Board {
	board := Board{Month: month, Formula: f, Units: []UnitRow{}, Rates: []RateInfo{}}
	for _, r := range Rates {
		board.Rates = append(board.Rates, RateInfo{r, r.Label(), b.Words(r)})
	}
	byUnit, names, order := map[int64][]group{}, map[int64]string{}, []int64{}
	for _, g := range groups {
		if _, known := byUnit[g.UnitID]; !known {
			order = append(order, g.UnitID)
		}
		byUnit[g.UnitID] = append(byUnit[g.UnitID], g)
		names[g.UnitID] = g.UnitName
	}
	slices.Sort(order)
	for _, id := range order {
		row := b.row(byUnit[id])
		row.UnitID, row.UnitName = id, names[id]
		board.Units = append(board.Units, row)
	}
	board.Total = b.row(groups)
	board.Total.UnitName = "全区"
	b.rank(board.Units)
	return board
}

func (b Body) row(groups []group) UnitRow {
	row := UnitRow{Figures: []Figure{}, Excluded: []ExcludedCount{}}
	for _, r := range Rates {
		row.Figures = append(row.Figures, b.figure(r, groups))
	}
	left := map[Exclusion]int{}
	for _, g := range groups {
		row.Cases += g.N
		if slices.ContainsFunc(Rates, func(r Rate) bool { return b.omits(r, g.Exclusion) }) {
			left[g.Exclusion] += g.N
		}
	}
	for _, o := range b.Omissions {
		if n := left[o.Exclusion]; n > 0 {
			row.Excluded = append(row.Excluded, ExcludedCount{o.Exclusion, o.Exclusion.Label(), n})
			left[o.Exclusion] = 0
		}
	}
	row.Score = b.score(row.Figures)
	return row
}

func (b Body) figure(r Rate, groups []group) Figure {
	f := Figure{Rate: r, Parts: []ClassCount{}}
	sums := map[Class]int{}
	for _, g := range groups {
		if b.omits(r, g.Exclusion) {
			continue
		}
		sums[g.class(r)] += g.N
	}
	for _, k := range classes[r] {
		n := sums[k.Class]
		if n == 0 {
			continue
		}
		counted, good := b.counts(r, k.Class, "")
		f.Parts = append(f.Parts, ClassCount{k.Class, k.Label, n, counted, good})
		if counted {
			f.Of += n
		}
		if good {
			f.Good += n
		}
	}
	if f.Of > 0 {
		share := (f.Good*20000 + f.Of) / (2 * f.Of)
		f.Share = &share
	}
	return f
}

// score is the weighted mean of the rates, nil when one of them has no case. Of a rate that is bad when it is high, as of
// returns, its opposite counts.
func (b Body) score(figures []Figure) *int {
	sum := 0
	for _, w := range b.Weights {
		if w.Percent == 0 {
			continue
		}
		i := slices.IndexFunc(figures, func(f Figure) bool { return f.Rate == w.Rate })
		if i < 0 || figures[i].Share == nil {
			return nil
		}
		share := *figures[i].Share
		if w.Rate == Return {
			share = 10000 - share
		}
		sum += share * w.Percent
	}
	sum = (sum + 50) / 100
	return &sum
}

// rank gives equal scores the same rank. A unit with few cases is shown and not ranked: one bad call would decide.
func (b Body) rank(rows []UnitRow) {
	var in []*UnitRow
	for i := range rows {
		row := &rows[i]
		few := false
		for _, w := range b.Weights {
			j := slices.IndexFunc(row.Figures, func(f Figure) bool { return f.Rate == w.Rate })
			few = few || w.Percent > 0 && row.Figures[j].Of < b.MinCases
		}
		switch {
		case few:
			row.Note = "件数不足，不参与排名"
		case row.Score == nil:
			row.Note = "没有可计算的指标，不参与排名"
		default:
			in = append(in, row)
		}
	}
	slices.SortStableFunc(in, func(a, b *UnitRow) int { return cmp.Compare(*b.Score, *a.Score) })
	for i, row := range in {
		row.Rank = i + 1
		if i > 0 && *in[i-1].Score == *row.Score {
			row.Rank = in[i-1].Rank
		}
	}
	slices.SortStableFunc(rows, func(a, b UnitRow) int {
		if (a.Rank == 0) != (b.Rank == 0) {
			return cmp.Compare(b.Rank, a.Rank) // the ranked first
		}
		return cmp.Compare(a.Rank, b.Rank)
	})
}
