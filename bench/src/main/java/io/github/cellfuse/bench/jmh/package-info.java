/**
 * JMH benchmarks of single kernels and of the host's part of a run. Each benchmark checks its results.
 *
 * <p>The settings, unless a class says otherwise: one fork, because differences between JVMs (the order of compilation)
 * hardly matter when the work is in a kernel, and every fork opens the device again; five seconds of warm-up, in which
 * the driver compiles, the processor reaches its clock, and C2 compiles the few lines of Java; five measurements of one
 * second each. One thread calls; the driver's threads use the other cores.
 */
package io.github.cellfuse.bench.jmh;
