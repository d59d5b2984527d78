/** Measures plans and speeds on a device for {@code cellfuse tune}, and stores the winners. */
package io.github.cellfuse.opencl.tune;
