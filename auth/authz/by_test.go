package authz_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

type order struct{ owner string }

func owns(_ context.Context, p *auth.Principal, o order) error {
	switch o.owner {
	case "later":
		return fmt.Errorf("the database: %w", auth.ErrUnavailable)
	case p.Subject:
		return nil
	}
	return status.New(status.NotFound, "secret reason")
}

func TestBy(t *testing.T) {
	t.Parallel()
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, func(context.Context, any) (string, error) { return "placed", nil }, authz.By(owns))
	ann := auth.WithPrincipal(t.Context(), who("", ""))
	ended, cancel := context.WithCancel(ann)
	cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		request any
		code    status.Code
		reason  string
	}{
		{"own", ann, order{"ann"}, status.OK, ""},
		{"own by pointer", ann, &order{"ann"}, status.OK, ""},
		{"another's", ann, order{"bob"}, status.PermissionDenied, authz.ReasonForbidden},
		{"another's by pointer", ann, &order{"bob"}, status.PermissionDenied, authz.ReasonForbidden},
		{"unavailable", ann, order{"later"}, status.Unavailable, authz.ReasonUnavailable},
		{"nobody", t.Context(), order{""}, status.Unauthenticated, auth.ReasonMissing},
		{"ended", ended, order{"bob"}, status.Canceled, ""},
		{"another type", ann, "bob", status.Internal, ""},
	} {
		have, err := place(test.ctx, test.request)
		if status.CodeOf(err) != test.code || (have == "placed") != (test.code == status.OK) {
			t.Errorf("%s: want %v, have %q and %v", test.name, test.code, have, err)
		}
		if shown := status.From(err); err != nil && (shown.Reason != test.reason || strings.Contains(shown.Message, "secret")) {
			t.Errorf("%s: want the reason %q alone, have %+v", test.name, test.reason, shown)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("want the panic to go on")
		}
	}()
	_, _ = authz.By(func(context.Context, *auth.Principal, string) error { panic("x") })(endpoint.Spec{}, served)(ann, "")
}

func TestByOnStreams(t *testing.T) {
	t.Parallel()
	var got []string
	var sendErr error
	s := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "All"}, func(_ context.Context, in iter.Seq2[order, error], out func(string) error) error {
		for o, err := range in {
			if err != nil {
				break // as it should not
			}
			got = append(got, o.owner)
			if err := out("got"); err != nil {
				return err
			}
		}
		sendErr = out("end")
		return nil
	}, authz.By(owns))
	sent := 0
	call := func(ctx context.Context, owners ...string) error {
		got, sent = nil, 0
		var orders []order
		for _, o := range owners {
			orders = append(orders, order{o})
		}
		return s(ctx, endpoint.Seq(orders...), func(string) error { sent++; return nil })
	}
	ann := auth.WithPrincipal(t.Context(), who("", ""))
	if err := call(ann, "ann", "ann"); err != nil || len(got) != 2 || sent != 3 {
		t.Errorf("own: have %v, %q and %d", err, got, sent)
	}
	if err := call(ann, "ann", "bob", "ann"); status.CodeOf(err) != status.PermissionDenied || len(got) != 1 || sent != 1 || sendErr == nil {
		t.Errorf("another's: have %v, %q, %d and %v", err, got, sent, sendErr)
	}
	if err := call(t.Context(), "ann"); status.CodeOf(err) != status.Unauthenticated || sent != 0 {
		t.Errorf("nobody: have %v and %d", err, sent)
	}
}

// An endpoint that survives the panic of a check gets nothing more, and cannot end the stream well.
func TestAPanicOfByOnAStreamRefusesTheRest(t *testing.T) {
	t.Parallel()
	var sendErr error
	got := 0
	panics := authz.By(func(_ context.Context, _ *auth.Principal, o order) error {
		if o.owner == "panic" {
			panic("secret")
		}
		return nil
	})
	s := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "All"}, func(_ context.Context, in iter.Seq2[order, error], out func(string) error) error {
		func() {
			defer func() { _ = recover() }()
			for range in {
				got++
			}
		}()
		sendErr = out("end")
		return nil
	}, panics)
	err := s(auth.WithPrincipal(t.Context(), who("", "")), endpoint.Seq(order{"ann"}, order{"panic"}, order{"ann"}), func(string) error { return nil })
	if status.CodeOf(err) != status.Internal || status.CodeOf(sendErr) != status.Internal || got != 1 || strings.Contains(status.From(err).Message, "secret") {
		t.Errorf("want the stream refused, have %v, %v and %d", err, sendErr, got)
	}
}
