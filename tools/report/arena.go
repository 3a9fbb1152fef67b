package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"zeroth/internal/bytesize"
)

const (
	maxItems     = 5000 // drawn of a plan
	largestItems = 12   // listed beside the picture
	scratchMark  = "scratch of "
	arenaHeight  = 340.0
	labelRoom    = 18 // pixels of plot kept free above the arena for its label
)

// arena is the picture of a memory plan and what is written beside it.
type arena struct {
	Picture       template.HTML
	Method        string
	Bytes         string
	LowerBound    string
	Above         string // how far the arena is above the lower bound
	Tensors       string // how many
	Scratch       string // how many of the drawn ones are scratch; empty: none
	Notes         []string
	Largest       []itemRow
	bytes, lowest float64
	x, y          axis
	nodes         []string
}

type itemRow struct{ Name, Bytes, Offset, Live string }

// newArena draws a plan. Items that cannot lie in the arena, which only a
// damaged file can hold, are counted and left out.
func newArena(p *Plan) *arena {
	size, bound := max(p.Bytes, 0), max(p.LowerBound, 0)
	a := &arena{
		Method: clean(p.Method, maxName), Bytes: bytesize.Format(size), LowerBound: bytesize.Format(bound),
		Tensors: plural(len(p.Items), "tensor"), bytes: float64(size), lowest: float64(bound), nodes: p.Nodes,
	}
	items, nodes := soundItems(p)
	if bad := len(p.Items) - len(items); bad > 0 {
		a.Notes = append(a.Notes, plural(bad, "tensor")+" outside the arena or its nodes left out.")
	}
	if len(items) == 0 {
		return a
	}
	if bound > 0 && size > bound {
		a.Above = strconv.FormatFloat(100*(a.bytes/a.lowest-1), 'f', 1, 64) + " %"
	}
	slices.SortStableFunc(items, func(l, r Item) int { return cmp.Compare(r.Bytes, l.Bytes) })
	for _, item := range items[:min(len(items), largestItems)] {
		a.Largest = append(a.Largest, itemRow{
			clean(item.Name, maxName), bytesize.Format(item.Bytes), formatCount(int64(item.Offset)), a.live(item),
		})
	}
	if len(items) > maxItems {
		a.Notes = append(a.Notes, fmt.Sprintf("The largest %s of %s tensors are drawn.", formatCount(maxItems), formatCount(int64(len(items)))))
		items = items[:maxItems]
	}
	a.x = stepAxis(span{lo: 0, hi: nodes, any: true}, 6)
	a.y = byteAxis(max(a.bytes, a.lowest), 6)
	a.draw(items)
	return a
}

// soundItems are the items that lie in the arena and among the nodes, and the
// number of nodes.
func soundItems(p *Plan) (items []Item, nodes float64) {
	count := len(p.Nodes)
	if count == 0 {
		for _, item := range p.Items {
			if item.Last < math.MaxInt32 { // a count of nodes, not a wild number
				count = max(count, item.Last+1)
			}
		}
	}
	for _, i := range p.Items {
		if i.Bytes >= 0 && i.Offset >= 0 && i.Bytes <= p.Bytes && i.Offset <= p.Bytes-i.Bytes &&
			i.First >= 0 && i.First <= i.Last && i.Last < count {
			items = append(items, i)
		}
	}
	return items, float64(count)
}

func (a *arena) draw(items []Item) {
	var s canvas
	title := "Memory plan of the method " + a.Method
	description := fmt.Sprintf("%s, each a rectangle from the first to the last node that needs it, at its place in an arena of %s. At least %s are needed.",
		plural(len(items), "tensor"), a.Bytes, a.LowerBound)
	openPicture(&s, "arena", title, description, arenaHeight)
	// The y axis ends below the top, where the arena's label stands.
	full := a.y.hi
	a.y.hi *= arenaHeight / (arenaHeight - labelRoom)
	drawFrame(&s, &a.x, &a.y, arenaHeight, "offset in the arena", "node, in the order of execution")
	scratch := 0
	for i, item := range items {
		if a.drawItem(&s, i, item) {
			scratch++
		}
	}
	if scratch > 0 {
		a.Scratch = formatCount(int64(scratch))
	}
	if a.lowest == a.bytes {
		a.drawLevel(&s, "arena = lower bound = "+a.Bytes, "level", a.bytes, "end", "100%", -5)
	} else {
		a.drawLevel(&s, "arena "+a.Bytes, "level", a.bytes, "end", "100%", -5)
		a.drawLevel(&s, "lower bound "+a.LowerBound, "level bound", a.lowest, "start", "0", a.boundLabel(full))
	}
	s.end("svg")
	a.Picture = s.html()
}

// boundLabel is where the lower bound's label stands, in pixels from its line:
// above it if that is clear of the arena's line, which it would cross otherwise.
func (a *arena) boundLabel(full float64) float64 {
	if gap := (full - a.lowest) / a.y.hi * arenaHeight; gap > 0 && gap < 16 {
		return -5 - gap
	}
	return -5
}

// drawItem draws a rectangle, one of three shades so that neighbours differ,
// and tells whether it is scratch.
func (a *arena) drawItem(s *canvas, index int, item Item) (scratch bool) {
	class := "tensor"
	if scratch = strings.HasPrefix(item.Name, scratchMark); scratch {
		class = "scratch"
	}
	left, right := a.x.at(float64(item.First)), a.x.at(float64(item.Last)+1)
	top := a.y.at(float64(item.Offset) + float64(item.Bytes))
	s.begin("rect", "class", class+" shade"+strconv.Itoa(index%3), "x", percent(left), "width", percent(right-left),
		"y", pixels(roomAbove+arenaHeight*(1-top)), "height", pixels(arenaHeight*float64(item.Bytes)/a.y.hi))
	s.text("title", fmt.Sprintf("%s\n%s at offset %s\nlive %s", clean(item.Name, maxName),
		bytesize.Format(item.Bytes), bytesize.Format(item.Offset), a.live(item)))
	s.end("rect")
	return scratch
}

func (a *arena) drawLevel(s *canvas, label, class string, bytes float64, anchor, x string, above float64) {
	at := roomAbove + arenaHeight*(1-a.y.at(bytes))
	s.empty("line", "class", class, "x1", "0", "x2", "100%", "y1", pixels(at), "y2", pixels(at))
	s.text("text", label, "class", "label", "x", x, "y", pixels(at+above), "text-anchor", anchor)
}

// live says when an item is needed: at which node, or from which to which.
func (a *arena) live(item Item) string {
	if item.First == item.Last {
		return "at node " + a.node(item.First)
	}
	return "from node " + a.node(item.First) + " to " + a.node(item.Last)
}

func (a *arena) node(index int) string {
	text := formatCount(int64(index))
	if index < len(a.nodes) {
		text += " (" + clean(a.nodes[index], maxName) + ")"
	}
	return text
}
