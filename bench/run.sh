#!/bin/sh
# Runs all measurements, one after the other. Arguments go to the HTTP ones: ./run.sh -quick
set -eu
cd "$(dirname "$0")"
export GOWORK=off
go test -run '^$' -bench . ./chain ./handler
go run ./cmd/httpserver "$@"
go run ./cmd/httpclient "$@"
