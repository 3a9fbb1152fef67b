package study

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// ErrCSV is wrapped when a file is not what [WriteCSV] writes.
var ErrCSV = errors.New("invalid table of a study")

// maxCSV is the most bytes that ReadCSV takes.
const maxCSV = 64 << 20

// ReadCSV reads what WriteCSV writes, of another study or by another program, to
// be shown beside a study's own outcomes. A run with fewer evaluations than
// others of its outcome has diverged.
func ReadCSV(r io.Reader) ([]Outcome, error) {
	limited := &io.LimitedReader{R: r, N: maxCSV + 1}
	lines := csv.NewReader(limited)
	lines.FieldsPerRecord, lines.ReuseRecord = len(columns), true
	var outcomes []Outcome
	places := map[[2]string]int{} // of outcomes, by task and method
	for first := true; ; first = false {
		line, err := lines.Read()
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("%w: more than %d MiB", ErrCSV, maxCSV>>20)
		case err == io.EOF && !first:
			markDiverged(outcomes)
			return outcomes, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrCSV, err)
		case first && strings.Join(line, ",") != strings.Join(columns, ","):
			return nil, fmt.Errorf("%w: its first line must be %s", ErrCSV, strings.Join(columns, ","))
		case first:
			continue
		}
		key := [2]string{line[0], line[1]}
		at, known := places[key]
		if !known {
			at, places[key] = len(outcomes), len(outcomes)
			outcomes = append(outcomes, Outcome{Task: line[0], Method: line[1], Flags: flagsOf(line[2])})
		}
		if err := outcomes[at].add(line); err != nil {
			number, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w: %w", number, ErrCSV, err)
		}
	}
}

// add adds a line's evaluation to the run of its seed.
func (o *Outcome) add(line []string) error {
	lr, err := number(line[3])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(line[4], 10, 64)
	if err != nil {
		return err
	}
	var p Point
	if p.Step, err = strconv.ParseUint(line[5], 10, 64); err != nil {
		return err
	}
	if p.Rows, err = strconv.ParseInt(line[6], 10, 64); err != nil {
		return err
	}
	if p.Loss, err = number(line[7]); err != nil {
		return err
	}
	if line[8] != "" {
		accuracy, err := number(line[8])
		if err != nil {
			return err
		}
		p.Accuracy = &accuracy
	}
	if n := len(o.Runs); n == 0 || o.Runs[n-1].Cell.Seed != seed {
		o.Runs = append(o.Runs, Result{Cell: Cell{Task: o.Task, Method: o.Method, Flags: o.Flags, LR: lr, Seed: seed}})
	}
	run := &o.Runs[len(o.Runs)-1]
	if n := len(run.Points); n > 0 && (p.Rows < run.Points[n-1].Rows || p.Step <= run.Points[n-1].Step) || p.Rows < 0 {
		return fmt.Errorf("step %d after %d rows: steps and rows of a run must rise", p.Step, p.Rows)
	}
	o.LR, run.Steps, run.Points = lr, p.Step, append(run.Points, p)
	return nil
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("%q is not finite", text)
	}
	return v, err
}

// flagsOf reads what [Flags.Words] writes.
func flagsOf(words string) Flags {
	flags := Flags{}
	for _, word := range strings.Split(" "+words, " --")[1:] {
		name, value, valued := strings.Cut(word, " ")
		if !valued {
			value = "true"
		}
		flags[name] = Value(value)
	}
	return flags
}

// markDiverged tells the runs that ended early.
func markDiverged(outcomes []Outcome) {
	for i := range outcomes {
		longest := 0
		for _, r := range outcomes[i].Runs {
			longest = max(longest, len(r.Points))
		}
		for j := range outcomes[i].Runs {
			run := &outcomes[i].Runs[j]
			run.Diverged = len(run.Points) < longest
		}
	}
}
