package msgpack

import (
	"encoding/binary"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// class is what a value is, by its first byte.
type class uint8

const (
	classInvalid class = iota
	classNil
	classBool
	classInt // n is the two's complement of a negative one
	classUint
	classFloat32
	classFloat64
	classText
	classBinary
	classExtension
	classArray
	classMap
)

// head is what the first bytes of a value say.
type head struct {
	class class
	n     uint64 // the integer; the bits of a floating-point number; the length in bytes; of an array the elements, of a map the pairs
}

// formats has the class of each first byte, how many bytes follow it before the content, and what they mean.
var formats = func() (f [256]struct {
	class class
	size  uint8
	fixed uint64 // n, where size is 0
}) {
	set := func(from, to byte, c class, size uint8, mask byte) {
		for b := int(from); b <= int(to); b++ {
			f[b].class, f[b].size, f[b].fixed = c, size, uint64(byte(b)&mask)
		}
	}
	set(0, msgpcode.PosFixedNumHigh, classUint, 0, 0xFF)
	set(msgpcode.FixedMapLow, msgpcode.FixedMapHigh, classMap, 0, msgpcode.FixedMapMask)
	set(msgpcode.FixedArrayLow, msgpcode.FixedArrayHigh, classArray, 0, msgpcode.FixedArrayMask)
	set(msgpcode.FixedStrLow, msgpcode.FixedStrHigh, classText, 0, msgpcode.FixedStrMask)
	set(msgpcode.Nil, msgpcode.Nil, classNil, 0, 0)
	set(msgpcode.False, msgpcode.True, classBool, 0, 0)
	set(msgpcode.FixExt1, msgpcode.FixExt16, classExtension, 0, 0)
	for i := range byte(3) { // 1, 2 and 4 bytes of length
		size := uint8(1) << i
		set(msgpcode.Bin8+i, msgpcode.Bin8+i, classBinary, size, 0)
		set(msgpcode.Ext8+i, msgpcode.Ext8+i, classExtension, size, 0)
		set(msgpcode.Str8+i, msgpcode.Str8+i, classText, size, 0)
	}
	for i := range byte(4) {
		set(msgpcode.Uint8+i, msgpcode.Uint8+i, classUint, 1<<i, 0)
		set(msgpcode.Int8+i, msgpcode.Int8+i, classInt, 1<<i, 0)
	}
	for i := range byte(5) {
		f[msgpcode.FixExt1+i].fixed = 1 << i
	}
	for i := range byte(2) {
		set(msgpcode.Array16+i, msgpcode.Array16+i, classArray, 2<<i, 0)
		set(msgpcode.Map16+i, msgpcode.Map16+i, classMap, 2<<i, 0)
	}
	set(msgpcode.Float, msgpcode.Float, classFloat32, 4, 0)
	set(msgpcode.Double, msgpcode.Double, classFloat64, 8, 0)
	set(msgpcode.NegFixedNumLow, 0xFF, classInt, 0, 0)
	for b := int(msgpcode.NegFixedNumLow); b <= 0xFF; b++ {
		f[b].fixed = uint64(int64(int8(b)))
	}
	return f
}()

// readHead returns the head of the value at the beginning of data and how many bytes it takes; 0 if some are missing.
func readHead(data []byte) (head, int) {
	if len(data) == 0 {
		return head{}, 0
	}
	f := &formats[data[0]]
	h := head{class: f.class, n: f.fixed}
	size := 1 + int(f.size)
	if len(data) < size {
		return head{}, 0
	}
	switch f.size {
	case 1:
		h.n = uint64(data[1])
	case 2:
		h.n = uint64(binary.BigEndian.Uint16(data[1:]))
	case 4:
		h.n = uint64(binary.BigEndian.Uint32(data[1:]))
	case 8:
		h.n = binary.BigEndian.Uint64(data[1:])
	}
	if h.class == classInt && f.size > 0 { // extend the sign
		shift := 64 - 8*uint(f.size)
		h.n = uint64(int64(h.n<<shift) >> shift)
	}
	return h, size
}
