package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// isTerminal reports whether w shows to a person.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// byteBar shows the progress of something measured in bytes; it is silent
// where nobody watches.
type byteBar struct {
	label string
	out   io.Writer
	bar   *progressbar.ProgressBar
}

func newByteBar(out io.Writer, label string) *byteBar { return &byteBar{label: label, out: out} }

func (b *byteBar) set(done, total int64) {
	if !isTerminal(b.out) {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription(b.label), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	_ = b.bar.Set64(done) // a terminal that cannot be drawn to is no reason to stop
}

func (b *byteBar) finish() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

// countBar shows how many of a total are done where somebody watches, and takes
// itself away when all are. It is nil where nobody does.
func countBar[N int | uint64](out io.Writer, label string, total N) func(done N) {
	if !isTerminal(out) {
		return nil
	}
	bar := progressbar.NewOptions64(int64(total), progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(label),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(redrawEvery), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	return func(done N) { _ = bar.Set64(int64(done)) } // a terminal that cannot be drawn to is no reason to stop
}
