package kubediscovery

import (
	"fmt"
	"strconv"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

// port says which port of a service is wanted: by name, by number, or the only one.
type port struct {
	name   string
	number int32
}

// of returns the number of the port in an EndpointSlice.
func (p port) of(slice *discoveryv1.EndpointSlice) (int32, error) {
	if p.number > 0 && len(slice.Ports) == 0 {
		return p.number, nil
	}
	var found []discoveryv1.EndpointPort
	for _, candidate := range slice.Ports {
		if p.is(candidate) {
			found = append(found, candidate)
		}
	}
	switch {
	case len(found) == 0:
		return 0, fmt.Errorf("there is no port %s; there are: %s", p, list(slice.Ports))
	case len(found) > 1 && p == port{}:
		return 0, fmt.Errorf("there are several ports, and InstancerPort is to name one: %s", list(slice.Ports))
	case ptr.Deref(found[0].Port, 0) == 0:
		return 0, fmt.Errorf("the port has no number: %s", list(found))
	}
	return *found[0].Port, nil
}

func (p port) is(candidate discoveryv1.EndpointPort) bool {
	switch {
	case p.name != "":
		return ptr.Deref(candidate.Name, "") == p.name
	case p.number > 0:
		return ptr.Deref(candidate.Port, 0) == p.number
	}
	return true
}

// String returns what an error calls it.
func (p port) String() string {
	switch {
	case p.name != "":
		return strconv.Quote(p.name)
	case p.number > 0:
		return strconv.Itoa(int(p.number))
	}
	return "at all"
}

// list returns ports as an error names them.
func list(ports []discoveryv1.EndpointPort) string {
	if len(ports) == 0 {
		return "none"
	}
	texts := make([]string, len(ports))
	for n, p := range ports {
		number := "any"
		if p.Port != nil {
			number = strconv.Itoa(int(*p.Port))
		}
		if texts[n] = number; ptr.Deref(p.Name, "") != "" {
			texts[n] = *p.Name + " (" + number + ")"
		}
	}
	return strings.Join(texts, ", ")
}
