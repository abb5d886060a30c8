package sdtest_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"regexp"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
)

// fields returns a watch whose instances are changed.
func fields(change func(i *sd.Instance)) func(watcher, *registry, <-chan struct{}) watcher {
	return sets(func(set []sd.Instance) []sd.Instance {
		for n := range set {
			change(&set[n])
		}
		return sd.Normalize(set)
	})
}

func brokenFields() []breakage {
	return []breakage{{
		name:   "joins a host and a port without brackets",
		notice: []string{"IPv6"},
		watch: fields(func(i *sd.Instance) {
			if host, port, err := net.SplitHostPort(i.Address); err == nil {
				i.Address = host + ":" + port
			}
		}),
	}, {
		name:   "refuses addresses that are not host:port",
		notice: []string{"OtherAddresses"},
		register: func(next registering, _ *registry, _ <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if _, port, err := net.SplitHostPort(i.Address); i.Check() == nil && (err != nil || strings.Contains(port, "/")) {
					return nil, errors.New("the address is not host:port")
				}
				return next(ctx, i)
			}
		},
	}, {
		name:   "knows addresses of IP only",
		notice: []string{"HostNames", "OtherAddresses"},
		watch: sets(func(set []sd.Instance) []sd.Instance {
			var ips []sd.Instance
			for _, i := range set {
				if host, _, err := net.SplitHostPort(i.Address); err == nil && net.ParseIP(host) != nil {
					ips = append(ips, i)
				}
			}
			return ips
		}),
	}, {
		name:   "makes IDs of its own",
		notice: []string{"AllFields", "DefaultID", "IDs", "OddIDs"},
		watch:  fields(func(i *sd.Instance) { i.ID = "id:" + i.ID }),
	}, {
		name:   "replaces odd characters in IDs",
		notice: []string{"OddIDs"},
		watch: fields(func(i *sd.Instance) {
			i.ID = regexp.MustCompile(`[^a-z0-9.:\-\[\]]`).ReplaceAllString(i.ID, "_")
		}),
	}, {
		name:   "gives those without an ID one by chance",
		notice: []string{"DefaultID"},
		register: puts(func(i sd.Instance) sd.Instance {
			if i.ID == "" {
				i.ID = "0123456789abcdef"
			}
			return i
		}),
	}, {
		name:   "makes a weight of 1 out of none",
		notice: []string{"Weight"},
		watch:  fields(func(i *sd.Instance) { i.Weight = i.Share() }),
	}, {
		name:   "has small weights only",
		notice: []string{"Weight"},
		watch:  fields(func(i *sd.Instance) { i.Weight = int(uint8(i.Weight)) }),
	}, {
		name:     "loses zones",
		notice:   []string{"AllFields", "Zone"},
		register: puts(func(i sd.Instance) sd.Instance { i.Zone = ""; return i }),
	}, {
		name:     "loses versions",
		notice:   []string{"AllFields", "Version"},
		register: puts(func(i sd.Instance) sd.Instance { i.Version = ""; return i }),
	}, {
		name:   "joins tags with commas",
		notice: []string{"Tags"},
		watch: fields(func(i *sd.Instance) {
			if len(i.Tags) > 0 {
				i.Tags = strings.Split(strings.Join(i.Tags, ","), ",")
			}
		}),
	}, {
		name:     "loses metadata",
		notice:   []string{"AllFields", "Metadata", "OddMetadata"},
		register: puts(func(i sd.Instance) sd.Instance { i.Metadata = nil; return i }),
	}, {
		name:   "trims metadata",
		notice: []string{"OddMetadata"},
		watch: fields(func(i *sd.Instance) {
			i.Metadata = maps.Clone(i.Metadata)
			for key, value := range i.Metadata {
				i.Metadata[key] = strings.TrimSpace(value)
			}
		}),
	}, {
		name:   "has no room for all fields",
		notice: []string{"AllFields"},
		watch: fields(func(i *sd.Instance) {
			if i.Zone != "" && i.Version != "" && len(i.Tags) > 0 {
				i.Weight = 0
			}
		}),
	}}
}
