package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// ErrSpec is wrapped when a study is asked for that cannot be.
var ErrSpec = errors.New("invalid study")

// Spec says what a study compares.
type Spec struct {
	Rows        int64    `json:"rows"`        // forward rows of a run, where its task has no number of its own
	Evaluations int      `json:"evaluations"` // of a run, that before the first step not counted; 0: 16
	Seeds       int      `json:"seeds"`       // runs of each method's best setting; 0: 5
	SearchSeeds int      `json:"searchSeeds"` // runs that judge a learning rate; 0: 1
	Factor      float64  `json:"factor"`      // between neighbouring learning rates; 0: 2
	Baseline    string   `json:"baseline"`    // the method that others are measured against; empty: the first
	Tasks       []Task   `json:"tasks"`
	Methods     []Method `json:"methods"`
}

// Task is what is learned.
type Task struct {
	Name    string `json:"name"`
	Program string `json:"program"` // file
	Kind    string `json:"kind"`    // what is measured: KindLoss or KindGradient
	Rows    int64  `json:"rows"`    // 0: the spec's
	Flags   Flags  `json:"flags"`   // of zeroth train: data, held-out, task …
}

// What the runs of a task are measured by.
const (
	// KindLoss is the held-out loss.
	KindLoss = ""
	// KindGradient is what estimators are for: 1 − the cosine between the sum of
	// all estimates until then and the true gradient of the held-out loss. The
	// model stands still, and rates are not searched.
	KindGradient = "gradient"
)

// Method is a way to train.
type Method struct {
	Name  string             `json:"name"`
	LR    float64            `json:"lr"`    // where the search begins
	Share float64            `json:"share"` // of the budget that it gets; 0: all
	Flags Flags              `json:"flags"` // of zeroth train: estimator, optimizer, q …
	Grid  map[string][]Value `json:"grid"`  // flags of which each combination is tried
	Tasks []string           `json:"tasks"` // names of the tasks it is for; none: all
}

// Flags are flags by name, without dashes.
type Flags map[string]Value

// Value is a flag's value. JSON has it as text, a number, or true.
type Value string

// UnmarshalJSON reads one.
func (v *Value) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(v))
	}
	switch raw[0] {
	case '{', '[', 'n', 'f':
		return fmt.Errorf("%w: a flag's value is %s, want text, a number or true", ErrSpec, raw)
	}
	*v = Value(raw)
	return nil
}

// Limits on what a spec may ask for.
const (
	maxPoints = 1000 // of a method's grid
	maxSeeds  = 1000
)

// set are the flags that a study sets itself.
var set = []string{"seed", "steps", "lr", "eval-every", "out", "json", "resume", "threads", "backend", "cpus", "profile", "trace", "test"}

// Read reads a spec, fills in what it leaves out, and checks it.
func Read(r io.Reader) (*Spec, error) {
	raw, err := io.ReadAll(io.LimitReader(r, 1<<20+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > 1<<20 {
		return nil, fmt.Errorf("%w: more than 1 MiB", ErrSpec)
	}
	s := &Spec{Evaluations: 16, Seeds: 5, SearchSeeds: 1, Factor: 2}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpec, err)
	}
	if decoder.More() {
		return nil, fmt.Errorf("%w: something follows the spec", ErrSpec)
	}
	if s.Baseline == "" && len(s.Methods) > 0 {
		s.Baseline = s.Methods[0].Name
	}
	return s, s.check()
}

