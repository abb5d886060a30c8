package natstransport

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// askEvery is how often it is asked whether a call that has no deadline is still served.
const askEvery = DefaultHeartbeat

// asker asks, for calls without a deadline, whether they are still served: nobody says so when the process that did has died. The
// question goes where cancellations go, and the instance that serves the call answers. A server that has never answered may not know
// the question, so that only the silence of one that has means anything.
type asker struct {
	link *link
	stop chan struct{}
	done chan struct{} // closed when the goroutine has ended
	once sync.Once

	mu    sync.Mutex
	token uint64 // where answers come; 0 for nowhere
}

func newAsker(l *link, every time.Duration) *asker {
	a := &asker{link: l, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		tick, looks := time.NewTicker(every), time.NewTicker(presenceEvery)
		defer tick.Stop()
		defer looks.Stop()
		for {
			select {
			case <-tick.C:
				a.ask()
			case <-looks.C:
				l.look()
			case <-a.stop:
				return
			case <-l.gone: // with the connection
				return
			}
		}
	}()
	return a
}

// close ends the asking.
func (a *asker) close() {
	a.once.Do(func() { close(a.stop) })
	<-a.done
}

// question is about one call.
type question struct{ subject, reply string }

// ask asks about all calls that have waited for an interval or more.
func (a *asker) ask() {
	questions := a.look()
	if len(questions) == 0 {
		return
	}
	inbox, ok := a.inbox()
	if !ok {
		return
	}
	for _, q := range questions {
		_ = a.link.nc.PublishRequest(CancelSubject(q.subject), inbox, []byte(q.reply)) // a lost connection is told by others
	}
}

// look returns what is to be asked, and ends the calls whose servers have fallen silent.
func (a *asker) look() (questions []question) {
	a.link.mu.Lock()
	defer a.link.mu.Unlock()
	for token, r := range a.link.waiting {
		p, ok := r.(*pending)
		if !ok || !p.patient {
			continue
		}
		if p.age++; p.age == 1 { // it has come since the last look
			continue
		}
		if p.missed >= missing {
			delete(a.link.waiting, token)
			p.answers <- answer{err: errServerDead}
			continue
		}
		if p.known {
			p.missed++
		}
		questions = append(questions, question{p.subject, a.link.subject(token)})
	}
	return questions
}

// inbox returns where answers come.
func (a *asker) inbox() (subject string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == 0 {
		if a.token, ok = a.link.open(a); !ok {
			return "", false
		}
	}
	return a.link.subject(a.token), true
}

// receive takes an answer, which repeats the question.
func (a *asker) receive(m *nats.Msg) {
	text, _ := strings.CutPrefix(string(m.Data), a.link.prefix)
	token, err := strconv.ParseUint(text, tokenBase, 64)
	if err != nil { // as of NATS, which says that nobody hears the question
		return
	}
	a.link.mu.Lock()
	defer a.link.mu.Unlock()
	if p, ok := a.link.waiting[token].(*pending); ok {
		p.known, p.missed = true, 0
	}
}

// lose says that the inbox was taken back.
func (a *asker) lose(bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token = 0
}
