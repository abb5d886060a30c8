package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// brokerLimit is how long the broker may take to start.
const brokerLimit = 10 * time.Second

// startBroker starts a NATS server inside this process, on a free port, and returns its URL. With a configuration it asks whoever connects
// for a certificate.
func startBroker(config *tls.Config) (url string, stop func() error, err error) {
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		TLS: config != nil, TLSConfig: config, TLSTimeout: brokerLimit.Seconds(),
	})
	if err != nil {
		return "", nil, fmt.Errorf("broker: %w", err)
	}
	broker.Start()
	stop = func() error {
		broker.Shutdown()
		broker.WaitForShutdown()
		return nil
	}
	if !broker.ReadyForConnections(brokerLimit) {
		return "", nil, errors.Join(fmt.Errorf("broker: it does not serve after %v", brokerLimit), stop())
	}
	return broker.ClientURL(), stop, nil
}
