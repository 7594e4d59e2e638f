package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// linked is not empty in a program that has failpoints. The linker alone writes it (see the package's comment), so that such a
// program is linked from what the product was compiled to, and no environment gives the product one.
var linked string

type rule struct {
	n      int
	action string
}

var (
	once  sync.Once
	mu    sync.Mutex
	rules map[string][]rule
	hits  = map[string]int{}
)

// read parses the environment; a rule that cannot be read ends the program, because the test would prove nothing.
func read(text string) map[string][]rule {
	m := map[string][]rule{}
	for _, s := range strings.Split(text, ",") {
		if s == "" {
			continue
		}
		f := strings.Split(s, ":")
		n := 0
		if len(f) == 3 {
			n, _ = strconv.Atoi(f[1])
		}
		if n < 1 || f[2] != "kill" && f[2] != "error" && f[2] != "panic" {
			panic(fmt.Sprintf("FAILPOINT: %q is not name:n:action", s))
		}
		m[f[0]] = append(m[f[0]], rule{n, f[2]})
	}
	return m
}

// Hit counts that name was reached and does what the environment asks for at this count; nothing in a program without
// failpoints.
func Hit(name string) error {
	if linked == "" {
		return nil
	}
	once.Do(func() { rules = read(os.Getenv("FAILPOINT")) })
	mu.Lock()
	hits[name]++
	n := hits[name]
	mu.Unlock()
	for _, r := range rules[name] {
		if r.n != n {
			continue
		}
		switch r.action {
		case "error":
			return fmt.Errorf("%w: %s", ErrHit, name)
		case "panic":
			panic("failpoint: " + name)
		case "kill":
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = p.Kill()
			}
			if err != nil {
				panic(err)
			}
			select {} // the signal is on its way
		}
	}
	return nil
}
