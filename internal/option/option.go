// Package option applies functional options, and words what is wrong with them, in the same way everywhere.
package option

import "fmt"

// Apply applies opts to s in their order. It panics for one that is nil or fails, which is a mistake in the program;
// constructor, such as "json: New", begins the text of the panic.
func Apply[S any, O ~func(*S) error](constructor string, s *S, opts []O) {
	for _, o := range opts {
		if o == nil {
			panic(constructor + ": an option is nil")
		}
		if err := o(s); err != nil {
			panic(constructor + ": " + err.Error())
		}
	}
}

// Within returns nil if n is from low to high, else an error such as "MaxDepth(0): want 1 to 10000" for the option of
// that name.
func Within(name string, n, low, high int) error {
	if n < low || n > high {
		return fmt.Errorf("%s(%d): want %d to %d", name, n, low, high)
	}
	return nil
}
