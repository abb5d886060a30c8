package grpctransport_test

import (
	"encoding/json"
	"testing"

	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestAUnaryCall(t *testing.T) {
	t.Parallel()
	have, err := unary(t, echo, nil)(t.Context(), requestOf("stone"))
	if err != nil || string(have.GetPayload().GetBody()) != "stone" {
		t.Errorf("want stone, have %v, %v", have, err)
	}
}

func TestAStream(t *testing.T) {
	t.Parallel()
	out, texts := collect()
	if err := talk(t, echoes, nil)(t.Context(), endpoint.Seq(askOf("a"), askOf("b")), out); err != nil {
		t.Error(err)
	}
	wantTexts(t, []string{"a", "b"}, *texts)
}

// plainJSON is a codec that knows nothing of Protocol Buffers.
type plainJSON struct{}

func (plainJSON) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (plainJSON) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
func (plainJSON) Name() string                       { return "plain-json" }

func TestACodecOfJSONFindsTheResponse(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.ForceServerCodec(plainJSON{})))
	conn := dial(t, start(t, s, grpctransport.NewServer(unarySpec, echo)))
	call := newClient[*request, *response](t, unarySpec, conn, grpctransport.ClientCallOptions(grpc.ForceCodec(plainJSON{})))
	if have, err := call(t.Context(), requestOf("a")); err != nil || string(have.GetPayload().GetBody()) != "a" {
		t.Errorf("want a, have %v, %v", have, err)
	}
}
