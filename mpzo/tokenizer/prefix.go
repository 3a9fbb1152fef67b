package tokenizer

import "sort"

// prefixIndex finds the pieces that a text begins with. It is the sorted list
// of pieces, walked like a trie: the pieces that share a prefix lie together,
// and each further byte narrows their range.
type prefixIndex struct {
	texts []string
	ids   []int32
	first [257]int // texts that begin with byte b are first[b] to first[b+1]
}

// newPrefixIndex indexes the pieces of the given kinds.
func newPrefixIndex(v *vocabulary, kinds ...pieceKind) *prefixIndex {
	var texts []string
	var ids []int32
	for id, p := range v.pieces {
		for _, kind := range kinds {
			if p.kind == kind {
				texts = append(texts, p.text)
				ids = append(ids, int32(id))
			}
		}
	}
	return indexTexts(texts, ids)
}

// indexTexts indexes texts, none empty and no two alike, by their ids. It keeps
// and sorts both slices.
func indexTexts(texts []string, ids []int32) *prefixIndex {
	index := &prefixIndex{texts: texts, ids: ids}
	sort.Sort(index)
	for b := range 256 {
		index.first[b+1] = sort.Search(len(index.texts), func(i int) bool { return index.texts[i][0] > byte(b) })
	}
	return index
}

// Len, Less and Swap sort texts and ids together.
func (p *prefixIndex) Len() int           { return len(p.texts) }
func (p *prefixIndex) Less(i, j int) bool { return p.texts[i] < p.texts[j] }
func (p *prefixIndex) Swap(i, j int) {
	p.texts[i], p.texts[j] = p.texts[j], p.texts[i]
	p.ids[i], p.ids[j] = p.ids[j], p.ids[i]
}

// prefixWalk is a walk along one text.
type prefixWalk struct {
	index     *prefixIndex
	text      string
	depth     int // bytes of text walked
	low, high int // pieces that begin with text[:depth] and are longer
}

// walk begins a walk along text, which must not be empty.
func (p *prefixIndex) walk(text string) prefixWalk {
	return prefixWalk{index: p, text: text, low: p.first[text[0]], high: p.first[int(text[0])+1]}
}

// next returns the next longer piece that the text begins with.
func (w *prefixWalk) next() (id int32, size int, found bool) {
	texts := w.index.texts
	for w.low < w.high && w.depth < len(w.text) {
		if w.depth > 0 {
			w.narrow(w.text[w.depth])
		}
		w.depth++
		if w.low < w.high && len(texts[w.low]) == w.depth {
			w.low++
			return w.index.ids[w.low-1], w.depth, true
		}
	}
	return 0, 0, false
}

// narrow keeps the pieces of the range whose byte at depth is b. All of them
// are longer than depth.
func (w *prefixWalk) narrow(b byte) {
	texts, depth := w.index.texts, w.depth
	at := func(i int) byte { return texts[w.low+i][depth] }
	count := w.high - w.low
	from := sort.Search(count, func(i int) bool { return at(i) >= b })
	size := sort.Search(count-from, func(i int) bool { return at(from+i) > b })
	w.low, w.high = w.low+from, w.low+from+size
}

// longest returns the size in bytes of the longest piece that text begins with,
// or 0. text must not be empty.
func (p *prefixIndex) longest(text string) int {
	_, size := p.longestID(text)
	return size
}

// longestID returns the longest piece that text begins with and its size in
// bytes, or size 0. text must not be empty.
func (p *prefixIndex) longestID(text string) (id int32, size int) {
	if len(p.texts) == 0 {
		return 0, 0
	}
	walk := p.walk(text)
	for {
		longer, longerSize, found := walk.next()
		if !found {
			return id, size
		}
		id, size = longer, longerSize
	}
}
