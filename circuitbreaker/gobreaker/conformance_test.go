package sonybreaker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/circuitbreaker/circuitbreakertest"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	byRate := gobreaker.Settings{
		Interval: 10 * time.Second, BucketPeriod: time.Second, Timeout: 5 * time.Second, MaxRequests: 3,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= 20 && c.TotalFailures*2 > c.Requests },
	}
	for name, h := range map[string]circuitbreakertest.Harness{
		"breakers":         {Policy: sonybreaker.New(gobreaker.Settings{})},
		"breakers by rate": {Policy: sonybreaker.New(byRate), Patience: 10 * time.Second},
		"doers":            {Policy: sonybreaker.New(gobreaker.Settings{}), Doers: true},
		"doers by rate":    {Policy: sonybreaker.New(byRate), Doers: true, Patience: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			circuitbreakertest.Run(t, h)
		})
	}
}

func TestSettingsThatGobreakerWouldChangeSilentlyAreRefused(t *testing.T) {
	t.Parallel()
	for want, settings := range map[string]gobreaker.Settings{
		"Interval is -1s":                        {Interval: -time.Second},
		"BucketPeriod is -1s":                    {BucketPeriod: -time.Second},
		"Timeout is -1s":                         {Timeout: -time.Second},
		"longer than the Interval of 0s":         {BucketPeriod: time.Second},
		"longer than the Interval of 1s":         {BucketPeriod: 2 * time.Second, Interval: time.Second},
		"more than 1000 buckets":                 {BucketPeriod: time.Millisecond, Interval: 1001 * time.Millisecond},
		"10s is no multiple of the BucketPeriod": {BucketPeriod: 3 * time.Second, Interval: 10 * time.Second},
		"IsSuccessful is set":                    {IsSuccessful: func(error) bool { return true }},
		"IsExcluded is set; use circuitbreaker.": {IsExcluded: func(error) bool { return true }},
	} {
		_, err := circuitbreaker.New(sonybreaker.New(settings))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "gobreaker: ") {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	for _, settings := range []gobreaker.Settings{
		{BucketPeriod: time.Millisecond, Interval: time.Second}, {BucketPeriod: time.Second, Interval: time.Second},
	} {
		if _, err := circuitbreaker.New(sonybreaker.New(settings)); err != nil {
			t.Error(err)
		}
	}
}
