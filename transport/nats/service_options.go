package natstransport

import (
	"fmt"
	"maps"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// ServiceOption sets up a Service. Options of the same name append to each other, in order, unless they say otherwise.
type ServiceOption func(*serviceConfig) error

type serviceConfig struct {
	description string
	metadata    map[string]string
	grace       time.Duration
	onError     []func(operation string, err error)
}

// ServiceDescription sets what `nats micro info` says of the service. It replaces an earlier one.
func ServiceDescription(text string) ServiceOption {
	return func(c *serviceConfig) error {
		c.description = text
		return nil
	}
}

// ServiceMetadata adds to what the instance is described with to those who ask NATS, such as its zone.
func ServiceMetadata(metadata map[string]string) ServiceOption {
	return func(c *serviceConfig) error {
		maps.Copy(c.metadata, metadata)
		return nil
	}
}

// ServiceGrace sets how long streams go on when the service is shut down. The default is DefaultGrace. It replaces an earlier one.
func ServiceGrace(grace time.Duration) ServiceOption {
	return func(c *serviceConfig) error {
		if grace < 0 {
			return fmt.Errorf("ServiceGrace of %v, want 0 or more", grace)
		}
		c.grace = grace
		return nil
	}
}

// ServiceErrorHandler adds hooks that are told what went wrong outside of a call: a response that could not be published, requests
// that NATS dropped. Operation says where. Without any, it goes to the standard logger of package log. The hooks are called on
// several goroutines, and hold up what called them.
func ServiceErrorHandler(hooks ...func(operation string, err error)) ServiceOption {
	return func(c *serviceConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServiceErrorHandler", hooks)
	}
}
