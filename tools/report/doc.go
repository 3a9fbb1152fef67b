// Package report writes a fine-tuning run as one HTML page: the headline
// numbers, curves of loss, accuracy and gradient, the settings, where the time
// went, and the memory plan as a picture of the arena over time. Another page
// shows a comparison of two backends, a bar for each node's error.
//
// The page stands alone. Its style and its pictures (SVG) are inside it, it
// holds no script, and its content security policy forbids the browser to load
// anything, so it opens without a network and can be sent by mail. It follows
// the reader's light or dark scheme, fits a phone, and prints. It is well-formed
// XML as well as HTML, and the same data always give the same bytes.
//
// Names and settings come from files of others. Every string is cleaned of
// control and direction marks, shortened, and escaped. Counts are bounded: what
// is too much to draw (100,000 steps, thousands of tensors) is thinned with its
// extremes kept, and the page says so.
//
// The tools may call this package. Reading journals and profiles is for the
// caller; nothing here opens a file.
package report
