package floor

import "math/bits"

// Scan is the floor of a recommendation: of each part that does not hold, the rows that ask for it are struck out of all,
// and what is left is counted. Parts holds a bitmap of rows for each part, holds says which parts hold.
func Scan(all []uint64, parts [][]uint64, holds []bool) int {
	struck := make([]uint64, len(all))
	for i, rows := range parts {
		if holds[i] {
			continue
		}
		for w, bitsOf := range rows[:min(len(rows), len(struck))] {
			struck[w] |= bitsOf
		}
	}
	n := 0
	for w, rows := range all {
		n += bits.OnesCount64(rows &^ struck[w])
	}
	return n
}
