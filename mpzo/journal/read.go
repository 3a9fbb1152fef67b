package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFileBytes bounds what is read and written: 20 million steps of q = 4.
const maxFileBytes = 1 << 30

// Log is what a journal says.
type Log struct {
	Header Header
	Steps  []Step  // in order; Steps[i].Number is i+1
	Evals  []Eval  // in the order they were recorded
	Bytes  int64   // length of the good part: preamble, header and whole records
	Damage *Damage // what follows the good part; nil if nothing does

	version uint32
}

func (l *Log) sizes() sizes { return sizes{version: l.version, q: l.Header.Q} }

// Damage describes bytes after the last good record.
type Damage struct {
	Offset int64  // where they begin
	Bytes  int64  // how many there are, to the end of the file
	Reason string // why they were not accepted
}

// String says what, where and why, to be shown to a user.
func (d *Damage) String() string {
	return fmt.Sprintf("%d bytes at offset %d are not a whole record: %s", d.Bytes, d.Offset, d.Reason)
}

// Read reads a journal without changing or locking it; a run may be appending
// to it. A torn tail is reported in Log.Damage and is no error. With
// ErrDamaged, and only with that error, the log holds what is good before the
// damage.
func Read(path string) (*Log, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	log, _, err := readFile(file)
	return log, err
}

// openRegular opens a regular file; a pipe or a device would make us wait.
func openRegular(path string, flag int) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("journal: %s is not a regular file: %w", path, ErrFormat)
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return file, nil
}

// readFile decodes a file from its beginning; the check is that of its last
// good record.
func readFile(file *os.File) (*Log, uint32, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("journal: %w", err)
	}
	if info.Size() > maxFileBytes {
		return nil, 0, fmt.Errorf("journal: %s has %d bytes, at most %d are read: %w", file.Name(), info.Size(), maxFileBytes, ErrFormat)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(file, data)
	// A writer may take back a failed append while we read.
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("journal: %w", err)
	}
	log, check, err := decode(data[:n])
	if err != nil {
		return log, 0, fmt.Errorf("journal: %s: %w", file.Name(), err)
	}
	return log, check, nil
}

// decode reads a whole journal. It returns the log and the check of the last
// good record; with ErrDamaged the log of what is good before the damage.
func decode(data []byte) (*Log, uint32, error) {
	header, at, check, err := decodeHead(data)
	if err != nil {
		return nil, 0, err
	}
	log := &Log{Header: *header, version: binary.LittleEndian.Uint32(data[len(magic):])}
	projGrads := log.reserve(data[at:])
	for at < len(data) {
		record, computed, reason := nextRecord(data[at:], check)
		if reason != "" {
			log.Damage = &Damage{Offset: int64(at), Bytes: int64(len(data) - at), Reason: reason}
			if later := findLater(data, at, len(record), computed, log.sizes()); later != "" {
				err = log.refuse(at, fmt.Sprintf("%s, but %s", reason, later))
			}
			break
		}
		if broken := log.add(record, &projGrads); broken != nil {
			log.Damage = &Damage{Offset: int64(at), Bytes: int64(len(data) - at), Reason: broken.Error()}
			err = log.refuse(at, broken.Error())
			break
		}
		at, check = at+len(record), computed
	}
	log.Bytes = int64(at)
	return log, check, err
}

func (l *Log) refuse(at int, reason string) error {
	return fmt.Errorf("record at offset %d, after step %d: %s: %w (to go on from step %d all the same, keep a copy and cut the file to %d bytes)",
		at, len(l.Steps), reason, ErrDamaged, len(l.Steps), at)
}

// decodeHead reads preamble and header record. It returns where the first
// record begins and the check that it runs on from.
func decodeHead(data []byte) (*Header, int, uint32, error) {
	fail := func(format string, args ...any) (*Header, int, uint32, error) {
		return nil, 0, 0, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFormat)
	}
	if len(data) < preambleBytes {
		return fail("%d bytes are less than the preamble of %d (a run stopped before its first step can be deleted)", len(data), preambleBytes)
	}
	if string(data[:len(magic)]) != magic {
		return fail("begins with %q, not with %q", data[:len(magic)], magic)
	}
	if found := binary.LittleEndian.Uint32(data[len(magic):]); found < 1 || found > version {
		return nil, 0, 0, fmt.Errorf("version %d, this program reads 1 to %d: %w", found, version, ErrVersion)
	}
	rest := data[preambleBytes:]
	if len(rest) < frameBytes {
		return fail("the header record is incomplete (a run stopped before its first step can be deleted)")
	}
	if rest[0] != typeHeader {
		return fail("the first record has type %d, must be %d, the header", rest[0], typeHeader)
	}
	payload := binary.LittleEndian.Uint32(rest[1:])
	if payload > maxHeaderBytes {
		return fail("the header claims %d bytes, at most %d are allowed", payload, maxHeaderBytes)
	}
	end := preambleBytes + frameBytes + int(payload)
	if end > len(data) {
		return fail("the header claims %d bytes, %d are there (a run stopped before its first step can be deleted)", payload, len(rest)-frameBytes)
	}
	check := runCheck(0, data[:end-checkBytes])
	if stored := binary.LittleEndian.Uint32(data[end-checkBytes:]); stored != check {
		return fail("header: check is %08x, stored is %08x", check, stored)
	}
	header, err := decodeHeader(data[preambleBytes+frameHeadBytes : end-checkBytes])
	if err != nil {
		return nil, 0, 0, fmt.Errorf("header: %w: %w", err, ErrFormat)
	}
	return header, end, check, nil
}

