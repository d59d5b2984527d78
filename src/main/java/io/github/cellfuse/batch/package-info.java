/**
 * Batches of any number of rows, including batches larger than memory, as a pipeline of chunks: a
 * {@link io.github.cellfuse.batch.ChunkSource} reads rows, a session runs them, a
 * {@link io.github.cellfuse.batch.ChunkSink} writes the results.
 *
 * <p>Rows are independent and the result of a row is defined to the bit. The size and order of the chunks and the
 * device that ran them therefore can't be seen in the result; nothing in this package may change that.
 *
 * <p>A {@link io.github.cellfuse.batch.Journal} remembers which rows of an unfinished output are on the disk.
 *
 * <p>This package knows no format of tensors. Source and sink are interfaces, which the command line implements for
 * files.
 */
package io.github.cellfuse.batch;
