module github.com/ashlar-go/ashlar/examples

go 1.26.0

require (
	github.com/ashlar-go/ashlar v0.0.0
	go.uber.org/goleak v1.3.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/go-kit/log v0.2.1 // indirect
	github.com/go-logfmt/logfmt v0.5.1 // indirect
)

replace github.com/ashlar-go/ashlar => ../
