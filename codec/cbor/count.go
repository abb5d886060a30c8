package cbor

// counter walks a document that need not be well-formed, and stops where it is not.
type counter struct {
	rest   []byte
	left   int // elements and pairs that may still come
	levels int // of arrays and maps
}

// more reports whether arrays and maps in data have more than maxElements elements and pairs together. Of data that is not
// well-formed, or nests too deep, it may report either.
func (s *settings) more(data []byte) bool {
	if len(data) <= s.maxElements { // each takes a byte
		return false
	}
	c := counter{rest: data, left: s.maxElements, levels: s.maxDepth}
	c.item()
	return c.left < 0
}

// item passes over a data item, and reports false if there is no reason to go on.
func (c *counter) item() bool {
	if c.rest = untagged(c.rest); len(c.rest) == 0 {
		return false
	}
	first := c.rest[0]
	major, n, size := head(c.rest)
	c.rest = c.rest[size:]
	indefinite := first&0x1F == 31
	switch major {
	case majorBytes, majorText:
		if indefinite {
			return c.untilStop(0)
		}
		if n > uint64(len(c.rest)) {
			return false
		}
		c.rest = c.rest[n:]
	case majorArray, majorMap:
		c.levels--
		defer func() { c.levels++ }()
		width := 1 + major - majorArray
		switch {
		case c.levels < 0:
			return false
		case indefinite:
			return c.untilStop(width)
		case n > uint64(c.left):
			c.left = -1
			return false
		}
		c.left -= int(n)
		return c.items(int(n) * width)
	}
	return true
}

func (c *counter) items(n int) bool {
	for range n {
		if !c.item() {
			return false
		}
	}
	return true
}

// untilStop passes over items up to a stop. Each width of them make an element or a pair; 0 stands for parts of a string, which
// are neither.
func (c *counter) untilStop(width int) bool {
	for len(c.rest) > 0 {
		if c.rest[0] == stop {
			c.rest = c.rest[1:]
			return true
		}
		if width > 0 {
			c.left--
		}
		if c.left < 0 || !c.items(max(width, 1)) {
			return false
		}
	}
	return false
}
