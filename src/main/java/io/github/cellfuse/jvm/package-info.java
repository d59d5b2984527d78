/**
 * The Java engine (device {@code java}): the arithmetic of the kernels in float32, operation by operation, so it gives
 * the same bits. It runs on machines without OpenCL, and the bits of every other device are compared with it.
 *
 * <p>{@link io.github.cellfuse.jvm.Activations} mirrors {@code kernels/activations.cl},
 * {@link io.github.cellfuse.jvm.GateProduct} mirrors {@code kernels/gate_product.cl},
 * {@link io.github.cellfuse.jvm.CellBlock} mirrors {@code kernels/lstm_cell.cl}. The classes named {@code Vector…} do
 * the same on the JVM's vectors. {@link io.github.cellfuse.jvm.Arithmetic} is the interface of both.
 */
package io.github.cellfuse.jvm;
