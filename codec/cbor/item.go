package cbor

import (
	"encoding/binary"
	"iter"
	"strconv"
)

// Major types of RFC 8949, section 3.1.
const (
	majorUnsigned = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// stop ends what is of indefinite length.
const stop = 0xFF

// head reads the head of a data item: its major type, its argument, and how many bytes that took. Where the data ends in the
// argument, that is 0.
func head(data []byte) (major int, n uint64, size int) {
	major = int(data[0] >> 5)
	switch info := data[0] & 0x1F; {
	case info < 24:
		return major, uint64(info), 1
	case info <= 27 && len(data) < 1+1<<(info-24):
		return major, 0, len(data)
	case info == 24:
		return major, uint64(data[1]), 2
	case info == 25:
		return major, uint64(binary.BigEndian.Uint16(data[1:])), 3
	case info == 26:
		return major, uint64(binary.BigEndian.Uint32(data[1:])), 5
	case info == 27:
		return major, binary.BigEndian.Uint64(data[1:]), 9
	}
	return major, 0, 1 // of indefinite length
}

// untagged returns the content of a data item inside its tags.
func untagged(data []byte) []byte {
	for len(data) > 0 && data[0]>>5 == majorTag {
		_, _, size := head(data)
		data = data[size:]
	}
	return data
}

// parts returns the data items in an array or map that is well-formed, one after the other.
func (c *Codec) parts(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, _, size := head(data)
		for rest := data[size:]; len(rest) > 0 && rest[0] != stop; {
			var raw rawItem
			after, err := c.dec.UnmarshalFirst(rest, &raw)
			if err != nil || !yield(rest[:len(rest)-len(after)]) {
				return
			}
			rest = after
		}
	}
}

// rawItem takes any data item and keeps nothing.
type rawItem struct{}

// UnmarshalCBOR takes it.
func (*rawItem) UnmarshalCBOR([]byte) error { return nil }

// have says what a data item is, for whoever sent it.
func have(data []byte) string {
	major, n, _ := head(untagged(data))
	switch major {
	case majorUnsigned:
		return strconv.FormatUint(n, 10)
	case majorNegative:
		if int64(n) < 0 {
			return "an integer below -9223372036854775808"
		}
		return strconv.FormatInt(-1-int64(n), 10)
	case majorBytes:
		return "bytes"
	case majorText:
		return "a string"
	case majorArray:
		return "an array"
	case majorMap:
		return "a map"
	}
	switch untagged(data)[0] {
	case 0xF4, 0xF5:
		return "true or false"
	case 0xF6, 0xF7:
		return "null"
	case 0xF9, 0xFA, 0xFB:
		return "a floating-point number"
	}
	return "something else"
}
