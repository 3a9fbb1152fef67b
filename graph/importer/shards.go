package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"zeroth/internal/safetensors"
)

const (
	maxIndexed = 1 << 15 // tensors
	maxShards  = 512     // files kept open
)

// shard is one file of a model in several, and what the index says is in it.
type shard struct {
	name    string
	tensors map[string]bool
}

// parseIndex reads model.safetensors.index.json:
//
//	{"metadata": {…}, "weight_map": {"tensor": "file", …}}
//
// and returns the shards sorted by name.
func parseIndex(text []byte) ([]shard, error) {
	values, err := object(text, maxConfigKeys)
	if err != nil {
		return nil, err
	}
	if values["weight_map"] == nil {
		return nil, fmt.Errorf("weight_map is not given: %w", ErrInvalid)
	}
	places, err := object(values["weight_map"], maxIndexed)
	if err != nil {
		return nil, fmt.Errorf("weight_map: %w", err)
	}
	byName := make(map[string]shard)
	for _, tensor := range slices.Sorted(maps.Keys(places)) {
		value := places[tensor]
		var name string
		if json.Unmarshal(value, &name) != nil || !isShardName(name) {
			return nil, fmt.Errorf("weight_map: tensor %.64q: %.64s: want the plain name of a .safetensors file in the folder: %w", tensor, value, ErrInvalid)
		}
		file, found := byName[name]
		if !found {
			if len(byName) == maxShards {
				return nil, fmt.Errorf("weight_map: more than %d shards: %w", maxShards, ErrInvalid)
			}
			file = shard{name: name, tensors: make(map[string]bool)}
			byName[name] = file
		}
		file.tensors[tensor] = true
	}
	shards := make([]shard, 0, len(byName))
	for _, file := range byName {
		shards = append(shards, file)
	}
	slices.SortFunc(shards, func(a, b shard) int { return strings.Compare(a.name, b.name) })
	return shards, nil
}

// isShardName says whether name is a file's plain name, on any system.
func isShardName(name string) bool {
	return len(name) <= 255 && strings.HasSuffix(name, ".safetensors") && filepath.IsLocal(name) &&
		!strings.ContainsFunc(name, func(char rune) bool {
			return strings.ContainsRune(`/\:`, char) || char < 0x20 || char == 0x7f
		})
}

// compare checks that the shard holds what the index says, and no more.
func (s shard) compare(file *safetensors.File) error {
	for _, tensor := range file.Tensors() {
		if !s.tensors[tensor.Name] {
			return fmt.Errorf("weight_map: tensor %q is in %s but not listed there: fetch index and shards from one place: %w", tensor.Name, s.name, ErrInvalid)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.tensors)) {
		if _, found := file.Lookup(name); !found {
			return fmt.Errorf("weight_map: tensor %.64q is listed in %s but not there: fetch index and shards from one place: %w", name, s.name, ErrInvalid)
		}
	}
	return nil
}
