package journal

import (
	"fmt"
	"math"
	"sort"
	"unicode"
	"unicode/utf8"
)

// Limits on what a header may hold; see Layout.
const (
	maxRank        = 1 << 16
	maxQueries     = 1 << 12
	maxSites       = 1 << 16
	maxSettings    = 1 << 10
	maxNameBytes   = 256
	maxValueBytes  = 1<<16 - 1
	maxHeaderBytes = 1 << 20
)

// Site is a place in the program that carries a LoRA: the id that the
// perturbations are drawn by, and its name ("model.layers.3.self_attn.q_proj").
type Site struct {
	ID   uint64
	Name string
}

// Header says what a run is: everything that, with the data, decides its bits.
type Header struct {
	Program  [32]byte          // SHA-256 fingerprint of the program file's header
	Start    [32]byte          // fingerprint of the adapter started from; zero: none
	Seed     uint64            // run seed
	Rank     int               // LoRA rank r
	Alpha    float32           // LoRA alpha; the scale is alpha/r
	Sampler  uint32            // id of the perturbations' distribution, not 0
	Q        int               // queries a step: each step record holds q projected gradients
	Eps      float32           // size of the perturbation
	Sites    []Site            // the trained sites, in the program's order
	Settings map[string]string // whatever else describes the run: task, batch, data hashes, schedule
}

// check says which rule of the layout the header breaks, if any.
func (h *Header) check() error {
	switch {
	case h.Rank < 1 || h.Rank > maxRank:
		return fmt.Errorf("rank is %d, must be 1 … %d", h.Rank, maxRank)
	case !positive(h.Alpha):
		return fmt.Errorf("alpha is %v, must be finite and above 0", h.Alpha)
	case h.Sampler == 0:
		return fmt.Errorf("sampler id is 0, must name a sampler")
	case h.Q < 1 || h.Q > maxQueries:
		return fmt.Errorf("q is %d, must be 1 … %d", h.Q, maxQueries)
	case !positive(h.Eps):
		return fmt.Errorf("eps is %v, must be finite and above 0", h.Eps)
	case len(h.Sites) < 1 || len(h.Sites) > maxSites:
		return fmt.Errorf("there are %d sites, must be 1 … %d", len(h.Sites), maxSites)
	case len(h.Settings) > maxSettings:
		return fmt.Errorf("there are %d settings, at most %d fit", len(h.Settings), maxSettings)
	}
	if err := checkSites(h.Sites); err != nil {
		return err
	}
	for _, key := range sortedKeys(h.Settings) {
		if err := checkName(key); err != nil {
			return fmt.Errorf("setting key %q: %w", key, err)
		}
		if value := h.Settings[key]; len(value) > maxValueBytes || !utf8.ValidString(value) {
			return fmt.Errorf("setting %q: value of %d bytes must be UTF-8 of at most %d bytes", key, len(value), maxValueBytes)
		}
	}
	if n := headerBytes(h); n > maxHeaderBytes {
		return fmt.Errorf("header has %d bytes, at most %d fit: shorten the settings", n, maxHeaderBytes)
	}
	return nil
}

func checkSites(sites []Site) error {
	ids := make(map[uint64]int, len(sites))
	names := make(map[string]int, len(sites))
	for i, site := range sites {
		if err := checkName(site.Name); err != nil {
			return fmt.Errorf("site %d: name %q: %w", i, site.Name, err)
		}
		if first, seen := ids[site.ID]; seen {
			return fmt.Errorf("sites %d and %d have the same id %d", first, i, site.ID)
		}
		if first, seen := names[site.Name]; seen {
			return fmt.Errorf("sites %d and %d have the same name %q", first, i, site.Name)
		}
		ids[site.ID], names[site.Name] = i, i
	}
	return nil
}

// checkName holds for site names and setting keys.
func checkName(name string) error {
	if len(name) < 1 || len(name) > maxNameBytes {
		return fmt.Errorf("has %d bytes, must have 1 … %d", len(name), maxNameBytes)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("is not UTF-8")
	}
	for _, char := range name {
		if !unicode.IsPrint(char) {
			return fmt.Errorf("holds the unprintable character %U", char)
		}
	}
	return nil
}

// Mismatch compares the header of a journal with that of the run someone wants
// to continue or replay. It returns nil where they are the same, and otherwise
// an error that wraps ErrMismatch and names the first field that differs.
func (h *Header) Mismatch(want *Header) error {
	differs := func(field string, journal, wanted any) error {
		return fmt.Errorf("%s is %v in the journal and %v now: %w", field, journal, wanted, ErrMismatch)
	}
	switch {
	case h.Program != want.Program:
		return differs("program fingerprint", shortHex(h.Program), shortHex(want.Program))
	case h.Start != want.Start:
		return differs("start adapter fingerprint", shortHex(h.Start), shortHex(want.Start))
	case h.Seed != want.Seed:
		return differs("seed", h.Seed, want.Seed)
	case h.Rank != want.Rank:
		return differs("rank", h.Rank, want.Rank)
	case h.Alpha != want.Alpha:
		return differs("alpha", h.Alpha, want.Alpha)
	case h.Sampler != want.Sampler:
		return differs("sampler id", h.Sampler, want.Sampler)
	case h.Q != want.Q:
		return differs("q", h.Q, want.Q)
	case h.Eps != want.Eps:
		return differs("eps", h.Eps, want.Eps)
	case len(h.Sites) != len(want.Sites):
		return differs("number of sites", len(h.Sites), len(want.Sites))
	}
	for i := range h.Sites {
		if h.Sites[i] != want.Sites[i] {
			return differs(fmt.Sprintf("site %d", i), h.Sites[i], want.Sites[i])
		}
	}
	return h.settingsMismatch(want)
}

func (h *Header) settingsMismatch(want *Header) error {
	for _, key := range sortedKeys(h.Settings) {
		value, there := want.Settings[key]
		if !there {
			return fmt.Errorf("setting %q is %q in the journal and absent now: %w", key, h.Settings[key], ErrMismatch)
		}
		if value != h.Settings[key] {
			return fmt.Errorf("setting %q is %q in the journal and %q now: %w", key, h.Settings[key], value, ErrMismatch)
		}
	}
	for _, key := range sortedKeys(want.Settings) {
		if _, there := h.Settings[key]; !there {
			return fmt.Errorf("setting %q is absent in the journal and %q now: %w", key, want.Settings[key], ErrMismatch)
		}
	}
	return nil
}

func shortHex(fingerprint [32]byte) string { return fmt.Sprintf("%x…", fingerprint[:6]) }

func sortedKeys(settings map[string]string) []string {
	keys := make([]string, 0, len(settings))
	for key := range settings {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func finite(value float64) bool { return !math.IsNaN(value) && !math.IsInf(value, 0) }

func positive(value float32) bool { return finite(float64(value)) && value > 0 }
