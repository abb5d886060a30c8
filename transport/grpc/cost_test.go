package grpctransport_test

import (
	"testing"
)

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ashlar, same, _ := rivals(t)
	ours, theirs := unaryCalls(t, ashlar, same)
	measure := func(f func()) float64 { return testing.AllocsPerRun(1000, f) }
	if have, plain := measure(ours), measure(theirs); have > plain+6 {
		t.Errorf("a unary call: want at most 6 allocations beyond %v, have %v", plain, have)
	}
	talk, plainTalk := talks(t, ashlar, same)
	const messages = 10_000
	measure = func(f func()) float64 { return testing.AllocsPerRun(3, f) }
	have, plain := measure(func() { talk(messages) }), measure(func() { plainTalk(messages) })
	if have > plain+messages/2 {
		t.Errorf("a message there and one back: want less than one allocation beyond %v, have %v", plain/messages, have/messages)
	}
}
