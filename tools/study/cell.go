package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"zeroth/internal/atomicfile"
)

// Cell is one run.
type Cell struct {
	Task        string            `json:"task"`
	Method      string            `json:"method"`
	Program     string            `json:"program"`
	Kind        string            `json:"kind,omitempty"` // of its task
	Flags       Flags             `json:"flags"`
	LR          float64           `json:"lr"`
	Seed        uint64            `json:"seed"`
	Rows        int64             `json:"rows"`
	Evaluations int               `json:"evaluations"`
	Contents    map[string]string `json:"contents"` // hashes of the files that it reads
}

// Result is what a run came to.
type Result struct {
	Cell     Cell    `json:"cell"`
	Steps    uint64  `json:"steps"`
	Points   []Point `json:"points"`   // its evaluations
	Diverged bool    `json:"diverged"` // a loss was no number: there are fewer points
	Seconds  float64 `json:"seconds"`
}

// Point is an evaluation on held-out data.
type Point struct {
	Step     uint64   `json:"step"`
	Rows     int64    `json:"rows"` // gone forward until then
	Loss     float64  `json:"loss"` // or what else its task is measured by
	Accuracy *float64 `json:"accuracy,omitempty"`
}

// Final is the held-out loss at the end: +Inf of a run that diverged.
func (r *Result) Final() float64 {
	if r.Diverged || len(r.Points) == 0 {
		return math.Inf(1)
	}
	return r.Points[len(r.Points)-1].Loss
}

// Runner does a cell.
type Runner interface {
	Run(ctx context.Context, c Cell) (Result, error)
}

// store keeps results in a folder.
type store struct{ folder string }

// path names a cell by the hash of all that decides its bits; its names are
// not among that.
func (s store) path(c Cell) (string, error) {
	c.Task, c.Method, c.Program = "", "", ""
	raw, err := json.Marshal(c) // maps come out sorted
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return filepath.Join(s.folder, hex.EncodeToString(sum[:12])+".json"), nil
}

// get finds a cell's result, or does it.
func (s store) get(ctx context.Context, c Cell, runner Runner) (r Result, done bool, err error) {
	path, err := s.path(c)
	if err != nil {
		return r, false, err
	}
	raw, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(raw, &r); err != nil {
			return r, false, fmt.Errorf("%s: %w (remove it to do the run again)", path, err)
		}
		r.Cell = c
		return r, true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return r, false, err
	}
	if r, err = runner.Run(ctx, c); err != nil {
		return r, false, fmt.Errorf("%s, %s, lr %g, seed %d: %w", c.Task, c.Method, c.LR, c.Seed, err)
	}
	r.Cell = c
	raw, err = json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = atomicfile.WriteBytes(path, append(raw, '\n'))
	}
	return r, false, err
}
