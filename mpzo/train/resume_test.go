package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
)

// A run that is cancelled after any step, or after an evaluation, and resumed
// ends with the bytes of one that never was, and evaluates nothing twice.
func TestResumeGivesTheSameBytes(t *testing.T) {
	f := newFixture(t)
	for _, estimator := range train.Estimators() {
		s := settings(data.ChoiceLoss, estimator)
		straight := f.whole(t, s, 1)
		for _, c := range []watcher{
			{stopAfter: 1},
			{stopAfter: 7},
			{stopAfter: 10},
			{stopAfter: 19},
			{stopAfter: 20},
			{stopAfter: 5, stopAtEval: true},
			{stopAfter: 15, stopAtEval: true},
		} {
			name := fmt.Sprintf("%s step %d, evaluated %t", estimator.Name(), c.stopAfter, c.stopAtEval)
			path := filepath.Join(t.TempDir(), "journal")
			first := f.run(t, path, s, 2, c)
			if !errors.Is(first.err, context.Canceled) {
				t.Fatalf("%s: %v, want it cancelled", name, first.err)
			}
			if !bytes.HasPrefix(straight.journal, first.journal) {
				t.Errorf("%s: the journal so far does not begin the whole one", name)
			}
			second := f.run(t, path, s, 3, watcher{})
			checkResumed(t, name, straight, second)
			evaluated := append(slices.Clone(first.watcher.evaluated), second.watcher.evaluated...)
			if !slices.Equal(evaluated, straight.watcher.evaluated) {
				t.Errorf("%s: evaluated at %v, want %v", name, evaluated, straight.watcher.evaluated)
			}
		}
	}
}

func checkResumed(t *testing.T, name string, want, got outcome) {
	t.Helper()
	if got.err != nil {
		t.Errorf("%s: %v", name, got.err)
	}
	if !slices.Equal(got.journal, want.journal) {
		t.Errorf("%s: the journal has other bytes", name)
	}
	if !slices.Equal(got.b, want.b) {
		t.Errorf("%s: B has other bits", name)
	}
	if !slices.Equal(got.watcher.bestAdapter, want.watcher.bestAdapter) {
		t.Errorf("%s: the best adapter has other bits", name)
	}
}

// A process killed while it appends leaves part of a record. Wherever that ends
// within the last records, the run goes on to the same bytes.
func TestResumeFromATornTail(t *testing.T) {
	f := newFixture(t)
	s := settings(data.ChoiceLoss, train.PRGE{})
	straight := f.whole(t, s, 1)
	folder := t.TempDir()
	path := filepath.Join(folder, "interrupted")
	interrupted := f.run(t, path, s, 1, watcher{stopAfter: 10, stopAtEval: true}).journal
	for cut := 1; cut <= 63+33+4*s.Queries+1; cut += 3 { // through an evaluation and a step
		torn := filepath.Join(folder, fmt.Sprint(cut))
		if err := os.WriteFile(torn, interrupted[:len(interrupted)-cut], 0o644); err != nil {
			t.Fatal(err)
		}
		checkResumed(t, fmt.Sprintf("cut by %d bytes", cut), straight, f.run(t, torn, s, 2, watcher{}))
	}
	flipped := slices.Clone(interrupted)
	flipped[len(flipped)-74] ^= 4 // in the last step, before a whole record
	damaged := filepath.Join(folder, "damaged")
	if err := os.WriteFile(damaged, flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := journal.Open(damaged); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("a flipped bit in a step that is followed by an evaluation: %v", err)
	}
}
