package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zeroth/graph/importer"
)

// A program that is interrupted while it is written leaves nothing, and what
// stood in its place stays.
func TestInterruptedSynthLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "m.zpt")
	if err := os.WriteFile(out, []byte("before"), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // until the temporary file is there
		for ctx.Err() == nil {
			if entries, err := os.ReadDir(folder); err != nil || len(entries) > 1 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	o := synthOptions{Arch: "llama-3-8b", Out: out, Quant: quantOptions{Type: "bf16"}, Weights: importer.Synthetic{Seed: 1}}
	if err := runSynth(ctx, o, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "before" {
		t.Errorf("the old file has %q, %v", text, err)
	}
}
