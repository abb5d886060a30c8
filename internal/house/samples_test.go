package house_test

import "strings"

func packageSamples() []sample {
	return []sample{
		{"package names", source{"util/x.go": "package util\n", "a/x_test.go": "package helpers_test\n", "b/x.go": "package b\n"}, []string{
			"a/x_test.go:1: package helpers: name it by what it provides",
			"util/x.go:1: package util: name it by what it provides",
		}},
		{"package comments", source{"a/x.go": "package a\n", "b/x.go": "// Package b is.\npackage b\n", "c/x_test.go": "package c\n"}, []string{
			"a: the package has no package comment",
		}},
		{"package comments", source{"a/x.go": "// Package a is.\npackage a\n", "a/y.go": "// Package a too.\npackage a\n"}, []string{
			"a/y.go:2: a second package comment; one file has it",
		}},
		{"file length", source{"a/x.go": "package a\n" + strings.Repeat("\n", 399), "b/x.go": "package b\n", "c/x.go": "package c\n"}, nil},
		{"file length", source{"a/x.go": "package a\n" + strings.Repeat("\n", 400)}, []string{
			".: the median file is longer than 150 lines",
			"a/x.go:1: 401 lines, want at most 400: would two names say it better?",
		}},
		{"no paths of one machine", source{
			"a.md":   "fine: http://host/home/x, ./tmp/x, $(pwd)/tmp/x\nrun " + "/" + "tmp/x\n",
			"go.sum": "/" + "root/x",
		}, []string{"a.md:2: a path of one machine: run " + "/" + "tmp/x"}},
		{"constant time", source{
			"auth/basic/hash.go":            "package basicauth\n\nvar same = a == b\n",
			"auth/apikey/authenticator.go":  "package apikeyauth\n\nvar same = subtle.ConstantTimeCompare(a, b)\n",
			"auth/oauth2/login.go":          "package oauth2auth\n\nvar same = hmac.Equal(a, b)\n",
			"auth/apikey/elsewhere/find.go": "package elsewhere\n\nvar same = a == b\n",
		}, []string{"auth/basic/hash.go: compares secrets; use subtle.ConstantTimeCompare or hmac.Equal"}},
		{"named tests", source{
			"a_test.go": "package a_test\n\nfunc TestA() {}\n", "CHANGELOG.md": "`TestOld`", "b.go": "package a\n\nfunc TestB() {}\n",
			"x.md": "`TestA`, Test, `TestMain`d\nby `TestB` or `FuzzC`\n",
		}, []string{"x.md:1: there is no test TestMain", "x.md:2: there is no test FuzzC", "x.md:2: there is no test TestB"}},
		{"no secrets", source{
			"a.pem": "-----BEGIN EC PRIVATE" + " KEY-----\n" + strings.Repeat("A", 40) + "\n",
			"b.md":  "-----BEGIN PRIVATE" + " KEY-----\n...\nnats://user:secret@host, AKIA, eyJ...\n",
			"c.md":  "\ntoken: " + "ey" + "JhbGciOiJub25lIn0." + "ey" + "JzdWIiOiJhbm4ifQ." + strings.Repeat("A", 43),
			"d.md":  "AKIA" + strings.Repeat("A", 16),
			"e.md":  "ghp" + "_" + strings.Repeat("a", 36),
			"f.md":  "xoxb" + "-" + strings.Repeat("1", 12),
			"g.md":  "AIza" + strings.Repeat("a", 35),
			"h.md":  "postgres://ann" + ":" + strings.Repeat("x", 12) + "@db",
		}, []string{
			"a.pem:1: a private key", "c.md:2: a signed token", "d.md:1: a key of AWS", "e.md:1: a token of GitHub",
			"f.md:1: a token of Slack", "g.md:1: a key of Google", "h.md:1: a password in a URL",
		}},
	}
}

