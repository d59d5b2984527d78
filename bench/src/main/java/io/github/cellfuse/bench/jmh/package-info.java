/**
 * JMH benchmarks of the kernels, one by one, and of the host's part of a run. Each checks its results, so that what is fast is also
 * right.
 *
 * <p>The settings, unless a class says otherwise: one fork, since what varies from JVM to JVM (the order of compilation) hardly
 * matters where the work is in a kernel, and every fork opens the device anew; five seconds of warming up, in which the driver
 * compiles, the processor finds its clock, and C2 is done with the few lines of Java; five measurements of a second each. One
 * thread calls: the driver's threads use the other cores.
 */
package io.github.cellfuse.bench.jmh;
