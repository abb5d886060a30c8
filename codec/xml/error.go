package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/scalar"
)

// decodeError describes why d failed.
func decodeError(data []byte, d *xml.Decoder, err error) error {
	line, _ := d.InputPos()
	return &codec.DecodeError{Path: path(data, d.InputOffset()), Problem: problem(data, line, err), Err: err}
}

// problem says what is wrong. What a method of the type itself complained about stays in the log, since it was not
// written for the sender.
func problem(data []byte, line int, err error) string {
	syntax, isSyntax := errors.AsType[*xml.SyntaxError](err)
	number, isNumber := errors.AsType[*strconv.NumError](err)
	_, isTime := errors.AsType[*time.ParseError](err)
	_, isRoot := errors.AsType[xml.UnmarshalError](err)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "the document is empty"
	case errors.Is(err, io.EOF), isSyntax && syntax.Msg == "unexpected EOF":
		return "the document ends too early"
	case isSyntax:
		return fmt.Sprintf("invalid XML at line %d: %s", syntax.Line, strings.Trim(scalar.Quote(syntax.Msg), `"`))
	case errors.Is(err, errOutside), errors.Is(err, errSecondRoot):
		return fmt.Sprintf("invalid XML at line %d: %v", line, err)
	case strings.HasPrefix(err.Error(), "xml: encoding "):
		return "want a document in UTF-8"
	case isNumber:
		return wrongNumber(number)
	case isTime:
		return "want a time such as 2006-01-02T15:04:05Z"
	case isRoot:
		return "the element has another name than expected"
	}
	return "the value is not valid"
}

func wrongNumber(err *strconv.NumError) string {
	want := "a number"
	switch err.Func {
	case "ParseBool":
		want = "true or false"
	case "ParseInt":
		want = "an integer"
	case "ParseUint":
		want = "an integer that is not negative"
	}
	if errors.Is(err, strconv.ErrRange) {
		return "the number " + strings.Trim(scalar.Quote(err.Num), `"`) + " is out of range"
	}
	return "want " + want + ", have " + scalar.Quote(err.Num)
}
