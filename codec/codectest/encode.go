package codectest

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/codec"
)

var typeChecks = []check{{
	name:   "ContentTypes",
	clause: "ContentTypes returns at least one media type, in lower case and without parameters, and always the same ones",
	run: func(h *Harness) error {
		types := h.Codec.ContentTypes()
		if len(types) == 0 {
			return errors.New("there is no content type")
		}
		for _, t := range types {
			parsed, params, err := mime.ParseMediaType(t)
			if err != nil || parsed != t || len(params) > 0 || !strings.Contains(t, "/") {
				return fmt.Errorf("%q is not a plain lower-case media type", t)
			}
		}
		if again := h.Codec.ContentTypes(); !slices.Equal(types, again) {
			return fmt.Errorf("first they are %q, then %q", types, again)
		}
		if _, err := codec.NewSet(h.Codec); err != nil {
			return fmt.Errorf("no Set takes it: %w", err)
		}
		return nil
	},
}}

var appendChecks = []check{{
	name:   "RoundTrip",
	clause: "what Append writes, Decode reads back as an equal value, for every value that the encoding can represent",
	run: func(h *Harness) error {
		var errs []error
		for _, sample := range h.Samples {
			if err := h.roundTrip(sample); err != nil {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	},
}, {
	name:   "AppendValue",
	clause: "Append encodes a value as it encodes a pointer to it",
	run: func(h *Harness) error {
		if !h.has(Values) {
			return nil
		}
		value, err := h.Codec.Append(nil, Flat{Name: "a name", Price: 42})
		if err != nil {
			return err
		}
		pointer, err := h.Codec.Append(nil, &Flat{Name: "a name", Price: 42})
		if err != nil {
			return err
		}
		if !bytes.Equal(value, pointer) {
			return fmt.Errorf("the value is %s, the pointer %s", excerpt(value), excerpt(pointer))
		}
		return nil
	},
}, {
	name:   "AppendAgain",
	clause: "Append encodes equal values to equal bytes, since entity tags depend on them",
	run: func(h *Harness) error {
		samples := h.Samples
		if !h.has(Sorted) {
			samples = []any{h.main()}
		}
		const rounds = 10 // since maps of few keys are in order by chance
		for _, sample := range samples {
			want, err := h.Codec.Append(nil, sample)
			if err != nil {
				return err
			}
			for range rounds {
				have, err := h.Codec.Append(nil, sample)
				if err != nil {
					return err
				}
				if !bytes.Equal(want, have) {
					return fmt.Errorf("%T: first it is %s, then %s", sample, excerpt(want), excerpt(have))
				}
			}
		}
		return nil
	},
}, {
	name:   "AppendPrefix",
	clause: "Append appends: what dst held stays in front, whether there is room behind it or not",
	run: func(h *Harness) error {
		want, err := h.document()
		if err != nil {
			return err
		}
		for _, room := range []int{0, 1, 10_000} {
			dst := append(make([]byte, 0, len(prefix)+room), prefix...)
			have, err := h.Codec.Append(dst, h.main())
			if err != nil {
				return err
			}
			if !bytes.HasPrefix(have, []byte(prefix)) || len(have) != len(prefix)+len(want) {
				return fmt.Errorf("room for %d bytes: %q and then %s became %s", room, prefix, excerpt(want), excerpt(have))
			}
		}
		return nil
	},
}, {
	name:   "AppendError",
	clause: "Append fails for a value that cannot be encoded, and then returns dst as it was",
	run: func(h *Harness) error {
		// The last one fails only after something was encoded.
		for _, v := range append(slices.Clone(h.Unencodable), unencodable{Name: "first", Last: make(chan int)}) {
			for _, room := range []int{0, 10_000} {
				dst := append(make([]byte, 0, len(prefix)+room), prefix...)
				have, err := h.Codec.Append(dst, v)
				if err == nil {
					return fmt.Errorf("a %T was encoded as %s", v, excerpt(have))
				}
				if string(have) != prefix || cap(have) != cap(dst) {
					return fmt.Errorf("a %T: %q of capacity %d became %s of capacity %d", v, prefix, cap(dst), excerpt(have), cap(have))
				}
			}
		}
		return nil
	},
}, {
	name:   "AppendOwned",
	clause: "what Append returns belongs to the caller: a later call does not change it",
	run: func(h *Harness) error {
		first, err := h.document()
		if err != nil {
			return err
		}
		want := bytes.Clone(first)
		for _, sample := range h.Samples {
			if _, err := h.Codec.Append(nil, sample); err != nil {
				return err
			}
		}
		if !bytes.Equal(first, want) {
			return fmt.Errorf("%s became %s", excerpt(want), excerpt(first))
		}
		return nil
	},
}}

// prefix is what dst holds before Append.
const prefix = "before: "

func (h *Harness) roundTrip(sample any) error {
	data, err := h.Codec.Append(nil, sample)
	if err != nil {
		return fmt.Errorf("encoding %T: %w", sample, err)
	}
	have := blank(sample)
	if err := h.Codec.Decode(data, have); err != nil {
		return fmt.Errorf("decoding %T from %s: %w", sample, excerpt(data), err)
	}
	if !h.Equal(sample, have) {
		return fmt.Errorf("%T: want %+v, have %+v, by way of %s", sample, sample, have, excerpt(data))
	}
	return nil
}
