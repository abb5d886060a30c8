package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
)

// Report is the outcome of one run.
type Report struct {
	What   string // such as "HTTP server"
	Go     string // the Go release
	System string // operating system and architecture
	Config Config
	Rows   []Row
}

// Row is one contestant with one kind of work. All figures are per call.
type Row struct {
	Work       string
	Contestant string
	CPU        Range   // microseconds of processor time of the measured process
	Ratio      Range   // CPU over that of the baseline in the same round
	Best       float64 // the least CPU of any round over the least of the baseline: what neighbours disturb least
	User       Range   // the part of CPU in user mode
	Mallocs    Range   // heap objects
	Bytes      Range   // heap bytes
	Rate       Range   // calls per second: of the pair of processes, so a hint only
}

// Range is the median over the rounds, and the extremes.
type Range struct{ Median, Min, Max float64 }

func newReport(what string, c Config) *Report {
	return &Report{What: what, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Config: c}
}

// add adds a row for each turn; the first is the baseline.
func (r *Report) add(work string, turns []turn, samples [][]sample) {
	var baseline Range
	for i, t := range turns {
		own := samples[i]
		cpu := over(own, func(_ int, s sample) float64 { return s.cpu() })
		if i == 0 {
			baseline = cpu
		}
		r.Rows = append(r.Rows, Row{
			Work:       work,
			Contestant: t.process.name,
			CPU:        cpu,
			Best:       cpu.Min / baseline.Min,
			Ratio:      over(own, func(round int, s sample) float64 { return s.cpu() / samples[0][round].cpu() }),
			User:       over(own, func(_ int, s sample) float64 { return s.user() }),
			Mallocs:    over(own, func(_ int, s sample) float64 { return s.mallocs() }),
			Bytes:      over(own, func(_ int, s sample) float64 { return s.bytes() }),
			Rate:       over(own, func(_ int, s sample) float64 { return s.rate() }),
		})
	}
}

func over(samples []sample, f func(round int, s sample) float64) Range {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = f(i, s)
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + median) / 2
	}
	return Range{Median: median, Min: values[0], Max: values[len(values)-1]}
}

// Print writes the report as a table.
func (r *Report) Print(w io.Writer) error {
	pinned := "pinned"
	if !r.Config.Pin {
		pinned = "not pinned"
	}
	fmt.Fprintf(w, "%s, %s, %s, %d rounds, %d at once, %s\n", r.What, r.Go, r.System, r.Config.Rounds, r.Config.Conns, pinned)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "work\tcontestant\tµs CPU/call\tmin..max\tratio\tmin..max\tbest\tµs user\tallocs/call\tB/call\tcalls/s\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f..%.2f\t%.3f\t%.3f..%.3f\t%.3f\t%.2f\t%.1f\t%.0f\t%.0f\t\n", row.Work, row.Contestant,
			row.CPU.Median, row.CPU.Min, row.CPU.Max, row.Ratio.Median, row.Ratio.Min, row.Ratio.Max, row.Best,
			row.User.Median, row.Mallocs.Median, row.Bytes.Median, row.Rate.Median)
	}
	return t.Flush()
}

// Write writes the report in JSON to the named file.
func (r *Report) Write(name string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}
