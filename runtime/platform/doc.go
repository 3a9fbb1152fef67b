// Package platform is what the runtime asks of the machine: a pool of threads
// that steal work from each other, the CPUs it has, memory, heat, battery and
// priority.
package platform
