/**
 * How kernels are compiled: which files a program has, with which build options.
 */
package io.github.cellfuse.opencl.program;
