/**
 * The LSTM on OpenCL devices, built on {@code cl}: which kernel variant runs
 * ({@link io.github.cellfuse.opencl.plan.PlanChooser}), how weights are laid out for it
 * ({@link io.github.cellfuse.opencl.engine.DeviceWeights}), and how a batch goes through it
 * ({@link io.github.cellfuse.opencl.engine.OpenClSession}). Imports the {@code java} package for one purpose: the
 * opening self-test compares the device with the exact twin.
 */
package io.github.cellfuse.opencl;
