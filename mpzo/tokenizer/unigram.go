package tokenizer

import (
	"math"
	"slices"
)

// unigram segments text into the pieces whose scores, log probabilities, have
// the greatest sum (Viterbi). Arithmetic follows SentencePiece's encoder to the
// rounding: sums are kept as float32 and compared in the precision it uses,
// since ties between segmentations are common.
type unigram struct {
	vocab        *vocabulary
	index        *prefixIndex
	unknownScore float32 // of one character without a piece
	maxScore     float32
}

// unknownPenalty is how far below the worst piece an unknown character scores.
const unknownPenalty = 10

func newUnigram(v *vocabulary) *unigram {
	u := &unigram{vocab: v, index: newPrefixIndex(v, pieceNormal, pieceUserDefined, pieceUnused)}
	minScore := float32(math.MaxFloat32)
	u.maxScore = 0x1p-126 // FLT_MIN, the smallest normal number: where the reference starts
	for _, p := range v.pieces {
		if p.kind == pieceNormal {
			minScore = min(minScore, p.score)
			u.maxScore = max(u.maxScore, p.score)
		}
	}
	u.unknownScore = minScore - unknownPenalty
	return u
}

// pathEnd is the best path that ends at a byte of the text: its last piece,
// where that starts (-1: no path), and the score of the whole.
type pathEnd struct {
	id    int32
	start int
	score float32
}

// segment adds the ids of text, which must not be empty.
func (u *unigram) segment(text string, to *collector) {
	ends := make([]pathEnd, len(text)+1)
	for i := range ends {
		ends[i].start = -1
	}
	for start := 0; start < len(text); {
		size := characterSize(text[start:])
		if !u.extend(text, start, size, ends) {
			// In float32, as the reference; the other candidates are float64.
			score := u.unknownScore + ends[start].score
			offer(&ends[start+size], u.vocab.unknown, start, float64(score))
		}
		start += size
	}
	// Links lead back from the end; the ids are wanted forwards.
	path := []int{}
	for end := len(text); end > 0; end = ends[end].start {
		path = append(path, end)
	}
	for _, end := range slices.Backward(path) {
		to.add(text[ends[end].start:end], ends[end].id)
	}
}

// extend offers every piece that begins at start to the paths that end where it
// ends. It reports whether the character at start, of size bytes, is a piece.
func (u *unigram) extend(text string, start, size int, ends []pathEnd) (single bool) {
	before := float64(ends[start].score)
	walk := u.index.walk(text[start:])
	for {
		id, length, found := walk.next()
		if !found {
			return single
		}
		p := u.vocab.pieces[id]
		if p.kind == pieceUnused {
			continue
		}
		score := float64(p.score)
		if p.kind == pieceUserDefined {
			// A bonus, so that user-defined symbols win over their parts.
			score = float64(float32(length)*u.maxScore) - 0.1
		}
		offer(&ends[start+length], id, start, score+before)
		single = single || length == size
	}
}

// offer replaces the path if there is none yet or the score is better.
func offer(end *pathEnd, id int32, start int, score float64) {
	if end.start < 0 || score > float64(end.score) {
		*end = pathEnd{id: id, start: start, score: float32(score)}
	}
}
