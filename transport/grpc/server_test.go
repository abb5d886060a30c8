package grpctransport_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
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
