// Package eureka finds instances in Netflix Eureka, and announces them there, by the REST operations that Eureka's wiki documents for
// clients in other languages than Java. Servers of Spring Cloud Netflix speak the same.
//
// An Instancer asks for the instances of an application again and again, since Eureka has no other way, and takes those that are UP. A
// Registrar registers an instance, renews its lease, and registers it again when a server does not know it.
//
// How an instance is stored, and what happens when servers are away, is in docs/sd-eureka.md.
package eureka

import (
	"errors"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// check returns what is wrong with the arguments of a constructor.
func check(client *Client, service string) error {
	if client == nil {
		return errors.New("the client is nil")
	}
	return driver.CheckService(service)
}
