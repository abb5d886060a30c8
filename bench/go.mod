module github.com/ashlar-go/ashlar/bench

go 1.26.0

require (
	github.com/ashlar-go/ashlar v0.0.0-00010101000000-000000000000
	github.com/creachadair/jrpc2 v1.3.6
	github.com/go-kit/kit v0.13.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/creachadair/mds v0.31.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/go-kit/log v0.2.1 // indirect
	github.com/go-logfmt/logfmt v0.5.1 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/ashlar-go/ashlar => ../
