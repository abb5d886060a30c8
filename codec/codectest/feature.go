package codectest

// Feature is something that most encodings can do. Features are combined with |.
type Feature uint

// What an encoding may be Without.
const (
	// Values: it encodes Go structs in general. Without it only the harness's own samples are used, as for Protocol
	// Buffers, and the harness must bring documents of WrongType and Deep.
	Values Feature = 1 << iota
	// Roots: a document can be something other than a struct.
	Roots
	// Nesting: a struct can hold structs, and slices of them.
	Nesting
	// Null: a nil pointer differs from a pointer to a zero value.
	Null
	// Maps: it has maps from strings.
	Maps
	// NestedSlices: a slice can hold slices.
	NestedSlices
	// Any: a field of type any comes back as what it was: a string, a bool, a list of these, or nil.
	Any
	// Binary: a []byte can hold bytes that are not text.
	Binary
	// Sorted: it writes maps in an order of its own, so that equal values have equal encodings.
	Sorted
	// End: a document shows where it ends, so that a truncated one is malformed, and so is one with something behind it
	// that is malformed itself.
	End
	// NonEmpty: no bytes at all are no document.
	NonEmpty
	// Path: a DecodeError can say where in the document.
	Path
)
