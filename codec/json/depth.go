package json

import "bytes"

// deeper reports whether objects and arrays in data nest more than limit levels. Of data that is not JSON it may report
// either.
func deeper(data []byte, limit int) bool {
	if bytes.Count(data, []byte("{"))+bytes.Count(data, []byte("[")) <= limit {
		return false
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			i = textEnd(data, i)
		}
	}
	return false
}

// more reports whether objects and arrays in data have more than limit members and elements together. Of data that is not
// JSON it may report either.
func more(data []byte, limit int) bool {
	const least = 2 // bytes of an element: 1,
	if len(data)/least <= limit || bytes.Count(data, []byte(","))+bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) <= limit {
		return false
	}
	n, opened := 0, false
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case ' ', '\t', '\r', '\n':
			continue
		case ']', '}': // of an empty one
		default:
			if opened {
				n++
			}
		}
		opened = false
		switch data[i] {
		case '{', '[':
			opened = true
		case ',':
			n++
		case '"':
			i = textEnd(data, i)
		}
		if n > limit {
			return true
		}
	}
	return false
}

// textEnd returns the index of the quotation mark that ends the text which begins at i, or one behind the data.
func textEnd(data []byte, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}
