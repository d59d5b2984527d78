/** Times runs over files against runs in memory. */
package io.github.cellfuse.bench.batch;
