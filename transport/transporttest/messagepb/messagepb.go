// Package messagepb holds the message of transporttest, for transports that carry Protocol Buffers, as message.proto defines it.
package messagepb

//go:generate env GOWORK=off go -C ../../../tools run ./protogen ../transport/transporttest/messagepb
