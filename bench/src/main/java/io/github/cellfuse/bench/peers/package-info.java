/**
 * CellFuse against other LSTM implementations on the same processor: each in a process of its own, taking turns round by round.
 */
package io.github.cellfuse.bench.peers;
