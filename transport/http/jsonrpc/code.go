package jsonrpc

import "github.com/ashlar-go/ashlar/status"

// The codes that the specification defines.
const (
	CodeParseError     = -32700 // The document is no JSON.
	CodeInvalidRequest = -32600 // It is JSON, and no call.
	CodeMethodNotFound = -32601 // The server has no such method.
	CodeInvalidParams  = -32602 // The parameters are wrong, for the method or by status.InvalidArgument.
	CodeInternalError  = -32603 // status.Internal.
)

// codeFirst is the code of the range for servers, -32099 to -32000, that stands for no status; the one for a status is below it by the
// number of the status.
const codeFirst = -32000

// codeOf returns the JSON-RPC code of a status.
func codeOf(code status.Code) int64 {
	switch code {
	case status.InvalidArgument:
		return CodeInvalidParams
	case status.Internal:
		return CodeInternalError
	}
	return codeFirst - int64(code)
}

// statusOf returns the status that a code stands for where nothing else is known. Only the codes of the specification mean the same on
// every server.
func statusOf(code int64) status.Code {
	switch code {
	case CodeParseError, CodeInvalidRequest, CodeInvalidParams:
		return status.InvalidArgument
	case CodeMethodNotFound:
		return status.Unimplemented
	case CodeInternalError:
		return status.Internal
	}
	return status.Unknown
}

// phrase is the message of an error whose status has none.
func phrase(code status.Code) string {
	switch code {
	case status.InvalidArgument:
		return "Invalid params"
	case status.Internal:
		return "Internal error"
	}
	return code.String()
}
