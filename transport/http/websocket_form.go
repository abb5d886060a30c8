package httptransport

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
)

// isUpgrade reports whether r asks for a WebSocket.
func isUpgrade(r *http.Request) bool {
	return r.ProtoMajor == 1 && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// frameForm is how messages stand in the frames of a WebSocket: JSON in text frames, anything else in binary ones.
type frameForm struct {
	codec codec.Codec
	typ   websocket.MessageType
}

func newFrameForm(c codec.Codec, contentType string) frameForm {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	if mediaType == jsonType || strings.HasSuffix(mediaType, "+json") {
		return frameForm{c, websocket.MessageText}
	}
	return frameForm{c, websocket.MessageBinary}
}

// frameForms returns the forms of both directions for the request that opens a WebSocket: its Content-Type is that of the client's
// frames, and its Accept is about the server's.
func frameForms(codecs *codec.Set, r *http.Request) (in, out frameForm, err error) {
	in = newFrameForm(codecs.Default(), codecs.Default().ContentTypes()[0])
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		c, err := codecs.ForType(contentType)
		if err != nil {
			return in, out, unsupportedType(err)
		}
		in = newFrameForm(c, contentType)
	}
	c, contentType, err := codecs.Accept(r.Header["Accept"]...)
	if err != nil {
		return in, out, notAcceptable(err)
	}
	return in, newFrameForm(c, contentType), nil
}

// append appends the message that v is.
func (f *frameForm) append(dst []byte, v any) ([]byte, error) {
	at := len(dst)
	dst, err := f.codec.Append(dst, v)
	switch {
	case err != nil:
		return dst, fmt.Errorf("encoding a message: %w", err)
	case f.typ == websocket.MessageText && isControl(dst[at:]):
		return dst[:at], errReserved
	}
	return dst, nil
}

// endFrame is what a client sends after its last message, since a WebSocket cannot be half closed.
var endFrame = []byte(`{"$end":true}`)

// closeErrors is added to the number of a code for the status that a WebSocket is closed with.
const closeErrors = 4000

// closeStatus returns what a WebSocket is closed with after err, which reached the client as shown.
func closeStatus(shown *status.Error, err error) (websocket.StatusCode, string) {
	code := websocket.StatusCode(closeErrors + int(shown.Code))
	httpErr, _ := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, errShutdown):
		code = websocket.StatusGoingAway
	case httpErr != nil && httpErr.Status == http.StatusRequestEntityTooLarge:
		code = websocket.StatusMessageTooBig
	}
	return code, cutReason(shown.Message)
}

// cutReason cuts the text to what a close frame holds: RFC 6455, section 5.5.
func cutReason(text string) string {
	const most = 123
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// closeError is what a close frame says to a client that has not been told more.
func closeError(operation string, err error) *status.Error {
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return status.Errorf(status.Unavailable, "the stream of %s broke off", operation).WithCause(err)
	}
	if number := int(closed.Code) - closeErrors; number > 0 && status.Code(number).Valid() && number <= int(status.Unauthenticated) {
		return status.New(status.Code(number), closed.Reason)
	}
	code := status.Unavailable
	switch closed.Code {
	case websocket.StatusMessageTooBig:
		code = status.ResourceExhausted
	case websocket.StatusPolicyViolation:
		code = status.PermissionDenied
	case websocket.StatusProtocolError, websocket.StatusUnsupportedData, websocket.StatusInvalidFramePayloadData,
		websocket.StatusInternalError:
		code = status.Internal
	}
	return status.Errorf(code, "%s closed the stream: %d %s", operation, closed.Code, closed.Reason).WithCause(err)
}
