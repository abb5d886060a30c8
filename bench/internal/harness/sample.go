package harness

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
)

// sample is one round of one contestant.
type sample struct {
	usage   contest.Usage
	elapsed time.Duration
	count   int
}

func (s sample) cpu() float64     { return float64(s.usage.CPU.Nanoseconds()) / 1e3 / float64(s.count) }
func (s sample) user() float64    { return float64(s.usage.User.Nanoseconds()) / 1e3 / float64(s.count) }
func (s sample) mallocs() float64 { return float64(s.usage.Mallocs) / float64(s.count) }
func (s sample) bytes() float64   { return float64(s.usage.Bytes) / float64(s.count) }
func (s sample) rate() float64    { return float64(s.count) / s.elapsed.Seconds() }

// measure has p spend on work, and returns how much.
func measure(p *process, count int, work func() error) (sample, error) {
	before, err := p.ask(contest.Command{Do: "begin"})
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return sample{}, err
	}
	elapsed := time.Since(began)
	after, err := p.ask(contest.Command{Do: "usage"})
	return sample{usage: after.Sub(before), elapsed: elapsed, count: count}, err
}

// turn is one contestant with its work for one body.
type turn struct {
	process *process
	work    func(count int) error
}

// interleave measures the turns A B C A B C, after each has warmed up.
func interleave(turns []turn, rounds, count int) ([][]sample, error) {
	for _, t := range turns {
		if err := t.work(max(count/10, 1)); err != nil {
			return nil, err
		}
	}
	samples := make([][]sample, len(turns))
	for range rounds {
		for i, t := range turns {
			s, err := measure(t.process, count, func() error { return t.work(count) })
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], s)
		}
	}
	return samples, nil
}

// profile writes the processor profile of one more round of each turn, and all that its process has allocated so far.
func profile(turns []turn, dir, body string, count int) error {
	for _, t := range turns {
		file := filepath.Join(dir, t.process.name+"-"+body)
		if _, err := t.process.ask(contest.Command{Do: "profile", File: file + ".cpu.pprof"}); err != nil {
			return err
		}
		err := t.work(count)
		_, stopErr := t.process.ask(contest.Command{Do: "stop"})
		_, heapErr := t.process.ask(contest.Command{Do: "heap", File: file + ".allocs.pprof"})
		if err := errors.Join(err, stopErr, heapErr); err != nil {
			return err
		}
	}
	return nil
}
