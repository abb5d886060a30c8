package transport_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestWhatSurelyHadNoEffect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("own"), false},
		{status.New(status.Unavailable, "cut off").WithReason("SHUTTING_DOWN"), false},
		{status.New(status.Unavailable, "refused").WithCause(transport.ErrNotSent), true},
		{status.New(status.Unavailable, "full").WithCause(transport.ErrNotBegun), true},
		{fmt.Errorf("calling: %w", transport.ErrNotBegun), true},
	} {
		if have := transport.NotBegun(row.err); row.want != have {
			t.Errorf("%v: want %v, have %v", row.err, row.want, have)
		}
	}
}
