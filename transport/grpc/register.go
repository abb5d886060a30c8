package grpctransport

import (
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Register puts the servers on r, a *grpc.Server for one, assembled into services by their names. It comes before r serves, and
// once for each service; generated servers of other services may stand on the same r.
//
// A service that is in the files of ServerFiles is checked: each method has to be there, with the same kind and the same messages. Not all
// of its methods need a server; those that have none are Unimplemented. One that is in no file is not checked.
//
// It panics for what does not fit, and for servers that are nil, twice there, or of a service that r has already: mistakes in the program
// that no input can cause.
func Register(r grpc.ServiceRegistrar, servers ...*Server) {
	services, err := assembleServices(servers)
	if err == nil {
		err = refuseTaken(r, services)
	}
	if err != nil {
		panic(fmt.Sprintf("grpctransport: Register: %v", err))
	}
	for _, s := range services {
		r.RegisterService(s, nil)
	}
}

// refuseTaken refuses services that r has already, for which grpc-go would end the process.
func refuseTaken(r grpc.ServiceRegistrar, services []*grpc.ServiceDesc) error {
	known, ok := r.(interface {
		GetServiceInfo() map[string]grpc.ServiceInfo
	})
	if !ok {
		return nil
	}
	taken := known.GetServiceInfo()
	for _, s := range services {
		if _, ok := taken[s.ServiceName]; ok {
			return fmt.Errorf("the service %s is registered already", s.ServiceName)
		}
	}
	return nil
}

// assembleServices returns the services, in the order of their first servers.
func assembleServices(servers []*Server) ([]*grpc.ServiceDesc, error) {
	var (
		services []*grpc.ServiceDesc
		wrong    []error
		byName   = make(map[string]*service)
	)
	for i, s := range servers {
		if s == nil {
			return nil, fmt.Errorf("server %d is nil", i)
		}
		in := byName[s.service]
		if in == nil {
			var err error
			if in, err = newService(s); err != nil {
				return nil, err
			}
			byName[s.service] = in
			services = append(services, &in.desc)
		}
		wrong = append(wrong, in.add(s))
	}
	return services, errors.Join(wrong...)
}

// service is one that is being assembled.
type service struct {
	desc    grpc.ServiceDesc
	config  *serverConfig                  // of the first server
	file    protoreflect.ServiceDescriptor // nil where there is none
	methods map[string]bool
}

func newService(first *Server) (*service, error) {
	s := &service{config: first.config, methods: make(map[string]bool)}
	s.desc.ServiceName = first.service
	s.desc.HandlerType = (*any)(nil)
	found, err := first.config.files.FindDescriptorByName(protoreflect.FullName(first.service))
	if err != nil {
		return s, nil //nolint:nilerr // it has no file
	}
	file, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service in %s", first.service, found.ParentFile().Path())
	}
	s.file = file
	s.desc.Metadata = file.ParentFile().Path() // reflection finds the file by it
	return s, nil
}

// add adds the server as a method.
func (s *service) add(server *Server) error {
	switch {
	case s.methods[server.method]:
		return fmt.Errorf("%s has two servers", server.Operation())
	case s.config.files != server.config.files:
		return fmt.Errorf("%s has other ServerFiles than the servers of its service before it", server.Operation())
	}
	s.methods[server.method] = true
	if server.unary != nil {
		s.desc.Methods = append(s.desc.Methods, grpc.MethodDesc{MethodName: server.method, Handler: server.unary})
	} else {
		s.desc.Streams = append(s.desc.Streams, grpc.StreamDesc{
			StreamName: server.method, Handler: server.stream,
			ClientStreams: server.kind != endpoint.ServerStream, ServerStreams: server.kind != endpoint.ClientStream,
		})
	}
	if s.file == nil {
		return nil
	}
	return s.check(server)
}

// check compares the server with the description of its method.
func (s *service) check(server *Server) error {
	path := s.file.ParentFile().Path()
	m := s.file.Methods().ByName(protoreflect.Name(server.method))
	if m == nil {
		return fmt.Errorf("%s: %s has no such method", server.Operation(), path)
	}
	var wrong []error
	if want := kindOf(m); want != server.kind {
		wrong = append(wrong, fmt.Errorf("%s is %v here, and %v in %s", server.Operation(), server.kind, want, path))
	}
	for _, message := range [...]struct {
		name       string
		want, have protoreflect.MessageDescriptor
	}{
		{"request", m.Input(), server.request.desc},
		{"response", m.Output(), server.response.desc},
	} {
		if want, have := message.want.FullName(), message.have.FullName(); want != have {
			wrong = append(wrong, fmt.Errorf("%s has the %s %s here, and %s in %s", server.Operation(), message.name, have, want, path))
		}
	}
	return errors.Join(wrong...)
}

func kindOf(m protoreflect.MethodDescriptor) endpoint.Kind {
	switch {
	case m.IsStreamingClient() && m.IsStreamingServer():
		return endpoint.Bidirectional
	case m.IsStreamingClient():
		return endpoint.ClientStream
	case m.IsStreamingServer():
		return endpoint.ServerStream
	}
	return endpoint.Unary
}
