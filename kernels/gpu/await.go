package gpu

import (
	"context"
	"time"
)

// patience is how long a compiler may take to end once nobody wants its result.
const patience = 300 * time.Millisecond

// Await returns what f returns. For a compiler that cannot be stopped: where ctx is
// cancelled and f does not end soon, f goes on by itself, and Await returns the
// context's error and left, which says so. f's own error then is the context's,
// too: compilers take Ctrl-C for themselves, and fail.
func Await[T any](ctx context.Context, f func() (T, error)) (value T, left bool, err error) {
	if err := ctx.Err(); err != nil {
		return value, false, err
	}
	if ctx.Done() == nil {
		value, err = f()
		return value, false, err
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil {
			r.err = ctx.Err()
		}
		return r.value, false, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		if r.err != nil {
			r.err = ctx.Err()
		}
		return r.value, false, r.err
	case <-time.After(patience):
		return value, true, ctx.Err()
	}
}
