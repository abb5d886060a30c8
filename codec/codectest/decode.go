package codectest

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/ashlar-go/ashlar/codec"
)

var decodeChecks = []check{{
	name:   "DecodeMalformed",
	clause: "Decode fails with a *DecodeError for data that is malformed",
	run: func(h *Harness) error {
		var errs []error
		for _, d := range h.Malformed {
			errs = append(errs, h.refused(d))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "DecodeTruncated",
	clause: "Decode reads exactly one document, so it fails with a *DecodeError for a part of one",
	run: func(h *Harness) error {
		if !h.has(End) {
			return nil
		}
		data, err := h.document()
		if err != nil {
			return err
		}
		for n := 1; n < len(data); n++ {
			if err := h.refused(Document{Name: fmt.Sprintf("the first %d bytes", n), Data: data[:n:n], Into: h.main()}); err != nil {
				return err
			}
		}
		return nil
	},
}, {
	name:   "DecodeEmpty",
	clause: "Decode fails with a *DecodeError for no data, since that is no document",
	run: func(h *Harness) error {
		if !h.has(NonEmpty) {
			return nil
		}
		return errors.Join(
			h.refused(Document{Name: "nil", Into: h.main()}),
			h.refused(Document{Name: "empty", Data: []byte{}, Into: h.main()}),
		)
	},
}, {
	name:   "DecodeTrailing",
	clause: "Decode reads all of data, and fails with a *DecodeError for a document that is followed by anything more",
	run: func(h *Harness) error {
		data, err := h.document()
		if err != nil {
			return err
		}
		trailing := h.Trailing
		if h.has(End) {
			trailing = append(slices.Clone(trailing), string(data))
		}
		var errs []error
		for _, t := range trailing {
			errs = append(errs, h.refused(Document{
				Name: fmt.Sprintf("%.20q behind a document", t), Data: append(slices.Clone(data), t...), Into: h.main(),
			}))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "DecodeWrongType",
	clause: "Decode fails with a *DecodeError for data of the wrong type, and Path says where, such as items[3].price",
	run: func(h *Harness) error {
		for _, d := range h.WrongType {
			de, err := h.decodeError(d)
			if err != nil {
				return err
			}
			if h.has(Path) && d.Path != "" && de.Path != d.Path {
				return fmt.Errorf("%s: want the path %q, have %q (%w)", d.Name, d.Path, de.Path, de)
			}
		}
		return nil
	},
}, {
	name:   "DecodeDeep",
	clause: "Decode fails with a *DecodeError for data that is too deep, be it in a member that nobody reads, and not before",
	run: func(h *Harness) error {
		if h.MaxDepth == 0 {
			return nil
		}
		for _, depth := range []int{h.MaxDepth, h.MaxDepth + 1, h.MaxSkipped + 1} {
			if len(h.Deep(depth).Data) == 0 {
				return fmt.Errorf("the harness has no document of %d levels: Append may refuse to write one, but Deep must", depth)
			}
		}
		d := h.Deep(h.MaxDepth)
		if err := h.Codec.Decode(d.Data, d.into()); err != nil {
			return fmt.Errorf("%d levels: %w", h.MaxDepth, err)
		}
		d = h.Deep(h.MaxDepth + 1)
		d.Name = fmt.Sprintf("%d levels", h.MaxDepth+1)
		if err := h.refused(d); err != nil || !h.has(Values) {
			return err
		}
		d = h.Deep(h.MaxSkipped + 1)
		d.Name, d.Into = fmt.Sprintf("%d levels that nobody reads", h.MaxSkipped+1), new(stranger)
		return h.refused(d)
	},
}, {
	name:   "DecodeProblem",
	clause: "DecodeError.Problem is written to be shown to the sender: it names no Go type, nor does Path",
	run: func(h *Harness) error {
		documents := slices.Concat(h.Malformed, h.WrongType)
		if data, err := h.document(); err == nil && h.has(End) {
			documents = append(documents, Document{Name: "half a document", Data: data[:len(data)/2], Into: h.main()})
		}
		for _, d := range documents {
			de, ok := errors.AsType[*codec.DecodeError](h.Codec.Decode(d.Data, d.into()))
			if !ok {
				continue
			}
			for _, text := range []string{de.Problem, de.Path} {
				if name := goType.FindString(text); name != "" {
					return fmt.Errorf("%s: %q names %q", d.Name, text, name)
				}
			}
		}
		return nil
	},
}, {
	name:   "DecodeTarget",
	clause: "a v that is no pointer, is nil, or of a type that cannot be encoded is the caller's mistake, so no *DecodeError",
	run: func(h *Harness) error {
		data, err := h.document()
		if err != nil {
			return err
		}
		main := reflect.ValueOf(h.main())
		targets := []any{nil, main.Elem().Interface(), reflect.Zero(main.Type()).Interface()}
		for _, v := range h.Unencodable {
			targets = append(targets, reflect.New(reflect.TypeOf(v)).Interface())
		}
		for _, v := range targets {
			err := h.Codec.Decode(data, v)
			if err == nil {
				return fmt.Errorf("decoding into a %T succeeds", v)
			}
			if _, ok := errors.AsType[*codec.DecodeError](err); ok {
				return fmt.Errorf("decoding into a %T fails with a *codec.DecodeError: %w", v, err)
			}
		}
		return nil
	},
}}

// goType finds what looks like the name of a Go type. "string" is a word, and so is "integer".
var goType = regexp.MustCompile(
	`\bGo\b|\bu?int(8|16|32|64)?\b|\bfloat(32|64)\b|\bbool\b|\bstruct\b|\binterface\b|\[\]\w|\bmap\[|\*\w|\b[a-z]\w*\.[A-Z]\w*`)
