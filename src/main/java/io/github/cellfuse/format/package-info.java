/**
 * Files to tensors and models, and back: NumPy's {@code .npy} and {@code .npz} and Hugging Face's {@code .safetensors} with
 * PyTorch's names for an LSTM. Gate orders are converted here and in the packages below, and nowhere else.
 *
 * <p>Two rules hold for every class. What is wrong with a user's file is an {@link io.github.cellfuse.InvalidInputException}
 * whose one line names the file, the field, what was expected and what was found; a failure of the disk is a
 * {@link io.github.cellfuse.CellFuseException} that names the file. And nothing half-written is ever seen under the name that
 * the user gave: writers fill a temporary file beside it and rename it when it is whole.
 *
 * <p>Readers map their files into memory, so that files larger than the heap, and than 2 GiB, cost nothing until they are read.
 */
package io.github.cellfuse.format;
