package importer

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"zeroth/runtime/noise"
)

// Synthetic says what weights [NewSynthetic] makes up.
type Synthetic struct {
	Seed uint64
	// Layers shortens the model to its first layers; 0 leaves all of them.
	Layers int
	// Outliers gives one channel in 640 twenty times the scale of the others,
	// the same ones behind every norm, as trained models of some size have them
	// (LLM.int8(), arXiv 2208.07339: some 6 channels of 4096).
	Outliers bool
}

const (
	outlierChannels = 640 // one in so many
	outlierScale    = 20
)

// synthetic is a checkpoint of random weights.
type synthetic struct {
	name      string
	published int // layers of the published model
	config    Config
	Synthetic
	shapes map[string][]int
	spread float32 // standard deviation of matrices
}

// NewSynthetic makes a checkpoint of random weights in the shape of a published
// model, to measure with where the model itself is not at hand: what it computes
// means nothing. Weights are what training begins with, matrices normal with the
// published standard deviation, norms 1 and biases 0, so that activations keep
// their usual size. Each is a function of seed, name and place; none is stored.
// Errors wrap [ErrArgument].
func NewSynthetic(name string, o Synthetic) (Checkpoint, error) {
	config, err := publishedConfig(name)
	if err != nil {
		return nil, err
	}
	if o.Layers < 0 || o.Layers > config.Layers {
		return nil, fmt.Errorf("%d layers: %s has %d: %w", o.Layers, name, config.Layers, ErrArgument)
	}
	c := &synthetic{name: name, published: config.Layers, config: config, Synthetic: o, shapes: make(map[string][]int), spread: 0.02}
	if o.Layers > 0 {
		c.config.Layers = o.Layers
	}
	if config.Architecture == "opt" {
		c.spread = 0.006 // init_std
	}
	for weight := range c.config.Weights() {
		c.shapes[weight.Name] = weight.Shape
	}
	return c, nil
}

func (c *synthetic) Config() Config  { return c.config }
func (c *synthetic) Names() []string { return c.config.weightNames() }
func (c *synthetic) Close() error    { return nil }

func (c *synthetic) Source() string {
	text := "random weights in the shape of " + c.name
	if c.config.Layers < c.published {
		text += fmt.Sprintf(" (%d of %d layers)", c.config.Layers, c.published)
	}
	if c.Outliers {
		text += " with outlier channels"
	}
	return fmt.Sprintf("%s, seed %d", text, c.Seed)
}

func (c *synthetic) Tensor(name string) (Info, error) {
	shape, found := c.shapes[name]
	if !found {
		return Info{}, fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	return Info{Shape: shape, DType: "F32"}, nil
}

func (c *synthetic) ReadF32(name string, dst []float32) error { return readWhole(c, name, dst) }

func (c *synthetic) ReadRows(name string, first int, dst []float32) error {
	info, err := c.Tensor(name)
	if err != nil {
		return err
	}
	rowLength, err := checkRows(name, info.Shape, first, len(dst))
	if err != nil {
		return err
	}
	switch {
	case len(info.Shape) > 1:
		c.fillMatrix(name, first*rowLength, dst)
	case strings.HasSuffix(name, ".bias"):
		clear(dst)
	default:
		for i := range dst {
			dst[i] = c.normScale(first+i, info.Shape[0])
		}
	}
	return nil
}

// normScale is the scale of a channel behind a norm of size channels.
func (c *synthetic) normScale(channel, size int) float32 {
	// Those of a head have no outliers.
	if c.Outliers && size == c.config.HiddenSize && channel%outlierChannels == outlierChannels/2 {
		return outlierScale
	}
	return 1
}

// fillMatrix writes the elements of a matrix from element first on: element k is
// one half of word ⌊k/2⌋ of a SplitMix64 sequence (Steele, Lea and Flood 2014),
// any word of which can be had by itself, sent through the normal quantile.
func (c *synthetic) fillMatrix(name string, first int, dst []float32) {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	start := splitMix(c.Seed + splitMix(h.Sum64()))
	spread := c.spread
	if c.config.Architecture == "gpt2" && strings.HasSuffix(name, "c_proj.weight") {
		// GPT-2 divides what is added to the residual by the root of how often.
		spread /= float32(math.Sqrt(2 * float64(c.config.Layers)))
	}
	for i := range dst {
		k := uint64(first + i)
		word := splitMix(start + k/2*0x9e3779b97f4a7c15)
		dst[i] = noise.Quantile(uint32(word>>(k%2*32))) * spread
	}
}

// splitMix is SplitMix64's output function.
func splitMix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
