/**
 * The exact twin: the kernels' arithmetic in Java, float32, operation by operation, so that it gives their bits. The engine
 * of last resort on a machine without OpenCL, and the judge of sameness everywhere else.
 *
 * <p>{@link io.github.cellfuse.java.Activations} mirrors {@code kernels/activations.cl}, {@link
 * io.github.cellfuse.java.GateProduct} mirrors {@code kernels/gate_product.cl}, {@link io.github.cellfuse.java.CellBlock} mirrors
 * {@code kernels/lstm_cell.cl}. The classes {@code Vector…} do the same on the JVM's vectors; {@link
 * io.github.cellfuse.java.Arithmetic} is what both have in common.
 */
package io.github.cellfuse.java;
