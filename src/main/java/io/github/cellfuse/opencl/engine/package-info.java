/**
 * How a batch runs on an OpenCL device: an engine has the weights, its sessions have the memory of their runs, and each
 * layer runs step by step ({@link io.github.cellfuse.opencl.engine.LaunchedSteps}) or as a whole sequence
 * ({@link io.github.cellfuse.opencl.engine.WholeSequence}).
 */
package io.github.cellfuse.opencl.engine;
