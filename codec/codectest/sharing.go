package codectest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
)

var sharingChecks = []check{{
	name:   "DecodeData",
	clause: "Decode does not keep data, nor does v afterwards; nor does Decode change it",
	run: func(h *Harness) error {
		for _, sample := range h.Samples {
			data, err := h.Codec.Append(nil, sample)
			if err != nil {
				return err
			}
			want, have := bytes.Clone(data), blank(sample)
			if err := h.Codec.Decode(data, have); err != nil {
				return err
			}
			if !bytes.Equal(data, want) {
				return fmt.Errorf("%T: decoding turned %s into %s", sample, excerpt(want), excerpt(data))
			}
			for i := range data {
				data[i] = '#'
			}
			if !h.Equal(sample, have) {
				return fmt.Errorf("%T: it changed to %+v as data was overwritten", sample, have)
			}
		}
		return nil
	},
}, {
	name:   "Concurrent",
	clause: "a codec is safe for concurrent use",
	run: func(h *Harness) error {
		const callers, rounds = 8, 50
		errs := make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				for round := range rounds {
					if err := h.roundTrip(h.Samples[(i+round)%len(h.Samples)]); err != nil {
						errs[i] = err
						return
					}
					if d := h.Malformed[round%len(h.Malformed)]; h.Codec.Decode(d.Data, d.into()) == nil {
						errs[i] = fmt.Errorf("%s is accepted", d.Name)
						return
					}
				}
			})
		}
		all.Wait()
		return errors.Join(errs...)
	},
}}
