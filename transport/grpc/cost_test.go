package grpctransport_test

import (
	"net"
	"testing"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const messages = 10_000
	unary, stream := make(map[string]float64), make(map[string]float64)
	for _, kind := range []string{ashlar, same} {
		conn := rivalConn(t, kind, serve(t, rivalServer(kind)))
		talk := talking(t, kind, conn)
		unary[kind] = testing.AllocsPerRun(1000, unaryCall(t, kind, conn))
		stream[kind] = testing.AllocsPerRun(3, func() { talk(messages) }) / messages
	}
	if want, have := unary[same]+6, unary[ashlar]; have > want {
		t.Errorf("a unary call: want at most %v allocations, have %v", want, have)
	}
	if want, have := stream[same]+1, stream[ashlar]; have > want {
		t.Errorf("a message there and one back: want at most %v allocations, have %v", want, have)
	}
}

func TestAnAddressThatWasSeenCostsNothing(t *testing.T) { //nolint:paralleltest // counts allocations
	var book grpctransport.AddressBook
	known := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 9}
	if have := testing.AllocsPerRun(100, func() { book.Text(known) }); have != 0 {
		t.Errorf("want no allocation, have %v", have)
	}
}
