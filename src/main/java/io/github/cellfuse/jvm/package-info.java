/**
 * The exact twin: the kernels' arithmetic in Java, float32, operation by operation, so that it gives their bits. The engine
 * of last resort on a machine without OpenCL, and the judge of sameness everywhere else.
 *
 * <p>{@link io.github.cellfuse.jvm.Activations} mirrors {@code kernels/activations.cl}, {@link
 * io.github.cellfuse.jvm.GateProduct} mirrors {@code kernels/gate_product.cl}, {@link io.github.cellfuse.jvm.CellBlock} mirrors
 * {@code kernels/lstm_cell.cl}. The classes {@code Vector…} do the same on the JVM's vectors; {@link
 * io.github.cellfuse.jvm.Arithmetic} is what both have in common.
 */
package io.github.cellfuse.jvm;
