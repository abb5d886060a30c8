// Package jsonrpc serves and calls endpoints by JSON-RPC 2.0 (https://www.jsonrpc.org/specification) over HTTP: calls, notifications and
// batches, on the connections and with the limits of transport/http.
//
// A server is a set of methods behind one URL:
//
//	handler := jsonrpc.NewHandler([]*jsonrpc.Server{
//		jsonrpc.NewServer(place, endpoint.New(place, svc.Place, common)),
//		jsonrpc.NewServer(cancel, endpoint.New(cancel, svc.Cancel, common), jsonrpc.ServerName("cancel")),
//	})
//	mux.Handle("/rpc", handler)
//
// A client is an endpoint, as on every transport:
//
//	call, err := jsonrpc.NewClient[*PlaceOrder, *Order](place.Client(), conn, "/rpc")
//
// # Parameters
//
// The params of a call are bound to the request by its type. A struct is an object, or an array with its fields in their order. A map is
// an object, and a slice an array. A type that reads JSON by a method of its own, and an interface, get what came. Anything else, such as
// a number, a text or a time.Time, is the only element of an array. Params that are missing are the empty object or array. The tags path,
// query, header and default of transport/http mean nothing here: one type serves both with a name for JSON beside them.
//
// # Errors
//
// The error object has the code that stands for the status, its message, and as data the same problem details that transport/http
// sends; so a client gets back an equal *status.Error. An *Error chooses code, message and data by itself. HTTP statuses other than 200
// and 204 are for what HTTP refuses.
//
// # Batches
//
// The calls of a batch are served several at a time, and answered in their order. Hooks and middleware of a server run for each call;
// those of the HTTP request run around all of them. The header fields of the request are those of every call in it. The fields that the
// calls set are merged: in the order of the calls, each value once, and without those that frame the body.
package jsonrpc
