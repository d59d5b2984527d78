/**
 * What an OpenCL device is: its name, its tier, and the traits that decide how kernels are built for it.
 */
package io.github.cellfuse.opencl.device;
