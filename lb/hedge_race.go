package lb

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// race is a call and its hedges.
type race[C, Req, Resp any] struct {
	*unary[C, Req, Resp]

	ctx     context.Context
	cancel  context.CancelFunc
	request Req
	trial   *trial
	delay   time.Duration
	work    sync.WaitGroup // hedges, and the timer of the next

	mu       sync.Mutex
	timer    *time.Timer
	left     int // hedges that may begin
	stopped  bool
	tried    Tried
	over     bool // it has been decided how the call ends
	won      bool // with this response
	response Resp
	lost     *Attempt  // or with this error
	failed   []Attempt // the others
	observer *transport.Observer
}

// start starts the timer for the next hedge.
func (x *race[C, Req, Resp]) start() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left == 0 || x.over || x.stopped {
		return
	}
	x.left--
	x.work.Add(1)
	x.timer = time.AfterFunc(x.delay, x.hedge)
}

// stop lets no more hedges begin.
func (x *race[C, Req, Resp]) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stopped = true
	if x.timer != nil && x.timer.Stop() {
		x.work.Done()
	}
	x.timer = nil
}

// close cancels what goes on, and waits for its end.
func (x *race[C, Req, Resp]) close() {
	x.stop()
	x.cancel()
	x.work.Wait()
}

// hedge makes another attempt, on a goroutine of the timer.
func (x *race[C, Req, Resp]) hedge() {
	defer x.work.Done()
	x.mu.Lock()
	x.timer = nil
	tried, stopped := x.tried, x.over || x.stopped
	x.mu.Unlock()
	if stopped || x.ctx.Err() != nil || !x.pool.another(tried) || !x.pool.budget.spend(x.pool.clock.Now()) {
		return
	}
	defer func() {
		if value := recover(); value != nil { // nobody else can recover on this goroutine
			x.lose(nil, &endpoint.PanicError{Value: value, Stack: debug.Stack()}, nil)
		}
	}()
	c, do, err := x.pick(x.ctx, tried)
	if err != nil {
		return // the others go on
	}
	x.mu.Lock()
	x.tried = append(x.tried, c.node.Node)
	x.mu.Unlock()
	x.start()
	x.run(c, do)
}

// run makes an attempt, and says whether it tells how long one takes: that it succeeded, or was too slow.
func (x *race[C, Req, Resp]) run(c call[C], do endpoint.Endpoint[Req, Resp]) (telling bool) {
	ctx, observer := x.ctx, (*transport.Observer)(nil)
	if transport.Observed(ctx) {
		ctx, observer = transport.Observe(ctx) // the last report is that of result
	}
	response, err := x.attempt(ctx, c, do, x.request)
	if err == nil {
		x.win(response, observer)
		return true
	}
	return x.lose(c.node.Node, err, observer)
}

// win ends the call with the response, if none has done so before.
func (x *race[C, Req, Resp]) win(response Resp, observer *transport.Observer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.won {
		x.won, x.over, x.response, x.observer = true, true, response, observer
		x.cancel()
	}
}

// lose notes an attempt that failed, and ends the call where there is no sense in another. It says whether another had won before.
func (x *race[C, Req, Resp]) lose(n *Node, err error, observer *transport.Observer) (overtaken bool) {
	a := Attempt{Err: err}
	if n != nil {
		a.Instance = n.Instance()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.over:
		a.Err = errOvertaken
		x.failed = append(x.failed, a)
		return x.won
	case x.rules.repeatable(err):
		x.failed = append(x.failed, a)
	default:
		x.over, x.lost = true, &a
		x.cancel()
	}
	x.observer = observer
	return false
}

// result is what came of it, when all have ended.
func (x *race[C, Req, Resp]) result(ctx context.Context) (response Resp, err error) {
	if x.observer != nil {
		transport.Report(ctx, x.observer.Info())
	}
	if x.won {
		return x.response, nil
	}
	t := x.trial
	t.tried, t.failed = x.tried, append(t.failed, x.failed...)
	if x.lost != nil {
		t.failed = append(t.failed, *x.lost)
		t.final = true
	}
	return response, t.failed[len(t.failed)-1].Err
}
