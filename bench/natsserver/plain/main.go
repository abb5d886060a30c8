// Command plain is the server contestant of that name: nats.go by hand, with the codec of the other one.
package main

import (
	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/bench/internal/natscontest"
)

func main() {
	natscontest.Serve(natscontest.ByHand("plain.Sum", func(answer nats.MsgHandler, m *nats.Msg) { answer(m) }))
}
