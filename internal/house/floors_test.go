package house_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/internal/house"
)

func TestRepositoryStandsOnItsFloors(t *testing.T) {
	t.Parallel()
	modules, err := house.Modules(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for _, dir := range modules {
		packages, err := house.List(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(imports, house.Imports(packages))
	}
	for _, name := range []string{"endpoint", "examples/hello"} { // of two modules
		if _, ok := imports[name]; !ok {
			t.Errorf("want %s among the packages of modules %q", name, modules)
		}
	}
	for _, finding := range house.CheckFloors(imports) {
		t.Error(finding)
	}
}

func TestCheckFloors(t *testing.T) {
	t.Parallel()
	const m = house.Module + "/"
	for _, test := range []struct {
		name     string
		pkg      string
		imported []string
		want     []string
	}{
		{"down is fine", "transport/http", []string{"net/http", m + "log", m + "codec/json", m + "transport", m + "internal/x"}, nil},
		{"a path's own beginning is fine", "sd/consul", []string{m + "sd", "github.com/hashicorp/consul/api"}, nil},
		{"proto has the JSON of json", "codec/proto", []string{m + "codec/json", m + "codec/xml"}, []string{
			"codec/proto: on floor 4 imports codec/xml on floor 4; it may import up to floor 3",
		}},
		{"status below endpoint", "status", []string{m + "endpoint"}, []string{
			"status: on floor 1 imports endpoint on floor 2; it may import up to floor 0",
		}},
		{"codec and transport side by side", "codec", []string{m + "transport"}, []string{
			"codec: on floor 3 imports transport on floor 3; it may import up to floor 2",
		}},
		{"transports do not know policies", "transport/grpc", []string{m + "lb", m + "transport/http"}, []string{
			"transport/grpc: on floor 6 imports lb on floor 5; it may import up to floor 4",
			"transport/grpc: on floor 6 imports transport/http on floor 6; it may import up to floor 4",
		}},
		{"a protocol over another knows that one", "transport/http/jsonrpc", []string{m + "transport/http", m + "codec/json", m + "transport/inproc"}, []string{
			"transport/http/jsonrpc: on floor 6 imports transport/inproc on floor 6; it may import up to floor 4",
		}},
		{"the library does not know its examples", "log", []string{m + "examples/shop"}, []string{
			"log: on floor 4 imports examples/shop on floor 8; it may import up to floor 3",
		}},
		{"internal packages know the standard library", "internal/x", []string{"fmt", m + "status", "golang.org/x/net/http2"}, []string{
			"internal/x: imports golang.org/x/net/http2; internal packages import the standard library only",
			"internal/x: on floor 0 imports status on floor 1; it may import up to floor 0",
		}},
		{"suites are for tests", "codec/json", []string{m + "codec/codectest"}, []string{
			"codec/json: imports codec/codectest, which is for tests",
			"codec/json: on floor 4 imports codec/codectest on floor 4; it may import up to floor 3",
		}},
		{"every package has a floor", "attic", nil, []string{
			"attic: stands on no floor; add it to the table in internal/house",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			have := texts(house.CheckFloors(map[string][]string{test.pkg: test.imported}))
			if !slices.Equal(test.want, have) {
				t.Errorf("want %q, have %q", test.want, have)
			}
		})
	}
}
