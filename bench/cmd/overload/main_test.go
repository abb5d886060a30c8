package main

import (
	"testing"
	"time"
)

// All work: this is no measurement.
func TestSmoke(t *testing.T) {
	t.Parallel()
	for _, c := range contestants() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := drive(t.Context(), c, 1, time.Second/4, time.Second/4)
			if err != nil {
				t.Fatal(err)
			}
			if s.Goodput == 0 || s.Failed > 0 {
				t.Errorf("want calls that are served, and none that fail, have %+v", s)
			}
		})
	}
}
