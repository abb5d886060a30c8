package httptransport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineReader reads the lines of NDJSON.
type lineReader struct {
	r     *bufio.Reader
	limit int64
	long  []byte // a line that is longer than the buffer of r
	read  int64  // bytes, blank lines included
}

func newLineReader(r io.Reader, limit int64) *lineReader {
	const bufferSize = 16 << 10
	return &lineReader{r: bufio.NewReaderSize(r, bufferSize), limit: limit}
}

// next returns the next line that is not blank, without white space around it. It is valid until the following call. The last line
// needs no line break; after it the error is io.EOF. A line of more than limit bytes is errTooLarge.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.line()
		if err != nil {
			return nil, err
		}
		if line = bytes.Trim(line, " \t\r\n"); len(line) > 0 {
			if int64(len(line)) > l.limit {
				return nil, errTooLarge
			}
			return line, nil
		}
	}
}

func (l *lineReader) line() ([]byte, error) {
	const lineEnd = 2
	long := l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.read += int64(len(part))
		if int64(len(long)+len(part)) > l.limit+lineEnd {
			return nil, errTooLarge
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			l.long = long
			continue
		}
		if len(long) > 0 {
			long = append(long, part...)
			l.long = long
			part = long
		}
		if err == nil || errors.Is(err, io.EOF) && len(part) > 0 {
			return part, nil
		}
		return nil, err
	}
}
