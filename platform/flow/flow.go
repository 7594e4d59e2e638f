// Package flow checks tables of transitions: what a lifecycle kept as data must satisfy whatever it is about. The rights
// and the words of a step stay with the module whose lifecycle it is.
package flow

import "fmt"

// Edge is one legal step between two states.
type Edge[S comparable] struct {
	From S
	To   S
}

// Reach returns the states that can be reached from a state, in the order of their distance. The state itself is among
// them only when a way leads back to it.
func Reach[S comparable](edges []Edge[S], from S) []S {
	var reached []S
	seen := map[S]bool{}
	for queue := []S{from}; len(queue) > 0; queue = queue[1:] {
		for _, e := range edges {
			if e.From == queue[0] && !seen[e.To] {
				seen[e.To] = true
				reached = append(reached, e.To)
				queue = append(queue, e.To)
			}
		}
	}
	return reached
}

// Leads reports whether any of the states can be reached from a state.
func Leads[S comparable](edges []Edge[S], from S, to ...S) bool {
	for _, r := range Reach(edges, from) {
		for _, t := range to {
			if r == t {
				return true
			}
		}
	}
	return false
}

// Connected returns an error that names the first state that cannot be reached from start, or from which no end can be
// reached; without ends the second is not asked.
func Connected[S comparable](edges []Edge[S], states []S, start S, ends ...S) error {
	is := map[S]bool{}
	for _, e := range ends {
		is[e] = true
	}
	for _, s := range states {
		if s != start && !Leads(edges, start, s) {
			return fmt.Errorf("%v cannot be reached", s)
		}
		if len(ends) > 0 && !is[s] && !Leads(edges, s, ends...) {
			return fmt.Errorf("%v has no way to an end", s)
		}
	}
	return nil
}