func commentSamples() []sample {
	return []sample{
		{"doc comments", source{"a/x.go": `package a

func Open() {}

type T struct{}

func (t *T) Close() {}

func (p *pair[K, V]) Close() {}

type I interface{ Do() }

// J is documented.
type J interface {
	Do()
	// Undo is too.
	Undo()
}

const (
	A = 1
	b = 2
)

// Fine is documented.
func Fine[T any]() {}

// Limits of something.
const (
	C = 1
)

const D = 1 // documented too

type List[T any] struct{}

func (List[T]) Len() int { return 0 }
`}, []string{
			"a/x.go:3: Open is exported and has no comment",
			"a/x.go:5: T is exported and has no comment",
			"a/x.go:7: Close is exported and has no comment",
			"a/x.go:11: I is exported and has no comment",
			"a/x.go:15: Do is exported and has no comment",
			"a/x.go:21: A is exported and has no comment",
			"a/x.go:35: List is exported and has no comment",
			"a/x.go:37: Len is exported and has no comment",
		}},
		{"doc comments", source{"a/x_test.go": "package a\n\nfunc Test() {}\n", "b/x.go": "package main\n\nfunc Run() {}\n"}, nil},
	}
}

func globalSamples() []sample {
	return []sample{
		{"no init", source{"a/x.go": "package a\n\ntype t int\n\nfunc (t) init() {}\n\nfunc init() {}\n"}, []string{
			"a/x.go:7: init runs unasked; make a value that main builds",
		}},
		{"no mutable globals", source{"a/x.go": `package a

var (
	drivers = map[string]int{}
	byName  = make(map[string]int)
	pointer = &map[string]int{}
	fresh   = new(map[string]int)
	lock    sync.Mutex
	current atomic.Pointer[int]
	queue   chan int
	Default = 3
)

var (
	pool    = sync.Pool{}
	table   = [...]string{"fine"}
	ErrDone = errors.New("done")
)

func f() { var seen map[string]int }
`}, []string{
			"a/x.go:4: drivers is state of the whole process; make it part of a value that main builds",
			"a/x.go:5: byName is state of the whole process; make it part of a value that main builds",
			"a/x.go:6: pointer is state of the whole process; make it part of a value that main builds",
			"a/x.go:7: fresh is state of the whole process; make it part of a value that main builds",
			"a/x.go:8: lock is state of the whole process; make it part of a value that main builds",
			"a/x.go:9: current is state of the whole process; make it part of a value that main builds",
			"a/x.go:10: queue is state of the whole process; make it part of a value that main builds",
			"a/x.go:11: Default can be changed by anybody; make it a constant or a function",
		}},
	}
}

func testSamples() []sample {
	const leaks = "the tests have no TestMain that calls goleak.VerifyTestMain"
	return []sample{
		{"leak checks", source{
			"a/x_test.go":    "package a\n\nfunc TestX(t *testing.T) {}\n",
			"b/main_test.go": "package b\n\nimport \"go.uber.org/goleak\"\n\nfunc TestMain(m *testing.M) { goleak.VerifyTestMain(m) }\n",
			"b/x_test.go":    "package b\n\nfunc FuzzX(f *testing.F) {}\n",
			"c/main_test.go": "package c\n\nfunc TestMain(m *testing.M) { m.Run() }\n",
			"d/x_test.go":    "package d\n\nfunc BenchmarkX(b *testing.B) {}\n",
		}, []string{"a: " + leaks, "c: " + leaks}},
		{"no sleeps in tests", source{
			"a/x.go": "package a\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
			"a/x_test.go": `package a

import (
	clock "time"
	"testing/synctest"
)

func f() {
	clock.Sleep(1)
	synctest.Test(t, func(t *testing.T) { clock.Sleep(1) })
}
`,
		}, []string{"a/x_test.go:9: time.Sleep in a test; wait for what happens, or use testing/synctest"}},
		{"no fixed ports in tests", source{
			"a/x.go": "package a\n\nvar s = http.Server{Addr: \":8080\"}\n",
			"a/x_test.go": `package a

func f() {
	net.Listen("tcp", "127.0.0.1:8080")
	net.Listen("tcp", "127.0.0.1:0")
	http.ListenAndServe(":80", nil)
	_ = http.Server{Addr: "[::1]:80"}
	dial("localhost:80")
}
`,
		}, []string{
			"a/x_test.go:4: a fixed port in a test; listen on port 0",
			"a/x_test.go:6: a fixed port in a test; listen on port 0",
			"a/x_test.go:7: a fixed port in a test; listen on port 0",
		}},
	}
}
