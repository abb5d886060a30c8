package msgpack_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/msgpack"
)

func TestDepthIsLimitedWhereverItIs(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("\x91", 5_000_000)
	for _, data := range []string{deep, "\x81\xa3any" + deep, "\x81\xa1x" + deep, "\x81\xa4list" + deep} {
		for _, v := range []any{new(any), new(everything), new([]any)} {
			if _, ok := errors.AsType[*codec.DecodeError](msgpack.New().Decode([]byte(data), v)); !ok {
				t.Errorf("%T from %.10q...: want a *codec.DecodeError", v, data)
			}
		}
	}
}

func TestElementsAreLimited(t *testing.T) {
	t.Parallel()
	c := msgpack.New(msgpack.MaxElements(3))
	if err := c.Decode([]byte("\x93\x01\x02\x03"), new([]int)); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		data string
		v    any
	}{
		{"\x94\x01\x02\x03\x04", new([]int)},
		{"\xdd\x00\x00\x00\x04\x01\x02\x03\x04", new([]int)},
		{"\x92\x91\x01\x91\x02", new([][]int)}, // the whole document counts
		{"\x82\xa1a\x91\x01\xa1b\x91\x01", new(map[string][]int)},
		{"\x82\xa1a\x91\x01\xa1b\x91\x01", new(any)},
		{"\x81\xa5other\x93\x01\x02\x03", new(everything)},
	} {
		err := c.Decode([]byte(tt.data), tt.v)
		if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Problem != "want at most 3 elements" {
			t.Errorf("%q into %T: want it refused, have %v", tt.data, tt.v, err)
		}
	}
}

// A pool of decoders would keep a buffer as long as the longest text that ever came.
func TestALargeDocumentLeavesNothingBehind(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	const size = 16 << 20
	data := append([]byte{0xDB, size >> 24, size >> 16 & 0xFF, 0, 0}, make([]byte, size)...)
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC() // what a pool holds survives one collection
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	if err := msgpack.New().Decode(data, new(string)); err != nil {
		t.Fatal(err)
	}
	if after := live(); after > before+size/2 {
		t.Errorf("want nothing left of %d bytes, have %d", size, after-before)
	}
	runtime.KeepAlive(data)
}
