package scalar

import (
	"strconv"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

// maxShown is how many bytes of a text a message repeats: enough to recognize it, too little to flood a log.
const maxShown = 48

// Error says what was wrong with a text.
type Error struct {
	// Index is the position of the text among those of a SliceSetter, otherwise 0.
	Index int
	// Problem is written to be shown to whoever sent the text: it names no Go type, and cuts long texts.
	Problem string
	// Err is the error behind it, for the log; it may be nil.
	Err error
}

// Error returns the problem.
func (e *Error) Error() string { return e.Problem }

// Unwrap returns the error behind it.
func (e *Error) Unwrap() error { return e.Err }

// Quote quotes text for a message, and cuts it if it is long.
func Quote(text string) string { return strconv.Quote(cut(text)) }

func cut(text string) string { return docpath.Cut(text, maxShown) }
