// Command concurrent is the server contestant of that name: as plain, with a goroutine for each request, so that none waits for another.
package main

import (
	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/bench/internal/natscontest"
)

func main() {
	natscontest.Serve(natscontest.ByHand("concurrent.Sum", func(answer nats.MsgHandler, m *nats.Msg) { go answer(m) }))
}
