package uplink_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheEndSaysHowTheMessagesEnded(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, row := range map[string]struct {
		ctx  context.Context
		in   func(yield func(int, error) bool)
		send error
		want error
	}{
		"cleanly":                {t.Context(), endpoint.Seq(1, 2), nil, nil},
		"with an error":          {t.Context(), func(yield func(int, error) bool) { yield(0, own) }, nil, own},
		"since sending failed":   {t.Context(), endpoint.Seq(1, 2), own, own},
		"since the context did":  {ended, endpoint.Seq(1), nil, uplink.ErrStopped},
		"in a panic":             {t.Context(), func(func(int, error) bool) { panic("own") }, nil, &endpoint.PanicError{}},
		"with nothing, but late": {ended, endpoint.Seq[int](), nil, uplink.ErrStopped},
		"with the goroutine":     {t.Context(), func(func(int, error) bool) { runtime.Goexit() }, nil, &status.Error{Code: status.Internal}},
	} {
		var have error
		s := uplink.Start(row.ctx, row.in, func(int) error { return row.send }, func(err error) { have = err })
		<-s.Done()
		if _, panicked := errors.AsType[*endpoint.PanicError](have); name == "in a panic" && panicked {
			continue
		}
		if !errors.Is(have, row.want) || (row.want == nil) != (have == nil) {
			t.Errorf("%s: want %v, have %v", name, row.want, have)
		}
		if err := s.Stop(); err != have { //nolint:errorlint // the same error is meant
			t.Errorf("%s: want %v of Stop, have %v", name, have, err)
		}
	}
}

func TestTheFailureIsThatOfTheMessagesUnlessTheyWereToldToEnd(t *testing.T) {
	t.Parallel()
	err, own := errors.New("of the stream"), errors.New("of the messages")
	for _, row := range []struct{ err, wrong, want error }{
		{nil, own, nil}, // the server was content without them
		{err, nil, err},
		{err, own, own},
		{err, uplink.ErrStopped, err},
		{err, errors.Join(own, uplink.ErrStopped), err},
		{err, io.EOF, err},
	} {
		if have := uplink.Failure(row.err, row.wrong, io.EOF); !errors.Is(have, row.want) || (row.want == nil) != (have == nil) {
			t.Errorf("%v and %v: want %v, have %v", row.err, row.wrong, row.want, have)
		}
	}
	have := status.As(uplink.Failure(err, &endpoint.PanicError{Value: "own"}))
	if have == nil || have.Code != status.Internal || have.ID == "" {
		t.Errorf("want Internal with an ID for a panic, have %v", have)
	}
}

func TestStopWaitsForWhatIsSentAndNotForTheMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sending, sent := make(chan struct{}), make(chan struct{})
		more := make(chan struct{})
		in := func(yield func(int, error) bool) {
			if yield(1, nil) {
				t.Error("want the loop to be broken off")
			}
			<-more // whatever the caller's own code does then
		}
		s := uplink.Start(t.Context(), in, func(int) error {
			close(sending)
			<-sent
			return nil
		}, func(error) { t.Error("want no end of a stream that has ended") })
		<-sending
		stopped := make(chan error)
		go func() { stopped <- s.Stop() }()
		synctest.Wait()
		select {
		case err := <-stopped:
			t.Errorf("Stop did not wait for what is being sent: %v", err)
		default:
		}
		close(sent)
		if err := <-stopped; err != nil {
			t.Errorf("want no error, have %v", err)
		}
		select {
		case <-s.Done():
			t.Error("want the messages to run still")
		default:
		}
		close(more)
		<-s.Done()
	})
}
