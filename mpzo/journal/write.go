package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zeroth/internal/atomicfile"
	"zeroth/internal/filelock"
)

// storage is what a Writer needs of a file.
type storage interface {
	WriteAt(data []byte, offset int64) (int, error)
	Truncate(bytes int64) error
	Sync() error
	Close() error
}

// Writer appends to a journal. It is for one goroutine at a time.
type Writer struct {
	path   string
	file   storage
	sizes  sizes
	last   uint64 // steps recorded
	check  uint32 // of the last record
	offset int64  // where the next record begins
	buffer []byte // one record
	ended  error  // why the writer takes no more; nil while it does

	now       func() time.Time
	interval  time.Duration // fsync when the last is as old; 0: not by time
	every     int           // fsync after as many records; 0: not by count
	unsynced  int           // records since the last fsync
	lastFsync time.Time
}

const defaultInterval = time.Second

// Create makes a journal for a new run and writes its header to the disk. The
// file must not exist: the error then wraps fs.ErrExist.
func Create(path string, header Header) (*Writer, error) {
	if err := header.check(); err != nil {
		return nil, fmt.Errorf("journal: %w: %w", ErrHeader, err)
	}
	head, check := encodeHead(&header, version)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("journal: %w (resume that run, or name another folder)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	err = filelock.Lock(file)
	if err == nil {
		_, err = file.WriteAt(head, 0)
	}
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = atomicfile.SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		file.Close()
		os.Remove(path) // nothing was recorded, so a new attempt may start afresh
		return nil, fmt.Errorf("journal: %s: write header: %w", path, err)
	}
	return newWriter(path, file, &Log{Header: header, Bytes: int64(len(head)), version: version}, check), nil
}

// Open opens the journal of a run to be resumed and returns what it says. A
// torn tail is cut off, and Log.Damage then says what was cut. Damage that an
// interrupted run does not explain is refused with ErrDamaged, and the file is
// left as it is; the log then holds what is good before it, and there is no
// writer.
func Open(path string) (*Writer, *Log, error) {
	file, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, nil, err
	}
	if err := filelock.Lock(file); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("journal: %s: %w", path, err)
	}
	log, check, err := readFile(file)
	if err != nil {
		file.Close()
		return nil, log, err
	}
	if log.Damage != nil {
		if err := cut(file, log.Bytes); err != nil {
			file.Close()
			return nil, log, fmt.Errorf("journal: %s: cut back to %d bytes: %w", path, log.Bytes, err)
		}
	}
	return newWriter(path, file, log, check), log, nil
}

func cut(file storage, bytes int64) error {
	if err := file.Truncate(bytes); err != nil {
		return err
	}
	return file.Sync()
}

func newWriter(path string, file storage, log *Log, check uint32) *Writer {
	w := &Writer{
		path:     path,
		file:     file,
		sizes:    log.sizes(),
		last:     uint64(len(log.Steps)),
		check:    check,
		offset:   log.Bytes,
		buffer:   make([]byte, 0, frameBytes+max(stepBytes(log.Header.Q), evalBytes)),
		now:      time.Now,
		interval: defaultInterval,
	}
	w.lastFsync = w.now()
	return w
}

// SyncEvery sets when an append is followed by an fsync: after so many records,
// or when the last fsync is so long ago, whichever comes first; a zero switches
// that reason off. A new Writer has SyncEvery(0, time.Second). SyncEvery(1, 0)
// makes every append durable; SyncEvery(0, 0) leaves it to Sync and Close.
func (w *Writer) SyncEvery(records int, interval time.Duration) {
	w.every, w.interval = max(records, 0), max(interval, 0)
}

// Last returns the number of steps recorded.
func (w *Writer) Last() uint64 { return w.last }

// Step appends the record of a step, which must follow the last one. It does
// not keep s.ProjGrads and allocates nothing. Numbers that are not finite are
// refused with ErrNotFinite, and other broken rules with ErrRecord; the journal
// is then as before.
func (w *Writer) Step(s Step) error {
	if err := w.ready(); err != nil {
		return err
	}
	if err := s.check(w.last, w.sizes.q); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	w.buffer = appendStep(beginRecord(w.buffer[:0], typeStep, stepBytes(w.sizes.q)), &s)
	if err := w.append(); err != nil {
		return err
	}
	w.last = s.Number
	return w.syncIfDue()
}

// Eval appends the record of an evaluation; its Step must be Last. The errors
// are those of Step.
func (w *Writer) Eval(e Eval) error {
	if err := w.ready(); err != nil {
		return err
	}
	if err := e.check(w.last, w.sizes.version); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	w.buffer = appendEval(beginRecord(w.buffer[:0], typeEval, w.sizes.eval()), &e, w.sizes.version)
	if err := w.append(); err != nil {
		return err
	}
	return w.syncIfDue()
}

func (w *Writer) ready() error {
	if w.ended != nil {
		return fmt.Errorf("journal: %s: %w", w.path, w.ended)
	}
	return nil
}

// append finishes the record in the buffer and writes it, or leaves the file as
// it was.
func (w *Writer) append() error {
	record, check := endRecord(w.buffer, 0, w.check)
	if w.offset > maxFileBytes-int64(len(record)) {
		return fmt.Errorf("journal: %s: would grow past %d bytes: start a new run from the adapter so far", w.path, maxFileBytes)
	}
	if _, err := w.file.WriteAt(record, w.offset); err != nil {
		err = fmt.Errorf("append after step %d: %w", w.last, err)
		if failed := w.file.Truncate(w.offset); failed != nil {
			w.ended = fmt.Errorf("%w; cut back to %d bytes: %w", err, w.offset, failed)
			err = w.ended
		}
		return fmt.Errorf("journal: %s: %w", w.path, err)
	}
	w.offset += int64(len(record))
	w.check = check
	w.unsynced++
	return nil
}

func (w *Writer) syncIfDue() error {
	byCount := w.every > 0 && w.unsynced >= w.every
	byTime := w.interval > 0 && w.now().Sub(w.lastFsync) >= w.interval
	if byCount || byTime {
		return w.Sync()
	}
	return nil
}

// Sync makes every record so far durable. Once an fsync failed the kernel may
// have dropped what it could not write, so the writer ends.
func (w *Writer) Sync() error {
	if err := w.ready(); err != nil {
		return err
	}
	if w.unsynced == 0 {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		w.ended = fmt.Errorf("fsync after step %d: %w", w.last, err)
		return fmt.Errorf("journal: %s: %w", w.path, w.ended)
	}
	w.unsynced, w.lastFsync = 0, w.now()
	return nil
}

// Close makes every record durable, gives up the lock and closes the file. A
// second Close returns ErrClosed.
func (w *Writer) Close() error {
	if errors.Is(w.ended, ErrClosed) {
		return w.ready()
	}
	err := w.Sync()
	if failed := w.file.Close(); err == nil && failed != nil {
		err = fmt.Errorf("journal: %s: %w", w.path, failed)
	}
	w.ended = ErrClosed
	return err
}
