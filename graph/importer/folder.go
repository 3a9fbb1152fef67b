package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"zeroth/internal/readat"
	"zeroth/internal/safetensors"
)

const (
	configFile = "config.json"
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"

	maxConfigBytes = 1 << 20
	maxIndexBytes  = 1 << 20 // the 405B Llama's has 0.1 MB
)

// folder is an open Hugging Face checkpoint.
type folder struct {
	name    string
	config  Config
	form    family
	opened  []io.Closer
	files   []weightFile
	weights map[string]stored // by the names of Config.Weights
}

// weightFile is an open file of weights.
type weightFile struct {
	name    string
	size    int64
	tensors *safetensors.File
}

// stored is where a weight lies, under the name its file has for it.
type stored struct {
	file       *safetensors.File
	name       string
	transposed bool // as [inputs, outputs]
}

// openFolder opens and validates the checkpoint in the folder at path.
func openFolder(path string) (_ *folder, err error) {
	// Through a Root no name and no symlink leads out of the folder.
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := readSmall(root, configFile, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the folder has no %s: %w", configFile, ErrUnknownFormat)
	}
	if err != nil {
		return nil, err
	}
	whole, err := filepath.Abs(path) // "." has a name too
	if err != nil {
		return nil, err
	}
	f := &folder{name: filepath.Base(whole), weights: make(map[string]stored)}
	f.config, err = parseHFConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	f.form, _ = familyOf(f.config.Architecture)
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := f.openWeights(root); err != nil {
		return nil, err
	}
	if err := f.refuseUnknown(); err != nil {
		return nil, err
	}
	return f, Validate(f)
}

// openWeights opens the one file of weights, or the shards.
func (f *folder) openWeights(root *os.Root) error {
	file, err := f.openTensors(root, singleFile)
	if err == nil {
		return f.addAll(file, singleFile)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := readSmall(root, indexFile, maxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the folder has neither %s nor %s: save the model as safetensors: %w", singleFile, indexFile, ErrUnknownFormat)
	}
	if err != nil {
		return err
	}
	shards, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", indexFile, err)
	}
	for _, shard := range shards {
		file, err := f.openTensors(root, shard.name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: weight_map: %s is not in the folder: fetch all shards: %w", indexFile, shard.name, ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", indexFile, err)
		}
		if err := shard.compare(file); err != nil {
			return fmt.Errorf("%s: %w", indexFile, err)
		}
		if err := f.addAll(file, shard.name); err != nil {
			return err
		}
	}
	return nil
}

// openTensors opens a safetensors file, which Close will close.
func (f *folder) openTensors(root *os.Root, name string) (*safetensors.File, error) {
	source, size, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	f.opened = append(f.opened, source)
	file, err := safetensors.New(source, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrInvalid, err)
	}
	f.files = append(f.files, weightFile{name, size, file})
	return file, nil
}

// addAll enters a file's tensors under the names of Config.Weights.
func (f *folder) addAll(file *safetensors.File, fileName string) error {
	for _, tensor := range file.Tensors() {
		name := f.form.fullName(tensor.Name)
		if before, twice := f.weights[name]; twice {
			return fmt.Errorf("%s: tensor %q and tensor %q are the same weight: %w", fileName, tensor.Name, before.name, ErrInvalid)
		}
		f.weights[name] = stored{file, tensor.Name, len(tensor.Shape) == 2 && f.form.isTransposed(name)}
	}
	return nil
}

// refuseUnknown drops tensors that are known not to matter and fails for any
// other that the config does not ask for: leaving out a bias or a layer would
// compute another model without a word.
func (f *folder) refuseUnknown() error {
	for name, other := range f.form.spellings {
		if _, found := f.weights[name]; found {
			continue
		}
		if weight, found := f.weights[other]; found {
			f.weights[name] = weight
			delete(f.weights, other)
		}
	}
	needed := make(map[string]bool)
	for weight := range f.config.Weights() {
		needed[weight.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(f.weights)) {
		if needed[name] {
			continue
		}
		if f.form.unneeded(f.config, name) {
			delete(f.weights, name)
			continue
		}
		return fmt.Errorf("tensor %q: a %s model of %d layers has no such weight: is %s that of another model? %w",
			f.weights[name].name, f.config.Architecture, f.config.Layers, configFile, ErrUnsupported)
	}
	return nil
}

func (f *folder) Config() Config  { return f.config }
func (f *folder) Names() []string { return f.config.weightNames() }
func (f *folder) Source() string  { return "Hugging Face " + f.name }

func (f *folder) Close() error {
	var errs []error
	for _, file := range f.opened {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

func (f *folder) Tensor(name string) (Info, error) {
	weight, found := f.weights[name]
	if !found {
		return Info{}, fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	tensor, _ := weight.file.Lookup(weight.name)
	info := Info{Shape: tensor.Shape, DType: tensor.DType}
	if weight.transposed {
		info.Shape = []int{tensor.Shape[1], tensor.Shape[0]}
	}
	return info, nil
}

func (f *folder) ReadF32(name string, dst []float32) error { return readWhole(f, name, dst) }

func (f *folder) ReadRows(name string, first int, dst []float32) error {
	info, err := f.Tensor(name)
	if err != nil {
		return err
	}
	rowLength, err := checkRows(name, info.Shape, first, len(dst))
	if err != nil {
		return err
	}
	weight := f.weights[name]
	if weight.transposed {
		return weight.readColumns(first, dst, info.Shape)
	}
	return weight.file.ReadPart(weight.name, int64(first)*int64(rowLength), dst)
}

// readColumns reads rows of a matrix [outputs, inputs] that is stored as
// [inputs, outputs]: a piece of each stored row becomes a column of dst.
func (w stored) readColumns(first int, dst []float32, shape []int) error {
	outputs, inputs := shape[0], shape[1]
	piece := make([]float32, len(dst)/inputs)
	for column := range inputs {
		if err := w.file.ReadPart(w.name, int64(column)*int64(outputs)+int64(first), piece); err != nil {
			return err
		}
		for row, v := range piece {
			dst[row*inputs+column] = v
		}
	}
	return nil
}

// openRegular opens a regular file below root and returns its size.
func openRegular(root *os.Root, name string) (*os.File, int64, error) {
	file, size, err := readat.OpenIn(root, name)
	if readat.IsUseless(err) {
		return nil, 0, fmt.Errorf("%w: %w", err, ErrInvalid)
	}
	if err != nil {
		if link, linkErr := root.Lstat(name); linkErr == nil && link.Mode()&fs.ModeSymlink != 0 {
			return nil, 0, fmt.Errorf("%s: a symlink that leads outside the folder or nowhere: copy the folder with cp -rL and open the copy: %w", name, ErrInvalid)
		}
		return nil, 0, err
	}
	return file, size, nil
}

// readSmall reads a whole file of at most limit bytes.
func readSmall(root *os.Root, name string, limit int64) ([]byte, error) {
	file, size, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > limit {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are allowed: %w", name, size, limit, ErrInvalid)
	}
	text := make([]byte, size)
	return text, readat.Full(file, text, 0)
}
