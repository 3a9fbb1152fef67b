package dl

import "sync"

// Owner keeps what belongs to something of a library, a device say, and must be
// freed before it. Its zero value owns nothing. Any goroutine may call it:
// finalisers do.
type Owner struct {
	mutex  sync.Mutex
	closed bool
	broken error          // why nothing more can be run
	silent bool           // it does not answer: what it may be using stays
	owned  map[any]func() // how what is not freed yet is freed
}

// Keep remembers how a thing is freed.
func (o *Owner) Keep(thing any, free func()) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.owned == nil {
		o.owned = make(map[any]func())
	}
	o.owned[thing] = free
}

// Free frees a thing, once. What an owner that does not answer may still be
// using stays.
func (o *Owner) Free(thing any) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	free, ok := o.owned[thing]
	if !ok || o.silent {
		return
	}
	delete(o.owned, thing)
	free()
}

// Break remembers an error after which nothing more can be run; silent says that
// the owner does not answer. No later error mends that: what was left at work still
// is. A nil error takes all back.
func (o *Owner) Break(err error, silent bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.broken, o.silent = err, silent || o.silent && err != nil
}

// Broken is the error after which nothing more can be run, if there was one.
func (o *Owner) Broken() error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.broken
}

// Close calls first, frees everything and calls last, once, and reports whether
// that is done: an owner that does not answer is left as it is.
func (o *Owner) Close(first, last func()) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.silent || o.closed {
		return o.closed
	}
	o.closed = true
	first()
	for thing, free := range o.owned {
		delete(o.owned, thing)
		free()
	}
	last()
	return true
}
