package msgpack

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/docpath"
)

// walker holds a document against the shape of a type. What it lets pass, the library decodes without a panic, a silent
// overflow or an allocation out of proportion.
type walker struct {
	settings

	data     []byte // what is left of the document
	depth    int    // of the value in front
	elements int    // of arrays and maps so far
	// doubles are the numbers in double precision that a float32 is read from, each as how much of the document is behind it.
	doubles []int
	// times says that there is a timestamp which becomes a time.Time.
	times bool
	// probe, if set, decodes the values that have methods for it. It is set to find which of them fails.
	probe func(t reflect.Type, data []byte) error
}

var (
	errTruncated = &codec.DecodeError{Problem: "the document ends too early"}
	errTrailing  = &codec.DecodeError{Problem: "more data follows the document"}
)

// unsupportedError says that the caller's type cannot be decoded, which is no fault of the document.
type unsupportedError struct{ typ reflect.Type }

func (e *unsupportedError) Error() string {
	return "msgpack: decoding into " + e.typ.String() + " is not possible"
}

// document walks the whole of it.
func (w *walker) document(s *shape) error {
	if err := w.value(s); err != nil {
		return err
	}
	if len(w.data) > 0 {
		return errTrailing
	}
	return nil
}

// value walks one value. A nil shape takes anything.
func (w *walker) value(s *shape) error {
	start := w.data
	h, size := readHead(w.data)
	if size == 0 {
		return errTruncated
	}
	if s != nil && s.kind == kindPointer {
		for s.kind == kindPointer && h.class != classNil {
			s = s.elem
		}
		if s.kind == kindPointer {
			s = nil
		}
	}
	if s != nil {
		if err := accept(s, h); err != nil {
			return err
		}
	}
	w.data = w.data[size:]
	if s != nil && s.kind == kindFloat32 && h.class == classFloat64 {
		w.doubles = append(w.doubles, len(w.data))
	}
	if err := w.content(s, h); err != nil {
		return err
	}
	if w.probe != nil && s != nil && (s.kind == kindText || s.kind == kindCustom) {
		if err := w.probe(s.typ, start[:len(start)-len(w.data)]); err != nil {
			return &codec.DecodeError{Problem: "the value is not valid", Err: err}
		}
	}
	return nil
}

// content walks what follows the head of a value.
func (w *walker) content(s *shape, h head) error {
	switch h.class {
	case classInvalid:
		return &codec.DecodeError{Problem: "not MessagePack: the byte c1 begins no value"}
	case classText, classBinary:
		if h.n > uint64(len(w.data)) {
			return errTruncated
		}
		content := w.data[:h.n]
		w.data = w.data[h.n:]
		if h.class == classText && s != nil && s.kind != kindBytes && s.kind != kindByteArray && !utf8.Valid(content) {
			return &codec.DecodeError{Problem: "the string is not UTF-8"}
		}
	case classExtension:
		return w.extension(s, h.n)
	case classArray, classMap:
		return w.container(s, h)
	case classNil, classBool, classInt, classUint, classFloat32, classFloat64:
	}
	return nil
}

func (w *walker) extension(s *shape, n uint64) error {
	if n >= uint64(len(w.data)) { // there is a byte for the type as well
		return errTruncated
	}
	if s != nil && s.kind != kindCustom {
		const timestamp = 0xFF
		if w.data[0] != timestamp || n != 4 && n != 8 && n != 12 {
			return &codec.DecodeError{Problem: "want no extension but a timestamp, have one of type " + strconv.Itoa(int(int8(w.data[0])))}
		}
		w.times = true
	}
	w.data = w.data[1+n:]
	return nil
}

func (w *walker) container(s *shape, h head) error {
	width := uint64(1)
	if h.class == classMap {
		width = 2
	}
	if h.n*width > uint64(len(w.data)) {
		return errTruncated
	}
	n := int(h.n)
	if w.elements += n; w.elements > w.maxElements {
		return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d elements", w.maxElements)}
	}
	if w.depth++; w.depth > w.maxDepth {
		return &codec.DecodeError{Problem: fmt.Sprintf("nested deeper than %d levels", w.maxDepth)}
	}
	defer func() { w.depth-- }()
	switch {
	case h.class == classArray:
		return w.array(s, n)
	case s != nil && s.kind == kindStruct:
		return w.structure(s, n)
	case s != nil && s.kind != kindCustom:
		return w.mapping(s, n)
	}
	for range 2 * n {
		if err := w.value(nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) array(s *shape, n int) error {
	for i := range n {
		var elem *shape
		switch {
		case s == nil || s.kind == kindCustom:
		case s.kind == kindAny:
			elem = s
		case s.kind == kindStruct:
			elem = s.fields[i]
		default:
			elem = s.elem
		}
		if err := w.value(elem); err != nil {
			return within(err, func(rest string) string { return docpath.Index(i, rest) })
		}
	}
	return nil
}

// within puts a step in front of the path in err.
func within(err error, path func(rest string) string) error {
	if e, ok := errors.AsType[*codec.DecodeError](err); ok {
		return &codec.DecodeError{Path: path(e.Path), Problem: e.Problem, Err: e.Err}
	}
	return err
}
