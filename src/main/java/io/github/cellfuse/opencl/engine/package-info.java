/**
 * How a batch runs on an OpenCL device: the engine with the weights, sessions with their buffers, and the loop over time.
 */
package io.github.cellfuse.opencl.engine;
