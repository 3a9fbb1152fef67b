package gpu

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"

	"zeroth/internal/atomicfile"
	"zeroth/internal/readat"
)

// tileStore keeps the tiles that were found best on a device in a file of the
// user's cache, from one process to the next. Losing it costs time alone: what
// cannot be read, or written, is as if it were not there.
type tileStore struct {
	path string // "": nothing is kept
	name string // Tuned.TuningName
}

// tileFile is what the file holds: tiles by class.
type tileFile struct {
	Device string
	Tiles  map[string]Tile
}

// mostStored is the largest file that is read.
const mostStored = 1 << 20

// newTileStore finds the file of a device.
func newTileStore(name string) tileStore {
	folder, err := os.UserCacheDir()
	if err != nil {
		return tileStore{}
	}
	h := fnv.New64a()
	io.WriteString(h, name)
	return tileStore{filepath.Join(folder, "zeroth", fmt.Sprintf("tiles-%016x.json", h.Sum64())), name}
}

// load reads what is sound of the file.
func (s tileStore) load() map[class]Tile {
	best := make(map[class]Tile)
	file, _, err := readat.Open(s.path)
	if err != nil {
		return best
	}
	defer file.Close()
	var stored tileFile
	if json.NewDecoder(io.LimitReader(file, mostStored)).Decode(&stored) != nil || stored.Device != s.name {
		return best
	}
	for name, t := range stored.Tiles {
		var c class
		if _, err := fmt.Sscanf(name, "%d %d %d %d", &c.weights, &c.rows, &c.M, &c.K); err == nil && c.String() == name && slices.Contains(c.candidates(), t) {
			best[c] = t
		}
	}
	return best
}

// save replaces the file.
func (s tileStore) save(best map[class]Tile) {
	if s.path == "" {
		return
	}
	stored := tileFile{s.name, make(map[string]Tile)}
	for c, t := range best {
		stored.Tiles[c.String()] = t
	}
	data, err := json.MarshalIndent(stored, "", "\t")
	if err == nil && os.MkdirAll(filepath.Dir(s.path), 0o700) == nil {
		_ = atomicfile.WriteBytes(s.path, data)
	}
}
