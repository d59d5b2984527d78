/**
 * Measured ways: what {@code cellfuse tune} finds on a device, and where it keeps it.
 */
package io.github.cellfuse.opencl.tune;
