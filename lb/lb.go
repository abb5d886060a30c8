// Package lb keeps connections to the instances of a service, and chooses one of them for each call.
//
// A Pool watches an sd.Instancer and keeps one client, such as a *grpc.ClientConn, for each instance; all operations of the service
// share it. Endpoint and Stream make ordinary endpoints of it, which take another instance when one fails. A Policy chooses, by
// default PeakEWMA.
package lb
