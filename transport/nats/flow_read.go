package natstransport

// reader reads what came, on one goroutine.
type reader struct {
	flow  *flow
	batch []item // taken from the queue at once, so that the lock is rarely needed
	at    int
	read  credit // what has been asked for
	given credit // of it, what was told to the other end
	last  int    // bytes of the message that was returned last
	busy  bool   // there is such a message
}

// next returns what comes next. By asking for it, whoever reads says that the message before it is no longer needed.
func (r *reader) next() (item, error) {
	if r.busy {
		r.busy = false
		if err := r.done(); err != nil {
			return item{}, err
		}
	}
	f := r.flow
	if f.broken.Load() {
		return item{}, f.failure()
	}
	if r.at == len(r.batch) {
		f.mu.Lock()
		for len(f.queue) == 0 && f.err == nil && !f.finished {
			f.canRead.Wait()
		}
		if err := f.over(); err != nil {
			f.mu.Unlock()
			return item{}, err
		}
		clear(r.batch)
		r.batch, f.queue = f.queue, r.batch[:0]
		f.mu.Unlock()
		r.at = 0
	}
	i := r.batch[r.at]
	r.batch[r.at] = item{}
	r.at++
	switch i.kind {
	case wrongItem:
		f.breakOff(i.err)
		return item{}, i.err
	case messageFrame:
		r.busy, r.last = true, len(i.data)
	}
	return i, nil
}

// done gives back the credit of the last message, together with that of others: half of the window at once.
func (r *reader) done() error {
	r.read.messages++
	r.read.bytes += uint64(r.last)
	w := r.flow.window
	if r.read.messages-r.given.messages < (w.messages+1)/2 && r.read.bytes-r.given.bytes < (w.bytes+1)/2 {
		return nil
	}
	r.given = r.read
	f := r.flow
	f.mu.Lock()
	if f.ended { // nobody needs it
		f.mu.Unlock()
		return nil
	}
	f.granted = credit{r.read.messages + w.messages, r.read.bytes + w.bytes}
	granted := f.granted
	f.mu.Unlock()
	return f.grant(granted)
}
