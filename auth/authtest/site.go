package authtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

type (
	message = transporttest.Message
	stream  = endpoint.Stream[message, message]
)

// site is one operation that is attacked.
type site struct {
	link     transporttest.Link
	kind     endpoint.Kind
	patience time.Duration
	call     stream
	served   atomic.Int64
	calls    int               // so many were made
	answers  map[string]string // by reason: all that a client was told at first

	mu      sync.Mutex
	refused map[string]error // by number: what auth.Middleware made of calls
}

// numberField tells calls apart, since the server may still be at one that its client knows the end of.
const numberField = "Authtest-Call"

// open serves an operation that tells nobody anything, behind the Authenticator.
func open(h transporttest.Harness, a auth.Authenticator, kind endpoint.Kind) (*site, error) {
	s := &site{kind: kind, patience: h.Patience, answers: make(map[string]string), refused: make(map[string]error)}
	if s.patience == 0 {
		s.patience = transporttest.DefaultPatience
	}
	operation := transporttest.Operation{
		Spec: endpoint.Spec{Service: "authtest.Suite", Method: "Call", Kind: kind},
		Hooks: transporttest.ServerHooks{
			Middleware:   []endpoint.Middleware{s.note, auth.Middleware(a)},
			ErrorHandler: []func(context.Context, error){func(context.Context, error) {}},
		},
	}
	handler := stream(s.serve)
	if kind == endpoint.Unary {
		operation.Endpoint = handler.Unary
	} else {
		operation.Stream = handler
	}
	var err error
	if s.link, err = h.Open(operation); err != nil {
		return nil, err
	}
	if s.call, err = s.client(operation.Spec.Client()); err != nil {
		return nil, errors.Join(err, s.link.Close())
	}
	return s, nil
}

func (s *site) client(spec endpoint.Spec) (stream, error) {
	if s.kind == endpoint.Unary {
		call, err := s.link.Unary(spec, transporttest.ClientHooks{})
		return call.Stream(), err
	}
	return s.link.Stream(spec, transporttest.ClientHooks{})
}

// note remembers what refused a call, as finalizers of the server and its log see it.
func (s *site) note(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (any, error) {
		var err error = errPanic
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refused[transport.FromContext(ctx).Request.Get(numberField)] = err
		}()
		var response any
		response, err = next(ctx, request)
		return response, err
	}
}

// errPanic is why a call is refused of which the Authenticator panicked.
var errPanic = status.New(status.Internal, "").WithCause(errors.New("the Authenticator panicked"))

// numbered returns a context for the next call, and its number.
func (s *site) numbered(ctx context.Context) (context.Context, string) {
	s.calls++
	number := strconv.Itoa(s.calls)
	return transport.WithHeader(ctx, numberField, number), number
}

// serve says who calls. It does not wait for what the attacks never send.
func (s *site) serve(ctx context.Context, _ iter.Seq2[message, error], out func(message) error) error {
	s.served.Add(1)
	return out(message{Text: auth.PrincipalOf(ctx).String()})
}

// pass makes a call with good credentials, which must be served, and with their scheme in other letters.
func (s *site) pass(ctx context.Context, source auth.Source) error {
	c, err := source.Credential(ctx)
	if err != nil {
		return fmt.Errorf("the Source: %w", err)
	}
	key, values := c.Header, []string{c.Value}
	if key == "" {
		key = "Authorization"
	}
	if scheme, rest, has := strings.Cut(c.Value, " "); has {
		values = append(values, strings.ToLower(scheme)+" "+rest, strings.ToUpper(scheme)+" "+rest)
	}
	for _, value := range values {
		var answer message
		before := s.served.Load()
		numbered, _ := s.numbered(ctx)
		err := s.within(numbered, func(ctx context.Context) error {
			return s.call(transport.WithHeader(ctx, key, value), endpoint.Seq(message{Text: "hello"}), func(m message) error {
				answer = m
				return nil
			})
		})
		if err != nil {
			return fmt.Errorf("want the call to be served, have %w", err)
		}
		if s.served.Load() != before+1 || answer.Text == "" || answer.Text == "nobody" {
			return fmt.Errorf("want the endpoint to know the caller, have %q", answer.Text)
		}
	}
	return nil
}

