package house

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Module is the path of the library's module.
const Module = "github.com/ashlar-go/ashlar"

// floor is a row of the table in docs/architecture.md.
type floor struct {
	packages []string // below Module; * stands for one element of a path, and ... at the end for any number
	number   int
	upTo     int      // the highest floor that these packages may import
	beside   []string // what they may import besides, on their own floor
}

// floors has the lowest first. A package stands on the first row that matches it.
func floors() []floor {
	return []floor{
		{packages: []string{"internal/..."}},
		{packages: []string{"status"}, number: 1, upTo: 0},
		{packages: []string{"endpoint"}, number: 2, upTo: 1},
		{packages: []string{"codec", "transport"}, number: 3, upTo: 2},
		{packages: []string{"codec/proto"}, number: 4, upTo: 3, beside: []string{"codec/json"}}, // for all that is no message
		{packages: []string{"log", "codec/*"}, number: 4, upTo: 3},
		{
			packages: []string{
				"sd", "circuitbreaker", "ratelimit", "loadshed", "loadshed/*", "deadline", "auth", "auth/authz", "metrics", "tracing", "health",
			},
			number: 5, upTo: 4,
		},
		{packages: []string{"lb", "lb/*"}, number: 5, upTo: 4, beside: []string{"sd"}},
		{packages: []string{"sd/internal/*"}, number: 6, upTo: 5},
		{packages: []string{"transport/tls"}, number: 3, upTo: 0}, // for transports, drivers and policies alike
		{packages: []string{"transport/internal/*"}, number: 4, upTo: 3},
		{packages: []string{"transport/*", "transport/*/*"}, number: 6, upTo: 4}, // the latter on the one that they begin with
		{packages: []string{"auth/authtest"}, number: 7, upTo: 5, beside: []string{"transport/transporttest"}},
		{
			packages: []string{"log/*", "circuitbreaker/*", "ratelimit/*", "auth/*", "metrics/*", "tracing/*", "health/*"},
			number:   7, upTo: 5,
		},
		{packages: []string{"auth/authz/*"}, number: 7, upTo: 5},
		{packages: []string{"sd/*"}, number: 7, upTo: 5, beside: []string{"sd/internal/driver"}},
		{packages: []string{"examples/...", "cmd/..."}, number: 8, upTo: 8},
	}
}

// CheckFloors returns which imports lead upwards or sideways. Imports holds, by package path below Module, what each package imports
// outside its tests, as full paths. Besides what its floor allows a package may import those that its own path begins with,
// as sd/consul does sd. Only a suite, which is a package named ...test, may import a suite.
func CheckFloors(imports map[string][]string) (findings []Finding) {
	for name, imported := range imports {
		own, ok := floorOf(name)
		if !ok {
			findings = append(findings, Finding{Path: name, Text: "stands on no floor; add it to the table in internal/house"})
			continue
		}
		for _, full := range imported {
			target, ok := strings.CutPrefix(full, Module+"/")
			if !ok {
				if own.number == 0 && strings.Contains(strings.Split(full, "/")[0], ".") {
					findings = append(findings, Finding{Path: name, Text: "imports " + full + "; internal packages import the standard library only"})
				}
				continue
			}
			findings = append(findings, checkImport(name, target, own)...)
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return findings
}

func checkImport(name, target string, own floor) (findings []Finding) {
	if isSuite(target) && !isSuite(name) {
		findings = append(findings, Finding{Path: name, Text: "imports " + target + ", which is for tests"})
	}
	other, ok := floorOf(target)
	if !ok || strings.HasPrefix(name, target+"/") || other.number <= own.upTo || slices.Contains(own.beside, target) {
		return findings
	}
	return append(findings, Finding{Path: name, Text: fmt.Sprintf("on floor %d imports %s on floor %d; it may import up to floor %d",
		own.number, target, other.number, own.upTo)})
}

func isSuite(name string) bool { return strings.HasSuffix(path.Base(name), "test") }

func floorOf(name string) (floor, bool) {
	for _, row := range floors() {
		if slices.ContainsFunc(row.packages, func(pattern string) bool { return matches(pattern, name) }) {
			return row, true
		}
	}
	return floor{}, false
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
