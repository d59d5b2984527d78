/**
 * How kernels are compiled and called: the files of a program, its build options, and the arguments of its kernels by
 * name.
 */
package io.github.cellfuse.opencl.program;
