package grpctransport_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestReflectionOfBothVersionsTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	conn := dial(t, start(t, grpctransport.NewGRPCServer(grpctransport.GRPCReflection()), grpctransport.NewServer(unarySpec, echo)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	newest, err := v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	older, err := v1alpha.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := newest.Send(&v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}}); err != nil {
		t.Fatal(err)
	}
	if err := older.Send(&v1alpha.ServerReflectionRequest{MessageRequest: &v1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}}); err != nil { //nolint:staticcheck // deprecated, and spoken
		t.Fatal(err)
	}
	have, err := newest.Recv()
	if err != nil {
		t.Fatal(err)
	}
	haveOlder, err := older.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for version, files := range map[string][][]byte{
		"v1":      have.GetFileDescriptorResponse().GetFileDescriptorProto(),
		"v1alpha": haveOlder.GetFileDescriptorResponse().GetFileDescriptorProto(), //nolint:staticcheck // deprecated, and spoken
	} {
		var file descriptorpb.FileDescriptorProto
		if len(files) == 0 || proto.Unmarshal(files[0], &file) != nil || file.GetName() != "grpc/testing/test.proto" {
			t.Errorf("%s: have %d files, %v", version, len(files), file.GetName())
		}
	}
	for name, s := range map[string]*grpctransport.GRPCServer{
		"with it": grpctransport.NewGRPCServer(grpctransport.GRPCReflection()), "without": grpctransport.NewGRPCServer(),
	} {
		if _, have := s.GetServiceInfo()["grpc.reflection.v1.ServerReflection"]; have != (name == "with it") {
			t.Errorf("%s: have reflection: %t", name, have)
		}
		s.Stop()
	}
}

func TestTheFileOfAServiceStandsInItsDescription(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer()
	defer s.Stop()
	grpctransport.Register(s, interop()...)
	if have := s.GetServiceInfo()[service]; have.Metadata != "grpc/testing/test.proto" || len(have.Methods) != 5 {
		t.Errorf("have %+v", have)
	}
}

func TestHealthIsToldByService(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer(grpctransport.GRPCHealth())
	conn := dial(t, start(t, s, grpctransport.NewServer(unarySpec, echo)))
	client := grpc_health_v1.NewHealthClient(conn)
	check := func(name string) grpc_health_v1.HealthCheckResponse_ServingStatus {
		r, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: name})
		if err != nil {
			return grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN
		}
		return r.GetStatus()
	}
	for name, want := range map[string]grpc_health_v1.HealthCheckResponse_ServingStatus{
		"": grpc_health_v1.HealthCheckResponse_SERVING, service: grpc_health_v1.HealthCheckResponse_SERVING,
		"other": grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN,
	} {
		if have := check(name); have != want {
			t.Errorf("%q: want %v, have %v", name, want, have)
		}
	}
	s.Health().SetServingStatus(service, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	if have := check(service); have != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("want NOT_SERVING, have %v", have)
	}
	if without := grpctransport.NewGRPCServer(); without.Health() != nil || len(without.GetServiceInfo()) != 0 {
		t.Error("want no health service without GRPCHealth")
	} else {
		without.Stop()
	}
}

func TestWrongOptionsOfAServerPanic(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]grpctransport.GRPCOption{
		"GRPCMaxRequest of 0 bytes, want more than 0": grpctransport.GRPCMaxRequest(0),
		"GRPCCredentials of nil":                      grpctransport.GRPCCredentials(nil),
		"GRPCOptions: function 1 is nil":              grpctransport.GRPCOptions(grpc.MaxSendMsgSize(1), nil),
		"the list of options: function 0 is nil":      nil,
	} {
		wantPanic(t, "grpctransport: NewGRPCServer: "+want, func() { grpctransport.NewGRPCServer(opt) })
	}
}

// Whoever shuts down a server, how often, and at what time: it ends, and nobody hangs.
func TestShutdownAtAnyTime(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer(grpctransport.GRPCHealth())
	for range 2 { // before it serves
		if err := grpctransport.Shutdown(t.Context(), s, time.Hour); err != nil {
			t.Error(err)
		}
	}
	s = grpctransport.NewGRPCServer(grpctransport.GRPCHealth())
	const streams = 20
	conn := dial(t, start(t, s, grpctransport.NewStreamServer(talkSpec, echoes)))
	call := newStreamClient[*ask, *answer](t, talkSpec, conn)
	first, ends := make(chan struct{}, streams), make(chan error, streams)
	for range streams {
		go func() {
			ends <- call(t.Context(), untilDone(t.Context()), func(*answer) error { first <- struct{}{}; return nil })
		}()
	}
	for range streams {
		receive(t, first)
	}
	var all sync.WaitGroup
	for i := range 4 { // at once
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*30*time.Millisecond)
			defer cancel()
			_ = grpctransport.Shutdown(ctx, s, time.Duration(i)*10*time.Millisecond)
		})
	}
	all.Go(s.Stop)
	all.Go(s.GracefulStop)
	all.Wait()
	for range streams {
		if err := receive(t, ends); status.CodeOf(err) != status.Unavailable {
			t.Errorf("want unavailable, have %v", err)
		}
	}
}
