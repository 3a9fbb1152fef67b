// Package deps holds no code, only the test that keeps the house's plan of who
// may import whom (docs/ARCHITECTURE.md). Nobody imports it.
package deps
