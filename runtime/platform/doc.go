// Package platform is what the runtime asks of the machine: a pool of threads
// that steal work from each other, the CPUs it has, and the process's memory.
package platform
