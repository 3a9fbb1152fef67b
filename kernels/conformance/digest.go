package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Digest stands for the bits of an op's results on weights of one type. Two
// machines with the same digests go on with each other's runs bit for bit.
type Digest struct {
	Op      string `json:"op"`
	Weights string `json:"weights"` // the type of packed weights, else f32
	Cases   int    `json:"cases"`
	Sum     string `json:"sum"` // start of the SHA-256 of all results; any NaN counts as any other
}

// Digests runs the cases whose op's name contains a word, in any case of
// letters, on the kernels that the registry picks, and digests their bits.
func Digests(ctx context.Context, registry *kernel.Registry, word string) ([]Digest, error) {
	pool := platform.NewPool(0)
	defer pool.Close()
	var list []Digest
	var sums []hash.Hash
	for _, c := range Cases() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !strings.Contains(strings.ToLower(c.Op.String()), strings.ToLower(word)) {
			continue
		}
		name, weights := c.Op.String(), c.weights().String()
		at := slices.IndexFunc(list, func(d Digest) bool { return d.Op == name && d.Weights == weights })
		if at < 0 {
			at = len(list)
			list, sums = append(list, Digest{Op: name, Weights: weights}), append(sums, sha256.New())
		}
		list[at].Cases++
		if err := c.digest(sums[at], registry, pool); err != nil {
			return nil, fmt.Errorf("%s %s: %w", name, c.Name, err)
		}
	}
	for i := range list {
		list[i].Sum = fmt.Sprintf("%x", sums[i].Sum(nil)[:8])
	}
	return list, nil
}

// weights is the type of the packed input, or f32.
func (c *Case) weights() op.DType {
	for _, t := range c.Types() {
		if t.DType != op.F32 && slices.Contains(op.WeightTypes(), t.DType) {
			return t.DType
		}
	}
	return op.F32
}

// digest runs the case at its bounds and adds its results to a hash.
func (c *Case) digest(to hash.Hash, registry *kernel.Registry, pool *platform.Pool) error {
	k, err := registry.Pick(c.Op, c.Types(), c.Attrs)
	if err != nil {
		return err
	}
	n, err := newNode(c, k, pool, false)
	if err != nil {
		return err
	}
	results, err := n.run(c.Bounds, 0)
	if err != nil {
		return err
	}
	var word [4]byte
	for _, result := range results {
		for _, v := range result {
			if v != v {
				v = float32(math.NaN())
			}
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			to.Write(word[:])
		}
	}
	return nil
}
