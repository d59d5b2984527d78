/**
 * The door to model files: {@link io.github.cellfuse.format.ModelFiles} reads and writes every format. The packages
 * below read and write one format each; {@code .onnx} files are the business of {@code io.github.cellfuse.onnx}. Gate
 * orders are converted in these packages, and nowhere else.
 *
 * <p>Two rules hold for every class. First, a fault in a user's file is an
 * {@link io.github.cellfuse.InvalidInputException} whose one-line message names the file, the field, the expected value
 * and the value found; a failure of the disk is a {@link io.github.cellfuse.CellFuseException} that names the file.
 * Second, an incomplete file never appears under the name that the user gave: writers fill a temporary file in the same
 * folder and rename it when it is complete.
 *
 * <p>Readers map files into memory. A file larger than the heap, or than 2 GiB, costs nothing until it is read.
 */
package io.github.cellfuse.format;
