package gpu

// Ops that make one number of each copy. They have something to do without rows,
// too: a sum of nothing is 0.

func buildWeightedSum(b *builder) {
	x := b.call.In[0]
	b.add(kernelWeightedSum, nil, []Span{b.in(0), b.in(1), b.out(0)}, func(words []uint32) int {
		fill(words, x.Width, x.Shape[0])
		return b.groups(x.Width)
	})
}

func buildChoiceLoss(b *builder) {
	x, gold, mean := b.call.In[0], b.call.In[3], b.call.Attrs.Int("mean")
	b.add(kernelChoiceLoss, nil, []Span{b.in(0), b.in(1), b.in(2), b.in(3), b.out(0)}, func(words []uint32) int {
		fill(words, x.Width, x.Shape[0], gold.Shape[0], mean)
		return b.groups(x.Width)
	})
}
