package msgpack

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ashlar-go/ashlar/codec"
)

// accept returns nil if a value that begins with h fits the shape s, which is not that of a pointer.
func accept(s *shape, h head) error {
	if h.class == classNil && !s.noNil {
		return nil
	}
	fits, want := false, ""
	switch s.kind {
	case kindUnsupported:
		return &unsupportedError{typ: s.typ}
	case kindAny, kindCustom, kindPointer:
		fits, want = h.class != classNil || !s.noNil, "a value"
	case kindInt, kindUint:
		return s.acceptInteger(h)
	case kindFloat32, kindFloat64:
		return s.acceptNumber(h)
	case kindBool:
		fits, want = h.class == classBool, "true or false"
	case kindString:
		fits, want = h.class == classText, "a string"
	case kindText:
		fits, want = h.class == classText || h.class == classBinary, "a string or bytes"
	case kindTime:
		fits, want = h.class == classExtension, "a timestamp"
	case kindBytes:
		fits, want = h.class == classText || h.class == classBinary, "bytes"
	case kindByteArray:
		fits = (h.class == classText || h.class == classBinary) && h.n <= uint64(s.length)
		want = "at most " + strconv.Itoa(s.length) + " bytes"
	case kindSlice:
		fits, want = h.class == classArray, "an array"
	case kindArray:
		fits = h.class == classArray && h.n <= uint64(s.length)
		want = "an array of at most " + strconv.Itoa(s.length)
	case kindMap:
		fits, want = h.class == classMap, "a map"
	case kindStruct:
		fits = h.class == classMap || h.class == classArray && (h.n == 0 || h.n == uint64(s.length))
		want = "a map"
	}
	if !fits {
		return wrong(want, h)
	}
	return nil
}

func (s *shape) acceptInteger(h head) error {
	low, high := int64(0), uint64(math.MaxUint64)>>(64-s.bits)
	if s.kind == kindInt {
		low, high = math.MinInt64>>(64-s.bits), high>>1
	}
	switch {
	case h.class != classInt && h.class != classUint:
		return wrong("an integer", h)
	case h.negative() && int64(h.n) < low, !h.negative() && h.n > high:
		return wrong(fmt.Sprintf("an integer from %d to %d", low, high), h)
	}
	return nil
}

// acceptNumber leaves out what the library reads as a negative number, or not at all.
func (s *shape) acceptNumber(h head) error {
	switch {
	case h.class == classFloat64 && s.kind == kindFloat32 && tooLarge(math.Float64frombits(h.n)):
		return &codec.DecodeError{Problem: "out of range: want a number of 32 bits"}
	case h.class == classFloat32, h.class == classFloat64, h.class == classInt, h.class == classUint && h.n <= math.MaxInt64:
		return nil
	}
	return wrong("a number", h)
}

// tooLarge reports whether a number would become infinite in single precision.
func tooLarge(f float64) bool { return math.IsInf(float64(float32(f)), 0) && !math.IsInf(f, 0) }

func wrong(want string, h head) error {
	return &codec.DecodeError{Problem: "want " + want + ", have " + h.String()}
}

// negative reports whether an integer is. The library writes non-negative integers as signed ones, too.
func (h head) negative() bool { return h.class == classInt && int64(h.n) < 0 }

func (h head) integer() string {
	if h.negative() {
		return strconv.FormatInt(int64(h.n), 10)
	}
	return strconv.FormatUint(h.n, 10)
}

// String says what the value is, for whoever sent it.
func (h head) String() string {
	switch h.class {
	case classNil:
		return "nil"
	case classBool:
		return "true or false"
	case classInt, classUint:
		return h.integer()
	case classFloat32, classFloat64:
		return "a floating-point number"
	case classText:
		return "a string"
	case classBinary:
		return strconv.FormatUint(h.n, 10) + " bytes"
	case classExtension:
		return "an extension"
	case classArray:
		return "an array of " + strconv.FormatUint(h.n, 10)
	case classMap:
		return "a map"
	case classInvalid:
	}
	return "the invalid byte c1"
}
