// Package model builds modules from checkpoints: one file an architecture,
// each a page that reads like the paper, from the same blocks.
package model
