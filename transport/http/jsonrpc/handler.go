package jsonrpc

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Operation is Info.Operation of the HTTP request around the calls, each of which has that of its method.
const Operation = "jsonrpc"

// Handler serves a set of methods. It does not change after NewHandler, and is safe for concurrent use.
type Handler struct {
	*handlerConfig

	servers map[string]*Server
	post    http.Handler
}

// NewHandler returns the http.Handler of a set of methods. It answers POST, and anything else with 405.
//
// It panics for a nil server, for two of the same name, and when an option is wrong: mistakes in the program that no input can cause.
func NewHandler(servers []*Server, opts ...HandlerOption) *Handler {
	h := &Handler{
		handlerConfig: &handlerConfig{maxBatch: DefaultMaxBatch, concurrency: DefaultConcurrency},
		servers:       make(map[string]*Server, len(servers)),
	}
	if err := option.Set(h.handlerConfig, opts); err != nil {
		panic(fmt.Sprintf("jsonrpc: handler: %v", err))
	}
	for i, s := range servers {
		switch {
		case s == nil:
			panic(fmt.Sprintf("jsonrpc: handler: server %d is nil", i))
		case h.servers[s.name] != nil:
			panic(fmt.Sprintf("jsonrpc: handler: there are two servers of the method %q", s.name))
		}
		h.servers[s.name] = s
	}
	spec := endpoint.Spec{Method: Operation}
	h.post = httptransport.NewServer(spec, h.serve, append(slices.Clip(h.http), httptransport.ServerCodecs(wire{}))...)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuseMethod(w, r.Method)
		return
	}
	h.post.ServeHTTP(w, r)
}

// refuseMethod answers as http.ServeMux does, and says why.
func refuseMethod(w http.ResponseWriter, method string) {
	const code = http.StatusMethodNotAllowed
	body := status.Errorf(status.Unimplemented, "JSON-RPC is spoken by POST, not by %s", method).
		AppendProblem(nil, code, http.StatusText(code))
	header := w.Header()
	header.Set("Allow", http.MethodPost)
	header.Set("Content-Type", status.ProblemType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) //nolint:gosec // it is JSON, and says so
}

// serve is the endpoint of the HTTP request.
func (h *Handler) serve(ctx context.Context, d *document) (*reply, error) {
	var one [1]call
	calls, batch, refused := parseCalls(d.data, one[:0], h.maxBatch)
	switch {
	case refused != nil:
		h.report(ctx, refused.status)
		return &reply{answers: []*buffer.Buffer{refuse(refused.failure())}}, nil
	case !batch:
		x := new(exchange)
		h.run(ctx, &calls[0], x)
		r := &reply{header: x.header.merge(nil)}
		if x.answer != nil {
			r.answers = []*buffer.Buffer{x.answer}
		}
		return r, nil
	}
	return h.serveBatch(ctx, calls), nil
}

// serveBatch serves the calls, several at a time, and returns when all have ended.
func (h *Handler) serveBatch(ctx context.Context, calls []call) *reply {
	all := make([]exchange, len(calls))
	var (
		running sync.WaitGroup
		next    atomic.Int64
		work    func()
	)
	work = func() {
		done := false
		defer func() {
			if !done { // a call has ended its goroutine
				running.Go(work)
			}
		}()
		for i := next.Add(1) - 1; i < int64(len(calls)); i = next.Add(1) - 1 {
			h.run(ctx, &calls[i], &all[i])
		}
		done = true
	}
	for range min(h.concurrency, len(calls)) {
		running.Go(work)
	}
	running.Wait()
	r := &reply{batch: true}
	for i := range all {
		r.header = all[i].header.merge(r.header)
		if all[i].answer != nil {
			r.answers = append(r.answers, all[i].answer)
		}
	}
	return r
}

// run serves one call, or answers it itself.
func (h *Handler) run(ctx context.Context, c *call, x *exchange) {
	if c.fault != nil {
		h.report(ctx, c.fault)
		x.answer = refuse(invalidRequest(c.fault).failure())
		return
	}
	x.server = h.servers[c.method]
	if x.server != nil {
		x.run(ctx, c)
		return
	}
	f := notFound(c.method)
	h.report(ctx, f.status)
	if c.id != nil {
		x.answer = buffer.Get()
		x.answer.B = appendID(appendError(x.answer.B, f), c.id)
	}
}

// refuse returns an answer without an id.
func refuse(f failure) *buffer.Buffer {
	answer := buffer.Get()
	answer.B = appendID(appendError(answer.B, f), nil)
	return answer
}

// report tells the hooks of what no method was asked for. What they panic with is not to end the process, nor the other calls.
func (h *Handler) report(ctx context.Context, err error) {
	defer func() {
		if value := recover(); value != nil {
			logTo(ctx, Operation, status.From(&endpoint.PanicError{Value: value, Stack: debug.Stack()}))
		}
	}()
	for _, hook := range h.onRefusal {
		hook(ctx, err)
	}
}
