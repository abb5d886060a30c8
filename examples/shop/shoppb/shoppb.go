// Package shoppb holds the messages of the shop's gRPC services, as catalog.proto and orders.proto define them.
package shoppb

//go:generate env GOWORK=off go -C ../../../tools run ./protogen ../examples/shop/shoppb
