//go:build race

package server

import "testing"

// hugeInputs are none: their servers do not run under the race detector, which takes several times the memory.
func hugeInputs(*testing.T) []badInput { return nil }
