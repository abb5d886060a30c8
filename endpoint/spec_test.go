package endpoint_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

func TestSpecNames(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		spec endpoint.Spec
		want string
	}{
		{endpoint.Spec{Service: "orders", Method: "Place"}, "orders/Place"},
		{endpoint.Spec{Service: "shop.v1.Orders", Method: "Place"}, "shop.v1.Orders/Place"},
		{endpoint.Spec{Method: "Place"}, "Place"},
	} {
		if have := row.spec.Operation(); row.want != have {
			t.Errorf("%+v: want %q, have %q", row.spec, row.want, have)
		}
	}
	for kind, want := range map[endpoint.Kind]string{
		endpoint.Unary: "unary", endpoint.ClientStream: "client stream", endpoint.ServerStream: "server stream",
		endpoint.Bidirectional: "bidirectional", 0: "unset", 9: "unset",
	} {
		if have := kind.String(); want != have {
			t.Errorf("kind %d: want %q, have %q", kind, want, have)
		}
	}
}

func TestSpecSides(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary, Idempotent: true}
	client := spec.Client()
	if spec.Side != endpoint.Server || client.Side != endpoint.Client {
		t.Errorf("want server and client, have %v and %v", spec.Side, client.Side)
	}
	if have := client.Server(); spec != have {
		t.Errorf("there and back: want %+v, have %+v", spec, have)
	}
	if want, have := "server client", spec.Side.String()+" "+client.Side.String(); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}
