package demo

import (
	"fmt"
	"slices"
)

// desk makes what the desk works with: answers, phrases and who handles what.
func (g *generator) desk() error {
	var answers []struct {
		Q, A, Ty, D string
		K, S        []string
		In          bool
	}
	if err := load("knowledge.yaml", &answers); err != nil {
		return err
	}
	for i, r := range answers {
		if len(r.S) != 3 {
			return fmt.Errorf("knowledge.yaml: %q needs kind, title and number of what it rests on", r.Q)
		}
		g.w.Knowledge = append(g.w.Knowledge, Answer{Key: fmt.Sprintf("answer-%02d", i+1), Question: Mark + r.Q, Answer: r.A, Type: r.Ty, Department: r.D,
			Keywords: r.K, Internal: r.In, SourceKind: r.S[0], SourceTitle: r.S[1], SourceNumber: r.S[2]})
	}
	var phrases []struct{ By, C, T, G, B string }
	if err := load("canned.yaml", &phrases); err != nil {
		return err
	}
	for _, p := range phrases {
		g.w.Phrases = append(g.w.Phrases, Phrase{By: p.By, Code: p.C, Title: p.T, Category: p.G, Body: p.B})
	}
	var duties struct {
		Lines []struct {
			Ty, D string
			H     []string
		}
		Streets []string
	}
	if err := load("directory.yaml", &duties); err != nil {
		return err
	}
	for _, l := range duties.Lines {
		g.w.Duties = append(g.w.Duties, Duty{Type: l.Ty, Department: l.D, Helpers: l.H})
		if !slices.Contains(duties.Streets, l.Ty) {
			continue
		}
		for _, d := range g.w.Departments {
			if d.Street != "" && d.Level == 2 {
				g.w.Duties = append(g.w.Duties, Duty{Type: l.Ty, Area: d.Street, Department: d.Code, Helpers: []string{l.D}})
			}
		}
	}
	return nil
}