func (s *Spec) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrSpec}, args...)...)
	}
	switch {
	case s.Evaluations < 1 || s.Evaluations > 1000:
		return bad("evaluations is %d, must be 1 to 1000", s.Evaluations)
	case s.Seeds < 1 || s.Seeds > maxSeeds:
		return bad("seeds is %d, must be 1 to %d", s.Seeds, maxSeeds)
	case s.SearchSeeds < 1 || s.SearchSeeds > s.Seeds:
		return bad("searchSeeds is %d, must be 1 to seeds, %d", s.SearchSeeds, s.Seeds)
	case !(s.Factor >= 1.1 && s.Factor <= 100):
		return bad("factor is %g, must be 1.1 to 100", s.Factor)
	case len(s.Tasks) == 0:
		return bad("there are no tasks")
	case len(s.Methods) == 0:
		return bad("there are no methods")
	}
	var names []string
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.Rows == 0 {
			t.Rows = s.Rows
		}
		switch {
		case t.Name == "" || slices.Contains(names, t.Name):
			return bad("task %d: the name %q is empty or not its own", i+1, t.Name)
		case t.Program == "":
			return bad("task %s: the program is missing", t.Name)
		case t.Kind != KindLoss && t.Kind != KindGradient:
			return bad("task %s: kind is %q, must be %q or left out", t.Name, t.Kind, KindGradient)
		case t.Rows < 1:
			return bad("task %s: rows is %d, must be at least 1", t.Name, t.Rows)
		}
		if err := t.Flags.check(); err != nil {
			return fmt.Errorf("task %s: %w", t.Name, err)
		}
		names = append(names, t.Name)
	}
	return s.checkMethods(names, bad)
}

func (s *Spec) checkMethods(tasks []string, bad func(string, ...any) error) error {
	var names []string
	for i := range s.Methods {
		m := &s.Methods[i]
		switch {
		case m.Name == "" || slices.Contains(names, m.Name):
			return bad("method %d: the name %q is empty or not its own", i+1, m.Name)
		case !(m.LR > 0 && m.LR <= math.MaxFloat32):
			return bad("method %s: lr is %g, must be above 0", m.Name, m.LR)
		case !(m.Share >= 0 && m.Share <= 1):
			return bad("method %s: share is %g, must be 0 to 1", m.Name, m.Share)
		}
		if err := m.Flags.check(); err != nil {
			return fmt.Errorf("method %s: %w", m.Name, err)
		}
		points := 1
		for name, values := range m.Grid {
			if err := (Flags{name: ""}).check(); err != nil {
				return fmt.Errorf("method %s: %w", m.Name, err)
			}
			if len(values) == 0 || len(values) > maxPoints/points {
				return bad("method %s: grid of %s: no values, or more than %d points in all", m.Name, name, maxPoints)
			}
			points *= len(values)
		}
		for _, task := range m.Tasks {
			if !slices.Contains(tasks, task) {
				return bad("method %s: there is no task %q", m.Name, task)
			}
		}
		names = append(names, m.Name)
	}
	if !slices.Contains(names, s.Baseline) {
		return bad("there is no method %q to be the baseline", s.Baseline)
	}
	return nil
}

// check refuses what is no flag, and flags that the study sets.
func (f Flags) check() error {
	for name := range f {
		switch {
		case name == "" || strings.ContainsAny(name, "= ") || name[0] == '-':
			return fmt.Errorf("%w: %q is no flag: leave out the dashes", ErrSpec, name)
		case slices.Contains(set, name):
			return fmt.Errorf("%w: the study sets %q itself", ErrSpec, name)
		}
	}
	return nil
}

// isFor reports whether a method is for a task.
func (m *Method) isFor(task string) bool { return len(m.Tasks) == 0 || slices.Contains(m.Tasks, task) }

// points are the combinations of a grid, in the order of names and values.
func (m *Method) points() []Flags {
	points := []Flags{{}}
	names := make([]string, 0, len(m.Grid))
	for name := range m.Grid {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var longer []Flags
		for _, point := range points {
			for _, value := range m.Grid[name] {
				longer = append(longer, merge(point, Flags{name: value}))
			}
		}
		points = longer
	}
	return points
}

// merge are the flags of all, later ones first.
func merge(all ...Flags) Flags {
	out := Flags{}
	for _, flags := range all {
		for name, value := range flags {
			out[name] = value
		}
	}
	return out
}
