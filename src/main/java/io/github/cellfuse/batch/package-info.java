/**
 * Batches of any number of rows, larger than memory too, as a pipeline of chunks: a {@link io.github.cellfuse.batch.ChunkSource}
 * reads the rows, a session runs them, a {@link io.github.cellfuse.batch.ChunkSink} puts the results at the rows' place.
 *
 * <p>Rows don't depend on each other and the result of a row is defined to the bit, so neither the size of the chunks, nor their
 * order, nor the device that ran one can be seen in the result; nothing here may change that.
 *
 * <p>This package knows no file format: source and sink are its own interfaces, and the command line implements them on files.
 */
package io.github.cellfuse.batch;
