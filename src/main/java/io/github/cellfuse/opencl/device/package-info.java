/**
 * Describes an OpenCL device: its name, its tier, its speed, and the traits that decide how kernels are built for it.
 */
package io.github.cellfuse.opencl.device;
