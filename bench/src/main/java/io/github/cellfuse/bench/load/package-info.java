/** Times runs while other processes compete for the cores. */
package io.github.cellfuse.bench.load;
