package codectest

import "fmt"

// RunCheck runs one check alone.
func RunCheck(name string, h Harness) error {
	if err := h.complete(); err != nil {
		return fmt.Errorf("incomplete: %w", err)
	}
	for _, c := range checks {
		if c.name == name {
			return c.run(&h)
		}
	}
	return nil
}
