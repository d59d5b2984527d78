/**
 * Times runs on a GPU, alone or in turns with other libraries. Also part of the bundle that {@code bench/gpu/pack}
 * makes for a machine without Java and network.
 */
package io.github.cellfuse.bench.gpu;
