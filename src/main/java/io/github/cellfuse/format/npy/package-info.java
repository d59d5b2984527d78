/** NumPy's files: {@code .npy} and {@code .npz}, read and written region by region. */
package io.github.cellfuse.format.npy;
