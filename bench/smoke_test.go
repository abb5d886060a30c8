// Package bench_test runs every measurement once, for a moment, to see that the contestants work and answer right. It
// judges no figure.
package bench_test

import (
	"io"
	"testing"

	"github.com/ashlar-go/ashlar/bench/internal/harness"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		measure func(harness.Config) (*harness.Report, error)
		work    []harness.Work
		rows    int // one of each work for each contestant
	}{
		"HTTP servers": {harness.Servers, harness.HTTP(), 8},
		"HTTP clients": {harness.Clients, harness.HTTP(), 8},
		"gRPC servers": {harness.GRPCServers, harness.GRPC(), 6},
		"NATS servers": {harness.NATSServers, harness.NATS(), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := test.measure(harness.Smoke(test.work))
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Print(io.Discard); err != nil {
				t.Error(err)
			}
			if want, have := test.rows, len(report.Rows); want != have {
				t.Fatalf("want %d rows, have %d", want, have)
			}
			for _, row := range report.Rows {
				if row.CPU.Median <= 0 || row.Ratio.Median <= 0 || row.Mallocs.Median <= 0 {
					t.Errorf("%s, %s: want figures above 0, have %+v", row.Contestant, row.Work, row)
				}
			}
		})
	}
}