// reserve makes room for the records in data, as many as their types promise,
// so that nothing grows by doubling, and returns the room for their projected
// gradients. Whether they check is not looked at here.
func (l *Log) reserve(data []byte) []float32 {
	steps, evals := 0, 0
	for size := 0; len(data) >= frameBytes; data = data[size:] {
		payload, ok := l.sizes().payload(data[0])
		size = frameBytes + payload
		if !ok || size > len(data) {
			break
		}
		if data[0] == typeStep {
			steps++
		} else {
			evals++
		}
	}
	l.Steps = make([]Step, 0, steps)
	l.Evals = make([]Eval, 0, evals)
	return make([]float32, steps*l.Header.Q)
}

// payload returns the payload length of a record type, and false for a type
// that may not follow the header.
func (s sizes) payload(kind byte) (int, bool) {
	switch kind {
	case typeStep:
		return stepBytes(s.q), true
	case typeEval:
		return s.eval(), true
	}
	return 0, false
}

func (s sizes) eval() int {
	if s.version == 1 {
		return evalBytesOf1
	}
	return evalBytes
}

// nextRecord takes the record at the front of data, check included, and
// computes its check from the one before. It returns the reason if there is no
// whole record that checks; the record is nil then unless its end is known.
func nextRecord(data []byte, before uint32) (record []byte, check uint32, reason string) {
	if len(data) < frameBytes {
		return nil, 0, fmt.Sprintf("the file ends %d bytes into a record", len(data))
	}
	// Compared as 64 bits: a length near 2³² must not wrap.
	size := int64(binary.LittleEndian.Uint32(data[1:])) + frameBytes
	if size > int64(len(data)) {
		return nil, 0, fmt.Sprintf("the record claims %d bytes, %d are there", size, len(data))
	}
	record = data[:size]
	body := record[:size-checkBytes]
	check = runCheck(before, body)
	if stored := binary.LittleEndian.Uint32(record[len(body):]); stored != check {
		return record, check, fmt.Sprintf("check is %08x, stored is %08x", check, stored)
	}
	return record, check, ""
}

// add takes up a record that checks, or says which rule it breaks. A step takes
// its projected gradients from the front of room.
func (l *Log) add(record []byte, room *[]float32) error {
	kind, payload := record[0], record[frameHeadBytes:len(record)-checkBytes]
	want, ok := l.sizes().payload(kind)
	if !ok {
		return fmt.Errorf("record type %d is unknown or out of place: %w", kind, ErrRecord)
	}
	if len(payload) != want {
		return fmt.Errorf("record type %d has %d bytes of payload, must have %d: %w", kind, len(payload), want, ErrRecord)
	}
	q, last := l.Header.Q, uint64(len(l.Steps))
	if kind == typeEval {
		eval := decodeEval(payload)
		if err := eval.check(last, l.version); err != nil {
			return err
		}
		l.Evals = append(l.Evals, eval)
		return nil
	}
	step := decodeStep(payload, (*room)[:q:q])
	if err := step.check(last, q); err != nil {
		return err
	}
	*room = (*room)[q:]
	l.Steps = append(l.Steps, step)
	return nil
}

// findLater looks for a record that checks anywhere after the damaged one at
// data[at:], whose length, if it can be trusted at all, is size, and whose check
// should have been computed. It says what it found, or "" if the damage is the
// file's tail.
//
// A later record checks against the four bytes before it. The work is bounded:
// a file made to look like records at every other byte counts as damaged.
func findLater(data []byte, at, size int, computed uint32, s sizes) string {
	if size > 0 && recordChecks(data, at+size, computed, s) {
		return fmt.Sprintf("a good record follows at offset %d", at+size)
	}
	budget := 16*int64(len(data)) + maxHeaderBytes
	for p := at + 1; p <= len(data)-frameBytes; p++ {
		payload, ok := s.payload(data[p])
		if !ok || binary.LittleEndian.Uint32(data[p+1:]) != uint32(payload) {
			continue
		}
		if recordChecks(data, p, binary.LittleEndian.Uint32(data[p-checkBytes:]), s) {
			return fmt.Sprintf("a good record follows at offset %d", p)
		}
		if budget -= int64(payload); budget < 0 {
			return "more records seem to follow than can be looked at"
		}
	}
	return ""
}

// recordChecks says whether a record of known type and length begins at data[p:]
// and checks when running on from before.
func recordChecks(data []byte, p int, before uint32, s sizes) bool {
	if p > len(data)-frameBytes {
		return false
	}
	payload, ok := s.payload(data[p])
	if !ok || binary.LittleEndian.Uint32(data[p+1:]) != uint32(payload) || payload > len(data)-p-frameBytes {
		return false
	}
	_, _, reason := nextRecord(data[p:], before)
	return reason == ""
}
