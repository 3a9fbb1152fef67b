package phone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"zeroth/internal/bytesize"
)

// File is a local file and where it lies on the phone.
type File struct {
	Local  string `json:"local"`
	Remote string `json:"remote"`
	Bytes  int64  `json:"bytes"`
	Sum    string `json:"sha256"`
	Sent   bool   `json:"sent"` // false: the phone had it
}

// sumWords is how many hexadecimal digits of its sum name a file's folder.
const sumWords = 16

// Describe reads a file through to tell where it belongs on the phone.
func Describe(local string) (File, error) {
	file, err := os.Open(local)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("%w: %s is not a file", ErrName, local)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", local, err)
	}
	f := File{Local: local, Bytes: n, Sum: hex.EncodeToString(sum.Sum(nil))}
	f.Remote = path.Join(Root, "files", f.Sum[:sumWords], filepath.Base(local))
	return f, nil
}

// SumOf names a folder of files by their sums.
func SumOf(sums string) string {
	sum := sha256.Sum256([]byte(sums))
	return hex.EncodeToString(sum[:])[:sumWords]
}

// has reports whether the phone holds the file: the name stands for its sum.
func (a *ADB) has(ctx context.Context, f *File) (bool, error) {
	out, err := a.shell(ctx, "stat -c %s "+Quote(f.Remote)+" 2>/dev/null || echo none")
	return err == nil && strings.TrimSpace(string(out)) == strconv.FormatInt(f.Bytes, 10), err
}

// Send brings a file that the run needs to the phone, unless it is there.
func (r *Run) Send(ctx context.Context, f *File, executable bool) error {
	a := r.adb
	there, err := a.has(ctx, f)
	if err != nil || there {
		return err
	}
	if err := a.makeRoom(ctx, f); err != nil {
		return err
	}
	part := f.Remote + "." + r.name() + ".part" // runs may be sent at the same time
	if _, err := a.shell(ctx, "mkdir -p "+Quote(path.Dir(f.Remote))); err != nil {
		return err
	}
	if err := a.transfer(ctx, "push", absolute(f.Local), part); err != nil {
		return err
	}
	out, err := a.shell(ctx, "sha256sum < "+Quote(part))
	if err != nil {
		return err
	}
	if sum, _, _ := strings.Cut(string(out), " "); sum != f.Sum {
		return fmt.Errorf("%w: %s came through with other bytes: %s, want %s", ErrRemote, f.Local, sum, f.Sum)
	}
	command := "mv " + Quote(part) + " " + Quote(f.Remote)
	if executable {
		command = "chmod 755 " + Quote(part) + " && " + command
	}
	_, err = a.shell(ctx, command)
	f.Sent = err == nil
	return err
}

// spare is the room that a run needs beside what is sent.
const spare = 16 << 20

func (a *ADB) makeRoom(ctx context.Context, f *File) error {
	facts, err := a.Facts(ctx)
	if err != nil {
		return err
	}
	if facts.Free > 0 && facts.Free < f.Bytes+spare {
		return fmt.Errorf("%w: %s takes %s and the run %s, %s are free", ErrNoSpace, f.Local, bytesize.Format(f.Bytes), bytesize.Format(spare), bytesize.Format(facts.Free))
	}
	return nil
}

// transfer calls adb push or adb pull.
func (a *ADB) transfer(ctx context.Context, verb, from, to string) error {
	r, err := a.run(ctx, nil, verb, from, to)
	if err != nil {
		return err
	}
	message := orElse(r.stderr, strings.TrimSpace(string(r.stdout)))
	switch {
	case r.code == 0:
		return nil
	case strings.Contains(message, "No space left"):
		return fmt.Errorf("%w: adb %s: %s", ErrNoSpace, verb, message)
	case lost(message) || strings.Contains(message, "connect"):
		return fmt.Errorf("%w: adb %s: %s", ErrLost, verb, message)
	}
	return fmt.Errorf("%w: adb %s: %s", ErrRemote, verb, message)
}

// absolute keeps adb from taking a name for a flag.
func absolute(name string) string {
	if whole, err := filepath.Abs(name); err == nil {
		return whole
	}
	return name
}
