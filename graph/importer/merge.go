package importer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zeroth/internal/atomicfile"
	"zeroth/internal/safetensors"
)

// LowRank is a product that [Merge] adds to the weight [Out, In] of a linear
// layer: Scale · B A.
type LowRank struct {
	Module  string // the layer's path, such as "model.layers.3.self_attn.q_proj"
	Out, In int
	Rank    int
	Scale   float64
	A       []float32 // [Rank, In] row-major
	B       []float32 // [Out, Rank] row-major
}

// Merge writes the Hugging Face checkpoint in the folder from to the new folder
// to, with the products added to its weights. Shards, index, names, places and
// dtypes stay as they are; sums are of float64, rounded once. What config and
// tokenizer say is copied, and so are licences; the names of what else is in the
// folder come back. The folder appears whole or not at all. progress, which may
// be nil, is told the bytes of weights written so far and in all.
//
// Linear layers are those within the model's layers and behind them. An error
// wraps [ErrMismatch] for a product that fits none, and otherwise is one of
// those of [Open].
func Merge(ctx context.Context, from, to string, products []LowRank, progress func(done, total int64)) (left []string, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder: an adapter is merged into a Hugging Face checkpoint: %w", from, ErrUnsupported)
	}
	f, err := openFolder(from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	defer f.Close()
	changes, err := f.changes(products)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	m := &merger{ctx: ctx, folder: f, root: root, progress: progress}
	for _, file := range f.files {
		m.total += file.size
	}
	err = atomicfile.Folder(to, func(folder string) error {
		left, err = m.copyCompanions(folder)
		for i := 0; i < len(f.files) && err == nil; i++ {
			err = m.rewrite(f.files[i], folder, changes[f.files[i].tensors])
		}
		return err
	})
	return left, err
}

// changes finds the matrix of each product, by the file that holds it and its
// name there.
func (f *folder) changes(products []LowRank) (map[*safetensors.File]map[string]safetensors.Change, error) {
	changes := make(map[*safetensors.File]map[string]safetensors.Change)
	for _, p := range products {
		name := p.Module + ".weight"
		shape := f.linear(name)
		if shape == nil {
			return nil, fmt.Errorf("no linear layer %.200q to add [%d, %d] to: a %s model of %d layers: %w",
				p.Module, p.Out, p.In, f.config.Architecture, f.config.Layers, ErrMismatch)
		}
		if p.Out != shape[0] || p.In != shape[1] {
			return nil, fmt.Errorf("tensor %q is %v, the adapter's product for it [%d, %d]: %w", name, shape, p.Out, p.In, ErrMismatch)
		}
		if p.Rank < 1 || int64(len(p.A)) != int64(p.Rank)*int64(p.In) || int64(len(p.B)) != int64(p.Out)*int64(p.Rank) {
			return nil, fmt.Errorf("tensor %q: %d values of A and %d of B for rank %d: %w", name, len(p.A), len(p.B), p.Rank, ErrArgument)
		}
		place := f.weights[name]
		if changes[place.file] == nil {
			changes[place.file] = make(map[string]safetensors.Change)
		}
		if changes[place.file][place.name] != nil {
			return nil, fmt.Errorf("tensor %q: two products for it: %w", name, ErrArgument)
		}
		changes[place.file][place.name] = p.change(place.transposed)
	}
	return changes, nil
}

// linear returns the shape of a linear layer's matrix, nil for any other name.
func (f *folder) linear(name string) []int {
	all := f.form.layout(f.config)
	layer, rest := splitName(f.form.layers, name)
	weights := all.last
	if layer >= 0 {
		weights = all.layer
	}
	at := slices.IndexFunc(weights, func(w Weight) bool { return w.Name == rest && len(w.Shape) == 2 })
	if at < 0 || layer >= f.config.Layers {
		return nil
	}
	return weights[at].Shape
}

// change adds the product to rows of the stored matrix: W += Scale · B A, or
// Wᵀ += Scale · Aᵀ Bᵀ where that is what is stored.
func (p LowRank) change(otherWay bool) safetensors.Change {
	left, right, columns := p.B, p.A, p.In // [rows, Rank], [Rank, columns]
	if otherWay {
		left, right, columns = transposed(p.A, p.Rank, p.In), transposed(p.B, p.Out, p.Rank), p.Out
	}
	return func(row, column int, values []float64) {
		for r, l := range left[row*p.Rank : (row+1)*p.Rank] {
			factor := p.Scale * float64(l)
			for i, v := range right[r*columns+column:][:len(values)] {
				values[i] += factor * float64(v)
			}
		}
	}
}

// transposed: out[column, row] = values[row, column].
func transposed(values []float32, rows, columns int) []float32 {
	out := make([]float32, len(values))
	for row := range rows {
		for column, v := range values[row*columns : (row+1)*columns] {
			out[column*rows+row] = v
		}
	}
	return out
}

// merger writes one merged checkpoint.
type merger struct {
	ctx         context.Context
	folder      *folder
	root        *os.Root
	progress    func(done, total int64)
	done, total int64
}

// rewrite writes one file of weights.
func (m *merger) rewrite(file weightFile, folder string, changes map[string]safetensors.Change) error {
	err := atomicfile.Write(filepath.Join(folder, file.name), func(out *os.File) error {
		buffered := bufio.NewWriterSize(io.MultiWriter(out, m), 1<<20)
		if err := file.tensors.Rewrite(buffered, changes); err != nil {
			return err
		}
		return buffered.Flush()
	})
	if errors.Is(err, safetensors.ErrArgument) {
		err = fmt.Errorf("%w: %w", ErrArgument, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file.name, err)
	}
	return nil
}

// Write counts what has been written, and ends the merge when it is cancelled.
func (m *merger) Write(data []byte) (int, error) {
	m.done += int64(len(data))
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
	return len(data), m.ctx.Err()
}

// copyCompanions copies what belongs to the checkpoint beside its weights, and
// returns the names of what it leaves.
func (m *merger) copyCompanions(folder string) (left []string, err error) {
	entries, err := fs.ReadDir(m.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."), m.folder.isWeights(name):
		case entry.IsDir() || !m.folder.isCompanion(name):
			left = append(left, name)
		default:
			if err := m.copyFile(name, folder); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

func (m *merger) copyFile(name, folder string) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	source, _, err := openRegular(m.root, name)
	if err != nil {
		return err
	}
	defer source.Close()
	return atomicfile.Write(filepath.Join(folder, name), func(out *os.File) error {
		_, err := io.Copy(out, source)
		return err
	})
}

// isWeights says whether a file is one of those that hold the weights.
func (f *folder) isWeights(name string) bool {
	return slices.ContainsFunc(f.files, func(file weightFile) bool { return file.name == name })
}

// isCompanion tells config, tokenizer, documents and licences from what would be
// wrong beside merged weights: the old weights in another format, an index of
// such, an adapter.
func (f *folder) isCompanion(name string) bool {
	switch {
	case name == indexFile:
		return !f.isWeights(singleFile)
	case name == "adapter_config.json", strings.HasSuffix(name, ".index.json"):
		return false
	case name == "tokenizer.bin":
		return true
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".jinja", ".txt", ".model", ".bpe", ".tiktoken", ".md":
		return true
	}
	upper := strings.ToUpper(name)
	return strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "LICENCE") || strings.HasPrefix(upper, "NOTICE")
}
