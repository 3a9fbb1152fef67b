package adapter

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zeroth/internal/readat"
	"zeroth/internal/safetensors"
)

const (
	configName  = "adapter_config.json"
	weightsName = "adapter_model.safetensors"
	keyPrefix   = "base_model.model."
	keySuffixA  = ".lora_A.weight"
	keySuffixB  = ".lora_B.weight"
)

// Read reads the adapter in a folder, as PEFT's save_pretrained leaves it: F32,
// F16, BF16 or F64 tensors, returned as float32, sites sorted by module. Alpha is
// such that Alpha/Rank is the scale, also for rank-stabilised LoRA.
func Read(dir string) (*Adapter, error) {
	configPath := filepath.Join(dir, configName)
	data, err := readSmall(configPath)
	if err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	config, err := decodeConfig(data)
	if err != nil {
		return nil, fmt.Errorf("adapter: %s: %w", configPath, err)
	}
	weightsPath := filepath.Join(dir, weightsName)
	file, err := safetensors.Open(weightsPath)
	if errors.Is(err, fs.ErrNotExist) {
		if _, old := os.Stat(filepath.Join(dir, "adapter_model.bin")); old == nil {
			return nil, fmt.Errorf("adapter: %s holds adapter_model.bin, a pickle: save it again with safe_serialization=True: %w", dir, ErrUnsupported)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	defer file.Close()
	a, err := readTensors(file, config)
	if err != nil {
		return nil, fmt.Errorf("adapter: %s: %w", weightsPath, err)
	}
	return a, nil
}

// readSmall reads a regular file of at most maxConfigBytes.
func readSmall(path string) ([]byte, error) {
	file, size, err := readat.Open(path)
	if readat.IsUseless(err) {
		return nil, fmt.Errorf("%w: %w", err, ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxConfigBytes {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read: %w", path, size, maxConfigBytes, ErrFormat)
	}
	data := make([]byte, size)
	if err := readat.Full(file, data, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// pair is the two tensors of a module.
type pair struct{ a, b *safetensors.Tensor }

// readTensors holds names and shapes against the config, and only then reads.
func readTensors(file *safetensors.File, config *readConfig) (*Adapter, error) {
	pairs, err := pairTensors(file.Tensors())
	if err != nil {
		return nil, err
	}
	a := &Adapter{Base: config.base}
	for _, module := range slices.Sorted(maps.Keys(pairs)) {
		a.Sites = append(a.Sites, Site{Module: module})
	}
	if len(a.Sites) == 0 {
		return nil, fmt.Errorf("there are no LoRA tensors: %w", ErrFormat)
	}
	for i := range a.Sites {
		site := &a.Sites[i]
		if err := a.fitShapes(site, pairs[site.Module]); err != nil {
			return nil, err
		}
	}
	if err := config.checkRank(a.Rank); err != nil {
		return nil, err
	}
	a.Alpha = config.scaledAlpha(a.Rank)
	for _, site := range a.Sites {
		loraA := make([]float32, a.Rank*site.In)
		loraB := make([]float32, site.Out*a.Rank)
		if err := file.ReadF32(keyPrefix+site.Module+keySuffixA, loraA); err != nil {
			return nil, err
		}
		if err := file.ReadF32(keyPrefix+site.Module+keySuffixB, loraB); err != nil {
			return nil, err
		}
		a.A, a.B = append(a.A, loraA), append(a.B, loraB)
	}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return a, nil
}

// pairTensors sorts tensors into modules; every tensor must be half of a pair.
func pairTensors(tensors []safetensors.Tensor) (map[string]pair, error) {
	pairs := make(map[string]pair, len(tensors)/2)
	for i := range tensors {
		tensor := &tensors[i]
		module, isA, err := splitKey(tensor.Name)
		if err != nil {
			return nil, err
		}
		both := pairs[module]
		if isA {
			both.a = tensor
		} else {
			both.b = tensor
		}
		pairs[module] = both
	}
	for _, module := range slices.Sorted(maps.Keys(pairs)) {
		if both := pairs[module]; both.a == nil || both.b == nil {
			return nil, fmt.Errorf("module %s has only one of lora_A and lora_B: %w", module, ErrFormat)
		}
	}
	return pairs, nil
}

// splitKey takes a tensor's name apart. Names that belong to a part of PEFT we
// lack are told from names that mean nothing.
func splitKey(key string) (module string, isA bool, err error) {
	for _, foreign := range [...]struct{ part, meaning string }{
		{".lora_magnitude_vector", "DoRA is not supported: merge the adapter into the model"},
		{".lora_embedding_", "LoRA on an embedding is not supported: train without it"},
		{".modules_to_save.", "whole modules beside the LoRA are not supported: train without modules_to_save"},
	} {
		if strings.Contains(key, foreign.part) {
			return "", false, fmt.Errorf("tensor %.200q: %s: %w", key, foreign.meaning, ErrUnsupported)
		}
	}
	rest, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return "", false, fmt.Errorf("tensor %.200q: the name does not begin with %s: save the adapter with PEFT's save_pretrained: %w", key, keyPrefix, ErrFormat)
	}
	module, isA = strings.CutSuffix(rest, keySuffixA)
	if !isA {
		module, ok = strings.CutSuffix(rest, keySuffixB)
		if !ok {
			return "", false, fmt.Errorf("tensor %.200q: is neither …%s nor …%s: %w (weights and biases beside the LoRA are not supported; a name within lora_A means it was not saved with save_pretrained)", key, keySuffixA, keySuffixB, ErrUnsupported)
		}
	}
	if err := checkModule(module); err != nil {
		return "", false, fmt.Errorf("tensor %.200q: %v: %w", key, err, ErrFormat)
	}
	return module, isA, nil
}

// fitShapes fills in the site's dims, and the adapter's rank from its first
// site.
func (a *Adapter) fitShapes(site *Site, both pair) error {
	shapeA, shapeB := both.a.Shape, both.b.Shape
	if len(shapeA) != 2 || len(shapeB) != 2 {
		return fmt.Errorf("module %s: lora_A is %v and lora_B %v, only linear layers (two dims each) are supported: %w", site.Module, shapeA, shapeB, ErrUnsupported)
	}
	if shapeA[0] != shapeB[1] || min(shapeA[0], shapeA[1], shapeB[0]) < 1 || int64(max(shapeA[1], shapeB[0])) >= maxDim || shapeA[0] > maxRank {
		return fmt.Errorf("module %s: lora_A is %v and lora_B %v, must be [r, in] and [out, r]: %w", site.Module, shapeA, shapeB, ErrFormat)
	}
	if a.Rank == 0 {
		a.Rank = shapeA[0]
	}
	if shapeA[0] != a.Rank {
		return fmt.Errorf("module %s has rank %d and %s rank %d: one rank for all modules is needed: %w", a.Sites[0].Module, a.Rank, site.Module, shapeA[0], ErrUnsupported)
	}
	site.Out, site.In = shapeB[0], shapeA[1]
	return nil
}

// checkRank holds the rank of the tensors against r, or against rank_pattern if
// that gives all of them another.
func (c *readConfig) checkRank(rank int) error {
	for _, other := range c.rankPatterns {
		if other != rank {
			return fmt.Errorf("rank_pattern holds %d, the tensors have rank %d: one rank for all modules is needed: %w", other, rank, ErrUnsupported)
		}
	}
	if rank != c.rank && len(c.rankPatterns) == 0 {
		return fmt.Errorf("r is %d in %s, the tensors have rank %d: %w", c.rank, configName, rank, ErrFormat)
	}
	return nil
}
