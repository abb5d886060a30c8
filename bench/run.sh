#!/bin/sh
# Runs all measurements, one after the other. Arguments go to those with processes: ./run.sh -quick
set -eu
cd "$(dirname "$0")"
export GOWORK=off
go test -run '^$' -bench . ./chain ./handler ./jsonrpc ./lb ./breaker ./ratelimit ./redislimit ./loadshed
go run ./cmd/httpserver "$@"
go run ./cmd/httpclient "$@"
go run ./cmd/grpcserver "$@"
go run ./cmd/natsserver "$@"
go run ./cmd/overload
