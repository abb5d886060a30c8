package natstransport

import "github.com/nats-io/nats.go"

const streamField = "Ashlar-Stream"

type flow struct{}

func stray(nc *nats.Conn, m *nats.Msg) {}
