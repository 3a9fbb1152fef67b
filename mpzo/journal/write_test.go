package journal

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

// disk is a storage in memory that fails when told to.
type disk struct {
	data  []byte
	room  int // bytes it holds before it is full
	syncs int

	failTruncate, failSync error
}

func (d *disk) WriteAt(data []byte, offset int64) (int, error) {
	n := min(len(data), d.room-int(offset))
	d.data = append(d.data[:offset], data[:n]...)
	if n < len(data) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (d *disk) Truncate(bytes int64) error {
	if d.failTruncate != nil {
		return d.failTruncate
	}
	d.data = d.data[:bytes]
	return nil
}

func (d *disk) Sync() error  { d.syncs++; return d.failSync }
func (d *disk) Close() error { return nil }

// onDisk returns a writer at the end of the sample journal's header.
func onDisk(t *testing.T) (*Writer, *disk) {
	t.Helper()
	header := sampleHeader()
	head, check := encodeHead(&header, version)
	d := &disk{data: head, room: 1 << 20}
	return newWriter("run.journal", d, &Log{Header: header, Bytes: int64(len(head))}, check), d
}

func TestFullDiskTakesTheRecordBack(t *testing.T) {
	size := frameBytes + stepBytes(3)
	for written := range size {
		w, d := onDisk(t)
		if err := w.Step(sampleStep(1, 3)); err != nil {
			t.Fatal(err)
		}
		good := bytes.Clone(d.data)
		d.room = len(good) + written
		if err := w.Step(sampleStep(2, 3)); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "after step 1") {
			t.Fatalf("%d of %d bytes written: got %v", written, size, err)
		}
		if !bytes.Equal(d.data, good) {
			t.Fatalf("%d of %d bytes written: they were left in the file", written, size)
		}
		d.room = 1 << 20
		if err := errors.Join(w.Step(sampleStep(2, 3)), w.Eval(sampleEval(2)), w.Close()); err != nil {
			t.Fatalf("%d of %d bytes written, then room: %v", written, size, err)
		}
		log, _, err := decode(d.data)
		if err != nil || log.Damage != nil || len(log.Steps) != 2 || len(log.Evals) != 1 {
			t.Fatalf("%d of %d bytes written, then room: %v, %v", written, size, err, log)
		}
	}
}

func TestAppendThatCannotBeTakenBackEndsTheWriter(t *testing.T) {
	w, d := onDisk(t)
	if err := w.Step(sampleStep(1, 3)); err != nil {
		t.Fatal(err)
	}
	d.room = len(d.data) + 5
	d.failTruncate = syscall.EIO
	if err := w.Step(sampleStep(2, 3)); !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want both errors", err)
	}
	d.room, d.failTruncate = 1<<20, nil
	if err := w.Step(sampleStep(2, 3)); !errors.Is(err, syscall.EIO) {
		t.Errorf("a later step: got %v, want the error that ended the writer", err)
	}
	log, _, err := decode(d.data)
	if err != nil || len(log.Steps) != 1 || log.Damage == nil || log.Damage.Bytes != 5 {
		t.Errorf("the file reads as %v, %v", log, err)
	}
}

func TestFailedFsyncEndsTheWriter(t *testing.T) {
	w, d := onDisk(t)
	w.SyncEvery(1, 0)
	d.failSync = syscall.EIO
	if err := w.Step(sampleStep(1, 3)); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want EIO", err)
	}
	d.failSync = nil
	for name, err := range map[string]error{"Step": w.Step(sampleStep(2, 3)), "Sync": w.Sync(), "Close": w.Close()} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s afterwards: got %v, want EIO", name, err)
		}
	}
}

func TestSyncPolicy(t *testing.T) {
	cases := map[string]struct {
		set  func(*Writer)
		want int // fsyncs in 10 steps 0.3 s apart
	}{
		"default":          {func(*Writer) {}, 2}, // at 1.2 and 2.4 s
		"every record":     {func(w *Writer) { w.SyncEvery(1, 0) }, 10},
		"every third":      {func(w *Writer) { w.SyncEvery(3, 0) }, 3},
		"half a second":    {func(w *Writer) { w.SyncEvery(0, 500*time.Millisecond) }, 5},
		"only when told":   {func(w *Writer) { w.SyncEvery(0, 0) }, 0},
		"whichever first":  {func(w *Writer) { w.SyncEvery(3, time.Second) }, 3},
		"negative is none": {func(w *Writer) { w.SyncEvery(-1, -1) }, 0},
	}
	for name, c := range cases {
		w, d := onDisk(t)
		clock := time.Unix(1000, 0)
		w.now = func() time.Time { return clock }
		w.lastFsync = clock
		c.set(w)
		for number := uint64(1); number <= 10; number++ {
			clock = clock.Add(300 * time.Millisecond)
			if err := w.Step(sampleStep(number, 3)); err != nil {
				t.Fatal(err)
			}
		}
		if d.syncs != c.want {
			t.Errorf("%s: %d fsyncs, want %d", name, d.syncs, c.want)
		}
		pending := w.unsynced > 0
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if pending && d.syncs != c.want+1 {
			t.Errorf("%s: Close left records without an fsync", name)
		}
	}
}

func TestJournalDoesNotGrowPastItsLimit(t *testing.T) {
	w, d := onDisk(t)
	w.offset = maxFileBytes - 10
	before := len(d.data)
	if err := w.Step(sampleStep(1, 3)); err == nil {
		t.Error("a record past the limit was taken")
	}
	if len(d.data) != before {
		t.Error("the file was written to")
	}
}
