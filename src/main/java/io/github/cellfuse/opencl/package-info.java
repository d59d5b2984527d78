/**
 * The LSTM on OpenCL devices, built on {@code cl}: which kernel variant runs ({@link io.github.cellfuse.opencl.PlanChooser}), how
 * weights are laid out for it ({@link io.github.cellfuse.opencl.DeviceWeights}), and how a batch goes through it ({@link
 * io.github.cellfuse.opencl.OpenClSession}). Imports the {@code java} package for one purpose: the opening self-test compares the
 * device with the exact twin.
 */
package io.github.cellfuse.opencl;
