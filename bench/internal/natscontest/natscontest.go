// Package natscontest is what server contestants over NATS have in common.
package natscontest

import (
	"log"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/json"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

// Serve connects to the NATS server of which the URL is in os.Args[1], has put serve over that connection, and waits until standard input
// ends. It is the main function of a contestant.
func Serve(put func(nc *nats.Conn) error) {
	contest.Roomy()
	nc, err := nats.Connect(os.Args[1])
	if err == nil {
		err = put(nc)
	}
	if err != nil {
		log.Fatal(err)
	}
	contest.Wait()
}

// ByHand serves sums as one writes it by hand with nats.go, with the codec of the other one. Deliver gives each request to answer.
func ByHand(subject string, deliver func(answer nats.MsgHandler, m *nats.Msg)) func(nc *nats.Conn) error {
	c := json.New()
	answer := func(m *nats.Msg) {
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
	return func(nc *nats.Conn) error {
		if _, err := nc.QueueSubscribe(subject, "q", func(m *nats.Msg) { deliver(answer, m) }); err != nil {
			return err
		}
		return nc.Flush()
	}
}
