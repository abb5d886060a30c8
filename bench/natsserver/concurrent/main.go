// Command concurrent is the server contestant of that name: as plain, with a goroutine for each request, so that none waits for another.
package main

import (
	"log"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/json"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	contest.Roomy()
	nc, err := nats.Connect(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	c := json.New()
	serve := func(m *nats.Msg) {
		request := new(model.SumRequest)
		if err := c.Decode(m.Data, request); err != nil {
			log.Fatal(err)
		}
		response := model.Sum(*request)
		data, err := c.Append(nil, &response)
		if err == nil {
			err = m.Respond(data)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	_, err = nc.QueueSubscribe("concurrent.Sum", "q", func(m *nats.Msg) { go serve(m) })
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		log.Fatal(err)
	}
	contest.Wait()
}
