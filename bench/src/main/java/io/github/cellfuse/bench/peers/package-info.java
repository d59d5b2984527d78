/**
 * CellFuse against other LSTM implementations on the same processor. Each runs in a process of its own, and they take
 * turns.
 */
package io.github.cellfuse.bench.peers;
