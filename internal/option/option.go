// Package option applies functional options, and words what is wrong with them, in the same way everywhere.
package option

import (
	"fmt"
	"reflect"
	"time"
)

// Set applies opts to s in their order. It fails for one that is nil or fails.
func Set[S any, O ~func(*S) error](s *S, opts []O) error {
	if err := RefuseNil("the list of options", opts); err != nil {
		return err
	}
	for _, o := range opts {
		if err := o(s); err != nil {
			return err
		}
	}
	return nil
}

// RefuseNil returns an error for a nil among the functions, or interfaces, that the option of that name was given.
func RefuseNil[F any](name string, values []F) error {
	for i, f := range values {
		if v := reflect.ValueOf(f); !v.IsValid() || v.Kind() == reflect.Func && v.IsNil() {
			return fmt.Errorf("%s: function %d is nil", name, i)
		}
	}
	return nil
}

// Typed returns the function that the option of that name holds, as the type that a generic constructor wants it to have; nil where
// f is nil.
func Typed[F any](name string, f any) (F, error) {
	want, ok := f.(F)
	if f != nil && !ok {
		return want, fmt.Errorf("%s is a %v, want %v", name, reflect.TypeOf(f), reflect.TypeFor[F]())
	}
	return want, nil
}

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
func Within[N int | time.Duration](name string, n, low, high N) error {
	if n < low || n > high {
		return fmt.Errorf("%s(%v): want %v to %v", name, n, low, high)
	}
	return nil
}

// Positive returns nil if d is more than 0, else an error that names the option.
func Positive(name string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s(%v): want more than 0", name, d)
	}
	return nil
}