// refuse makes a call that must be refused, and says how it is not.
func (s *site) refuse(ctx context.Context, a Attack) error {
	before := s.served.Load()
	ctx, number := s.numbered(ctx)
	ctx, seen := transport.Observe(ctx)
	for key, values := range a.Header {
		ctx = transport.WithHeader(ctx, key, values...)
	}
	err := s.within(ctx, func(ctx context.Context) error {
		return s.call(ctx, s.requests(ctx), func(message) error { return errors.New("the client received a message") })
	})
	if s.served.Load() != before {
		return fmt.Errorf("the endpoint was called, and the client has %w", orNil(err))
	}
	if errors.Is(err, errPatience) {
		return fmt.Errorf("the call was not refused: %w", err)
	}
	e := status.As(err)
	if e == nil {
		return fmt.Errorf("want an error with a status, have %w", orNil(err))
	}
	early := e.Code != a.Code || e.Reason != a.Reason
	if early && !a.Early {
		return fmt.Errorf("want %v, %s, have %w", a.Code, a.Reason, err)
	}
	text := answerOf(e, seen.Info())
	if holds(text, a.Header) {
		return fmt.Errorf("the answer has the credentials in it: %s", text)
	}
	s.mu.Lock()
	cause := s.refused[number]
	s.mu.Unlock()
	if log := fmt.Sprintf("%v %+v %#v", cause, cause, errors.Unwrap(status.As(cause))); holds(log, a.Header) {
		return fmt.Errorf("what the server may log has the credentials in it: %w", cause)
	}
	if early {
		return nil
	}
	return s.judge(e, text, cause)
}

// short is what may be in a text by chance.
const short = 4

// holds reports whether the text shows a value of the header, without its scheme.
func holds(text string, header transport.HeaderMap) bool {
	for _, values := range header {
		for _, value := range values {
			if _, secret, _ := strings.Cut(value, " "); len(secret) > short && strings.Contains(text, secret) {
				return true
			}
		}
	}
	return false
}

// answerOf returns all that a client is told, in one order.
func answerOf(e *status.Error, call transport.Info) string {
	answer := []string{fmt.Sprintf("%v %s %q %v %v", e.Code, e.Reason, e.Message, e.Details, e.RetryAfter)}
	for _, header := range []transport.Header{call.Response, call.Trailer} {
		if header == nil {
			continue
		}
		for key, values := range header.All() {
			if !strings.EqualFold(key, "Date") {
				answer = append(answer, strings.ToLower(key)+": "+strings.Join(values, ", "))
			}
		}
	}
	slices.Sort(answer)
	text := strings.Join(answer, "\n")
	if e.ID != "" {
		text = strings.ReplaceAll(text, e.ID, "an ID of the log")
	}
	return text
}

// judge looks for what the answer gives away of the reason.
func (s *site) judge(e *status.Error, text string, cause error) error {
	if first, has := s.answers[e.Reason]; !has {
		s.answers[e.Reason] = text
	} else if first != text {
		return fmt.Errorf("the answer tells it from other attacks: want\n%s\nhave\n%s", first, text)
	}
	reason := errors.Unwrap(status.As(cause))
	if reason == nil {
		return fmt.Errorf("the server was not told the reason, but %w", orNil(cause))
	}
	if strings.Contains(text, reason.Error()) {
		return fmt.Errorf("the answer has the reason in it: %s", text)
	}
	return nil
}

// requests are one that cannot be decoded, or none ever where the client may send many: whoever waits for the first waits in vain.
func (s *site) requests(ctx context.Context) iter.Seq2[message, error] {
	if s.kind == endpoint.Unary || s.kind == endpoint.ServerStream {
		return endpoint.Seq(message{Text: transporttest.Garbled})
	}
	return func(func(message, error) bool) { <-ctx.Done() }
}

var errPatience = errors.New("nothing happened in time")

// within calls f with a context that ends when nobody can wait any longer.
func (s *site) within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, errPatience)
	defer cancel()
	err := f(ctx)
	if errors.Is(context.Cause(ctx), errPatience) {
		return errors.Join(errPatience, err)
	}
	return err
}

func orNil(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
